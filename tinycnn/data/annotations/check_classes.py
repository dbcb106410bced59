"""Checks of categories, flags and keys: ids, names, numbers of examples, and what another format would lose."""

from __future__ import annotations

import difflib
from collections import Counter

from .convert import WORKING_KEYS
from .findings import Checked, Finding, found

__all__ = ["CLASS_RULES"]

FEW = 10
MOST_NAMES = 300  # names that are compared with each other
RARE = 100  # times fewer than the most frequent class


def ids(checked: Checked) -> list[Finding]:
    """Ids that are texts, begin at 0, or leave gaps."""
    known = [category.id for category in checked.annotations.categories]
    texts = [repr(each) for each in known if isinstance(each, str)]
    results = found("warning", "text ids", texts, "{count} category ids are texts: code that expects numbers makes null or 0 of them")
    picture_texts = [repr(picture.id) for picture in checked.annotations.pictures if isinstance(picture.id, str)]
    if checked.annotations.form == "coco":
        results += found(
            "warning", "text picture ids", picture_texts, "{count} picture ids are texts: pycocotools and exporters expect whole numbers"
        )
    whole = sorted(each for each in known if not isinstance(each, str))
    if whole and whole[0] == 0 and checked.annotations.form == "coco":
        name = checked.annotations.names()[0]
        words = f"category id 0 is {name!r}: most detectors keep 0 for the background"
        if name.lower() in ("background", "__background__", "bg"):
            words = f"category id 0 is {name!r}: the background is no category, and detectors add their own"
        results.append(Finding("warning", "category 0", 1, words + "; labels are numbered from 1 here"))
    if whole and whole != list(range(whole[0], whole[0] + len(whole))):
        gaps = whole[-1] - whole[0] + 1 - len(whole)
        shown = ", ".join(f"{own} is label {label}" for own, label in list(checked.annotations.labels().items())[:5])
        results.append(
            Finding(
                "warning",
                "ids with gaps",
                gaps,
                f"category ids run from {whole[0]} to {whole[-1]} with {gaps} missing: a network of max(id) + 1 classes has dead ones; map ids to "
                f"labels and back ({shown}, ...)",
            )
        )
    return results


def names(checked: Checked) -> list[Finding]:
    """Names that are one name spelt in two ways, and classes of few examples."""
    all_names = [category.name for category in checked.annotations.categories]
    groups: dict[str, list[str]] = {}
    for name in all_names:
        groups.setdefault("".join(letter for letter in name.casefold() if letter.isalnum()) or name, []).append(name)
    alike = [" and ".join(map(repr, group[:4])) for group in groups.values() if len(group) > 1]
    return found("warning", "names alike", alike, "{count} class names are spelt in two ways: they are trained as two classes") + found(
        "warning",
        "misspelt names",
        _misspelt(checked),
        "{count} rare class names differ from a frequent one in a letter or two: slips of the keyboard are trained as classes of their own",
    )


def _misspelt(checked: Checked) -> list[str]:
    """Rare names that are nearly a frequent one."""
    names_of = checked.annotations.names()
    counts = Counter(names_of.get(thing.category, "") for _, thing in checked.pairs)
    frequent = [name for name, count in counts.most_common(MOST_NAMES) if len(name) >= 4]
    cases = []
    for name, count in counts.most_common()[: -MOST_NAMES - 1 : -1]:
        likely = [
            other for other in frequent if counts[other] >= 10 * count and other.casefold() != name.casefold() and abs(len(other) - len(name)) <= 2
        ]
        for other in difflib.get_close_matches(name[:100], likely, n=1, cutoff=0.8):
            cases.append(f"{name} ({count:,}) and {other} ({counts[other]:,})")
    return cases


def examples(checked: Checked) -> list[Finding]:
    """Classes without examples, with few, or with far fewer than others."""
    counts = Counter(thing.category for _, thing in checked.pairs)
    most = max(counts.values(), default=0)
    named = [(category.name, counts.get(category.id, 0)) for category in checked.annotations.categories]
    none = [name for name, count in named if not count]
    few = [f"{name}: {count}" for name, count in named if 0 < count < FEW]
    rare = [f"{name}: {count:,} of {most:,}" for name, count in named if count >= FEW and count * RARE < most]
    return (
        found("warning", "class without examples", none, "{count} classes have no example: they cannot be learnt, and their AP is undefined")
        + found("warning", "few examples", few, f"{{count}} classes have fewer than {FEW} examples: neither training nor AP means much")
        + found("note", "rare classes", rare, f"{{count}} classes are more than {RARE} times rarer than the most frequent one")
    )


def flags(checked: Checked) -> list[Finding]:
    """Crowd, difficult and other flags, and who obeys them."""
    crowd = [checked.where(place) for place, (_, thing) in enumerate(checked.pairs) if thing.crowd]
    boxed_crowd = [checked.where(place) for place, (_, thing) in enumerate(checked.pairs) if thing.crowd and thing.mask is None]
    difficult = [checked.where(place) for place, (_, thing) in enumerate(checked.pairs) if thing.difficult]
    return (
        found("note", "crowd flags", crowd, "{count} regions are crowds: leave them out of training; COCO's evaluation ignores what is found in them")
        + found("warning", "crowd without mask", boxed_crowd, "{count} crowds have no run-length mask: COCO's crowds always have one")
        + found(
            "note",
            "difficult flags",
            difficult,
            "{count} things are difficult: VOC's evaluation leaves them out, COCO's and most others count them",
        )
    )


def keys(checked: Checked) -> list[Finding]:
    """Keys that other formats have no place for."""
    counted = Counter(key for _, thing in checked.pairs for key in thing.extra if key not in WORKING_KEYS)
    cases = [f"{key} ({count:,} things)" for key, count in counted.most_common()]
    return found(
        "note",
        "keys of its own",
        cases,
        "{count} keys are not shared by the formats: COCO, LabelMe and VIA keep them as they are, VOC as text, YOLO loses them",
    )


def reading(checked: Checked) -> list[Finding]:
    """What the reader had to note."""
    return [Finding("warning", "reading", 1, note) for note in checked.annotations.notes]


CLASS_RULES = (ids, names, examples, flags, keys, reading)
