"""Every operator against wrong arguments: it works, or it refuses with a sentence; it never crashes, hangs, or changes a dtype.

By default a seeded fiftieth of the cases runs; `pytest -m exhaustive` runs all. The table of counts is printed at the end with `-rP`.
"""

import inspect
import warnings
import zlib
from collections import Counter

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor
from tinycnn.errors import TinycnnError
from tinycnn.registry import OPERATORS

REFUSALS = (TinycnnError, TypeError, ValueError, IndexError)
SHORTEST_SENTENCE = 10
SHARE = 0.02
CASES_A_FAULT = 40

ANGULAR = [f"{name}_{part}" for name in ("arcface", "cosface", "sphereface") for part in ("logits", "loss")]

# One good value for each argument name, in the shapes most operators take; one that wants another refuses it, which counts too.
GOOD = {
    "input": lambda rng: rng.standard_normal((2, 4, 6, 6)),
    "other": lambda rng: rng.standard_normal((2, 4, 6, 6)),
    "weight": lambda rng: rng.standard_normal((4, 4, 3, 3)),
    "bias": lambda rng: rng.standard_normal(4),
    "target": lambda rng: rng.integers(0, 4, (2, 6, 6)),
    "kernel_size": lambda rng: 2,
    "dim": lambda rng: 1,
    "query": lambda rng: rng.standard_normal((2, 4, 6)),
    "key": lambda rng: rng.standard_normal((2, 4, 6)),
    "value": lambda rng: rng.standard_normal((2, 4, 6)),
    "logits": lambda rng: rng.standard_normal((2, 4)),
    "index": lambda rng: np.zeros((2, 4, 6, 6), np.int64),
    "mask": lambda rng: rng.random((2, 4, 6, 6)) > 0.5,
    "pad": lambda rng: (1, 1, 1, 1),
    "running_mean": lambda rng: rng.standard_normal(4),
    "running_var": lambda rng: rng.random(4) + 0.5,
    "normalized_shape": lambda rng: (6, 6),
    "num_groups": lambda rng: 2,
    "size": lambda rng: 3,
    "output_size": lambda rng: 2,
    "indices": lambda rng: rng.integers(0, 36, (2, 4, 6, 6)),
    "norm_type": lambda rng: 2.0,
    "scale": lambda rng: 2,
    "tensors": lambda rng: (rng.standard_normal((2, 3)), rng.standard_normal((2, 3))),
    "boxes": lambda rng: rng.uniform(-1, 7, (5, 4)),
    "boxes1": lambda rng: rng.uniform(0, 7, (5, 4)),
    "boxes2": lambda rng: rng.uniform(0, 7, (5, 4)),
    "scores": lambda rng: rng.random(5),
    "idxs": lambda rng: rng.integers(0, 2, 5),
    "iou_threshold": lambda rng: 0.5,
    "inputs": lambda rng: rng.standard_normal((2, 3)),
    "targets": lambda rng: rng.random((2, 3)),
    "in_fmt": lambda rng: "xyxy",
    "out_fmt": lambda rng: "cxcywh",
    "min_size": lambda rng: 1.0,
    "masks": lambda rng: rng.random((3, 5, 5)) > 0.7,
    "p": lambda rng: 0.5,
    "block_size": lambda rng: 3,
    "offset": lambda rng: rng.standard_normal((2, 18, 4, 4)),
    # Boxes of an image each, where an operator pools a map.
    **{f"{pool}.boxes": (lambda rng: [rng.uniform(-1, 7, (3, 4)), rng.uniform(-1, 7, (2, 4))]) for pool in ("roi_align", "roi_pool")},
    **{f"ps_{pool}.boxes": (lambda rng: [rng.uniform(-1, 7, (3, 4)), rng.uniform(-1, 7, (2, 4))]) for pool in ("roi_align", "roi_pool")},
    "drop_block3d.input": lambda rng: rng.standard_normal((1, 2, 4, 4, 4)),
    "stochastic_depth.mode": lambda rng: "row",
    "grid": lambda rng: rng.standard_normal((2, 5, 5, 2)),
    "theta": lambda rng: rng.standard_normal((2, 2, 3)),
    "k": lambda rng: 2,
    "src": lambda rng: rng.standard_normal((2, 4, 6, 6)),
    "source": lambda rng: rng.standard_normal((2, 3, 6, 6)),
    "index_put.indices": lambda rng: (np.zeros(3, np.int64),),
    "values": lambda rng: rng.standard_normal((3, 4, 6, 6)),
    "tensor1": lambda rng: rng.standard_normal((2, 4, 6, 6)),
    "tensor2": lambda rng: rng.standard_normal((2, 4, 6, 6)),
    "end": lambda rng: rng.standard_normal((2, 4, 6, 6)),
    "start": lambda rng: 1,
    "length": lambda rng: 2,
    "sorted_sequence": lambda rng: np.arange(5.0),
    "boundaries": lambda rng: np.arange(5.0),
    "elements": lambda rng: rng.standard_normal((2, 4)),
    "test_elements": lambda rng: rng.standard_normal(3),
    "upscale_factor": lambda rng: 2,
    "downscale_factor": lambda rng: 2,
    "groups": lambda rng: 2,
    "condition": lambda rng: rng.random((2, 4, 6, 6)) > 0.5,
    "exponent": lambda rng: 2.0,
    "sizes": lambda rng: (2, 2),
    "dim0": lambda rng: 1,
    "dim1": lambda rng: 2,
    "destination": lambda rng: 2,
    "shape": lambda rng: (2, 4, 6, 6),
    "tensor": lambda rng: rng.standard_normal((2, 4, 6, 6)),
    "one_hot.tensor": lambda rng: rng.integers(0, 4, (2, 3)),
    "dot.tensor": lambda rng: rng.standard_normal(4),
    "split_size_or_sections": lambda rng: 1,
    "chunks": lambda rng: 2,
    "shifts": lambda rng: 1,
    "threshold": lambda rng: 0.1,
    "equation": lambda rng: "ij,jk",
    "var": lambda rng: rng.random((2, 4, 6, 6)) + 0.1,
    "gaussian_nll_loss.target": lambda rng: rng.standard_normal((2, 4, 6, 6)),
    "embeddings": lambda rng: rng.standard_normal((5, 3)),
    "labels": lambda rng: rng.integers(0, 2, 5),
    **{f"{name}.weight": (lambda rng: rng.standard_normal((4, 3))) for name in ANGULAR},
    **{f"{name}.target": (lambda rng: rng.integers(0, 4, 5)) for name in ANGULAR},
    **{name: (lambda rng: rng.standard_normal((5, 3))) for name in ("input1", "input2", "x1", "x2", "anchor", "positive", "negative")},
    **{f"{name}.target": (lambda rng: rng.choice([-1.0, 1.0], 5)) for name in ("margin_ranking_loss", "cosine_embedding_loss")},
    **{name: (lambda rng: rng.standard_normal((3, 3))) for name in ("mat1", "mat2", "a", "b", "addmm.input", "mm.input", "mv.input")},
    **{name: (lambda rng: rng.standard_normal(3)) for name in ("vec", "vec2", "outer.input")},
    **{name: (lambda rng: rng.standard_normal((2, 3, 3))) for name in ("batch1", "batch2", "baddbmm.input", "bmm.input", "bmm.mat2")},
}

# Coordinates of pixels, whatever the masks are made of.
ALWAYS_FLOAT32 = {"masks_to_boxes"}

FAULTS = {
    "wrong rank": lambda rng, good: rng.standard_normal((3,) * int(rng.integers(0, 6))),
    "zero-size axis": lambda rng, good: np.zeros((2, 0, 6, 6)),
    "other sizes": lambda rng, good: rng.standard_normal(tuple(rng.integers(1, 5, 4))),
    "integers": lambda rng, good: np.ones((2, 4, 6, 6), np.int64),
    "bytes": lambda rng, good: np.ones((2, 4, 6, 6), np.uint8),
    "bools": lambda rng, good: np.ones((2, 4, 6, 6), np.bool_),
    "float32 among float64": lambda rng, good: rng.standard_normal((2, 4, 6, 6)).astype(np.float32),
    "half precision": lambda rng, good: np.ones((2, 4, 6, 6), np.float16),
    "complex": lambda rng, good: np.ones((2, 4, 6, 6), np.complex128),
    "NaN and infinity": lambda rng, good: rng.choice([np.nan, np.inf, -np.inf, 1.0], (2, 4, 6, 6)),
    "text": lambda rng, good: "reflect?",
    "None": lambda rng, good: None,
    "a dict": lambda rng, good: {"a": 1},
    "negative": lambda rng, good: -int(rng.integers(1, 4)),
    "zero": lambda rng, good: 0,
    "a huge number": lambda rng, good: 2**40,
    "a fraction": lambda rng, good: 1.5,
    "NaN": lambda rng, good: float("nan"),
    "True": lambda rng, good: True,
    "a tuple too long": lambda rng, good: tuple(range(7)),
    "an empty tuple": lambda rng, good: (),
    "a ragged list": lambda rng, good: [[1.0], [2.0, 3.0]],
    "negative strides": lambda rng, good: rng.standard_normal((2, 4, 6, 6))[:, ::-1, ::-1],
    "a broadcast view": lambda rng, good: np.broadcast_to(rng.standard_normal((1, 4, 1, 6)), (2, 4, 6, 6)),
    "a read-only array": lambda rng, good: np.frombuffer(rng.standard_normal((2, 4, 6, 6)).tobytes()).reshape(2, 4, 6, 6),
    "a generator": lambda rng, good: (i for i in range(3)),
}

counts: Counter[tuple[str, str]] = Counter()


def arguments_of(function):
    """The parameters a caller can name."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [parameter for parameter in inspect.signature(function).parameters.values() if parameter.kind in kinds]


def attempt(name, rng, fault):
    """Call the operator with good arguments but one; returns the verdict."""
    function = OPERATORS[name].function
    parameters = arguments_of(function)
    values = {}
    for parameter in parameters:
        good = GOOD.get(f"{name}.{parameter.name}", GOOD.get(parameter.name))
        if good is not None and parameter.default is inspect.Parameter.empty:
            values[parameter.name] = good(rng)
    victim = parameters[int(rng.integers(len(parameters)))].name
    values[victim] = FAULTS[fault](rng, values.get(victim))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            results = function(**values)
    except REFUSALS as error:
        assert len(str(error)) >= SHORTEST_SENTENCE, f"{name}({victim}={fault}): {error!r} says nothing"
        return "refused"
    except MemoryError:
        return "refused"
    results = results if isinstance(results, tuple | list) else (results,)
    inputs = [value for value in values.values() if isinstance(value, np.ndarray) and value.dtype.kind == "f"]
    for result in results:
        if isinstance(result, Tensor) and result.dtype == np.float32 and inputs and name not in ALWAYS_FLOAT32:
            assert any(array.dtype == np.float32 for array in inputs), f"{name}({victim}={fault}) turned float64 into float32"
    return "worked"


def run(name, cases):
    for fault in FAULTS:
        for case in range(cases):
            rng = np.random.default_rng(zlib.crc32(f"{name}/{fault}/{case}".encode()))
            counts[fault, attempt(name, rng, fault)] += 1


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_faults_are_survived(name):
    run(name, max(1, round(SHARE * CASES_A_FAULT)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_all_faults_are_survived(name):
    run(name, CASES_A_FAULT)


def test_unknown_keywords_are_refused():
    for name, operator in OPERATORS.items():
        with pytest.raises(TypeError, match="unexpected keyword"):
            operator.function(np.ones((2, 3)), no_such_argument=1)
        assert not any(
            parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in inspect.signature(operator.function).parameters.values()
        ), name


def test_table_of_counts():
    lines = [f"{'fault':24s} {'worked':>8s} {'refused':>8s}"]
    lines += [f"{fault:24s} {counts[fault, 'worked']:8d} {counts[fault, 'refused']:8d}" for fault in FAULTS]
    print("\n".join(lines))
    assert len(FAULTS) >= 12
    assert tinycnn.__version__
