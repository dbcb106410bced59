"""Mutated COCO documents and run lengths: they load, or one DataError says where they are broken."""

import copy
import random

from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.test_detection import FOUND, TRUTH
from tinycnn import metrics
from tinycnn.errors import DataError

RUNS = metrics.rle_encode([[0, 1, 1], [1, 1, 0]])
WHOLE = {**TRUTH, "annotations": [{**each, "segmentation": RUNS, "keypoints": [1.0, 2.0, 2]} for each in TRUTH["annotations"]]}
ODD = [None, True, -1, 0, 3, 2**70, 1e400, float("nan"), "", "7", "P", b"\xff", [], {}, [[]], [None], [1, 2, 3], {"size": [2, 3], "counts": [6]},
       {"size": [1e9, 1e9], "counts": "0"}, {"size": [2**20, 2**20], "counts": []}, [[0, 0, 1e9, 1, 1, 1]], [[1, 1, 1, 1, 1, 1]]]  # fmt: skip


def places(value, path=()):
    """Every place in a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def mutated(document, chance):
    """One to three places changed, dropped or doubled."""
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(list(places(document))[1:])
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        what = chance.random()
        if what < 0.2:
            del parent[path[-1]]
        elif what < 0.3 and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[path[-1]]))
        else:
            parent[path[-1]] = copy.deepcopy(chance.choice(ODD))
        if not document:
            return document
    return document


@given(st.integers(0, 2**32 - 1), st.sampled_from(["bbox", "segm", "keypoints"]))
def test_mutated_documents_load_or_say_why(seed, kind):
    chance = random.Random(seed)
    truth, found = copy.deepcopy(WHOLE), [{**each, "segmentation": RUNS, "keypoints": [1.0, 2.0, 2]} for each in copy.deepcopy(FOUND)]
    if chance.random() < 0.5:
        truth = mutated(truth, chance)
    else:
        found = mutated(found, chance)
    try:
        data = metrics.coco_detections(truth, found)
        stats = metrics.coco_evaluation(data, kind=kind, sigmas=[0.1]).stats()
        metrics.detection_verdicts(data, kind=kind, sigmas=[0.1])
    except DataError:
        return
    except metrics.rle.ArgumentError as error:  # two masks of one image of different sizes
        assert "one size" in str(error)
        return
    assert all(-1 <= value <= 1 for value in stats.values())
