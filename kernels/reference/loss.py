"""Losses, as their definitions say."""

from .scalars import empty_like_shape, exp, log, zero_of

__all__ = ["nll_loss", "nll_loss_grad_x", "soft_target_cross_entropy", "softmax_cross_entropy", "wrong_class"]


def softmax_cross_entropy(logits, target, weight, ignore_index, label_smoothing, scale=1, grad_wanted=True):
    """The cross-entropy of softmax(logits) from the logits, for each sample, and its gradient.

    logits is (N, C, P), target (N, P) with classes; returns losses (N, P), the weight each counts with in a mean, and grad_logits (N, C, P), where

        loss = -sum_k q[k] log softmax(logits)[k],  grad[k] = scale (softmax(logits)[k] sum_l q[l] - q[k]),
        q[k] = weight[k] ((1 - label_smoothing) [k = target] + label_smoothing / C).

    Where target is ignore_index all three are zero. The gradient is empty if it is not wanted.
    """
    images, classes, places = logits.shape
    losses = empty_like_shape((images, places), logits)
    counts = empty_like_shape((images, places), logits)
    grad = empty_like_shape(logits.shape, logits)
    one = zero_of(logits) + 1
    for n in range(images):
        for p in range(places):
            label = target[n, p]
            if label == ignore_index:
                continue
            largest = logits[n, 0, p]
            for k in range(1, classes):
                if logits[n, k, p] > largest:
                    largest = logits[n, k, p]
            total = zero_of(logits)
            for k in range(classes):
                total = total + exp(logits[n, k, p] - largest)
            mass = zero_of(logits)
            for k in range(classes):
                share = (one if weight is None else weight[k]) * ((1 - label_smoothing) * (k == label) + label_smoothing / classes)
                mass = mass + share
                if share != 0:
                    losses[n, p] = losses[n, p] - share * (logits[n, k, p] - largest - log(total))
                grad[n, k, p] = -share
            for k in range(classes):
                grad[n, k, p] = scale * (grad[n, k, p] + exp(logits[n, k, p] - largest) / total * mass)
            counts[n, p] = one if weight is None else weight[label]
    return losses, counts, grad if grad_wanted else empty_like_shape((0,), logits)


def wrong_class(target, classes, ignore_index):
    """The position of the first class index that is neither from 0 to classes - 1 nor ignored; -1 where all are right."""
    for position, label in enumerate(target.reshape(-1)):
        if label != ignore_index and not 0 <= label < classes:
            return position
    return -1


def soft_target_cross_entropy(logits, target, weight, label_smoothing):
    """The cross-entropy of softmax(logits) with one probability a class: losses (N, P) and grad_logits (N, C, P), where

        loss = -sum_k q[k] log softmax(logits)[k],  grad[k] = softmax(logits)[k] sum_l q[l] - q[k],
        q[k] = weight[k] ((1 - label_smoothing) target[k] + label_smoothing / C).
    """
    images, classes, places = logits.shape
    losses = empty_like_shape((images, places), logits)
    grad = empty_like_shape(logits.shape, logits)
    one = zero_of(logits) + 1
    for n in range(images):
        for p in range(places):
            largest = logits[n, 0, p]
            for k in range(1, classes):
                if logits[n, k, p] > largest:
                    largest = logits[n, k, p]
            total = zero_of(logits)
            for k in range(classes):
                total = total + exp(logits[n, k, p] - largest)
            mass = zero_of(logits)
            for k in range(classes):
                share = (one if weight is None else weight[k]) * ((1 - label_smoothing) * target[n, k, p] + label_smoothing / classes)
                mass = mass + share
                losses[n, p] = losses[n, p] - share * (logits[n, k, p] - largest - log(total))
                grad[n, k, p] = -share
            for k in range(classes):
                grad[n, k, p] = grad[n, k, p] + exp(logits[n, k, p] - largest) / total * mass
    return losses, grad


def nll_loss(x, target, weight, ignore_index):
    """-weight[target] x[target] and the weight each sample counts with, both (N, P), of x (N, C, P); zero where target is ignore_index."""
    images, _, places = x.shape
    losses = empty_like_shape((images, places), x)
    counts = empty_like_shape((images, places), x)
    for n in range(images):
        for p in range(places):
            label = target[n, p]
            if label != ignore_index:
                counts[n, p] = zero_of(x) + 1 if weight is None else weight[label]
                losses[n, p] = -counts[n, p] * x[n, label, p]
    return losses, counts


def nll_loss_grad_x(grad, target, weight, classes, ignore_index):
    """The gradient (N, C, P): -weight[target] grad at each target, zero elsewhere; grad is (N, P)."""
    images, places = grad.shape
    grad_x = empty_like_shape((images, classes, places), grad)
    for n in range(images):
        for p in range(places):
            label = target[n, p]
            if label != ignore_index:
                grad_x[n, label, p] = -grad[n, p] * (1 if weight is None else weight[label])
    return grad_x
