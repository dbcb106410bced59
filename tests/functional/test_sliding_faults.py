"""The operators of one and three axes, and the transposed ones, against wrong arguments, on operands of their own rank."""

import warnings
import zlib

import numpy as np
import pytest

from tests.fuzz.test_public_callables import FAULTS, REFUSALS, SHORTEST_SENTENCE, arguments_of
from tinycnn import functional as F

GOOD = {
    "conv1d": {"input": (2, 4, 6), "weight": (4, 4, 3), "bias": (4,)},
    "conv3d": {"input": (2, 4, 3, 4, 4), "weight": (4, 4, 2, 3, 3), "bias": (4,)},
    "conv_transpose1d": {"input": (2, 4, 6), "weight": (4, 2, 3), "bias": (2,)},
    "conv_transpose2d": {"input": (2, 4, 6, 6), "weight": (4, 2, 3, 3), "bias": (2,)},
    "conv_transpose3d": {"input": (2, 4, 3, 4, 4), "weight": (4, 2, 2, 3, 3), "bias": (2,)},
    "unfold": {"input": (2, 4, 6, 6)},
    "fold": {"input": (2, 8, 9)},
}
OTHERS = {"unfold": {"kernel_size": 2}, "fold": {"output_size": 4, "kernel_size": 2}}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", GOOD)
def test_faults_are_survived(name, fault):
    function = getattr(F, name)
    for parameter in arguments_of(function):
        rng = np.random.default_rng(zlib.crc32(f"{name}/{fault}/{parameter.name}".encode()))
        values = {argument: rng.standard_normal(shape) for argument, shape in GOOD[name].items()} | OTHERS.get(name, {})
        values[parameter.name] = FAULTS[fault](rng, values.get(parameter.name))
        kept = {argument: value.copy() for argument, value in values.items() if isinstance(value, np.ndarray)}
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                result = function(**values)
        except REFUSALS as error:
            assert len(str(error)) >= SHORTEST_SENTENCE, f"{name}({parameter.name}={fault}): {error!r} says nothing"
        else:
            assert result.dtype == np.float64 or fault == "float32 among float64"
        for argument, value in kept.items():
            np.testing.assert_array_equal(values[argument], value)
