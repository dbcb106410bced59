"""The topics of exercises by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .exercise_detection import iou, nms
from .exercise_draw import Draw
from .exercise_learning import backprop, batch_norm, softmax
from .exercise_metrics import average_precision, precision_recall
from .exercise_sheet import Exercise
from .exercise_sizes import macs, memory, padding, parameters, receptive_field, shapes
from .exercise_windows import convolution, im2col, pooling, transposed, unpooling

__all__ = ["SHORT", "TOPICS", "Topic"]


@dataclass(frozen=True)
class Topic:
    """A topic: its title, what it trains, and how one exercise is made."""

    title: str
    trains: str
    make: Callable[[Draw, int], Exercise]


TOPICS = {
    "shapes": Topic("Output sizes", "the size formula, floor, and what is never read", shapes),
    "padding": Topic("Solve for the padding", "the size formula backwards", padding),
    "convolution": Topic("Convolution by hand", "sliding a filter, stride, padding, bias, channels", convolution),
    "im2col": Topic("Convolution as a matrix product", "the columns of im2col and one product", im2col),
    "transposed": Topic("Transposed convolution by hand", "painting and adding up, cropping", transposed),
    "pooling": Topic("Pooling by hand", "maximum and mean, what the mean divides by", pooling),
    "unpooling": Topic("Pooling with indices and unpooling", "where the maxima go back to", unpooling),
    "parameters": Topic("Counting parameters", "weights and biases, groups, a whole network", parameters),
    "macs": Topic("Counting multiply-accumulates", "MACs, FLOPs, strides, batches", macs),
    "memory": Topic("Memory of a convolution", "bytes of outputs, batches, gradients, columns", memory),
    "receptive-field": Topic("Receptive field", "size and jump through a stack", receptive_field),
    "softmax": Topic("Softmax, its loss and its gradient", "probabilities, -log p, p minus one-hot", softmax),
    "batch-norm": Topic("Batch norm by hand", "mean, both variances, scale and shift", batch_norm),
    "backprop": Topic("Gradients of a convolution", "with respect to input, filter and bias", backprop),
    "iou": Topic("Intersection over union", "areas of boxes in two formats, GIoU", iou),
    "nms": Topic("Non-maximum suppression", "who suppresses whom", nms),
    "ap": Topic("Average precision", "the ranked table and three interpolations", average_precision),
    "precision-recall": Topic("Precision, recall, F1", "two classes, three classes, macro and micro", precision_recall),
}
SHORT = {
    "shape": "shapes", "size": "shapes", "conv": "convolution", "conv2d": "convolution", "deconv": "transposed", "conv-transpose": "transposed",
    "transposed-convolution": "transposed", "conv-transpose2d": "transposed", "pool": "pooling", "max-pool2d": "pooling", "unpool": "unpooling",
    "params": "parameters", "parameter": "parameters", "flops": "macs", "rf": "receptive-field", "receptive": "receptive-field",
    "cross-entropy": "softmax", "batchnorm": "batch-norm", "bn": "batch-norm", "gradient": "backprop", "backward": "backprop",
    "average-precision": "ap", "map": "ap", "f1": "precision-recall", "precision": "precision-recall", "recall": "precision-recall",
    "confusion": "precision-recall", "unfold": "im2col", "solve": "padding",
}  # fmt: skip
