"""Training: one visible loop, and what belongs around it."""

from .augment import augmentation, augmented
from .average import WeightAverage
from .branches import main_output, with_side_branches
from .checkpoint import Checkpoint, has_checkpoint, load_checkpoint, require_writable, save_checkpoint
from .config import (
    INITIALISATIONS,
    OPTIMIZERS,
    SCHEDULES,
    TrainConfig,
    build_optimizer,
    build_scheduler,
)
from .diagnose import NonFinite, locate_non_finite, watch_outputs
from .evaluate import Evaluation, WrongImage, evaluate, loss_of
from .experiments import (
    OPTIMIZER_VARIANTS,
    InitialisationRun,
    LayerStatistics,
    OptimizerRun,
    OverfitResult,
    RangeTest,
    compare_optimizers,
    initialisation_experiment,
    layer_statistics,
    learning_rate_range_test,
    overfit_one_batch,
)
from .hints import (
    Hint,
    dead_fractions,
    dead_relus,
    learning_rate_too_high,
    probabilities_as_logits,
    stuck_at_log_classes,
    unscaled_inputs,
)
from .loop import train
from .prepare import Prepared, build_loaders, initialise, prepare
from .recipes import NAMED_RECIPES, RECIPES, recipe
from .run import EpochRecord, TrainResult
from .search import Trial, grid, random_choices, search

__all__ = [
    "INITIALISATIONS",
    "NAMED_RECIPES",
    "OPTIMIZERS",
    "OPTIMIZER_VARIANTS",
    "RECIPES",
    "SCHEDULES",
    "Checkpoint",
    "EpochRecord",
    "Evaluation",
    "Hint",
    "InitialisationRun",
    "LayerStatistics",
    "NonFinite",
    "OptimizerRun",
    "OverfitResult",
    "Prepared",
    "RangeTest",
    "TrainConfig",
    "TrainResult",
    "Trial",
    "WeightAverage",
    "WrongImage",
    "augmentation",
    "augmented",
    "build_loaders",
    "build_optimizer",
    "build_scheduler",
    "compare_optimizers",
    "dead_fractions",
    "dead_relus",
    "evaluate",
    "grid",
    "has_checkpoint",
    "initialisation_experiment",
    "initialise",
    "layer_statistics",
    "learning_rate_range_test",
    "learning_rate_too_high",
    "load_checkpoint",
    "locate_non_finite",
    "loss_of",
    "main_output",
    "overfit_one_batch",
    "prepare",
    "probabilities_as_logits",
    "random_choices",
    "recipe",
    "require_writable",
    "save_checkpoint",
    "search",
    "stuck_at_log_classes",
    "train",
    "unscaled_inputs",
    "watch_outputs",
    "with_side_branches",
]
