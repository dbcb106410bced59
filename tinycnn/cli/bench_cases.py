"""What `tinycnn bench ops` times: one line a case, the same line of code for both libraries.

A case calls `run(F, *arguments)`, where F is `tinycnn.functional` or `torch.nn.functional` (for detection `tinycnn.ops` or `torchvision.ops`), so a
case states at once what is measured and that the two agree in names. Cases of an operator that a library lacks are left out.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

FAMILIES = ("conv", "transposed", "depthwise", "pooling", "normalisation", "loss", "resizing", "activation", "detection")


class Argument(NamedTuple):
    """How to make one array."""

    kind: str  # "normal", "uniform", "labels", "mask", "grid", "boxes" or "rois"
    shape: tuple[int, ...]
    gradient: bool = True
    limit: float = 10  # labels are below it; boxes lie in a square of so many pixels

    def make(self, generator: np.random.Generator) -> np.ndarray:
        """The array, float32 but for labels."""
        if self.kind == "labels":
            return generator.integers(0, int(self.limit), self.shape)
        if self.kind == "normal":
            return generator.standard_normal(self.shape, dtype=np.float32)
        if self.kind == "mask":
            return (generator.random(self.shape) < 0.5).astype(np.float32)
        if self.kind == "grid":
            return (2.2 * generator.random(self.shape) - 1.1).astype(np.float32)
        if self.kind in ("boxes", "rois"):
            return self._boxes(generator)
        return (0.05 + 0.9 * generator.random(self.shape)).astype(np.float32)

    def _boxes(self, generator: np.random.Generator) -> np.ndarray:
        first = generator.random((self.shape[0], 2)) * 0.8 * self.limit
        boxes = np.concatenate([first, first + (0.02 + 0.18 * generator.random((self.shape[0], 2))) * self.limit], axis=1)
        if self.kind == "rois":
            boxes = np.concatenate([np.zeros((self.shape[0], 1)), boxes], axis=1)
        return boxes.astype(np.float32)


class Case(NamedTuple):
    """One row of the table, or several: one for each part that is timed."""

    family: str
    label: str
    needs: str  # the name that the library must have
    arguments: tuple[Argument, ...]
    run: Callable[..., Any]
    parts: tuple[str, ...] = ("forward", "forward+backward")
    # Of a convolution only, whose two gradients are timed apart from each other.
    options: dict[str, Any] | None = None


def normal(*shape: int) -> Argument:
    """Normally distributed numbers that take part in the gradient."""
    return Argument("normal", shape)


def target(kind: str, *shape: int, limit: float = 10) -> Argument:
    """Numbers that have no gradient."""
    return Argument(kind, shape, False, limit)


MAP = normal(8, 64, 56, 56)
SMALL_MAP = normal(32, 128, 14, 14)


def _convolution(family: str, label: str, x: tuple[int, int, int], filters: int, kernel: int, **options: int) -> Case:
    images, channels, size = x
    weight = normal(filters, channels // options.get("groups", 1), kernel, kernel)
    return Case(
        family, label, "conv2d", (normal(images, channels, size, size), weight, normal(filters)),
        lambda F, x, weight, bias: F.conv2d(x, weight, bias, **options), ("forward", "grad-input", "grad-weight"), options,
    )  # fmt: skip


def _transposed(label: str, x: tuple[int, int, int], filters: int, kernel: int, **options: int) -> Case:
    images, channels, size = x
    return Case(
        "transposed", label, "conv_transpose2d", (normal(images, channels, size, size), normal(channels, filters, kernel, kernel), normal(filters)),
        lambda F, x, weight, bias: F.conv_transpose2d(x, weight, bias, **options),
    )  # fmt: skip


def _depthwise(images: int, size: int, channels: int, stride: int = 1, kernel: int = 3) -> Case:
    label = f"{size}x{size}x{channels} {kernel}x{kernel}{' stride 2' if stride == 2 else ''} batch {images}"
    return _convolution(
        "depthwise", label, (images, channels, size), channels, kernel, stride=stride, padding=kernel // 2, groups=channels
    )  # fmt: skip


CONVOLUTIONS = (
    _convolution("conv", "LeNet 1->6 5x5 @28 b64", (64, 1, 28), 6, 5, padding=2),
    _convolution("conv", "LeNet 6->16 5x5 @14 b64", (64, 6, 14), 16, 5),
    _convolution("conv", "ResNet-20 stem 3->16 @32 b128", (128, 3, 32), 16, 3, padding=1),
    _convolution("conv", "ResNet-20 16 @32 b128", (128, 16, 32), 16, 3, padding=1),
    _convolution("conv", "ResNet-20 16->32 stride 2 b128", (128, 16, 32), 32, 3, stride=2, padding=1),
    _convolution("conv", "ResNet-20 64 @8 b128", (128, 64, 8), 64, 3, padding=1),
    _convolution("conv", "VGG 64 @56 b8", (8, 64, 56), 64, 3, padding=1),
    _convolution("conv", "VGG 128 @28 b1", (1, 128, 28), 128, 3, padding=1),
    _convolution("conv", "ResNet-50 256 @14 b8", (8, 256, 14), 256, 3, padding=1),
    _convolution("conv", "ResNet-50 512 @7 b8", (8, 512, 7), 512, 3, padding=1),
    _convolution("conv", "ResNet-50 1x1 256->64 @56 b1", (1, 256, 56), 64, 1),
    _convolution("conv", "ResNet-50 stem 7x7 stride 2 b1", (1, 3, 224), 64, 7, stride=2, padding=3),
    _convolution("conv", "ResNeXt 256 @28 32 groups b4", (4, 256, 28), 256, 3, padding=1, groups=32),
    _convolution("conv", "dilated 2 256 @28 b1", (1, 256, 28), 256, 3, padding=2, dilation=2),
    _transposed("k2 stride 2 64->32 @56 b4", (4, 64, 56), 32, 2, stride=2),
    _transposed("k2 stride 2 256->128 @28 b1", (1, 256, 28), 128, 2, stride=2),
    _transposed("k4 stride 2 64->32 @28 b4", (4, 64, 28), 32, 4, stride=2, padding=1),
    _transposed("k4 stride 2 512->256 @4 b16", (16, 512, 4), 256, 4, stride=2, padding=1),
    *(_depthwise(images, 112, 32) for images in (1, 8)),
    *(_depthwise(images, 56, 128) for images in (1, 8)),
    *(_depthwise(images, 56, 128, stride=2) for images in (1, 8)),
    *(_depthwise(images, 14, 512) for images in (1, 8)),
    *(_depthwise(images, 7, 1024) for images in (1, 8)),
    _depthwise(8, 14, 240, kernel=5),
)

POOLING = (
    Case("pooling", "max 2x2", "max_pool2d", (MAP,), lambda F, x: F.max_pool2d(x, 2)),
    Case("pooling", "max 3x3 stride 2", "max_pool2d", (MAP,), lambda F, x: F.max_pool2d(x, 3, stride=2, padding=1)),
    Case("pooling", "average 2x2", "avg_pool2d", (MAP,), lambda F, x: F.avg_pool2d(x, 2)),
    Case("pooling", "average 3x3 stride 1", "avg_pool2d", (MAP,), lambda F, x: F.avg_pool2d(x, 3, stride=1, padding=1)),
    Case("pooling", "adaptive average to 1x1", "adaptive_avg_pool2d", (SMALL_MAP,), lambda F, x: F.adaptive_avg_pool2d(x, 1)),
    Case("pooling", "adaptive average to 7x7", "adaptive_avg_pool2d", (MAP,), lambda F, x: F.adaptive_avg_pool2d(x, 7)),
    Case("pooling", "adaptive max to 7x7", "adaptive_max_pool2d", (MAP,), lambda F, x: F.adaptive_max_pool2d(x, 7)),
    Case("pooling", "Lp (p = 2) 2x2", "lp_pool2d", (MAP,), lambda F, x: F.lp_pool2d(x, 2.0, 2)),
)

NORMALISATION = (
    *(
        Case(
            "normalisation", f"batch, {mode}", "batch_norm",
            (MAP, target("normal", 64), target("uniform", 64), normal(64), normal(64)),
            lambda F, x, mean, variance, weight, bias, training=mode == "training":
                F.batch_norm(x, mean, variance, weight, bias, training=training),
        )
        for mode in ("training", "evaluation")
    ),
    Case("normalisation", "layer, 197 tokens of 384", "layer_norm", (normal(32, 197, 384), normal(384), normal(384)),
         lambda F, x, weight, bias: F.layer_norm(x, (384,), weight, bias)),
    Case("normalisation", "group, 32 groups", "group_norm", (MAP, normal(64), normal(64)),
         lambda F, x, weight, bias: F.group_norm(x, 32, weight, bias)),
    Case("normalisation", "instance", "instance_norm", (MAP,), lambda F, x: F.instance_norm(x)),
    Case("normalisation", "local response, 5 channels", "local_response_norm", (normal(8, 32, 28, 28),), lambda F, x: F.local_response_norm(x, 5)),
    Case("normalisation", "RMS, 197 tokens of 384", "rms_norm", (normal(32, 197, 384), normal(384)),
         lambda F, x, weight: F.rms_norm(x, (384,), weight, 1e-5)),
)  # fmt: skip

SCORES = normal(128, 1000)
FEATURES = normal(256, 1024)

LOSSES = (
    Case("loss", "cross-entropy, 64 of 10", "cross_entropy", (normal(64, 10), target("labels", 64)), lambda F, x, y: F.cross_entropy(x, y)),
    Case("loss", "cross-entropy, 128 of 1000", "cross_entropy", (SCORES, target("labels", 128, limit=1000)), lambda F, x, y: F.cross_entropy(x, y)),
    Case("loss", "cross-entropy, 4 maps of 21", "cross_entropy", (normal(4, 21, 64, 64), target("labels", 4, 64, 64, limit=21)),
         lambda F, x, y: F.cross_entropy(x, y)),
    Case("loss", "nll, 128 of 1000", "nll_loss", (SCORES, target("labels", 128, limit=1000)), lambda F, x, y: F.nll_loss(x, y)),
    Case("loss", "bce with logits", "binary_cross_entropy_with_logits", (FEATURES, target("mask", 256, 1024)),
         lambda F, x, y: F.binary_cross_entropy_with_logits(x, y)),
    Case("loss", "mse", "mse_loss", (FEATURES, target("normal", 256, 1024)), lambda F, x, y: F.mse_loss(x, y)),
    Case("loss", "l1", "l1_loss", (FEATURES, target("normal", 256, 1024)), lambda F, x, y: F.l1_loss(x, y)),
    Case("loss", "smooth l1", "smooth_l1_loss", (FEATURES, target("normal", 256, 1024)), lambda F, x, y: F.smooth_l1_loss(x, y)),
    Case("loss", "kl", "kl_div", (FEATURES, target("uniform", 256, 1024)), lambda F, x, y: F.kl_div(x, y, reduction="batchmean")),
)  # fmt: skip

RESIZING = (
    Case("resizing", "nearest x2", "interpolate", (normal(4, 64, 28, 28),), lambda F, x: F.interpolate(x, scale_factor=2, mode="nearest")),
    Case("resizing", "bilinear x2", "interpolate", (normal(4, 64, 28, 28),),
         lambda F, x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)),
    Case("resizing", "bilinear to 224, aligned corners", "interpolate", (normal(2, 21, 28, 28),),
         lambda F, x: F.interpolate(x, size=(224, 224), mode="bilinear", align_corners=True)),
    Case("resizing", "bicubic x2", "interpolate", (normal(4, 16, 28, 28),),
         lambda F, x: F.interpolate(x, scale_factor=2, mode="bicubic", align_corners=False)),
    Case("resizing", "grid sample, bilinear", "grid_sample", (normal(4, 32, 56, 56), Argument("grid", (4, 56, 56, 2))),
         lambda F, x, grid: F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)),
    Case("resizing", "pixel shuffle 2", "pixel_shuffle", (normal(4, 128, 28, 28),), lambda F, x: F.pixel_shuffle(x, 2)),
)  # fmt: skip


def _activation(name: str, *arguments: Any, **options: Any) -> Case:
    shape = (128, 1000) if "softmax" in name else (8, 64, 56, 56)
    return Case("activation", name, name, (normal(*shape),), lambda F, x: getattr(F, name)(x, *arguments, **options))


ACTIVATIONS = (
    *(_activation(name) for name in ("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus", "hardswish", "tanh", "sigmoid")),
    *(_activation(name, dim=1) for name in ("softmax", "log_softmax")),
)

DETECTION = (
    *(
        Case("detection", f"nms, {count} boxes", "nms", (target("boxes", count, limit=800), target("uniform", count)),
             lambda ops, boxes, scores: ops.nms(boxes, scores, 0.5), ("forward",))
        for count in (200, 2000)
    ),
    Case("detection", "RoIAlign 7x7, 128 regions", "roi_align", (normal(1, 256, 50, 50), target("rois", 128, limit=800)),
         lambda ops, x, rois: ops.roi_align(x, rois, (7, 7), 1 / 16, 2, True)),
)  # fmt: skip

CASES = (*CONVOLUTIONS, *POOLING, *NORMALISATION, *LOSSES, *RESIZING, *ACTIVATIONS, *DETECTION)
