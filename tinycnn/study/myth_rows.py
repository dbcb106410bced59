"""Myths about learning, losses and metrics, and the list of all."""

from __future__ import annotations

from .myth_rows_layers import LAYER_MYTHS
from .myths import Myth

__all__ = ["ROWS"]

LEARNING_MYTHS = (
    Myth(
        "batch-norm-variance",
        "Batch norm keeps a running mean of the very variance it normalises with.",
        "documentation that names one variance only",
        "wrong",
        "The batch is divided by the biased variance (over n); PyTorch's running variance is fed with the unbiased one (over n - 1). With small "
        "batches that is a visible difference. "
        "Keras feeds it with the biased one.",
        """batch, running = np.array([[0.0], [2], [4], [6]]), np.ones(1)
normal = F.batch_norm(batch, np.zeros(1), running, training=True, momentum=1.0).numpy().ravel()
print(f"used: {(6 / (normal[3] - normal[0])) ** 2:.2f}, kept: {running[0]:.2f}; over 4: {batch.var():.2f}, over 3: {batch.var(ddof=1):.2f}")""",
        "abs(running[0] - 20 / 3) < 1e-9 and abs((6 / (normal[3] - normal[0])) ** 2 - 5) < 1e-3",
    ),
    Myth(
        "batch-norm-momentum",
        "A batch-norm momentum of 0.1 keeps a tenth of the old statistics.",
        "readers who know momentum from SGD or Keras",
        "wrong",
        "In PyTorch momentum is the weight of the new statistic: nine tenths of the old stay. In Keras it is the weight of the old; 0.9 there is "
        "0.1 here.",
        """running = np.zeros(1)
F.batch_norm(np.array([[9.0], [11.0]]), running, np.ones(1), training=True, momentum=0.1)
print("running mean after a batch of mean 10:", running)""",
        "abs(running[0] - 1) < 1e-12",
    ),
    Myth(
        "bias-before-batch-norm",
        "A convolution in front of batch norm needs its bias.",
        "default arguments",
        "wrong",
        "Batch norm subtracts the mean, and with it any constant. The bias changes nothing and gets no gradient; leave it out.",
        """values = np.array([[1.0], [5], [6]])
plain, shifted = (F.batch_norm(values + bias, None, None, training=True).numpy() for bias in (0.0, 100.0))
print("largest difference that a bias of 100 makes:", f"{abs(plain - shifted).max():.0e}")""",
        "np.allclose(plain, shifted, atol=1e-12)",
    ),
    Myth(
        "double-softmax",
        "A softmax too many is harmless: the order stays.",
        "networks that end in softmax and train with cross-entropy",
        "wrong",
        "Cross-entropy takes its own softmax. Of probabilities it can never fall below ln(1 + (C - 1)/e): even a sure, right answer keeps a loss, "
        "and gradients are squashed.",
        """scores = tinycnn.tensor([[100.0, 0.0, 0.0]])
once = F.cross_entropy(scores, np.array([0])).item()
twice = F.cross_entropy(F.softmax(scores, dim=1), np.array([0])).item()
print(f"sure and right: {once:.3f} with one softmax, {twice:.3f} with two; bound ln(1 + 2/e) = {np.log(1 + 2 / np.e):.3f}")""",
        "once < 1e-6 and abs(twice - np.log(1 + 2 / np.e)) < 1e-6",
    ),
    Myth(
        "cross-entropy-probabilities",
        "cross_entropy expects probabilities.",
        "the formula in books, which does",
        "wrong",
        "The function of PyTorch and of this package expects scores (logits). For probabilities take nll_loss of their logarithms.",
        """chances = np.array([[0.7, 0.2, 0.1]])
given, right = F.cross_entropy(chances, np.array([0])).item(), F.nll_loss(np.log(chances), np.array([0])).item()
print(f"cross_entropy(p) = {given:.3f}, -ln 0.7 = {right:.3f}")""",
        "abs(right + np.log(0.7)) < 1e-9 and given > 2 * right",
    ),
    Myth(
        "log-of-softmax",
        "log(softmax(x)) and log_softmax(x) are the same.",
        "the algebra, which is right",
        "half true",
        "On paper. In floating point the small probability becomes 0 and its logarithm minus infinity; log_softmax subtracts before it could.",
        """scores = np.array([0.0, 1000.0])
with np.errstate(divide="ignore"):
    apart = np.log(F.softmax(scores, dim=0).numpy())
together = F.log_softmax(scores, dim=0).numpy()
print("log(softmax):", apart, " log_softmax:", together)""",
        "np.isneginf(apart[0]) and together.tolist() == [-1000, 0]",
    ),
    Myth(
        "dropout-test-time",
        "At test time the weights must be scaled by the keep probability.",
        "the first dropout paper, and texts that follow it",
        "half true",
        "True of dropout as first published. All frameworks use the inverted form: what is kept in training is divided by the keep probability, "
        "and evaluation does nothing at all.",
        """ones = np.ones(10_000)
trained, tested = F.dropout(ones, 0.75).numpy(), F.dropout(ones, 0.75, training=False).numpy()
print("training: values", np.unique(trained), f"mean {trained.mean():.2f}; test: values", np.unique(tested))""",
        "np.unique(trained).tolist() == [0, 4] and (tested == 1).all() and abs(trained.mean() - 1) < 0.1",
    ),
    Myth(
        "batch-size-learning-rate",
        "A larger batch with the same learning rate learns the same in an epoch, only faster.",
        "people with a new GPU",
        "wrong",
        "It takes fewer steps of the same length. With the mean as the loss, eight times the batch makes one step where there were eight; the "
        "learning rate must grow with it, within limits.",
        """def epoch(batch, rate):
    weight = tinycnn.tensor(np.zeros(1), requires_grad=True)
    optimizer = optim.SGD([weight], lr=rate)
    for _ in range(8 // batch):
        optimizer.zero_grad()
        ((weight - np.ones(batch)) ** 2).mean().backward()
        optimizer.step()
    return round(weight.item(), 3)
reached = epoch(1, 0.05), epoch(8, 0.05), epoch(8, 0.4)
print("on the way from 0 to 1 after an epoch: batch 1", reached[0], " batch 8", reached[1], " batch 8, rate * 8", reached[2])""",
        "reached[0] > 5 * reached[1] and reached[2] > 5 * reached[1]",
    ),
    Myth(
        "relu-at-zero",
        "ReLU has no derivative at 0, so it cannot be trained through exact zeros.",
        "calculus",
        "half true",
        "There is none, and it does not matter: frameworks take 0 there, one of the subgradients between 0 and 1. It does mean that a unit stuck "
        "at or below 0 gets no gradient.",
        """x = tinycnn.tensor(np.array([-1.0, 0.0, 1.0]), requires_grad=True)
F.relu(x).sum().backward()
print("gradient at -1, 0, 1:", x.grad.numpy())""",
        "x.grad.numpy().tolist() == [0, 0, 1]",
    ),
    Myth(
        "initial-loss",
        "The first loss of a network says nothing.",
        "training logs that start anywhere",
        "wrong",
        "Before training all classes should be as likely: -ln(1/C). Ten classes start at 2.303. Much more means scores too large, and a loss that "
        "stays there means nothing is learned.",
        """scores, target = np.random.default_rng(0).normal(size=(500, 10)), np.arange(500) % 10
losses = [F.cross_entropy(scale * scores, target).item() for scale in (0.01, 10.0)]
print(f"ln 10 = {np.log(10):.3f}; small scores: {losses[0]:.3f}; large scores: {losses[1]:.1f}")""",
        "abs(losses[0] - np.log(10)) < 0.01 and losses[1] > 5",
    ),
    Myth(
        "macro-f1",
        "There is one macro F1.",
        "papers that give the number without its formula",
        "wrong",
        "The mean of the F1 of the classes, and the F1 of mean precision and mean recall, are two numbers, and both are published.",
        """report = metrics.class_report([[3, 5, 2], [2, 6, 2], [1, 1, 8]])
of_classes = report.f1.mean()
p, r = report.precision.mean(), report.recall.mean()
of_means = 2 * p * r / (p + r)
print(f"mean of F1: {of_classes:.4f}; F1 of means: {of_means:.4f}")""",
        "round(of_classes, 4) == 0.5492 and round(of_means, 4) == 0.5611",
    ),
    Myth(
        "touching-boxes",
        "Boxes that touch have an intersection.",
        "code that counts pixels, x2 - x1 + 1",
        "half true",
        "With coordinates as edges they share a line of area 0. With coordinates as pixel numbers (VOC, older R-CNN code) both hold the same "
        "column of pixels. Know which your boxes are.",
        """boxes = np.array([[0.0, 0, 2, 2], [2, 0, 4, 2]])
edges = ops.box_iou(boxes[:1], boxes[1:]).item()
pixels = ops.box_iou(boxes[:1] + [0, 0, 1, 1], boxes[1:] + [0, 0, 1, 1]).item()
print("edges:", edges, " pixels, + 1:", round(pixels, 4))""",
        "edges == 0 and abs(pixels - 0.2) < 1e-9",
    ),
    Myth(
        "nms-removed-remove",
        "NMS removes every box that overlaps a better one.",
        "one-line explanations",
        "wrong",
        "Only a better box that was itself kept removes. In a chain A, B, C, where A removes B, B no longer removes C.",
        """boxes, scores = np.array([[0.0, 0, 4, 4], [1.5, 0, 5.5, 4], [3, 0, 7, 4]]), np.array([0.9, 0.8, 0.7])
overlap = ops.box_iou(boxes, boxes).numpy()
kept = ops.nms(boxes, scores, 0.4).numpy()
print("IoU of A and B", round(overlap[0, 1], 3), ", B and C", round(overlap[1, 2], 3), "; kept:", kept)""",
        "overlap[0, 1] > 0.4 and overlap[1, 2] > 0.4 and kept.tolist() == [0, 2]",
    ),
    Myth(
        "accuracy-is-enough",
        "99 % accuracy is a good classifier.",
        "press releases",
        "half true",
        "It depends on what always answering the commonest class would get. Where one in a hundred is ill, that gets 99 % and finds nobody.",
        """truth = np.array([0] * 99 + [1])
always = np.zeros(100, int)
report = metrics.class_report(metrics.confusion_matrix(truth, always, 2))
print("accuracy", metrics.accuracy(truth, always), " recall of the rare class", report.recall[1])""",
        "metrics.accuracy(truth, always) == 0.99 and report.recall[1] == 0",
    ),
)

ROWS: tuple[Myth, ...] = (*LAYER_MYTHS, *LEARNING_MYTHS)
