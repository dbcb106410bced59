"""Part C: other layers, activations and blocks."""

from __future__ import annotations

from .entries import Check, Row

__all__ = ["LAYERS"]

COUNT = "sum(p.numel() for p in net.parameters())"

LAYERS = (
    Row(
        "C01", "S3",
        "A fully connected layer stretches the image to a vector; each of its units sees all of it.",
        ('tinycnn shape "flatten | linear 10" --in 3x32x32', "tinycnn explain linear"),
        (
            Check("32 x 32 x 3 stretched", 'tinycnn shape "flatten | linear 10" --in 3x32x32', "3072", "path"),
            Check("W of 10 x 3072 and 10 biases", "tinycnn shape linear --in 3072 --filters 10", 30_730, "parameters"),
            Check(
                "the same layer as a convolution (FCN)",
                "x, w = np.arange(12.0).reshape(1, 3, 2, 2), np.arange(24.0).reshape(2, 12)\n"
                "bool((F.linear(F.flatten(x, 1), w).numpy().ravel() == F.conv2d(x, w.reshape(2, 3, 2, 2)).numpy().ravel()).all())", True,
            ),
        ),
    ),
    Row(
        "C02", "S1 S2",
        "Activations: the rectifier, the sigmoid, the softmax, the hyperbolic tangent.",
        ("tinycnn explain relu --backward", "tinycnn explain sigmoid --backward", "tinycnn explain softmax --backward",
            "tinycnn explain tanh --backward"),
        (
            Check("relu", 'tinycnn explain relu "-2 0 3"', [0, 0, 3], "results.0.values"),
            Check("sigmoid(0), and tanh(0)", "[F.sigmoid([0.0]).item(), F.tanh([0.0]).item()]", [0.5, 0]),
            Check("the slope of relu at 0 is said to be 0", "x = tinycnn.tensor([0.0], "
                "requires_grad=True)\nF.relu(x).sum().backward()\nx.grad.item()", 0),
        ),
    ),
    Row(
        "C03", "S1 S3",
        "Dropout sets a share of the units to 0 while training and enlarges the others, so that the mean stays.",
        ("tinycnn explain dropout", "tinycnn explain dropout2d", "tinycnn myths dropout-test-time"),
        (
            Check("values that 1 can become with p = 0.5", "np.unique(F.dropout(np.ones(1000), 0.5, generator=np.random.default_rng(0)).numpy())",
                [0, 2]),
            Check("in evaluation nothing happens", "F.dropout(np.ones(3), 0.5, training=False)", [1, 1, 1]),
        ),
    ),
    Row(
        "C04", "S0 S1 S2",
        "Add a block's input to its output and the block only learns the difference; the blocks come in many kinds.",
        ("tinycnn compare residual", "tinycnn summary resnet20 --html resnet20.html", "tinycnn summary preactivation_resnet20",
         "tinycnn summary wide_resnet16_4", "tinycnn summary resnext_cifar", "tinycnn summary mobilenet_v2_cifar", "tinycnn summary densenet_cifar"),
        (Check("a shortcut costs no parameters: plain, residual", "tinycnn compare residual", "2*3*3*64*64 = 73,728 parameters in both",
            "derivation", heavy=True),),
    ),
    Row(
        "C05", "S1",
        "More plain layers can make even the training error worse, though added identity layers would change nothing.",
        ("tinycnn experiment degradation --data cifar10 --depths 20,56 --epochs 4 --images 10000",
            "tinycnn experiment identity resnet20 --data cifar10"),
    ),
    Row(
        "C06", "S0 S1",
        "An Inception module looks with windows of several sizes at once; 1 x 1 layers before the large ones make it affordable.",
        ("tinycnn compare inception", "tinycnn summary googlenet --html googlenet.html"),
        (
            Check("MACs of the naive 28 x 28 x 256 module, and of the reduced one", "tinycnn compare inception", [854_196_224, 271_351_808],
                "table.MACs", heavy=True),
            Check(
                "filters of GoogLeNet's first and last module",
                "calls = study.record_forward(nn.utils.skip_init(models.googlenet), (1, 3, 64, 64)).calls\n"
                "widths = [call.output.shape[1] for call in calls if call.operator == 'cat']\n[widths[0], widths[-1]]", [256, 1024], heavy=True,
            ),
        ),
    ),
    Row(
        "C07", "S0",
        "Side branches give the early layers of a deep network a loss, and so a gradient, of their own.",
        ("tinycnn experiment side-branches googlenet_cifar --data cifar10 --picture gradients.png",),
    ),
    Row(
        "C08", "S2",
        "The inverted residual: widen by 1 x 1, filter each map, project back without an activation, add.",
        ("tinycnn summary mobilenet_v2 --html mobilenet_v2.html",),
        (Check("parameters of MobileNetV2", f"net = nn.utils.skip_init(models.mobilenet_v2)\n{COUNT}", 3_504_872),),
    ),
    Row(
        "C09", "S2 S4",
        "Squeeze and excitation weighs whole maps by what their means say.",
        ("tinycnn summary seresnet_cifar", "tinycnn summary efficientnet_b0"),
        (
            Check("the block's cost: 64 maps squeezed to 4", f"net = ops.SqueezeExcitation(64, 4)\n{COUNT}", 64 * 4 + 4 + 4 * 64 + 64),
            Check("parameters of SE-ResNet-50", f"net = nn.utils.skip_init(models.seresnet50)\n{COUNT}", 28_088_024),
        ),
    ),
    Row(
        "C10", "S2",
        "CBAM attends to channels, then to places, with two small gates.",
        ("tinycnn summary cbam_resnet_cifar", "tinycnn summary cbam_resnet50",
         "tinycnn attribute photo.jpg --model runs/cbam_resnet_cifar-cifar10 --show masks --out masks.png"),
        (
            Check("the first two masks on 32 x 32 pixels: 16 maps, then every pixel",
                  "from tinycnn.study.attribution import attention_masks\n"
                  "masks = attention_masks(models.cbam_resnet_cifar(), np.ones((1, 3, 32, 32), np.float32))\n"
                  "[mask.values.shape for mask in masks[:2]] == [(16,), (32, 32)]", True),
        ),
    ),
    Row(
        "C11", "S0",
        "Attention as a mask: features times numbers between 0 and 1, so that what does not matter goes dark.",
        ("tinycnn explain mul", "tinycnn explain sigmoid",
         "tinycnn attribute photo.jpg --model runs/cbam_resnet_cifar-cifar10 --show masks --out masks.png"),
        (
            Check("a gate of logits -20 and 20 blanks one pixel and keeps the other", "F.sigmoid([-20.0, 20.0]) * tinycnn.tensor([3.0, 5.0])", [0, 5],
                  within=1e-7),
        ),
    ),
    Row(
        "C12", "S2",
        "Self-attention mixes all places by how alike they are; CoAtNet puts it behind convolutions.",
        ("tinycnn explain scaled_dot_product_attention --backward", "tinycnn summary coatnet_mini"),
        (Check("equal keys: the mean of the values", "F.scaled_dot_product_attention(np.ones((1, 2, 2)), np.ones((1, 2, 2)), np.array([[[1.0, 2], "
            "[3, 6]]]))",
               [[2, 4], [2, 4]], within=1e-12),),
    ),
    Row(
        "C13", "S0 S2 S4",
        "Batch normalisation makes each channel's mean 0 and variance 1 over the batch; what it remembers differs between frameworks.",
        ("tinycnn explain batch_norm --backward", 'tinycnn conventions "batch-norm"', "tinycnn explain local_response_norm",
         "tinycnn myths batch-norm-variance", "tinycnn exercise batch-norm --seed 1"),
        (
            Check("1 3 5 7: the variance that PyTorch remembers, N - 1", 'tinycnn conventions "batch-norm variance"', [6.6667],
                "rows.0.rules.0.result", 5e-5),
            Check("and Keras 3, N", 'tinycnn conventions "batch-norm variance"', [5], "rows.0.rules.1.result"),
        ),
    ),
    Row(
        "C14", "S0 S1 S2",
        "Skips carry an encoder's sharp maps to the decoder: added in FCN, joined in U-Net, where they are cropped first.",
        ("tinycnn explain cat", "tinycnn train unet --data nuclei", "tinycnn train fcn8s_small --data shapes"),
        (
            Check("U-Net's deepest crop: 64 to 56, joined to 512 + 512 maps",
                  "tinycnn.cat([tinycnn.zeros(1, 512, 64, 64)[:, :, 4:60, 4:60], tinycnn.zeros(1, 512, 56, 56)], 1).shape", [1, 1024, 56, 56]),
        ),
    ),
    Row(
        "C15", "S0",
        "A graph convolution multiplies node features by a normalised neighbour matrix and by weights.",
        ("tinycnn explain matmul", 'tinycnn glossary "graph convolution"'),
        (
            Check("two nodes that see each other average their features",
                  "A = np.array([[0.5, 0.5], [0.5, 0.5]])\ntinycnn.tensor(A) @ tinycnn.tensor([[1.0, 2], [3, 4]], dtype=tinycnn.float64)", [[2,
                      3], [2, 3]]),
        ),
        "graph networks are outside this package; the dense A X W above is the extension point",
    ),
    Row(
        "C16", "S0",
        "Residual layers that share their weights are a recurrent network unrolled.",
        (),
        (
            Check("ten layers that share one layer's weights, and ten of their own",
                  "from tinycnn.models.residual_blocks import Repeat\n"
                  "nets = [Repeat(nn.Conv2d(8, 8, 3, padding=1), 10, share) for share in (True, False)]\n"
                  "[sum(p.numel() for p in net.parameters()) for net in nets]", [584, 5840]),
        ),
    ),
)  # fmt: skip
