"""Part D: architectures with their parameter counts."""

from __future__ import annotations

from .entries import Check, Row

__all__ = ["NETWORKS"]


def parameters(what: str, builder: str, count: int) -> Check:
    """The number of parameters of a network; its weights are not drawn for that."""
    return Check(f"parameters of {what}", f"sum(p.numel() for p in nn.utils.skip_init(models.{builder}).parameters())", count)


def field(what: str, windows: str, size: int, stride: int) -> Check:
    """The receptive field behind a chain of (kernel, stride, padding)."""
    lines = (
        f"windows = {windows}\n"
        "net = nn.Sequential(*(nn.Conv2d(1, 1, k, s, p) for k, s, p in windows))\n"
        "last = study.receptive_fields(study.record_forward(net, (1, 1, 96, 96)))[len(windows) - 1]\n[last.size[0], last.stride[0]]"
    )
    return Check(f"receptive field and stride of {what}", lines, [size, stride])


def whole_field(what: str, builder: str, size: int, image: int) -> Check:
    """The receptive field of a whole network's last maps."""
    lines = (
        f"graph = study.record_forward(nn.utils.skip_init(models.{builder}).eval(), (1, 3, {image}, {image}))\n"
        "maps = [c.number for c in graph.calls if len(c.output.shape) == 4 and 'pool2d' not in c.operator and c.operator != 'dropout']\n"
        "study.receptive_fields(graph)[maps[-1]].size"
    )
    return Check(f"receptive field of {what}", lines, [size, size], heavy=True)


ALEXNET = "[(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]"
VGG = "[w for n in (2, 2, 3, 3, 3) for w in [(3, 1, 1)] * n + [(2, 2, 0)]]"
MOBILENET = "[(3, 2, 1)] + [(3, s, 1) for s in (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)]"
RESNET_LATE = "[(7, 2, 3), (3, 2, 1)] + [(3, s, 1) for i, n in enumerate((3, 4, 6, 3)) for s in [1] * (n - 1) + [2 if i < 3 else 1]]"
RESNET_EARLY = "[(7, 2, 3), (3, 2, 1)] + [(3, s, 1) for i, n in enumerate((3, 4, 6, 3)) for s in [2 if i else 1] + [1] * (n - 1)]"
SUMMARY = "tinycnn summary vgg16 --input 3,32,32"

NETWORKS = (
    Row(
        "D01", "S0 S2 S3",
        "LeNet-5 (1998): two convolutions with subsampling and three dense layers read handwritten digits.",
        ("tinycnn train lenet5", "tinycnn summary lenet5 --html lenet5.html", "tinycnn compare lenet5 lenet5_1998 --input 1,32,32"),
        (
            Check("parameters with a full C3", "tinycnn summary lenet5", 61_706, "parameters"),
            Check("and with the paper's table of connections", "tinycnn summary lenet5_1998", 60_000, "parameters"),
        ),
    ),
    Row(
        "D02", "S0 S1 S2 S3",
        "AlexNet (2012): deeper, with rectifiers, dropout and augmentation; 227 pixels are what its numbers need.",
        ("tinycnn summary alexnet", "tinycnn summary alexnet_2012", "tinycnn train alexnet_cifar --data cifar10"),
        (
            parameters("AlexNet as torchvision has it", "alexnet", 61_100_840),
            Check("224 does not tile under 11, stride 4", "tinycnn shape conv2d --in 224 --k 11 --s 4", "54.25", "verdict.0"),
            Check("227 does", "tinycnn shape conv2d --in 227 --k 11 --s 4", [55, 55], "output"),
            field("alexnet_v2's pool5", ALEXNET, 195, 32),
        ),
    ),
    Row(
        "D03", "S3",
        "ZF Net (2013): AlexNet with a finer first layer, found by looking at its features.",
        ("tinycnn summary zfnet", "tinycnn attribute photo.jpg --method deconvnet --out parts.png"),
        (parameters("ZF Net", "zfnet", 62_357_608),),
    ),
    Row(
        "D04", "S0 S1",
        "Network in network: 1 x 1 convolutions after each large one, and a global average in place of dense layers.",
        ("tinycnn summary network_in_network", "tinycnn train network_in_network_cifar --data cifar10"),
        (parameters("network in network", "network_in_network", 966_986),),
    ),
    Row(
        "D05", "S0 S2 S4",
        "VGG: nothing but 3 x 3 convolutions and poolings, 11 to 19 layers; adding more stops to help.",
        ("tinycnn summary vgg16 --html vgg16.html", "tinycnn experiment vgg-depth --data cifar10 --depths 11,16,19"),
        (
            parameters("VGG-16", "vgg16", 138_357_544),
            Check(
                "of which convolutions", "sum(p.numel() for p in nn.utils.skip_init(models.vgg16).features.parameters())", 14_714_688,
            ),
            field("pool5 of VGG-16", VGG, 212, 32),
            Check("the same read off the whole network", SUMMARY, [212, 212], "layers.17.receptive_field.size", heavy=True),
        ),
    ),
    Row(
        "D06", "S0 S3 S4",
        "GoogLeNet and its successors: Inception v3, v4, and with residual connections.",
        ("tinycnn summary googlenet", "tinycnn summary inception_v3", "tinycnn summary inception_v4", "tinycnn summary inception_resnet_v2",
         "tinycnn train googlenet_cifar --data cifar10"),
        (
            Check("parameters of GoogLeNet without its side branches",
                  "sum(p.numel() for n, p in nn.utils.skip_init(models.googlenet).named_parameters() if not n.startswith('aux'))", 6_624_904),
            Check("of Inception v3 without its side branch",
                  "sum(p.numel() for n, p in nn.utils.skip_init(models.inception_v3).named_parameters() if not n.startswith('Aux'))", 23_834_568),
            parameters("Inception v4", "inception_v4", 42_679_816),
            parameters("Inception-ResNet v2", "inception_resnet_v2", 55_843_464),
            whole_field("Inception v3", "inception_v3", 1311, 107),
            whole_field("Inception v4", "inception_v4", 2071, 107),
            whole_field("Inception-ResNet v2", "inception_resnet_v2", 3039, 107),
        ),
    ),
    Row(
        "D07", "S0 S1 S2 S4",
        "ResNet: blocks with shortcuts, 18 to 152 layers on ImageNet, 20 to 110 on CIFAR; one global average before the classifier.",
        ("tinycnn summary resnet50 --html resnet50.html", "tinycnn train resnet20 --data cifar10"),
        (
            parameters("ResNet-18", "resnet18", 11_689_512),
            parameters("ResNet-34", "resnet34", 21_797_672),
            parameters("ResNet-50", "resnet50", 25_557_032),
            parameters("ResNet-101", "resnet101", 44_549_160),
            parameters("ResNet-152", "resnet152", 60_192_808),
            parameters("ResNet-20 on CIFAR", "resnet20", 269_722),
            parameters("ResNet-110 on CIFAR", "resnet110", 1_727_962),
            field("ResNet-50, strides in the last block of each stage (TF-slim)", RESNET_LATE, 483, 32),
            field("ResNet-50, strides in the first block (torchvision)", RESNET_EARLY, 427, 32),
            whole_field("torchvision's ResNet-50, read off the network", "resnet50", 427, 64),
        ),
    ),
    Row(
        "D08", "S2 S4",
        "MobileNet: depthwise separable convolutions throughout, with a factor for the width.",
        ("tinycnn summary mobilenetv1_100", "tinycnn summary mobilenet_v2", "tinycnn train mobilenet_cifar --data cifar10"),
        (
            parameters("MobileNet v1", "mobilenetv1_100", 4_231_976),
            parameters("MobileNet v1 at half the width", "mobilenetv1_050", 1_331_592),
            field("MobileNet v1", MOBILENET, 315, 32),
        ),
    ),
    Row(
        "D09", "S2 S4",
        "EfficientNet scales depth, width and resolution together.",
        ("tinycnn summary efficientnet_b0", "tinycnn train efficientnet_cifar --data cifar10"),
        (parameters("EfficientNet-B0", "efficientnet_b0", 5_288_548), parameters("EfficientNet-B7", "efficientnet_b7", 66_347_960)),
    ),
    Row(
        "D10", "S4",
        "ShuffleNet: grouped 1 x 1 convolutions, channels shuffled between them.",
        ("tinycnn summary shufflenet_v1_x1_0", "tinycnn summary shufflenet_v2_x1_0", "tinycnn train shufflenet_v2_cifar --data cifar10"),
        (parameters("ShuffleNet v2", "shufflenet_v2_x1_0", 2_278_604),),
    ),
    Row(
        "D11", "S4",
        "Xception: separable convolutions with residual connections, in an entry, a middle and an exit flow.",
        ("tinycnn summary xception", "tinycnn train xception_cifar --data cifar10"),
        (parameters("Xception", "xception", 22_855_952),),
    ),
    Row(
        "D12", "S4",
        "ResNeXt: bottlenecks with many groups; their number is the cardinality.",
        ("tinycnn summary resnext50_32x4d", "tinycnn train resnext_cifar --data cifar10"),
        (parameters("ResNeXt-50, 32 groups of 4", "resnext50_32x4d", 25_028_904),),
    ),
    Row(
        "D13", "S4",
        "DenseNet: every layer gets all earlier maps and adds a few; transitions shrink them.",
        ("tinycnn summary densenet121", "tinycnn train densenet_cifar --data cifar10"),
        (parameters("DenseNet-121", "densenet121", 7_978_856),),
    ),
    Row(
        "D14", "S2",
        "CoAtNet and CBAM-ResNet: attention after, and within, convolutional stages.",
        ("tinycnn summary coatnet_0_rw_224", "tinycnn summary cbam_resnet50", "tinycnn train coatnet_cifar --data cifar10"),
        (parameters("CoAtNet-0 as timm has it", "coatnet_0_rw_224", 27_435_562),),
    ),
    Row(
        "D15", "S4",
        "The midterm: choose one of eleven papers, build its network and train it on CIFAR-10.",
        ("tinycnn train vgg11_cifar --data cifar10", "tinycnn leaderboard --data cifar10"),
        (
            Check(
                "all eleven are here",
                'all(name in models.list_models() for name in "vgg16_cifar mobilenet_cifar resnet20 shufflenet_v2_cifar googlenet_cifar '
                'inception_v3_cifar inception_v4_cifar xception_cifar resnext_cifar densenet_cifar efficientnet_cifar".split())', True,
            ),
        ),
    ),
    Row(
        "D16", "S2",
        "A typical layer is convolution, activation and pooling; a baseline network repeats it and ends in dense layers.",
        ('tinycnn shape "conv 3x3x32 p1 | relu | maxpool 2 | conv 3x3x64 p1 | relu | maxpool 2 | flatten | linear 10" --in 3x32x32 --html '
            'flow.html',),
        (
            Check(
                "what the dense layer gets", 'tinycnn shape "conv 3x3x32 p1 | relu | maxpool 2 | conv 3x3x64 p1 | relu | maxpool 2 | flatten" '
                    '--in 3x32x32',
                4096, "flatten_features",
            ),
        ),
    ),
    Row(
        "D17", "S2",
        "The benchmark chart: accuracy on ImageNet against work, a bubble a network.",
        ("tinycnn leaderboard --published --chart bubbles.svg",),
        (Check("AlexNet's published top-1 accuracy", "tinycnn leaderboard --published", 56.522, "results.0.top1"),),
    ),
    Row(
        "D18", "S3",
        "Nielsen's network3: eight networks on MNIST, each with one idea more.",
        ("python examples/network3_ladder.py --data mnist --epochs 10",),
    ),
    Row(
        "D19", "S0",
        "Convolutional networks for sentences, and how sensitive they are to their settings.",
        ("tinycnn text train rt-polarity --region-sizes 2,3,4", "tinycnn text sweep rt-polarity --of region", "python examples/08_text.py",
         'tinycnn text predict "a gorgeous , witty film" --html why.html'),
        (
            Check("parameters: 50 words of 300 numbers, 100 maps each of regions 2, 3, 4, two classes",
                  "net = models.text.kim_cnn(50, region_sizes=(2, 3, 4))\nsum(p.numel() for p in net.parameters())",
                  50 * 300 + 100 * 300 * (2 + 3 + 4) + 300 + 602),
            Check("one maximum a map: what the last layer gets", "models.text.kim_cnn(50, region_sizes=(2, 3, 4)).classifier.in_features", 300),
        ),
    ),
)  # fmt: skip
