"""The record of a run on disk."""

import csv

from tinycnn.train.log import RunLog


def test_rows_with_other_columns_share_a_table(tmp_path):
    """A detector is not evaluated after every epoch, and the first epoch may be one of those."""
    log = RunLog(tmp_path, 1)
    log.epoch({"epoch": 1, "loss": 2.5})
    log.epoch({"epoch": 2, "loss": 1.5, "test_AP": 0.25})
    log.epoch({"epoch": 3, "loss": 1.25})
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    assert rows == [
        {"epoch": "1", "loss": "2.5", "test_AP": ""},
        {"epoch": "2", "loss": "1.5", "test_AP": "0.25"},
        {"epoch": "3", "loss": "1.25", "test_AP": ""},
    ]
