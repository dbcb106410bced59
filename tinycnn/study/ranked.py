"""Precision and recall down a ranked list of detections, and the three ways of averaging them into one number, in exact fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..errors import ArgumentError

__all__ = ["RULES", "ranked_average_precision", "ranked_precision_recall"]

RULES = ("voc11", "area", "coco101")


def ranked_precision_recall(hits: Sequence[bool], truths: int) -> list[tuple[Fraction, Fraction]]:
    """(precision, recall) after every detection: the hits so far over the detections so far, and over all true objects.

    Examples
    --------
    >>> [(str(precision), str(recall)) for precision, recall in ranked_precision_recall([True, False, True], truths=4)]
    [('1', '1/4'), ('1/2', '1/4'), ('2/3', '1/2')]
    """
    if truths < max(sum(hits), 1):
        raise ArgumentError(f"ranked_precision_recall: {sum(hits)} hits but {truths} true objects; every hit needs its own, and there must be one")
    found, so_far = [], 0
    for rank, hit in enumerate(hits, start=1):
        so_far += bool(hit)
        found.append((Fraction(so_far, rank), Fraction(so_far, truths)))
    return found


def ranked_average_precision(hits: Sequence[bool], truths: int, rule: str = "area") -> Fraction:
    """One number for a ranked list.

    Formula
    -------
    With p(r) = the largest precision at any recall >= r (0 where there is none): "voc11" = (1/11) sum of p at r = 0, 0.1, ..., 1;
    "area" = sum over ranks of (recall_n - recall_{n-1}) p(recall_n), as VOC from 2010 on; "coco101" = (1/101) sum of p at r = 0, 0.01, ..., 1.

    Parameters
    ----------
    hits : list of bool
        Of the detections by falling score: whether each matched a true object of its own.
    truths : int
        True objects, found or not.
    rule : str
        "voc11", "area" or "coco101".

    Returns
    -------
    Fraction

    Raises
    ------
    ArgumentError
        For another rule, or fewer true objects than hits.

    References
    ----------
    Everingham et al. 2010, "The PASCAL visual object classes challenge", section 4.2; Lin et al. 2014, "Microsoft COCO".

    Examples
    --------
    >>> print(ranked_average_precision([True, False, True], 4), ranked_average_precision([True, False, True], 4, "voc11"))
    5/12 5/11
    """
    if rule not in RULES:
        raise ArgumentError(f"ranked_average_precision: rule must be one of {', '.join(RULES)}, not {rule!r}")
    curve = ranked_precision_recall(hits, truths)

    def best(least: Fraction) -> Fraction:
        return max((precision for precision, recall in curve if recall >= least), default=Fraction(0))

    if rule == "area":
        before = [Fraction(0), *(recall for _, recall in curve)]
        return sum(((recall - last) * best(recall) for (_, recall), last in zip(curve, before, strict=False)), Fraction(0))
    last = 10 if rule == "voc11" else 100
    return sum((best(Fraction(place, last)) for place in range(last + 1)), Fraction(0)) / (last + 1)
