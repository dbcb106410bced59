"""Why each finding of the health tutor matters, in the words of a lecture."""

WHY = {
    "unscaled": (
        "Initial weights and usual learning rates are made for inputs of mean 0 and deviation 1. Larger inputs make outputs and "
        "gradients larger by the same factor, smaller ones let the biases alone decide."
    ),
    "probabilities": (
        "The softmax of probabilities gives the right class at most e / (e + C - 1), whatever the model says: with 10 classes "
        "0.23, so that the loss cannot fall below 1.46. A second softmax flattens the gradient, too."
    ),
    "stuck": (
        "ln C is the cross-entropy of a model that gives each of C classes the probability 1/C, whatever the image. A run that "
        "stays there has learned nothing yet: no gradient arrives, or the labels have nothing to do with the images."
    ),
    "learning_rate": (
        "A learning rate above 2 / curvature lands higher on the other side of the valley than it started. The loss then rises, "
        "or jumps about."
    ),
    "dead_relus": (
        "The derivative of ReLU is 0 where its input is negative. A unit that is negative for all images gets no gradient, so "
        "nothing can bring it back; one step that was too long is enough to push it there."
    ),
    "exploding": (
        "Backward multiplies by each layer's weights. Factors above 1 grow exponentially with depth, and one step along such a "
        "gradient throws the weights far away."
    ),
    "vanishing": (
        "Backward multiplies by each layer's weights and by the activation's derivative, which for a sigmoid is at most 1/4. "
        "Factors below 1 shrink exponentially with depth, and the first layers stand still while the last ones learn."
    ),
    "updates": (
        "An update of a thousandth of the weight changes a layer noticeably in a thousand steps. Much more forgets what was "
        "learned, much less takes forever."
    ),
    "frozen_drift": (
        "A frozen batch normalisation subtracts the mean and divides by the deviation of the images it was trained on. On images "
        "with others its outputs are neither centred nor of deviation 1, and the layers behind it see what they never saw."
    ),
    "running_drift": (
        "In training a batch normalises itself, in evaluation the running statistics do it. Where they disagree, the test "
        "accuracy is far below that of training although nothing is overfitted."
    ),
    "one_class": (
        "The bias of one class has outgrown everything that the images say. The loss can look usual, the accuracy is that of a "
        "constant."
    ),
    "overfitting": "The net has begun to remember single training images. What it remembers does not help on others.",
    "collapse": (
        "A triplet loss is satisfied to within its margin when anchor, positive and negative coincide, and the gradient there is "
        "0: the hardest negatives pull the net into this point."
    ),
    "well": "No unit is dead beyond measure, no gradient vanishes or explodes, inputs and outputs are as the loss wants them.",
}
