"""Where a deck is wrong, simplified or silent: what it says, what is right, and the run that shows it."""

from __future__ import annotations

from .data import BINARY, TURNED
from .entries import IMAGE, Check, Erratum

__all__ = ["ERRATA"]

ERRATA: tuple[Erratum, ...] = (
    Erratum(
        1, "S4", "I08", "accuracy = (80 + 35)/150 = 0.7", "115/150 = 0.7667; precision, recall and F1 on the slide are right",
        Check("accuracy", "truth, guess = np.repeat([1, 1, 0, 0], [80, 25, 10, 35]), np.repeat([1, 0, 1, 0], [80, 25, 10, 35])\n"
              "metrics.accuracy(truth, guess)", 0.7667, within=5e-5),
    ),
    Erratum(
        2, "S4", "I09", "the binary table has actual classes in its rows, the three-class table on the next slide has predicted ones",
        "say which; here rows are the truth, as in scikit-learn, so the second table is turned first. Read without turning it, precision and "
        "recall change places",
        Check("recall of the table as printed is the precision of the table as meant",
              BINARY + TURNED + "bool((metrics.class_report([[30, 20, 10], [50, 60, 10], [20, 20, 80]]).recall == report.precision).all())", True),
    ),
    Erratum(
        3, "S4", "F09", "anchor ratios 0.5, 1, 1.5 between width and height",
        "Faster R-CNN has 0.5, 1, 2, and codebases differ on h/w or w/h: 1.5 has no counterpart of the other orientation, 2 has",
        Check("a ratio set is the same read both ways only if it holds each inverse: the slide's, the paper's",
              "[bool(np.allclose(np.sort(1 / np.array(r)), r)) for r in ([0.5, 1, 1.5], [0.5, 1, 2])]", [False, True]),
    ),
    Erratum(
        4, "S2", "E06", "the sums of the YOLO loss run over i = 0 ... S^2 and j = 0 ... B",
        "cells are numbered 0 to S^2 - 1 and boxes 0 to B - 1, one fewer each; the paper writes it so, too",
        Check("cells times boxes, counted: 98, and 150 with the limits as printed",
              "S, B = 7, 2\n[np.zeros((S * S, B)).size, np.zeros((S * S + 1, B + 1)).size]", [98, 150]),
    ),
    Erratum(
        5, "S2", "E09", "the contrastive loss is linear in the distance", "Hadsell, Chopra and LeCun square both terms, and halve them; both "
            "forms are here",
        Check("a like pair at distance 5: linear, squared and halved",
              'a, b = np.zeros((1, 2)), np.array([[3.0, 4.0]])\n[F.contrastive_loss(a, b, [1], margin=7.0).item(), '
              'F.contrastive_loss(a, b, [1], margin=7.0, form="hadsell").item()]', [5, 12.5]),
    ),
    Erratum(
        6, "S2", "F10", "R-CNN 2015, Faster R-CNN 2016, SSD ECCV 2017, RetinaNet 2018",
        "R-CNN is CVPR 2014 (arXiv 1311.2524), as deck S4 has it, Faster R-CNN NIPS 2015 (arXiv 1506.01497), SSD ECCV 2016 (arXiv 1512.02325), "
        "RetinaNet ICCV 2017 (arXiv 1708.02002)",
    ),
    Erratum(
        7, "S2", "A02", "convolution as an integral, but correlation in the example",
        "the slide says so itself; the two agree for kernels that are the same turned by 180 degrees, and differ for others",
        Check("the Laplacian agrees, a kernel of 1 to 9 does not",
              f'x = np.array([[[[float(v) for v in row.split()] for row in "{IMAGE}".split(";")]]])\n'
              "kernels = (np.array([[[[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]]]), np.arange(1.0, 10).reshape(1, 1, 3, 3))\n"
              "[bool((F.conv2d(x, k).numpy() == F.convolve2d(x, k).numpy()).all()) for k in kernels]", [True, False]),
    ),
    Erratum(
        8, "S1", "D07", "all pooling layers of a ResNet do max pooling but the last one",
        "there is one max pooling, at the start; everything else shrinks by convolutions with stride 2, and the last pooling averages",
        Check("max poolings, and convolutions larger than 1 x 1 with stride 2, of ResNet-18",
              "parts = list(nn.utils.skip_init(models.resnet18).modules())\n"
              "[sum(isinstance(m, nn.MaxPool2d) for m in parts), "
              "sum(isinstance(m, nn.Conv2d) and tuple(m.stride) == (2, 2) and tuple(m.kernel_size) != (1, 1) for m in parts)]", [1, 4]),
    ),
    Erratum(
        9, "S3", "A14", "a 3 x 3 filter with stride 3 does not fit on 7 x 7: 2.33",
        "mathematically so; PyTorch, TensorFlow, Keras, Caffe and ONNX all round down to 2 without a word and never read the last row and column",
        Check("what comes out", "tinycnn shape conv2d --in 7 --k 3 --s 3", [2, 2], "output"),
    ),
    Erratum(
        10, "S0", "J04", "the memory exercise has no answer on the slide",
        "the usual answer counts outputs only: 12 MB an image, 1.2 GB a batch in float32. Training also holds input, gradients, weights and "
        "optimiser state: 2.42 GB, with the columns of im2col 2.87 GB",
        Check("bytes of a training step, outputs and their gradients first", "tinycnn memory", 2_418_243_200, "training_bytes"),
    ),
    Erratum(
        11, "S3", "B02", 'the second pooled row reads "80" in the text of the deck', "it is an 8 and an empty cell: figures were lost when the "
            "decks became text",
        Check("the pooled map", 'tinycnn explain max_pool2d "1 1 2 4; 5 6 7 8; 3 2 1 0; 1 2 3 4" kernel_size=2', [[6, 8], [3, 4]],
            "results.0.values"),
    ),
    Erratum(
        12, "S2", "E12", "the most likely image is max p(u|z)",
        "it is arg max p(u|z): the maximum is a probability, the place of the maximum is the image",
        Check("0, 1 and 7 with probabilities 1/2, 1/4, 1/4: the maximum, and where it is",
              "values, p = np.array([0.0, 1.0, 7.0]), np.array([0.5, 0.25, 0.25])\n[p.max(), values[p.argmax()]]", [0.5, 0]),
    ),
)  # fmt: skip
