"""The points on which frameworks and papers differ, in the order of a network: layers first, then boxes, then losses and metrics."""

from __future__ import annotations

from .convention_rows_tasks import TASKS
from .conventions import ConventionRow, Rule

__all__ = ["ROWS"]

RAMP = "x = np.arange(1.0, 7.0).reshape(1, 1, 6)"

LAYERS = (
    ConventionRow(
        "padding",
        'what does "same" pad, with stride 2 and an even size?',
        (RAMP, "w = np.ones((1, 1, 3))"),
        (
            Rule("padding=1", "PyTorch, Caffe (numbers only)", "F.conv1d(x, w, stride=2, padding=1)"),
            Rule("SAME, SAME_UPPER", "TensorFlow, Keras, ONNX", 'F.conv1d(x, w, stride=2, padding="same_tf")'),
            Rule("SAME_LOWER", "ONNX", 'F.conv1d(x, w, stride=2, padding="same_lower")'),
            Rule("valid", "all", 'F.conv1d(x, w, stride=2, padding="valid")'),
            Rule("full", "Theano, MATLAB, scipy.signal", 'F.conv1d(x, w, stride=2, padding="full")'),
            Rule("causal", "Keras Conv1D, WaveNet", 'F.conv1d(x, w, stride=2, padding="causal")'),
        ),
        "TensorFlow pads 0 before and 1 after, where PyTorch nets pad 1 and 1: the windows sit one pixel apart, the sizes are equal. "
        'PyTorch refuses "same" with a stride.',
        ("TensorFlow, tf.nn.convolution", "ONNX, Conv auto_pad", "PyTorch, Conv2d padding"),
    ),
    ConventionRow(
        "ceil",
        "what becomes of the last, incomplete pooling window?",
        ("x = np.arange(1.0, 6.0).reshape(1, 1, 5)",),
        (
            Rule("floor", "PyTorch, TensorFlow VALID, Keras, ONNX", "F.avg_pool1d(x, 2)"),
            Rule("ceil", "Caffe, PyTorch and ONNX with ceil_mode", "F.avg_pool1d(x, 2, ceil_mode=True)"),
            Rule("SAME", "TensorFlow, Keras", "F.avg_pool1d(x, 2, padding=(0, 1), count_include_pad=False)"),
        ),
        "A Caffe net (GoogLeNet, SqueezeNet) ported without ceil_mode has smaller maps, and a mismatch only at its first linear layer.",
        ("Caffe, pooling_layer.cpp", "sonos/tract#2851", "PyTorch, AvgPool2d"),
    ),
    ConventionRow(
        "count_include_pad",
        "does an average count the zeros of the padding?",
        ("x = np.full((1, 1, 4), 6.0)",),
        (
            Rule("counts", "PyTorch, Caffe (default)", "F.avg_pool1d(x, 3, 1, 1)"),
            Rule("leaves out", "TensorFlow, Keras, ONNX (default)", "F.avg_pool1d(x, 3, 1, 1, count_include_pad=False)"),
        ),
        "A constant map stays constant only where padding is left out; otherwise its borders darken.",
        ("PyTorch, AvgPool2d", "ONNX, AveragePool", "onnxruntime#27375"),
    ),
    ConventionRow(
        "batch-norm variance",
        "is the remembered variance divided by N or by N - 1?",
        (
            "x = np.array([[1.0], [3.0], [5.0], [7.0]])",
            "def running(x): v = np.ones(1); F.batch_norm(x, np.zeros(1), v, training=True, momentum=1.0); return v",
        ),
        (
            Rule("N - 1", "PyTorch, Caffe, TensorFlow's fused kernel (Keras 2)", "running(x)"),
            Rule("N", "Keras 3, ONNX; and all, for the batch itself", "running(x) * (len(x) - 1) / len(x)"),
        ),
        "Small batches differ: for N = 4 by a third. The batch itself is always normalised by N; moved weights need no change, "
        "fine-tuning gives other statistics.",
        ("Ioffe and Szegedy 2015, algorithm 2 (N - 1)", "Caffe, batch_norm_layer.cpp", "Keras 3, BatchNormalization", "ONNX, BatchNormalization 15"),
    ),
    ConventionRow(
        "batch-norm momentum",
        "whose share is the momentum, that of the new value or the old?",
        (
            "x = np.array([[10.0], [10.0]])",
            "def running(x, m): mean = np.zeros(1); F.batch_norm(x, mean, np.ones(1), training=True, momentum=m); return mean",
        ),
        (
            Rule("share of the new", "PyTorch (0.1)", "running(x, 0.1)"),
            Rule("share of the old", "Keras, TensorFlow (0.99), ONNX (0.9), Caffe (0.999)", "running(x, 1 - 0.99)"),
        ),
        "Keras's 0.99 is 0.01 here. Its eps is 1e-3, where PyTorch has 1e-5: set both when weights move.",
        ("PyTorch, BatchNorm2d", "Keras, BatchNormalization"),
    ),
    ConventionRow(
        "resize coordinates",
        "where does output pixel i lie in the input (linear, 2 pixels to 4)?",
        ("x = np.array([[[0.0, 4.0]]])",),
        (
            Rule("half_pixel", "PyTorch align_corners=False, TensorFlow 2, OpenCV", 'F.interpolate(x, 4, mode="linear")'),
            Rule("align_corners", "PyTorch align_corners=True, TensorFlow 1 option", 'F.interpolate(x, 4, mode="linear", align_corners=True)'),
            Rule("asymmetric", "TensorFlow 1, ONNX Upsample", 'F.interpolate(x, 4, mode="linear", coordinate_mode="asymmetric")'),
            Rule("pytorch_half_pixel", "ONNX", 'F.interpolate(x, 4, mode="linear", coordinate_mode="pytorch_half_pixel")'),
        ),
        "asymmetric shifts the picture by half a pixel; align_corners makes the step depend on the size, so a crop resizes differently "
        "from the whole; pytorch_half_pixel differs from half_pixel for an output of one pixel only.",
        ("ONNX, Resize coordinate_transformation_mode", "tensorflow#6720", "pytorch#10604"),
    ),
    ConventionRow(
        "resize nearest",
        "which element is the nearest (5 pixels to 3)?",
        ("x = np.arange(5.0).reshape(1, 1, 5)",),
        (
            Rule("nearest", "PyTorch nearest, OpenCV INTER_NEAREST, TensorFlow 1", "F.interpolate(x, 3)"),
            Rule("nearest-exact", "PyTorch nearest-exact, Pillow, scikit-image", 'F.interpolate(x, 3, mode="nearest-exact")'),
            Rule("tf_half_pixel_for_nn", "TensorFlow 2, ONNX", 'F.interpolate(x, 3, coordinate_mode="tf_half_pixel_for_nn")'),
        ),
        "PyTorch's nearest takes the element before, not the nearest: masks resized by two libraries are shifted against each other.",
        ("PyTorch, Upsample", "pytorch#34808", "ONNX, Resize"),
    ),
    ConventionRow(
        "pixel shuffle",
        "which channels become neighbours?",
        ("x = np.arange(8.0).reshape(1, 8, 1, 1)", "dcr = x.reshape(1, 2, 2, 2, 1, 1).transpose(0, 3, 1, 2, 4, 5).reshape(1, 8, 1, 1)"),
        (
            Rule("CRD", "PyTorch pixel_shuffle, ONNX mode CRD", "F.pixel_shuffle(x, 2)"),
            Rule("DCR", "TensorFlow depth_to_space, ONNX default", "F.pixel_shuffle(dcr, 2)"),
        ),
        "With one output channel the two agree, with three (an image) the colours mix: permute the channels of the last convolution.",
        ("ONNX, DepthToSpace mode", "Shi et al. 2016 (arXiv 1609.05158), equation 4"),
    ),
    ConventionRow(
        "local response norm",
        "is alpha divided by the number of channels?",
        ("x = np.ones((1, 5, 1))",),
        (
            Rule("alpha / n", "PyTorch, Caffe, ONNX", "F.local_response_norm(x, 5, alpha=1.0, beta=0.75, k=1.0)[:, 2]"),
            Rule("alpha", "the AlexNet paper, TensorFlow", "F.local_response_norm(x, 5, alpha=5 * 1.0, beta=0.75, k=1.0)[:, 2]"),
        ),
        "The paper's alpha 1e-4 with n = 5 is 5e-4 here; TensorFlow also counts n as a radius: 2 for 5.",
        ("Krizhevsky et al. 2012, section 3.3", "Caffe, LRN layer", "TensorFlow, tf.nn.local_response_normalization"),
    ),
    ConventionRow(
        "convolution or correlation",
        "is the kernel flipped?",
        ("x = np.array([[[0.0, 0.0, 1.0, 0.0, 0.0]]])", "w = np.array([[[1.0, 2.0, 3.0]]])"),
        (
            Rule("correlation", "every deep-learning framework", "F.conv1d(x, w)"),
            Rule("convolution", "mathematics, np.convolve, MATLAB conv, Theano's default", "F.conv1d(x, w[:, :, ::-1].copy())"),
        ),
        "Learned kernels come out flipped, no harm done; kernels that move between the two worlds must be turned by 180 degrees.",
        ("Goodfellow et al. 2016, section 9.1", "PyTorch, Conv2d"),
    ),
)

ROWS = LAYERS + TASKS
