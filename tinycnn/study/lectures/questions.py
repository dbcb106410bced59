"""Part J: demos, tools and the questions of the decks."""

from __future__ import annotations

from .convolution import CONVOLUTION
from .entries import Check, Row
from .pooling import POOLING
from .tasks import SEGMENTATION

__all__ = ["QUESTIONS"]

CHECKS = {row.id: row.checks for row in (*CONVOLUTION, *POOLING, *SEGMENTATION)}
MEMORY = "tinycnn memory"

QUESTIONS = (
    Row(
        "J01", "S0 S3",
        "A network that trains while you watch: losses, activations, gradients, weights, and sliders for the learning rate.",
        ("tinycnn train lenet5 --live --open", "tinycnn health runs/lenet5-digits"),
    ),
    Row(
        "J02", "S0",
        "A network drawn as a graph, from its description.",
        ("tinycnn summary vgg16 --html vgg16.html",),
    ),
    Row(
        "J03", "S0 S2",
        "Convolution arithmetic in moving pictures.",
        ("tinycnn animate conv2d input_size=5 kernel_size=3 padding=1 --html conv.html", "tinycnn animate conv_transpose2d kernel_size=3 stride=2 "
            "--html up.html"),
    ),
    Row(
        "J04", "S0",
        "The exercise: how much memory does training this layer need? 150 x 100 RGB, 200 maps of 5 x 5, SAME, batches of 100.",
        ("tinycnn memory --optimizer momentum", "tinycnn exercise memory --seed 1"),
        (
            Check("parameters (5*5*3 + 1)*200", MEMORY, 15_200, "parameters"),
            Check("MACs an image", MEMORY, 225_000_000, "macs"),
            Check("the output of one image: 12.0 MB", MEMORY, 12_000_000, "output_bytes_image"),
            Check("which is 11.44 MiB", MEMORY, "12.0 MB (11.44 MiB)", "solution.4"),
            Check("of the batch: 1.2 GB", MEMORY, 1_200_000_000, "output_bytes"),
            Check("which is 1.118 GiB", MEMORY, "1.20 GB (1.118 GiB)", "solution.5"),
            Check("the input batch: 18 MB", MEMORY, 18_000_000, "input_bytes"),
            Check("im2col workspace of the batch: 0.45 GB", MEMORY, 450_000_000, "columns_bytes"),
            Check("training with Adam, all counted", MEMORY, 2_418_243_200, "training_bytes"),
        ),
    ),
    Row("J05", "S0", "Question: why 1 x 1 convolutions?", ("tinycnn compare bottleneck", "tinycnn lecture A24"), CHECKS["A24"]),
    Row(
        "J06", "S0", "Question: why side branches?",
        ("tinycnn experiment side-branches googlenet_cifar --data cifar10", "tinycnn lecture C07"),
    ),
    Row(
        "J07", "S0", "Question: which kinds of residual blocks are there?",
        ("tinycnn lecture C04", "tinycnn summary resnet50", "tinycnn summary preactivation_resnet20", "tinycnn summary resnext_cifar",
         "tinycnn summary mobilenet_v2_cifar"),
    ),
    Row(
        "J08", "S0", "Question: what are transposed convolution and unpooling?",
        ("tinycnn lecture B09", "tinycnn lecture B08"), (*CHECKS["B09"], *CHECKS["B08"]),
    ),
    Row("J09", "S2", "Question: what is global average pooling good for?", ("tinycnn lecture B05",), CHECKS["B05"]),
    Row(
        "J10", "S2", "Question: what happens if VGG is made ever deeper?",
        ("tinycnn experiment vgg-depth --data cifar10 --depths 11,13,16,19", "tinycnn experiment degradation --data cifar10", "tinycnn lecture C05"),
    ),
    Row("J11", "S3", "Question: how many parameters has this layer?", ("tinycnn lecture A17",), CHECKS["A17"]),
    Row("J12", "S3", "Question: what is the output of 7 x 7, 3 x 3, stride 1, pad 1?", ("tinycnn lecture A15",), CHECKS["A15"][:1]),
    Row("J13", "S2", "Question: can one restore with degraded images alone?", ("tinycnn noise2void photo.jpg", "tinycnn lecture G09"), CHECKS["G09"]),
    Row(
        "J14", "S0",
        "VGG-16's weights as one archive of arrays, filters with their channels last.",
        ("tinycnn predict photo.jpg --model vgg16 --weights vgg16_weights.npz", "tinycnn ckpt inspect vgg16_weights.npz"),
        (
            Check("filters of height, width, in, out turned into ours", "np.zeros((3, 3, 64, 128)).transpose(3, 2, 0, 1).shape", [128, 64, 3, 3]),
        ),
    ),
    Row("J15", "S0 S3 S4", "Where to read on: course notes, books, articles.", ("tinycnn lecture --html lecture.html", "tinycnn book --out book")),
    Row("J16", "S0 S4", "Public leaderboards.", ("tinycnn leaderboard --published",)),
    Row("J17", "S0", "Links to videos; their contents were not seen for this map."),
    Row(
        "J18", "S4",
        "The course's code is PyTorch: the same names and arguments work here.",
        ("tinycnn explain conv2d", "tinycnn ckpt inspect resnet18-f37072fd.pth"),
        (
            Check("a convolution's arguments begin as torch's do",
                  "import inspect\nlist(inspect.signature(nn.Conv2d.__init__).parameters)[1:9]",
                  ["in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"]),
        ),
    ),
    Row(
        "J19", "S1",
        "Tasks of growing difficulty: digits, whole images, every pixel, boxes, instances.",
        ("tinycnn train lenet5", "tinycnn train resnet20 --data cifar10", "tinycnn train unet_small --data shapes",
         "tinycnn train fasterrcnn_mini --data shapes", "tinycnn train maskrcnn_mini --data shapes", "python examples/01_digits.py",
         "python examples/02_classification.py", "python examples/03_segmentation.py", "python examples/04_detection.py",
         "python examples/05_instance_segmentation.py"),
    ),
)  # fmt: skip
