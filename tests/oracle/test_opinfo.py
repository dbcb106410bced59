"""A second opinion: PyTorch's own samples and error inputs for every operator of the same name."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

if torch is not None:
    from tests.oracle.opinfo import operators, run

DESCRIPTIONS = operators()
MOST = 0.01
FEWEST_OPERATORS = 90


def test_the_second_opinion_is_there():
    assert len(DESCRIPTIONS) >= FEWEST_OPERATORS


@pytest.mark.parametrize("name", sorted(DESCRIPTIONS))
def test_torchs_samples(name):
    result = run(name, DESCRIPTIONS[name])
    assert result.cases
    assert len(result.differences) <= MOST * result.cases, "\n".join(result.differences[:20])
