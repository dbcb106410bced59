"""study.ranked: average precision by the three rules, against numbers worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.errors import ArgumentError
from tinycnn.study.ranked import RULES, ranked_average_precision, ranked_precision_recall


def test_by_hand():
    hits = [True, False, True, True, False]
    assert ranked_precision_recall(hits, 5)[3] == (Fraction(3, 4), Fraction(3, 5))
    assert ranked_average_precision(hits, 5) == Fraction(1, 5) * (1 + Fraction(3, 4) + Fraction(3, 4))
    assert ranked_average_precision(hits, 5, "voc11") == (3 * 1 + 4 * Fraction(3, 4)) / 11
    assert ranked_average_precision(hits, 5, "coco101") == (21 * 1 + 40 * Fraction(3, 4)) / 101


@given(st.lists(st.booleans(), max_size=12), st.integers(0, 5))
def test_bounds(hits, missed):
    truths = max(sum(hits) + missed, 1)
    found = {rule: ranked_average_precision(hits, truths, rule) for rule in RULES}
    assert all(0 <= value <= 1 for value in found.values())
    first = np.argsort(~np.array(hits, bool), kind="stable")
    best = ranked_average_precision([hits[n] for n in first], truths)
    assert found["area"] <= best == Fraction(sum(hits), truths)
    assert abs(found["area"] - found["coco101"]) <= Fraction(1, 50)


def test_refusals():
    with pytest.raises(ArgumentError, match="rule must be one of voc11, area, coco101, not 'map'"):
        ranked_average_precision([True], 1, "map")
    with pytest.raises(ArgumentError, match="2 hits but 1 true objects"):
        ranked_precision_recall([True, True], 1)
