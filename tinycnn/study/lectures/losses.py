"""Part E: losses, probability and optimisation."""

from __future__ import annotations

from .entries import Check, Row

__all__ = ["LOSSES"]

AT_MINUS_FOUR = "z = tinycnn.tensor([-4.0], dtype=tinycnn.float64, requires_grad=True)\ny = np.ones(1)\n"
CROSS = AT_MINUS_FOUR + "F.binary_cross_entropy_with_logits(z, y).backward()\n"
SQUARE = AT_MINUS_FOUR + "(0.5 * (F.sigmoid(z) - y) ** 2).sum().backward()\n"
BEST = "values, guesses = np.array([0.0, 0.0, 1.0, 7.0]), np.linspace(0, 7, 701)\n"
PAIRS = "a, b = np.zeros((2, 2)), np.array([[3.0, 4.0], [3.0, 4.0]])\n"

# Two cells a side, two predictors; the deck's five terms by hand.
YOLO_CELL = """\
raw = np.zeros((1, 2, 2, 12))
raw[0, 1, 0, :10] = 0.5, 0.5, 0.25, 0.25, 0.3, 0.5, 0.5, 0.5, 0.5, 0.6
truths = [{"boxes": np.array([[0.0, 4, 4, 8], [1, 5, 3, 7]]), "labels": np.array([2, 1])}]
"""
RPN = """\
anchors, truth = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]]), {"boxes": np.array([[0.0, 0, 10, 10]])}
said, steps = tinycnn.Tensor(np.zeros((1, 2, 1))), tinycnn.Tensor(np.zeros((1, 2, 4)))
matcher, sampler = models.detection.Matcher(0.7, 0.3), models.detection.BalancedPositiveNegativeSampler(256, 0.5)
coder = models.detection.BoxCoder((1, 1, 1, 1))
"""
SORTED = """\
def learn(labels):
    z = nn.Parameter(np.zeros(1))
    descent = optim.SGD([z], lr=0.1)
    for label in labels:
        descent.zero_grad()
        F.binary_cross_entropy_with_logits(z, np.array([label])).backward()
        descent.step()
    return F.sigmoid(z).item()
labels = np.repeat([0.0, 1.0], 100)
[learn(labels), learn(np.random.default_rng(0).permutation(labels))]"""

LOSSES = (
    Row(
        "E01", "S2",
        "The targets are one-hot, the network's outputs a distribution over classes: cross-entropy is the negative log-likelihood.",
        ("tinycnn explain cross_entropy --backward", "tinycnn explain one_hot", "tinycnn exercise softmax --seed 1"),
        (
            Check("one image, logits 0 0 0: log 3", "F.cross_entropy(np.zeros((1, 3)), [1]).item()", 1.0986123, within=1e-7),
            Check("the gradient is y_hat - y",
                  "z = tinycnn.tensor([[1.0, 2.0, 3.0]], requires_grad=True)\nF.cross_entropy(z, [2]).backward()\n"
                  "float(np.abs(z.grad.numpy() - (F.softmax(z, 1).detach().numpy() - [[0, 0, 1]])).max())", 0.0, within=1e-6),
        ),
    ),
    Row(
        "E02", "S2",
        "With a sigmoid the squared error all but stops learning where the answer is most wrong; cross-entropy does not.",
        ("tinycnn explain binary_cross_entropy_with_logits --backward", "tinycnn explain mse_loss --backward"),
        (
            Check("dBCE/dz at z = -4, y = 1", CROSS + "z.grad.item()", -0.9820, within=5e-5),
            Check("dMSE/dz there", SQUARE + "z.grad.item()", -0.0173, within=5e-5),
            Check("so many times smaller", CROSS + "cross = z.grad.item()\n" + SQUARE + "cross / z.grad.item()", 57, within=0.5),
        ),
    ),
    Row(
        "E03", "S1",
        "For each pixel either one softmax over the classes or one yes/no question a class.",
        ("tinycnn explain cross_entropy", "tinycnn explain binary_cross_entropy_with_logits", "tinycnn explain dice_loss"),
        (
            Check("2 x 2 pixels, 3 classes, one pixel ignored: the mean of the others",
                  "F.cross_entropy(np.zeros((1, 3, 2, 2)), np.array([[[0, 1], [2, -100]]])).item()", 1.0986123, within=1e-7),
            Check("the same pixels as yes/no questions", "F.binary_cross_entropy_with_logits(np.zeros((1, 3, 2, 2)), np.zeros((1, 3, 2, 2))).item()",
                  0.6931472, within=1e-7),
        ),
    ),
    Row(
        "E04", "S0",
        "One object: the loss of its class plus the squared error of its box.",
        ("tinycnn explain mse_loss --backward", "tinycnn explain cross_entropy --backward"),
        (
            Check("both losses of localisation_mini: two undecided classes, and a box whose lower edge is off by half, 10 (1/2)^2 / 4",
                  "said = {'logits': tinycnn.Tensor(np.zeros((1, 2))), 'boxes': tinycnn.Tensor(np.array([[0.0, 0.0, 1.0, 0.5]]))}\n"
                  "terms = models.detection.localisation_loss(said, np.array([1]), np.array([[0.0, 0.0, 1.0, 1.0]]))\n"
                  "[terms['classification'].item(), terms['localisation'].item()]", [0.6931472, 0.625], within=1e-7),
            Check("log 2 and a box that is off by 1 in each of 4 numbers", "(F.cross_entropy(np.zeros((1, 2)), [0]) + "
                  "F.mse_loss(np.zeros((1, 4)), np.ones((1, 4)))).item()", 1.6931472, within=1e-7),
        ),
    ),
    Row(
        "E05", "S4",
        "R-CNN fits its box corrections by least squares with a penalty on the weights.",
        ("tinycnn explain smooth_l1_loss --backward",),
        (
            Check("ridge with penalty 1 on x = 1 2 3, y = 2 4 6: 28/15",
                  "X, y = np.array([[1.0], [2], [3]]), np.array([2.0, 4, 6])\nnp.linalg.solve(X.T @ X + np.eye(1), X.T @ y)", [28 / 15],
                      within=1e-12),
            Check("R-CNN's regressor, from two boxes that moved by a tenth and a tenth of their sides: a third moves likewise",
                  "boxes = np.array([[0.0, 0, 10, 10], [0, 0, 20, 20]])\nmoved = boxes + np.array([1.0, 0, 1, 0]) * [[1.0], [2.0]]\n"
                  "learned = models.detection.RidgeBoxRegressor(1e-9).fit(np.ones((2, 1)), boxes, moved)\n"
                  "learned.predict(np.ones((1, 1)), np.array([[0.0, 0, 40, 40]]))", [4, 0, 44, 40], within=1e-3),
            Check("smooth L1 at 0.5 and at 3", 'F.smooth_l1_loss(np.array([0.5, 3.0]), np.zeros(2), reduction="none")', [0.125, 2.5]),
        ),
    ),
    Row(
        "E06", "S2",
        "YOLO's loss has five terms: centres, roots of the sizes, confidence with and without an object, and classes.",
        ("tinycnn train yolo_v1_mini --data shapes --minutes 30",),
        (
            Check("2 x 2 cells that say nothing, one object of a quarter: centre 5 (1/4 + 1/4), roots 5 (1/2 + 1/2), confidence 0, 0, class 1",
                  "raw, truth = tinycnn.Tensor(np.zeros((1, 2, 2, 6))), {'boxes': np.array([[0.0, 0, 4, 4]]), 'labels': np.array([1])}\n"
                  "[term.item() for term in models.detection.yolo_v1_loss(raw, [truth], (8, 8), boxes=1).values()]", [2.5, 5, 0, 0, 1],
                  within=1e-9),
            Check("two predictors: the better one answers, root term 5 * 2 (1/2 - sqrt 1/2)^2, its confidence 0.6 for an overlap of 0.25, "
                  "the other's 0.3 for nothing",
                  YOLO_CELL + "[term.item() for term in models.detection.yolo_v1_loss(tinycnn.Tensor(raw), truths, (8, 8)).values()]",
                  [0, 0.42893219, 0.1225, 0.045, 1], within=1e-8),
        ),
    ),
    Row(
        "E07", "S2",
        "There is far more background than object: focal loss turns the easy examples down, and the bias starts at a small probability.",
        ("tinycnn explain sigmoid_focal_loss --backward", "tinycnn explain focal_loss"),
        (
            Check("RetinaNet's bias for a probability of 0.01", "-np.log((1 - 0.01) / 0.01)", -4.59511985, within=5e-9),
            Check("the same in a new RetinaNet's head, in float32",
                  "head = models.detection.RetinaNetHead(16, 9, 3)\nfloat(head.classification_head.cls_logits.bias.data[0])", -4.59511985,
                  within=5e-7),
            Check("the two most wrong of three regions, without the near copy of one",
                  "boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])\n"
                  "models.detection.online_hard_examples(np.array([2.0, 3.0, 1.0]), boxes, 2)", [1, 2]),
            Check("its sigmoid", "F.sigmoid(np.array([-4.59511985])).item()", 0.01, within=1e-9),
            Check("an example at probability 0.9 counts (1 - 0.9)^2 = 0.01 of its cross-entropy",
                  "z = np.array([np.log(9.0)])\nops.sigmoid_focal_loss(z, np.ones(1), alpha=-1, gamma=2).item() / "
                  "F.binary_cross_entropy_with_logits(z, np.ones(1)).item()", 0.01, within=1e-9),
        ),
    ),
    Row(
        "E08", "S2",
        "Objectness is a prediction of how well the box will overlap.",
        ("tinycnn explain box_iou", 'tinycnn detection decode --kind yolo --numbers "0.2 -0.3 0.1 0.4 2 1" --anchor "40 60" --cell 2,3'),
        (
            Check("the target of a box that is half off", "ops.box_iou(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]])).item()", 1 / 3,
                within=1e-12),
            Check("of YOLO's responsible predictor, whose box is a quarter of its object",
                  YOLO_CELL + "models.detection.responsible_predictors(raw, truths, 2, (8, 8)).overlap", [0.25], within=1e-12),
        ),
    ),
    Row(
        "E09", "S2",
        "Contrastive loss pulls like pairs together and pushes unlike ones beyond a margin.",
        ("tinycnn explain contrastive_loss --backward", 'tinycnn conventions "contrastive"'),
        (
            Check("d = 5, margin 7, a like and an unlike pair: the slide's form", 'tinycnn conventions "contrastive form"', [5, 2],
                "rows.0.rules.0.result"),
            Check("Hadsell's", 'tinycnn conventions "contrastive form"', [12.5, 2], "rows.0.rules.1.result"),
        ),
    ),
    Row(
        "E10", "S2",
        "Triplet loss wants the stranger farther away than the friend by a margin.",
        ("tinycnn explain triplet_margin_loss --backward", "tinycnn explain triplet_loss_batch"),
        (
            Check("d(A, P) = 1, d(A, N) = 5, m = 2 and m = 6",
                  "A, P, N = np.zeros((1, 2)), np.array([[0.0, 1.0]]), np.array([[3.0, 4.0]])\n"
                  "[F.triplet_margin_loss(A, P, N, margin=m, eps=0.0).item() for m in (2.0, 6.0)]", [0, 2], within=1e-6),
        ),
    ),
    Row(
        "E11", "S2",
        "ArcFace is softmax on angles: the own class's angle is made larger by m, all cosines are scaled by s.",
        ("tinycnn explain arcface_logits --backward", 'tinycnn conventions "ArcFace"'),
        (
            Check("s = 1, m = 0.5, a feature on its class's weight: cos 0.5 and cos 90 degrees",
                  "F.arcface_logits(np.array([[1.0, 0.0]]), np.eye(2), [0], 1.0, 0.5)", [[0.87758256, 0]], within=1e-6),
        ),
    ),
    Row(
        "E12", "S2",
        "The squared error's best answer is the mean of what is possible, the absolute one's the median, 0-1's the most likely.",
        ("tinycnn loss-means --html losses.html", "tinycnn explain mse_loss", "tinycnn explain l1_loss"),
        (
            Check("what is learned from 0, 1, 4 with probabilities 0.3, 0.45, 0.25: mean 1.45, median 1, mode 1",
                  "from tinycnn.train.loss_means import loss_means_experiment\n"
                  "[float(found.learned[0]) for found in loss_means_experiment([[0.0], [1.0], [4.0]], [0.3, 0.45, 0.25])]", [1.45, 1, 1],
                  within=0.01),
            Check("squares: the mean of 0 0 1 7", BEST + "float(guesses[np.argmin([F.mse_loss(np.full(4, g), values).item() for g in guesses])])",
                  2, within=1e-9),
            Check("absolute: between the two middle ones",
                  BEST + "float(guesses[np.argmin([F.l1_loss(np.full(4, g), values).item() for g in guesses])])", 0.5, within=0.5),
        ),
    ),
    Row(
        "E13", "S0",
        "Style is which features occur together: the Gram matrix of a layer's maps.",
        ("tinycnn explain gram_matrix --backward", "tinycnn conventions Gram", "tinycnn style photo.jpg painting.jpg"),
        (
            Check("(1/N) X X^T of two maps 1 2 and 3 4", 'F.gram_matrix(np.array([[[1.0, 2.0], [3.0, 4.0]]]), normalization="positions")',
                  [[2.5, 5.5], [5.5, 12.5]]),
        ),
    ),
    Row(
        "E14", "S0",
        "One can hold the weights and optimise the image: for style, or to fool the network.",
        ("tinycnn adversarial photo.jpg", "tinycnn dream photo.jpg", "tinycnn dream --class tabby --size 128",
            "tinycnn style photo.jpg painting.jpg"),
        (
            Check("the fast gradient sign method with a budget of 1/4, away from the class that likes pixel 1 and dislikes pixel 2",
                  "weights = np.array([[1.0, -1.0], [0.0, 0.0]])\n"
                  "study.fgsm(lambda x: F.linear(x.reshape(1, 2), weights), np.full((1, 2, 1, 1), 0.5), [0], 0.25).ravel()", [0.25, 0.75],
                  within=1e-12),
            Check("an image of 0.25 is found again from its distance alone",
                  "far = lambda x: {'distance': F.mse_loss(x, np.full((1, 1, 2, 2), 0.25))}\n"
                  "study.optimise_image(np.zeros((1, 2, 2)), far, steps=5).image", [[0.25, 0.25], [0.25, 0.25]], within=1e-4),
            Check("one signed step on the image raises the loss of (x - 1)^2 at 3 from 4 to 4.41",
                  "x = tinycnn.tensor([3.0], dtype=tinycnn.float64, requires_grad=True)\nF.mse_loss(x, np.ones(1)).backward()\n"
                  "F.mse_loss(x.detach() + 0.1 * F.sign(x.grad), np.ones(1)).item()", 4.41, within=1e-9),
        ),
    ),
    Row(
        "E15", "S1",
        "A keypoint is one of H W places: a softmax over all of them, for each of K points.",
        ("tinycnn explain cross_entropy", "tinycnn train keypointrcnn_mini --data shapes --minutes 30", "python examples/06_pose.py"),
        (
            Check("the loss of an undecided head on 56 x 56 cells",
                  "box, point = [np.array([[0.0, 0, 56, 56]])], [np.array([[[3.0, 5, 2]]])]\n"
                  "models.detection.keypoint_rcnn_loss(tinycnn.Tensor(np.zeros((1, 1, 56, 56))), box, point, [np.array([0])]).item()",
                  8.0507034, within=1e-6),
            Check("cells of the points (1, 1), (4, 4) and (9, 0) of a box of 4 x 4 in a map of 2 x 2, the last outside",
                  "points = np.array([[[1.0, 1, 1], [4, 4, 1], [9, 0, 1]]])\n"
                  "cells, seen = models.detection.keypoints_to_heatmap(points, np.array([[0.0, 0, 4, 4]]), 2)\ncells[seen]", [0, 3]),
            Check("2 keypoints on 56 x 56 undecided cells: log 3136 each", "F.cross_entropy(np.zeros((2, 56 * 56)), [5, 70]).item()", 8.0507034,
                within=1e-6),
        ),
    ),
    Row(
        "E16", "S0 S1",
        "Mask R-CNN asks each class's mask separately, and only the true class's answers count.",
        ("tinycnn explain binary_cross_entropy_with_logits", "tinycnn train maskrcnn_mini --data shapes --minutes 30"),
        (
            Check("of two classes' masks only the true one's counts, however wrong the other is",
                  "said = np.zeros((1, 2, 28, 28))\nsaid[:, 0] = -99\nbox, mask = [np.array([[0.0, 0, 28, 28]])], [np.ones((1, 28, 28))]\n"
                  "models.detection.mask_rcnn_loss(tinycnn.Tensor(said), box, mask, [np.array([1])], [np.array([0])]).item()", 0.6931472,
                  within=1e-7),
            Check("an undecided 28 x 28 mask: log 2", "F.binary_cross_entropy_with_logits(np.zeros((28, 28)), np.ones((28, 28))).item()",
                  0.6931472, within=1e-7),
        ),
    ),
    Row(
        "E17", "S0 S1 S4",
        "A detector's loss adds classes and boxes, for proposals and for detections, over a sample of each.",
        ("tinycnn explain smooth_l1_loss", "tinycnn explain cross_entropy", "tinycnn train fasterrcnn_mini --data shapes --minutes 15"),
        (
            Check("the RPN's two losses: undecided about an anchor on its object and one far off, boxes that need no step",
                  RPN + "[term.item() for term in models.detection.rpn_loss(said, steps, [anchors], [truth], matcher, sampler, coder).values()]",
                  [0.6931472, 0], within=1e-7),
            Check("a sample of four, half of it objects: of three objects two, and two of background",
                  "sampler = models.detection.BalancedPositiveNegativeSampler(4, 0.5)\n"
                  "positive, negative = sampler([np.array([1, 1, 1, 0, 0, 0, -1])])[0]\n[int(positive.sum()), int(negative.sum())]", [2, 2]),
        ),
    ),
    Row(
        "E18", "S4",
        "Backpropagation, an optimiser, and random weights to start from.",
        ("tinycnn experiment init", "tinycnn experiment optimizers", "tinycnn gradcheck conv2d --report gradients.html",
            "tinycnn exercise backprop --seed 1", "tinycnn explain conv2d --backward"),
        (
            Check("one step of gradient descent on w^2 from 3 with rate 0.1",
                  "w = nn.Parameter(np.array([3.0]))\ndescent = optim.SGD([w], lr=0.1)\n(w * w).sum().backward()\ndescent.step()\nw.item()", 2.4,
                      within=1e-12),
        ),
    ),
    Row(
        "E19", "S4",
        "Training is tuned: the learning rate first, one batch learned by heart, then a search.",
        ("tinycnn experiment lr-range --picture lr.svg", "tinycnn experiment overfit", "tinycnn search lenet5 --help"),
    ),
    Row(
        "E20", "S0",
        "Samples are taken to be independent and from one distribution; sorted batches and leaked test images break that.",
        ("tinycnn train lenet5",),
        (
            Check("first batch of 1,000 labels, sorted and shuffled: classes in it",
                  "labels = np.sort(np.arange(1000) % 10)\nmixed = np.random.default_rng(0).permutation(labels)\n"
                  "[len(np.unique(labels[:100])), len(np.unique(mixed[:100]))]", [1, 10]),
            Check("what one bias believes after 100 noes and 100 yeses, sorted and shuffled; half is right", SORTED, [0.89, 0.5], within=0.05),
        ),
    ),
)  # fmt: skip
