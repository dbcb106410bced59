"""study.conventions: every rule gives the number that its framework is known to give."""

import pytest

from tinycnn.errors import ArgumentError
from tinycnn.study.convention_rows import ROWS
from tinycnn.study.conventions import conventions

# Worked out by hand or taken from public threads, not from a run.
KNOWN = {
    "padding": [[3, 9, 15], [6, 12, 11], [3, 9, 15], [6, 12], [1, 6, 12, 11], [1, 6, 12]],
    "ceil": [[1.5, 3.5], [1.5, 3.5, 5.0], [1.5, 3.5, 5.0]],  # sonos/tract#2851
    "count_include_pad": [[4, 6, 6, 4], [6, 6, 6, 6]],
    "batch-norm variance": [[20 / 3], [5]],
    "batch-norm momentum": [[1.0], [0.1]],
    "resize coordinates": [[0, 1, 3, 4], [0, 4 / 3, 8 / 3, 4], [0, 2, 4, 4], [0, 1, 3, 4]],
    "resize nearest": [[0, 1, 3], [0, 2, 4], [0, 2, 4]],
    "pixel shuffle": [[[[0, 1], [2, 3]], [[4, 5], [6, 7]]], [[[0, 2], [4, 6]], [[1, 3], [5, 7]]]],
    "local response norm": [[2**-0.75], [6**-0.75]],
    "convolution or correlation": [[3, 2, 1], [1, 2, 3]],
    "RoIAlign offset": [[[2.5, 4.5], [10.5, 12.5]], [[5, 7], [13, 15]], [[10, 11], [14, 15]]],
    # py-faster-rcnn prints [-84, -40, 99, 55] for its first anchor.
    "anchors rounding": [[-84, -40, 99, 55], [-91, -45, 91, 45], [-90.5097, -45.2548, 90.5097, 45.2548]],
    "box + 1": [[36 / 126], [50 / 150]],
    "mIoU of absent classes": [(2 / 3 + 1 / 2) / 2, (2 / 3 + 1 / 2) / 3, (2 / 3 + 1 / 2 + 1) / 3],
    "confusion matrix": [[[1, 0], [1, 2]], [[1, 1], [0, 2]]],
    "Gram normalisation": [[[5, 11], [11, 25]], [[2.5, 5.5], [5.5, 12.5]], [[1.25, 2.75], [2.75, 6.25]]],
    "ArcFace margin": [[-0.95 - 0.5 * 0.479426, 0.3122], [-0.95, 0.3122], [-1.45, 0.3122]],
    "contrastive form": [[5, 2], [12.5, 2]],
}


def flat(value):
    return [number for part in value for number in flat(part)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("topic", KNOWN)
def test_results(topic):
    (row,) = conventions([topic]).rows
    for rule, expected in zip(row.rules, KNOWN[topic], strict=True):
        assert flat(rule.result) == pytest.approx(flat(expected), abs=2e-4), rule.name


def test_every_row_is_known_and_says_where_it_comes_from():
    assert [row.topic for row in ROWS] == list(KNOWN)
    for row in ROWS:
        assert row.sources and row.consequence and row.setup and len(row.rules) >= 2
        assert len({rule.name for rule in row.rules}) == len(row.rules)


def test_text_and_json_hold_every_rule():
    found = conventions()
    text, plain = found.text(), found.to_dict()
    for row in found.rows:
        assert all(rule.call in text for rule in row.rules)
    assert [row["topic"] for row in plain["rows"]] == list(KNOWN)


def test_an_unknown_topic():
    with pytest.raises(ArgumentError, match="there is no topic 'weather'; there are padding, ceil"):
        conventions(["ceil", "weather"])
    assert [row.topic for row in conventions(["count_include"]).rows] == ["count_include_pad"]
