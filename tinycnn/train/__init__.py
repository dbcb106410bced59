"""Training: one visible loop, and what belongs around it."""

from .augment import augmentation, augmented
from .average import WeightAverage
from .branches import main_output, with_side_branches
from .checkpoint import Checkpoint, has_checkpoint, load_checkpoint, require_writable, save_checkpoint
from .comparison import LayerGradient, NetworkRun, compare_networks, gradient_flow, weighted_layers
from .config import (
    INITIALISATIONS,
    OPTIMIZERS,
    SCHEDULES,
    TrainConfig,
    build_optimizer,
    build_scheduler,
)
from .detection import DETECTION_CONFIG, NUCLEI_DETECTION, PreparedDetector, detection_config, prepare_detector, train_detector
from .detection_data import VariedSamples, joint_augmentation
from .detection_evaluation import DetectionEvaluation, ImageErrors, class_names, evaluate_detector, worst_images
from .detection_run import DetectionEpoch
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
from .features import features
from .health import Finding, Health, LayerHealth, collapsed_embeddings, health
from .hints import (
    Hint,
    dead_fractions,
    dead_relus,
    learning_rate_too_high,
    probabilities_as_logits,
    stuck_at_log_classes,
    unscaled_inputs,
)
from .identity import Deepened, identity_convolution
from .layer_transfer import PartTransfer, layer_transfer, split_classes
from .leaderboard import Entry, add_to_leaderboard, ranked, read_leaderboard
from .loop import train
from .parts import model_parts, paths_of
from .prepare import Prepared, build_loaders, initialise, prepare
from .recipes import NAMED_RECIPES, RECIPES, recipe
from .run import EpochRecord, TrainResult
from .search import Trial, grid, random_choices, search
from .segmentation import PixelRecord, PixelResult, train_segmentation
from .segmentation_config import SEGMENTATION_RECIPES, SegmentationConfig, segmentation_recipe
from .segmentation_evaluation import NUCLEI_CLASSES, PixelEvaluation, evaluate_segmentation, moments, pixel_scores
from .stages import MODES, SIX_STAGES, Schedule, Stage, StageResult, part_groups, read_schedule, run_stages
from .surgery import Heads, NeckAndHead, heads_loss, last_layer, replace_head, with_heads
from .timed import TimedSchedule
from .watcher import Watcher

__all__ = [
    "DETECTION_CONFIG",
    "INITIALISATIONS",
    "MODES",
    "NAMED_RECIPES",
    "NUCLEI_CLASSES",
    "NUCLEI_DETECTION",
    "OPTIMIZERS",
    "OPTIMIZER_VARIANTS",
    "RECIPES",
    "SCHEDULES",
    "SEGMENTATION_RECIPES",
    "SIX_STAGES",
    "Checkpoint",
    "Deepened",
    "DetectionEpoch",
    "DetectionEvaluation",
    "Entry",
    "EpochRecord",
    "Evaluation",
    "Finding",
    "Heads",
    "Health",
    "Hint",
    "ImageErrors",
    "InitialisationRun",
    "LayerGradient",
    "LayerHealth",
    "LayerStatistics",
    "NeckAndHead",
    "NetworkRun",
    "NonFinite",
    "OptimizerRun",
    "OverfitResult",
    "PartTransfer",
    "PixelEvaluation",
    "PixelRecord",
    "PixelResult",
    "Prepared",
    "PreparedDetector",
    "RangeTest",
    "Schedule",
    "SegmentationConfig",
    "Stage",
    "StageResult",
    "TimedSchedule",
    "TrainConfig",
    "TrainResult",
    "Trial",
    "VariedSamples",
    "Watcher",
    "WeightAverage",
    "WrongImage",
    "add_to_leaderboard",
    "augmentation",
    "augmented",
    "build_loaders",
    "build_optimizer",
    "build_scheduler",
    "class_names",
    "collapsed_embeddings",
    "compare_networks",
    "compare_optimizers",
    "dead_fractions",
    "dead_relus",
    "evaluate",
    "evaluate_detector",
    "evaluate_segmentation",
    "features",
    "gradient_flow",
    "grid",
    "has_checkpoint",
    "heads_loss",
    "health",
    "identity_convolution",
    "initialisation_experiment",
    "initialise",
    "joint_augmentation",
    "last_layer",
    "layer_statistics",
    "layer_transfer",
    "learning_rate_range_test",
    "learning_rate_too_high",
    "load_checkpoint",
    "locate_non_finite",
    "loss_of",
    "main_output",
    "model_parts",
    "moments",
    "overfit_one_batch",
    "part_groups",
    "paths_of",
    "pixel_scores",
    "prepare",
    "prepare_detector",
    "probabilities_as_logits",
    "random_choices",
    "ranked",
    "read_leaderboard",
    "read_schedule",
    "recipe",
    "replace_head",
    "require_writable",
    "run_stages",
    "save_checkpoint",
    "search",
    "segmentation_recipe",
    "split_classes",
    "stuck_at_log_classes",
    "train",
    "train_detector",
    "train_segmentation",
    "unscaled_inputs",
    "watch_outputs",
    "weighted_layers",
    "with_heads",
    "with_side_branches",
    "worst_images",
]
