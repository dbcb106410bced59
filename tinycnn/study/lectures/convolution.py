"""Part A: tensors, conventions and the arithmetic of convolution."""

from __future__ import annotations

from .entries import IMAGE, Check, Row

__all__ = ["CONVOLUTION"]

LAPLACIAN = "0 1 0; 1 -4 1; 0 1 0"
GRID = "1 1 1 0 0; 0 1 1 1 0; 0 0 1 1 1; 0 0 1 1 0; 0 1 1 0 0"
MATRIX = "W = study.conv2d_matrix(np.array([[[[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]]]), 6)"
PICTURE = f'x = np.array([[[[float(v) for v in row.split()] for row in "{IMAGE}".split(";")]]])'
REPLICATED = [
    [5, 5, 0, 8, 7, 8, 1, 1], [5, 5, 0, 8, 7, 8, 1, 1], [1, 1, 9, 5, 0, 7, 7, 7], [6, 6, 0, 2, 4, 6, 6, 6],
    [9, 9, 7, 6, 6, 8, 4, 4], [8, 8, 3, 8, 5, 1, 3, 3], [7, 7, 2, 7, 0, 1, 0, 0], [7, 7, 2, 7, 0, 1, 0, 0],
]  # fmt: skip
REFLECTED = [
    [9, 1, 9, 5, 0, 7, 7, 7], [0, 5, 0, 8, 7, 8, 1, 8], [9, 1, 9, 5, 0, 7, 7, 7], [0, 6, 0, 2, 4, 6, 6, 6],
    [7, 9, 7, 6, 6, 8, 4, 8], [3, 8, 3, 8, 5, 1, 3, 1], [2, 7, 2, 7, 0, 1, 0, 1], [3, 8, 3, 8, 5, 1, 3, 1],
]  # fmt: skip
WRAPPED = [
    [0, 7, 2, 7, 0, 1, 0, 7], [1, 5, 0, 8, 7, 8, 1, 5], [7, 1, 9, 5, 0, 7, 7, 1], [6, 6, 0, 2, 4, 6, 6, 6],
    [4, 9, 7, 6, 6, 8, 4, 9], [3, 8, 3, 8, 5, 1, 3, 8], [0, 7, 2, 7, 0, 1, 0, 7], [1, 5, 0, 8, 7, 8, 1, 5],
]  # fmt: skip
SHIFT = "shift = lambda maps: np.roll(maps, 1, axis=3)"
LEARN = """\
x = np.array([3.0, 0, 10, 5, 24, 2, 8, 4, 5, 6, 10, 7, 23, 3, 1, 0, 0, 0, 21, 4, 0, 0, 0, 23, 23, 0, 0, 0, 45, 23, 0, 3, 0, 12, 34, 32])
x = tinycnn.tensor(x.reshape(1, 1, 6, 6) / 10)
hidden = np.array([[[[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]]])
wanted, kernel = F.conv2d(x, hidden), nn.Parameter(np.zeros((1, 1, 3, 3)))
descent = optim.SGD([kernel], lr=0.02, momentum=0.9)
def step(): descent.zero_grad(); F.mse_loss(F.conv2d(x, kernel), wanted).backward(); descent.step()
for _ in range(300): step()
float(np.abs(kernel.data - hidden).max())"""

CONVOLUTION = (
    Row(
        "A01", "S2",
        "A tensor is an array with any number of axes; a batch of images is N x C x H x W, and channels are features.",
        ("tinycnn shape conv2d --in 1x6x6 --k 3 --picture",),
        (
            Check("N=1 C=1 H=6 W=6 of the 6 x 6 image", f"{PICTURE}\ntinycnn.tensor(x).shape", [1, 1, 6, 6]),
            Check("NCHW to NHWC is an order of axes", "tinycnn.zeros(2, 3, 4, 5).permute(0, 2, 3, 1).shape", [2, 4, 5, 3]),
        ),
    ),
    Row(
        "A02", "S2",
        "Convolution turns its kernel by 180 degrees before it slides it; frameworks leave that out and compute correlation.",
        ("tinycnn views flip", "tinycnn myths flipped-filter", "tinycnn explain convolve2d"),
        (
            Check("an impulse under 1 2 3, correlated", 'tinycnn conventions "convolution or correlation"', [3, 2, 1], "rows.0.rules.0.result"),
            Check("and convolved", 'tinycnn conventions "convolution or correlation"', [1, 2, 3], "rows.0.rules.1.result"),
        ),
    ),
    Row(
        "A03", "S2",
        "One step of the slide: a 3 x 3 region times the identity filter, summed; the pixel in the middle comes out.",
        ("tinycnn views window --input deck --weight identity --html window.html",),
        (
            Check("the first region", f'tinycnn explain conv2d "{IMAGE}" "0 0 0; 0 1 0; 0 0 0"', 9, "results.0.values.0.0.0.0"),
            Check(
                "all regions", f'tinycnn explain conv2d "{IMAGE}" "0 0 0; 0 1 0; 0 0 0"',
                [[9, 5, 0, 7], [0, 2, 4, 6], [7, 6, 6, 8], [3, 8, 5, 1]], "results.0.values",
            ),
        ),
    ),
    Row(
        "A04", "S2",
        "The Laplacian answers where a pixel differs from its four neighbours.",
        ("tinycnn views window --weight laplacian", "tinycnn views gallery photo.jpg --out sheet.png"),
        (
            Check(
                "the Laplacian of the 6 x 6 image", f'tinycnn explain conv2d "{IMAGE}" "{LAPLACIAN}"',
                [[-30, -1, 23, -7], [24, 7, -2, 1], [-10, -1, -1, -15], [13, -11, -5, 13]], "results.0.values",
            ),
        ),
    ),
    Row(
        "A05", "S0",
        "The window of the figure: a binary image, in each cell its value times the weight above it.",
        (f'tinycnn animate conv2d "{GRID}" "1 0 1; 0 1 0; 1 0 1" --html window.html', 'tinycnn views window --input binary --weight "1 0 1; 0 1 '
            '0; 1 0 1"'),
        (
            Check(
                "the 3 x 3 result", f'tinycnn explain conv2d "{GRID}" "1 0 1; 0 1 0; 1 0 1"',
                [[4, 3, 4], [2, 4, 3], [2, 3, 4]], "results.0.values",
            ),
        ),
    ),
    Row(
        "A06", "S2",
        "Convolution is linear: a sparse matrix of Toeplitz blocks does the same, and its transpose is the transposed convolution.",
        ("tinycnn views toeplitz --weight laplacian --html toeplitz.html",),
        (
            Check("the matrix of a valid 3 x 3 kernel on 6 x 6", f"{MATRIX}\nW.shape", [16, 36]),
            Check("its structural entries", f"{MATRIX}\nW.nnz", 144),
            Check("those of the Laplacian that are not 0", f"{MATRIX}\nint((W.data != 0).sum())", 80),
            Check(
                "W x is the convolution", f"{MATRIX}\n{PICTURE}\nW @ x.ravel()",
                [-30, -1, 23, -7, 24, 7, -2, 1, -10, -1, -1, -15, 13, -11, -5, 13],
            ),
            Check(
                "W^T is the transposed convolution",
                f"{MATRIX}\ny, k = np.arange(16.0), np.array([[[[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]]])\n"
                "bool(np.allclose(W.T @ y, F.conv_transpose2d(y.reshape(1, 1, 4, 4), k).numpy().ravel()))",
                True,
            ),
        ),
    ),
    Row(
        "A07", "S2",
        "Each output looks at few inputs (sparse), and all outputs look with the same weights (shared).",
        ("tinycnn views toeplitz --weight laplacian", "tinycnn memory"),
        (
            Check("entries of W that can only be 0, of 576", f"{MATRIX}\nW.shape[0] * W.shape[1] - W.nnz", 432),
            Check(
                "different weights of a general 3 x 3 kernel",
                "W = study.conv2d_matrix(np.arange(1.0, 10).reshape(1, 1, 3, 3), 6)\nlen(np.unique(W.data))", 9,
            ),
            Check("weights of a dense layer of the same sizes", "tinycnn shape linear --in 36 --filters 16", 36 * 16 + 16, "parameters"),
        ),
    ),
    Row(
        "A08", "S2",
        "Shift the image and the maps of a convolution shift along; pooling forgets small shifts. Stride, padding and edges break both.",
        ("tinycnn views equivariance --shift 0,1 --stride 2", "tinycnn myths shift-invariance pooling-invariance"),
        (
            Check(
                "stride 1, edges wrapped: shift and convolution commute",
                f'{PICTURE}\n{SHIFT}\nk = np.arange(9.0).reshape(1, 1, 3, 3)\nconv = lambda maps: F.conv2d(F.pad(maps, (1, 1, 1, 1), "circular"), '
                    f'k)\n'
                "bool((conv(shift(x)).numpy() == shift(conv(x).numpy())).all())", True,
            ),
            Check(
                "with zeros around the image they do not",
                f"{PICTURE}\n{SHIFT}\nk = np.arange(9.0).reshape(1, 1, 3, 3)\nconv = lambda maps: F.conv2d(maps, k, padding=1)\n"
                "bool((conv(shift(x)).numpy() == shift(conv(x).numpy())).all())", False,
            ),
        ),
    ),
    Row(
        "A09", "S2",
        "A convolutional layer is a dense one with an infinitely strong belief: local, the same everywhere; pooling believes in small shifts.",
        ("tinycnn views prior", "python examples/network3_ladder.py --rungs shallow convolution"),
        (Check("a dense layer in place of the exercise's convolution", "tinycnn memory", "135,000,000,000 weights", "solution.3"),),
    ),
    Row(
        "A10", "S3",
        "A filter is as deep as its input: 5 x 5 x 3 numbers and a bias make one number of one place.",
        ("tinycnn shape conv2d --in 3x32x32 --k 5 --filters 1 --picture",),
        (
            Check(
                "terms of one output: 75 products and the bias",
                'found = study.explain("conv2d", np.arange(75.0).reshape(1, 3, 5, 5), np.ones((1, 3, 5, 5)), np.ones(1))\n'
                "len(found.results[0].elements[0].terms)", 76,
            ),
            Check("one filter, one map", "tinycnn shape conv2d --in 3x32x32 --k 5 --filters 1", [1, 28, 28], "output"),
        ),
    ),
    Row(
        "A11", "S3",
        "Each filter makes one activation map; six of them make a new volume of depth 6.",
        ("tinycnn shape conv2d --in 3x32x32 --k 5 --filters 6 --picture",),
        (Check("6 filters of 5 x 5 x 3", "tinycnn shape conv2d --in 3x32x32 --k 5 --filters 6", [6, 28, 28], "output"),),
    ),
    Row(
        "A12", "S2 S4",
        "With several channels each has its own slice of the filter and the slices' sums are added; with several filters this is done for each.",
        ("tinycnn explain conv2d --html filters.html", "tinycnn shape conv2d --in 3x6x6 --k 3 --filters 2 --picture"),
        (
            Check(
                "three channels of ones under two filters of ones",
                "F.conv2d(np.ones((1, 3, 4, 4)), np.ones((2, 3, 3, 3))).numpy()[0, :, 0, 0]", [27, 27],
            ),
        ),
    ),
    Row(
        "A13", "S3",
        "Layer after layer without padding eats the map: 32, 28, 24 ... shrinks too fast.",
        ('tinycnn shape "conv 5x5x6 | relu | conv 5x5x10 | relu | conv 5x5x16" --in 3x32x32 --html flow.html',),
        (
            Check("32 -> 28 -> 24", 'tinycnn shape "conv 5x5x6 | relu | conv 5x5x10" --in 3x32x32', "3x32x32 -> 6x28x28 -> 10x24x24", "path"),
            Check("the warning", 'tinycnn shape "conv 5x5x6 | relu | conv 5x5x10" --in 3x32x32', "maps vanish", "warnings.0"),
        ),
    ),
    Row(
        "A14", "S3",
        "(N - F)/stride + 1 places; where that is no whole number the filter does not fit, and frameworks round down in silence.",
        ("tinycnn shape conv2d --in 7 --k 3 --s 3 --html fit.html", "tinycnn myths conv-floor"),
        (
            Check("7, 3, stride 1", "tinycnn shape conv2d --in 7 --k 3 --s 1", [5, 5], "output"),
            Check("stride 2", "tinycnn shape conv2d --in 7 --k 3 --s 2", [3, 3], "output"),
            Check("stride 3 gives 2.33", "tinycnn shape conv2d --in 7 --k 3 --s 3", "(7 - 3)/3 + 1 = 2.33", "verdict.0"),
            Check("which frameworks make 2", "tinycnn shape conv2d --in 7 --k 3 --s 3", [2, 2], "output"),
        ),
    ),
    Row(
        "A15", "S3",
        "A border of (F - 1)/2 zeros keeps the size; for even F it must be uneven.",
        ("tinycnn solve same --k 2-7", "tinycnn exercise shapes --seed 1"),
        (
            Check("7 x 7, 3 x 3, stride 1, pad 1", "tinycnn shape conv2d --in 7 --k 3 --p 1", [7, 7], "output"),
            Check("F = 3 wants 1", "tinycnn solve conv --in 32 --out same --k 3,5,7 --p any", 1, "solutions.0.padding"),
            Check("F = 5 wants 2", "tinycnn solve conv --in 32 --out same --k 3,5,7 --p any", 2, "solutions.1.padding"),
            Check("F = 7 wants 3", "tinycnn solve conv --in 32 --out same --k 3,5,7 --p any", 3, "solutions.2.padding"),
        ),
    ),
    Row(
        "A16", "S4",
        "A layer is K filters of size F, stride S and padding P: it has F F D1 K weights and K biases and gives K maps of (W1 - F + 2P)/S + 1.",
        ("tinycnn solve conv --in 227 --out 55 --k any --s any --p any",),
        (
            Check("227, F 11, S 4, P 0, K 96", "tinycnn shape conv2d --in 3x227x227 --k 11 --s 4 --filters 96", [96, 55, 55], "output"),
            Check(
                "its (11*11*3)*96 weights and 96 biases", "tinycnn shape conv2d --in 3x227x227 --k 11 --s 4 --filters 96", 34_944, "parameters",
            ),
            Check("S from the other three", "tinycnn solve conv --in 227 --out 55 --k 11 --s any", 4, "solutions.0.stride"),
        ),
    ),
    Row(
        "A17", "S3",
        "Parameters of a layer: each of ten 5 x 5 filters on three channels has 75 weights and a bias.",
        ("tinycnn exercise parameters --seed 1", "tinycnn myths parameters-image-size"),
        (
            Check("10 filters", "tinycnn shape conv2d --in 3x32x32 --k 5 --p 2 --filters 10", 760, "parameters"),
            Check("one filter", "tinycnn shape conv2d --in 3x32x32 --k 5 --p 2 --filters 1", 76, "parameters"),
            Check("the output", "tinycnn shape conv2d --in 3x32x32 --k 5 --p 2 --filters 10", [10, 32, 32], "output"),
            Check(
                "the derivation", "tinycnn memory --input 3,32,32 --kernel 5 --filters 10 --padding 2 --batch 1",
                "(5*5*3 + 1) * 10 = 760", "solution.1",
            ),
        ),
    ),
    Row(
        "A18", "S2",
        "A border can be zeros, copies of the edge, the mirrored image, or the other side.",
        ("tinycnn explain pad pad=(1,1,1,1) mode=circular --backward", "tinycnn animate conv2d input_size=5 padding=1 padding_mode=reflect --html "
            "reflect.html"),
        (
            Check("the replication table", f'tinycnn explain pad "{IMAGE}" pad=(1,1,1,1) mode=replicate', REPLICATED, "results.0.values"),
            Check("the reflection table", f'tinycnn explain pad "{IMAGE}" pad=(1,1,1,1) mode=reflect', REFLECTED, "results.0.values"),
            Check("the circular table", f'tinycnn explain pad "{IMAGE}" pad=(1,1,1,1) mode=circular', WRAPPED, "results.0.values"),
            Check("the corner of the zero table", f'tinycnn explain pad "{IMAGE}" pad=(1,1,1,1)', [0, 0, 0, 0, 0, 0, 0, 0], "results.0.values.0"),
        ),
    ),
    Row(
        "A19", "S0 S2",
        "Valid, same and full are three sizes of result; what same pads differs between frameworks.",
        ("tinycnn conventions padding", "tinycnn myths same-padding"),
        (
            Check("valid", "tinycnn shape conv2d --in 6 --k 3 --p valid", [4, 4], "output"),
            Check("same", "tinycnn shape conv2d --in 6 --k 3 --p same", [6, 6], "output"),
            Check("full", "tinycnn shape conv2d --in 6 --k 3 --p full", [8, 8], "output"),
        ),
    ),
    Row(
        "A20", "S2",
        "A stride skips places: every second window halves the map.",
        ("tinycnn animate conv2d input_size=7 kernel_size=3 stride=2 --html stride.html", f'tinycnn explain conv2d "{IMAGE}" "{LAPLACIAN}" stride=2'),
        (
            Check("the Laplacian with stride 2", f'tinycnn explain conv2d "{IMAGE}" "{LAPLACIAN}" stride=2', [[-30, 23], [-10, -1]],
                "results.0.values"),
        ),
    ),
    Row(
        "A21", "S2",
        "Dilation spreads the taps: a kernel of k covers d (k - 1) + 1 cells with the same weights.",
        ("tinycnn animate conv2d input_size=7 kernel_size=3 dilation=2 --gif dilation.gif",),
        (
            Check("dilation 2: 3 covers 5, so 7 becomes 3", "tinycnn shape conv2d --in 7 --k 3 --d 2", [3, 3], "output"),
            Check("and 5 becomes 1", "tinycnn shape conv2d --in 5 --k 3 --d 2", [1, 1], "output"),
        ),
    ),
    Row(
        "A22", "S0 S2",
        "Moving pictures of convolution arithmetic, with your own parameters and numbers.",
        ("tinycnn animate conv2d input_size=5 kernel_size=3 padding=1 --html conv.html", "tinycnn animate conv_transpose2d kernel_size=3 stride=2 "
            "--html up.html"),
    ),
    Row(
        "A23", "S4",
        "Kernels are not designed but learned: from an image and its filtered version, gradient descent finds the nine weights.",
        ("tinycnn views learn --html learn.html", "python examples/recover_a_kernel.py"),
        (Check("the largest error of a weight, on the slide's image", LEARN, 0.0, within=1e-3),),
    ),
    Row(
        "A24", "S0 S1",
        "A 1 x 1 convolution mixes the channels of each pixel: width and height stay, depth shrinks, and few parameters are needed.",
        ("tinycnn compare bottleneck", "tinycnn myths one-by-one-convolution"),
        (
            Check("3 x 3 on 256 maps against 1 x 1, 3 x 3, 1 x 1", "tinycnn compare bottleneck", [589_824, 69_632], "table.parameters"),
            Check(
                "it is a dense layer at each pixel",
                "x, w = np.arange(24.0).reshape(1, 3, 2, 4), np.arange(6.0).reshape(2, 3)\n"
                "dense = F.linear(x.transpose(0, 2, 3, 1), w).numpy().transpose(0, 3, 1, 2)\n"
                "bool((F.conv2d(x, w.reshape(2, 3, 1, 1)).numpy() == dense).all())", True,
            ),
        ),
    ),
    Row(
        "A25", "S2",
        "The receptive field is the part of the image that one unit sees; it grows with every layer, faster behind a stride.",
        ("tinycnn summary vgg16", "tinycnn exercise receptive-field --seed 1", "tinycnn myths receptive-field-matters"),
        (
            Check("two 3 x 3 see 5", "study.receptive_fields(study.record_forward(nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)),"
                  " (1, 1, 9, 9)))[1].size", [5, 5]),
            Check("three see 7", "study.receptive_fields(study.record_forward(nn.Sequential(*(nn.Conv2d(1, 1, 3) for _ in range(3))),"
                  " (1, 1, 9, 9)))[2].size", [7, 7]),
        ),
    ),
    Row(
        "A26", "S2",
        "MobileNet takes a convolution apart: one filter a channel, then 1 x 1 across channels; compare the parameters.",
        ("tinycnn compare separable",),
        (
            Check("3 x 3, 256 -> 256: standard and separable", "tinycnn compare separable", [589_824, 67_840], "table.parameters"),
            Check("the ratio", "tinycnn compare separable", "11.5 %", "derivation"),
        ),
    ),
    Row(
        "A27", "S0 S4",
        "Grouped convolution keeps channels in separate towers; a shuffle lets them meet again.",
        ("tinycnn explain channel_shuffle", "tinycnn views groups", "tinycnn summary shufflenet_v1_x1_0"),
        (
            Check("six channels, two groups", "F.channel_shuffle(np.arange(6.0).reshape(1, 6, 1, 1), 2).numpy().ravel()", [0, 3, 1, 4, 2, 5]),
            Check("two groups halve the weights (biases stay)", "tinycnn shape conv2d --in 96x27x27 --k 5 --p 2 --filters 256 --groups 2",
                  256 * 48 * 25 + 256, "parameters"),
        ),
    ),
    Row(
        "A28", "S2",
        "Cheap devices compute in fixed point: weights and activations in 8 bits.",
        ("tinycnn quantize runs/lenet5-mnist --html small.html", "tinycnn quantize runs/lenet5-mnist --compare"),
        (
            Check("a range of 0 to 510 in 8 bits: the step, and the integer that means 0",
                  "from tinycnn.study.quantization.affine import affine_of_range\nsmall = affine_of_range(0.0, 510.0)\n[small.scale, small.zero]",
                  [2, -128]),
            Check("signal to noise of 1 1 that became 1 0.9, in decibels",
                  "from tinycnn.study.quantization.errors_by_layer import decibels\ndecibels(np.array([1.0, 1.0]), np.array([1.0, 0.9]))",
                  23.0103, within=5e-5),
            Check(
                "the step of 8 bits on -1 ... 1 errs by at most half of it",
                "step = 1 / 127\nw = np.linspace(-1, 1, 1001)\nfloat(np.abs(F.round(w / step).numpy() * step - w).max() / step)", 0.5, within=0.01,
            ),
        ),
    ),
    Row(
        "A29", "S0",
        "Text is a signal of one axis: word vectors, convolution over windows of words, the maximum over time.",
        ("tinycnn explain conv1d", "tinycnn explain embedding", "tinycnn text train rt-polarity", "python examples/08_text.py"),
        (
            Check(
                "a sentence of 7 words of 5 numbers, regions of 3 words: 5 windows, 1 maximum",
                "maps = F.conv1d(np.ones((1, 5, 7)), np.ones((2, 5, 3)))\n[maps.shape[2], F.global_max_pool(maps).numpy().ravel()[0]]", [5, 15],
            ),
        ),
    ),
    Row(
        "A30", "S2",
        "A network can be scaled in resolution, width and depth.",
        ("tinycnn summary efficientnet_b0", "tinycnn summary mobilenetv1_050"),
        (
            Check("one step of compound scaling: depth, width, resolution, work", "models.scaling.compound_scaling(1)",
                  [1.2, 1.1, 1.15, 1.92027], within=1e-9),
        ),
    ),
)  # fmt: skip
