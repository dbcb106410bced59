"""Each oracle test starts from the same state of PyTorch's generator, whatever ran before it."""

import sys

import pytest


@pytest.fixture(autouse=True)
def seeded_torch():
    """The whole package's generator is seeded by the fixture above this folder."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(0)
