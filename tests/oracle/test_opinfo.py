"""A second opinion: PyTorch's own samples and error inputs for every operator of the same name."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from tests.oracle.opinfo import operators, run  # noqa: E402

DESCRIPTIONS = operators()
# The share of cases that may differ on purpose.
MOST_DIFFERENT = 0.01
FEWEST_OPERATORS = 200
# Of an operator with many samples, so many a dtype; `pytest -m exhaustive` takes them all.
SAMPLES = 40


def check(name, samples):
    result = run(name, DESCRIPTIONS[name], samples)
    assert result.cases
    assert len(result.differences) <= MOST_DIFFERENT * result.cases, "\n".join(result.differences[:20])


def test_the_second_opinion_is_there():
    assert len(DESCRIPTIONS) >= FEWEST_OPERATORS


@pytest.mark.parametrize("name", sorted(DESCRIPTIONS))
def test_torchs_samples(name):
    check(name, SAMPLES)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", sorted(DESCRIPTIONS))
def test_all_of_torchs_samples(name):
    check(name, None)
