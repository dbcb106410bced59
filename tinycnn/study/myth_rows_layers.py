"""Myths about convolution, its sizes, pooling and upsampling."""

from __future__ import annotations

from .myths import Myth

__all__ = ["LAYER_MYTHS"]

LAYER_MYTHS = (
    Myth(
        "one-by-one-convolution",
        "A 1 x 1 convolution is applied to each channel independently.",
        "tutorial pages and quiz sites",
        "wrong",
        "It mixes all channels of a pixel: each output is a weighted sum over every input channel. What keeps channels apart is a depthwise "
        "convolution, groups = channels.",
        """pixel = np.array([3.0, 5.0]).reshape(1, 2, 1, 1)
mixing = F.conv2d(pixel, np.array([10.0, 1.0]).reshape(1, 2, 1, 1))
apart = F.conv2d(pixel, np.array([10.0, 1.0]).reshape(2, 1, 1, 1), groups=2)
print("1 x 1:", mixing.numpy().ravel(), " depthwise 1 x 1:", apart.numpy().ravel())""",
        "mixing.numpy().ravel().tolist() == [35] and apart.numpy().ravel().tolist() == [30, 5]",
    ),
    Myth(
        "checkerboard-two-two",
        "A transposed convolution with kernel 2 and stride 2 makes checkerboards because windows overlap unevenly.",
        "a course quiz, until a reviewer caught it",
        "wrong",
        "With the kernel a multiple of the stride every output gets equally many terms. Kernel 3 with stride 2 overlaps unevenly: 1, 2 or 4 terms.",
        """ones = np.ones((1, 1, 3, 3))
even = F.conv_transpose2d(ones, np.ones((1, 1, 2, 2)), stride=2).numpy()
uneven = F.conv_transpose2d(ones, np.ones((1, 1, 3, 3)), stride=2).numpy()
print("kernel 2: terms", np.unique(even), " kernel 3: terms", np.unique(uneven))""",
        "np.unique(even).tolist() == [1] and np.unique(uneven).tolist() == [1, 2, 4]",
    ),
    Myth(
        "macs-flops",
        "MACs = 2 * FLOPs.",
        "a widely used counter's issue thread",
        "wrong",
        "The wrong way round: one multiply-accumulate is two floating-point operations, a multiplication and an addition. FLOPs = 2 * MACs.",
        """element = study.explain("conv2d", np.ones((3, 3)), np.ones((3, 3)), bias=[1.0]).results[0].elements[0]
products = sum("*" in term.numbers for term in element.terms)
additions = len(element.terms) - 1
print(products, "MACs =", products, "multiplications and", additions, "additions =", products + additions, "FLOPs")""",
        "(products, additions) == (9, 9)",
    ),
    Myth(
        "shift-invariance",
        "Convolution layers are shift-invariant.",
        "many introductions",
        "wrong",
        "They are equivariant: the answer moves with the image, away from the edges. With stride 2 not even that, unless the image moves by a "
        "multiple of 2.",
        """image, filter = np.array([0, 0, 1, 4, 2, 0, 0, 0.0]).reshape(1, 1, 8), np.array([1, 2, -1.0]).reshape(1, 1, 3)
moved = np.roll(image, 1, axis=2)
here, there = F.conv1d(image, filter).numpy().ravel(), F.conv1d(moved, filter).numpy().ravel()
strided = [F.conv1d(each, filter, stride=2).numpy().ravel() for each in (image, moved)]
print("stride 1:", here, "then", there)
print("stride 2:", strided[0], "then", strided[1])""",
        "(here != there).any() and (np.roll(here, 1) == there).all() and not set(strided[0]) == set(strided[1])",
    ),
    Myth(
        "pooling-invariance",
        "Pooling makes a network invariant to translation.",
        "many introductions and some papers",
        "half true",
        "Only to shifts that keep each maximum in its own window. A shift by one pixel over the border of a window changes the answer.",
        """image = np.zeros((1, 1, 6))
image[0, 0, 2] = 7
pooled = [F.max_pool1d(np.roll(image, shift, axis=2), 2).numpy().ravel() for shift in (0, 1, 2)]
print("at 2:", pooled[0], " at 3:", pooled[1], " at 4:", pooled[2])""",
        "(pooled[0] == pooled[1]).all() and (pooled[0] != pooled[2]).any()",
    ),
    Myth(
        "same-padding",
        '"same" padding is the same everywhere.',
        "code that moves from one framework to another",
        "wrong",
        "PyTorch's keeps the size and refuses strides. TensorFlow's, with a stride, pads by the size of the image, and more at the end; padding "
        "(k - 1)/2 gives the same size "
        "but other numbers.",
        """image, filter = np.arange(1.0, 7).reshape(1, 1, 6), np.array([1.0, 10, 100]).reshape(1, 1, 3)
tensorflow = F.conv1d(image, filter, stride=2, padding="same_tf").numpy().ravel()
symmetric = F.conv1d(image, filter, stride=2, padding=1).numpy().ravel()
print("TensorFlow SAME:", tensorflow, " padding 1:", symmetric)""",
        "tensorflow.tolist() == [321, 543, 65] and symmetric.tolist() == [210, 432, 654]",
    ),
    Myth(
        "conv-floor",
        "The output size of a convolution is (n - k + 2p)/s + 1.",
        "most slides; the quotient there happens to be whole",
        "half true",
        "It is rounded down. What does not fill a last window is dropped without a word, and gets no gradient.",
        """image = tinycnn.tensor(np.ones((1, 1, 7)), requires_grad=True)
output = F.conv1d(image, np.ones((1, 1, 3)), stride=3)
output.sum().backward()
unread = np.flatnonzero(image.grad.numpy().ravel() == 0)
print(f"(7 - 3)/3 + 1 = {(7 - 3) / 3 + 1:.2f}, output {output.shape[2]}")""",
        "output.shape == (1, 1, 2) and unread.tolist() == [6]",
    ),
    Myth(
        "ceil-mode",
        "ceil_mode only adds one to the output size.",
        "documentation formulas that stop at ceil",
        "wrong",
        "It adds one or nothing: nothing where the windows tile, and nothing where the last window would start in the padding. And the mean of "
        "the window that sticks out divides "
        "by what lies inside.",
        """sizes = [F.avg_pool1d(np.ones((1, 1, n)), 4, stride=4, padding=2, ceil_mode=True).shape[2] for n in (8, 9, 11)]
floors = [F.avg_pool1d(np.ones((1, 1, n)), 4, stride=4, padding=2).shape[2] for n in (8, 9, 11)]
means = F.avg_pool1d(np.arange(1.0, 6).reshape(1, 1, 5), 2, ceil_mode=True).numpy().ravel()
print("ceil", sizes, "floor", floors, "for 8, 9, 11; means of 1..5 by twos:", means)""",
        "sizes == [3, 3, 4] and floors == [3, 3, 3] and means.tolist() == [1.5, 3.5, 5.0]",
    ),
    Myth(
        "flipped-filter",
        "A convolution layer computes the convolution of signal processing.",
        "the name itself",
        "wrong",
        "Frameworks do not flip the filter: they correlate. As filters are learned it costs nothing, but a hand-made filter comes out mirrored.",
        """image, filter = np.array([0, 0, 1, 0, 0.0]).reshape(1, 1, 5), np.array([1.0, 2, 3]).reshape(1, 1, 3)
layer = F.conv1d(image, filter).numpy().ravel()
signal = F.convolve1d(image, filter).numpy().ravel()
print("conv1d:", layer, " convolution:", signal, " np.convolve:", np.convolve(image.ravel(), filter.ravel(), "valid"))""",
        "layer.tolist() == [3, 2, 1] and signal.tolist() == [1, 2, 3]",
    ),
    Myth(
        "transposed-inverse",
        'A transposed convolution undoes a convolution ("deconvolution").',
        "the old name, still in papers and layers",
        "wrong",
        "It restores the size, not the numbers: it is the transpose of the matrix, not its inverse, and a convolution that shrinks has none.",
        """image, filter = np.arange(1.0, 10).reshape(1, 1, 3, 3), np.array([[1.0, 2], [0, 1]]).reshape(1, 1, 2, 2)
back = F.conv_transpose2d(F.conv2d(image, filter), filter)
matrix = study.conv2d_matrix(filter, (3, 3)).toarray()
print(back.numpy()[0, 0])
print("same size:", back.shape == image.shape, " matrix", matrix.shape, "of rank", np.linalg.matrix_rank(matrix))""",
        "back.shape == (1, 1, 3, 3) and not np.allclose(back.numpy(), image) and np.linalg.matrix_rank(matrix) == 4",
    ),
    Myth(
        "output-padding",
        "output_padding pads the output with zeros.",
        "the parameter's name, and forum answers",
        "wrong",
        "It only says which of the possible sizes is meant; the added row and column are computed as every other.",
        """image, filter = np.array([[1.0, 2], [3, 4]]).reshape(1, 1, 2, 2), np.ones((1, 1, 3, 3))
larger = F.conv_transpose2d(image, filter, stride=2, padding=1, output_padding=1).numpy()[0, 0]
print(larger)""",
        "larger.tolist() == [[1, 3, 2, 2], [4, 10, 6, 6], [3, 7, 4, 4], [3, 7, 4, 4]]",
    ),
    Myth(
        "max-unpool-restores",
        "Max unpooling restores the input.",
        "encoder-decoder explanations",
        "wrong",
        "It puts the maxima back to their places; everything else is lost and becomes 0. Only pooling again gives back what was pooled.",
        """image = np.arange(1.0, 17).reshape(1, 1, 4, 4)
pooled, places = F.max_pool2d(image, 2, return_indices=True)
back = F.max_unpool2d(pooled, places, 2)
print(back.numpy()[0, 0])
print("restored:", (back.numpy() == image).sum(), "of 16")""",
        "(back.numpy() == image).sum() == 4 and (F.max_pool2d(back, 2).numpy() == pooled.numpy()).all()",
    ),
    Myth(
        "parameters-image-size",
        "The number of parameters of a convolution depends on the image size.",
        "exam answers; it does hold for linear layers",
        "wrong",
        "The same filters slide over every image: (k k C_in + 1) C_out. Only a flatten and linear layer behind it fix the size.",
        """layer = nn.Conv2d(3, 10, 5, padding=2)
count = sum(parameter.data.size for parameter in layer.parameters())
shapes = [layer(np.zeros((1, 3, n, n), np.float32)).shape for n in (4, 6)]
print(count, "parameters for images of 4 and of 6:", shapes)""",
        "count == 760 and shapes == [(1, 10, 4, 4), (1, 10, 6, 6)]",
    ),
    Myth(
        "receptive-field-matters",
        "A unit uses all of its receptive field alike.",
        "readings of receptive-field tables",
        "wrong",
        "The field says what can matter. How much it does falls off towards the edge like a bell: many more paths lead through the middle.",
        """pixels = tinycnn.tensor(np.zeros((1, 1, 21)), requires_grad=True)
output = pixels
for _ in range(5):
    output = F.conv1d(output, np.ones((1, 1, 3)) / 3)
output[0, 0, 5].backward()
share = pixels.grad.numpy().ravel()
middle = np.sort(share)[-5:].sum()
print(f"field {np.count_nonzero(share)} pixels; the middle 5 have {100 * middle:.0f} %, the two ends {100 * (share[5] + share[15]):.1f} %")""",
        "np.count_nonzero(share) == 11 and 0.7 < middle < 0.9",
    ),
    Myth(
        "two-threes-one-five",
        "Two 3 x 3 convolutions are the same as one 5 x 5.",
        "summaries of VGG",
        "half true",
        "They see the same 5 x 5 pixels with 18 weights instead of 25, so together they cannot be every 5 x 5 filter. And the ReLU that usually "
        "stands "
        "between them makes them something that no single filter is.",
        """first, second = np.array([1.0, 2, 1]).reshape(1, 1, 3), np.array([1.0, -1, 2]).reshape(1, 1, 3)
image = np.zeros((1, 1, 9))
image[0, 0, 4] = 1
linear = F.conv1d(F.conv1d(image, first), second).numpy().ravel()
bent = F.conv1d(F.relu(F.conv1d(-image, first)), second).numpy().ravel()
print("without ReLU one filter of 5:", linear, " with ReLU, for minus the image:", bent)""",
        "np.count_nonzero(linear) == 5 and not np.allclose(bent, -linear)",
    ),
)
