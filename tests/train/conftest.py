"""Fixtures for the training tests."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.train.small_problems import make_small_net, make_stripes
from tinycnn.nn import Module


@pytest.fixture
def small_net() -> Callable[[], Module]:
    return make_small_net


@pytest.fixture
def stripes() -> Any:
    """A training set of 96 images and a test set of 30."""
    return make_stripes(96, seed=1), make_stripes(30, seed=2)
