"""The points on which detectors, losses and metrics differ."""

from __future__ import annotations

from .conventions import ConventionRow, Rule

__all__ = ["TASKS"]

BOX = "box = np.array([[0.0, 0.0, 0.0, 4.0, 4.0]])"

TASKS = (
    ConventionRow(
        "RoIAlign offset",
        "do whole coordinates name pixel corners or centres?",
        ("x = np.arange(16.0).reshape(1, 1, 4, 4)", BOX),
        (
            Rule("aligned=True", "Detectron2, ONNX 16 half_pixel", "ops.roi_align(x, box, 2, sampling_ratio=1, aligned=True)"),
            Rule("aligned=False", "Detectron, torchvision's default, ONNX 10", "ops.roi_align(x, box, 2, sampling_ratio=1, aligned=False)"),
            Rule("RoIPool", "Fast R-CNN: rounds, and takes maxima", "ops.roi_pool(x, box, 2)"),
        ),
        "The whole map in 2 x 2 bins has the means 2.5 to 12.5; without the offset everything is read half a pixel too far down and right.",
        ("Detectron2, ROIAlign docstring", "He et al. 2017 (arXiv 1703.06870), section 3", "ONNX, RoiAlign 16"),
    ),
    ConventionRow(
        "anchors rounding",
        "are anchors rounded, and where (size 128, h/w 0.5)?",
        (
            "def numbered(w, h): return [7.5 - (w - 1) / 2, 7.5 - (h - 1) / 2, 7.5 + (w - 1) / 2, 7.5 + (h - 1) / 2]",
            "w, h = 128 / 0.5 ** 0.5, 128 * 0.5 ** 0.5",
            "side = np.round((16 * 16 / 0.5) ** 0.5)",
            "centred = ops.box_convert(np.array([[0.0, 0.0, w, h]]), 'cxcywh', 'xyxy')",
        ),
        (
            Rule("sides rounded at 16, + 1", "py-faster-rcnn, Detectron", "numbered(8 * side, 8 * np.round(side * 0.5))"),
            Rule("corners rounded", "torchvision", "centred.round()"),
            Rule("not rounded", "Detectron2", "centred"),
        ),
        "Weights trained with one rule lose a little with another; py-faster-rcnn's are also centred at (7.5, 7.5) instead of (0, 0). "
        "Some codebases mean w/h by ratio.",
        ("py-faster-rcnn, generate_anchors.py", "torchvision, AnchorGenerator", "Ren et al. 2015 (arXiv 1506.01497), section 3.1.1"),
    ),
    ConventionRow(
        "box + 1",
        "is a box from 0 to 9 ten pixels wide, or nine?",
        ("a = np.array([[0.0, 0.0, 9.0, 9.0]])", "b = np.array([[5.0, 0.0, 14.0, 9.0]])", "last = np.array([0.0, 0.0, 1.0, 1.0])"),
        (
            Rule("continuous: x2 - x1", "COCO, torchvision, Detectron2", "ops.box_iou(a, b)"),
            Rule("pixels: x2 - x1 + 1", "Pascal VOC, py-faster-rcnn, Detectron", "ops.box_iou(a + last, b + last)"),
        ),
        "Small boxes change most; two boxes that share one column touch in the second rule only. "
        "Adding 1 to x2 and y2 turns one rule into the other.",
        ("Everingham et al. 2010, section 4.2", "VOC devkit", "COCO API, maskApi.c"),
    ),
    ConventionRow(
        "mIoU of absent classes",
        "what does a class count that neither truth nor prediction has?",
        (
            "m = confusion_matrix([0, 0, 1, 1], [0, 0, 1, 0], num_classes=3)",
            "hit, union = np.diag(m), m.sum(0) + m.sum(1) - np.diag(m)",
            "iou = hit / np.maximum(union, 1)",
        ),
        (
            Rule("left out", "mmsegmentation, VOC practice (nanmean)", "iou[union > 0].mean()"),
            Rule("counts 0", "implementations with eps in the denominator", "iou.mean()"),
            Rule("counts 1", "implementations with smooth = 1 above and below", "np.where(union > 0, iou, 1.0).mean()"),
        ),
        "On single images, and on small test sets, the three differ by a lot; "
        "say which one you report, and sum the matrix over the set before dividing.",
        ("mmsegmentation, IoUMetric", "torchmetrics, absent_score", "Everingham et al. 2015"),
    ),
    ConventionRow(
        "confusion matrix",
        "are the rows the truth or the prediction?",
        ("m = confusion_matrix([1, 1, 1, 0], [1, 1, 0, 0])",),
        (
            Rule("rows = truth", "scikit-learn, tinycnn, TensorFlow", "m"),
            Rule("rows = prediction", "MATLAB, many statistics books", "m.T"),
        ),
        "Read one the other way round, and precision and recall change places.",
        ("scikit-learn, confusion_matrix", "MATLAB, plotconfusion"),
    ),
    ConventionRow(
        "Gram normalisation",
        "by what is the Gram matrix divided?",
        ("x = np.array([[[1.0, 2.0], [3.0, 4.0]]])",),
        (
            Rule("nothing", "Gatys (4 C^2 M^2 comes in the loss)", "F.gram_matrix(x)"),
            Rule("positions", "lectures: (1 / N) X X^T", 'F.gram_matrix(x, normalization="positions")'),
            Rule("elements", "Johnson, PyTorch's tutorial", 'F.gram_matrix(x, normalization="elements")'),
        ),
        "Style weights found with one rule are off by powers of C H W with another: 10^6 and more.",
        ("Gatys et al. 2015 (arXiv 1508.06576), equation 4", "Johnson et al. 2016 (arXiv 1603.08155), section 3.2"),
    ),
    ConventionRow(
        "ArcFace margin",
        "what happens where theta + m goes beyond 180 degrees (cos theta = -0.95, m = 0.5)?",
        ("x, w = np.array([[-0.95, 0.3122]]), np.array([[1.0, 0.0], [0.0, 1.0]])",),
        (
            Rule("straight tail", "the authors' code", "F.arcface_logits(x, w, [0], 1.0, 0.5)"),
            Rule("easy_margin", "the authors' option", "F.arcface_logits(x, w, [0], 1.0, 0.5, easy_margin=True)"),
            Rule("CosFace", "cos theta - m", "F.cosface_logits(x, w, [0], 1.0, 0.5)"),
        ),
        "The paper's cos(theta + m) alone would rise again beyond pi - m and reward the worst samples; "
        "every implementation patches it, not all alike.",
        ("Deng et al. 2019 (arXiv 1801.07698), equation 3", "deepinsight/insightface"),
    ),
    ConventionRow(
        "contrastive form",
        "are the distances squared (d = 5, margin 7; a like pair, an unlike one)?",
        ("a, b = np.zeros((2, 2)), np.array([[3.0, 4.0], [3.0, 4.0]])",),
        (
            Rule("linear", "lecture slides", 'F.contrastive_loss(a, b, [1, 0], margin=7.0, reduction="none")'),
            Rule("Hadsell", "the paper: squared, halved", 'F.contrastive_loss(a, b, [1, 0], margin=7.0, form="hadsell", reduction="none")'),
        ),
        "Hadsell's paper also calls like pairs 0, most code calls them 1: with the wrong label the loss trains, in the wrong direction.",
        ("Hadsell et al. 2006, equation 4",),
    ),
)
