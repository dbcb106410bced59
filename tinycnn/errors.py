"""Every error and warning of the package, in one place."""

from .kernels.errors import ArgumentError, DtypeError, ShapeError, TinycnnError

__all__ = [
    "ArgumentError",
    "CheckpointError",
    "DataError",
    "DtypeError",
    "GradcheckError",
    "GraphError",
    "HintWarning",
    "IndexingError",
    "ShapeError",
    "TinycnnError",
    "TrainingError",
    "UsageError",
]


class GraphError(TinycnnError, RuntimeError):
    """A graph that cannot be differentiated: freed, changed since forward, or not built at all."""


class IndexingError(TinycnnError, IndexError):
    """An index that points outside a tensor, or does not fit its axes."""


class GradcheckError(TinycnnError, AssertionError):
    """An analytic gradient that disagrees with finite differences."""


class DataError(TinycnnError, ValueError):
    """A data file or folder that cannot be read as what it claims to be."""


class CheckpointError(TinycnnError, RuntimeError):
    """A checkpoint or state dict that cannot be loaded or written."""


class TrainingError(TinycnnError, RuntimeError):
    """A training run that cannot go on."""


class UsageError(TinycnnError, ValueError):
    """A command or an option that does not exist or does not fit."""


class HintWarning(UserWarning):
    """Something legal that is almost never meant."""
