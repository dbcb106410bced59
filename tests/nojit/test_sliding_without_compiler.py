"""As test_without_compiler.py, for convolutions of other ranks, transposed ones, and unfold and fold."""

import numpy as np
import pytest
from hypothesis import given

from tests.nojit.test_without_compiler import both
from tests.sliding import spatial_convolutions, transposed_convolutions
from tinycnn import functional as F


@pytest.mark.parametrize("rank", [1, 3])
def test_convolutions(rank):
    @given(spatial_convolutions(rank, largest=4))
    def check(case):
        both(lambda *arrays: getattr(F, f"conv{rank}d")(*arrays, activation="relu", **case.options), *case.operands())

    check()


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_transposed_convolutions(rank):
    @given(transposed_convolutions(rank, largest=3))
    def check(case):
        both(lambda *arrays: getattr(F, f"conv_transpose{rank}d")(*arrays, **case.options), *case.operands())

    check()


def test_unfold_and_fold():
    x = np.random.default_rng(0).standard_normal((2, 3, 7, 6))
    options = {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (1, 2), "stride": (2, 1)}
    both(lambda x: F.unfold(x, **options), x)
    both(lambda columns: F.fold(columns, (7, 6), **options), F.unfold(x, **options).numpy())
