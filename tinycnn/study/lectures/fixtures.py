"""Numbers from public threads that trap implementations, recomputed here; each belongs to a row."""

from __future__ import annotations

from .entries import Check

__all__ = ["FIXTURES"]

# (row, where it was reported, check)
FIXTURES: tuple[tuple[str, str, Check], ...] = (
    ("B01", "apple/coremltools#2844", Check(
        "average, kernel 2, stride 3, ceil, of 0 to 48", "F.avg_pool2d(np.arange(49.0).reshape(1, 1, 7, 7), 2, 3, ceil_mode=True)",
        [[4, 7, 9.5], [25, 28, 30.5], [42.5, 45.5, 48]])),
    ("B01", "sonos/tract#2851", Check("average of 1 to 5, kernel 2, ceil", "F.avg_pool1d(np.arange(1.0, 6).reshape(1, 1, 5), 2, ceil_mode=True)",
        [1.5, 3.5, 5])),
    ("B01", "microsoft/onnxscript#754", Check(
        "average of 1 to 16, kernel 3, stride 2, ceil", "F.avg_pool2d(np.arange(1.0, 17).reshape(1, 1, 4, 4), 3, 2, ceil_mode=True)", [[6, 7.5],
            [12, 13.5]])),
    ("B01", "onnxruntime#27375", Check(
        "ones 2 x 2, zeros after, kernel 2, stride 1, padding counted", "F.avg_pool2d(F.pad(np.ones((1, 1, 2, 2)), (0, 1, 0, 1)), 2, 1)", [[1,
            0.5], [0.5, 0.25]])),
    ("B01", "pytorch#116420", Check("average, kernel 4, stride 4, padding 2, ceil, of 9: 3 windows, not 4",
                                    "tinycnn shape avg_pool2d --in 9 --k 4 --s 4 --p 2 --ceil", [3, 3], "output")),
    ("B09", "keras#9883", Check("23 and 24 with stride 2, same: both 12", "[study.shape('conv2d', n, 3, 2, 'same_tf').output[0] for n in (23, "
        "24)]", [12, 12])),
    ("B09", "keras#9883", Check("12 back with stride 2: 24", "tinycnn shape conv_transpose2d --in 12 --k 3 --s 2 --p 1 --op 1", [24, 24], "output")),
    ("A19", "MIPVerify.jl#23", Check(
        "TensorFlow's SAME on 6 x 6, kernel 3, stride 2 pads 0 before and 1 after",
        "x, k = np.arange(36.0).reshape(1, 1, 6, 6), np.arange(9.0).reshape(1, 1, 3, 3)\n"
        "bool((F.conv2d(x, k, stride=2, padding='same_tf').numpy() == F.conv2d(F.pad(x, (0, 1, 0, 1)), k, stride=2).numpy()).all())", True)),
    ("A14", "stats.stackexchange 650777", Check("224, kernel 11, stride 4: 54.25, so 54", "tinycnn shape conv2d --in 224 --k 11 --s 4", [54, 54],
        "output")),
    ("I09", "haifengl/smile#877", Check(
        "macro F1 is the mean of the F1, .657, not the F1 of the means, .774",
        "report = metrics.class_report([[4, 6, 0], [0, 2, 0], [0, 0, 3]])\nP, R = report.precision.mean(), report.recall.mean()\n"
        "[report.f1.mean(), 2 * P * R / (P + R)]", [23 / 35, 24 / 31], within=1e-12)),
    ("F18", "pytorch/vision#2157", Check(
        "equal scores: the first box stays, whichever order", "b = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 8]])\n"
        "ops.nms(b, np.array([0.5, 0.5, 0.5]), 0.5).numpy()", [0])),
    ("E01", "pytorch#11752", Check("logits of 1e8 still give log 2", "F.cross_entropy(np.array([[1e8, 1e8]]), [0]).item()", 0.6931, within=5e-5)),
)  # fmt: skip
