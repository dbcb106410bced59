"""What the tests of networks share: counting parameters and multiply-adds, the shapes of stages, a few steps of training."""

import numpy as np

import tinycnn
from tinycnn import Tensor, nn, optim
from tinycnn.models import get_model


def parameters(name, **options):
    """The number of a network's parameters, without drawing any."""
    return sum(parameter.numel() for parameter in nn.utils.skip_init(get_model, name, **options).parameters())


def images(*shape, dtype=np.float32, seed=4):
    """Noise."""
    return Tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


def stage_shapes(model, input_shape, names):
    """(C, H, W) behind each named module, from one run in evaluation mode, and the shape of the output."""
    seen = {}
    for name in names:
        model.get_submodule(name).register_forward_hook(lambda layer, inputs, output, name=name: seen.update({name: output.shape[1:]}))
    with tinycnn.no_grad():
        output = model.eval()(Tensor(np.zeros(input_shape, np.float32)))
    return [seen[name] for name in names], output.shape


def multiply_adds(model, input_shape):
    """MACs of convolutions and linear layers for one image, by what they are: a weight for every number that a layer gives."""
    total = []

    def count(layer, inputs, output):
        per_number = layer.weight.data[0].size
        total.append(per_number * output.data[0].size)

    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    with tinycnn.no_grad():
        model.eval()(Tensor(np.zeros((1, *input_shape), np.float32)))
    return sum(total)


def losses(model, size=16, steps=8, learning_rate=0.05):
    """The losses of some steps on one batch of 8 images."""
    batch, labels = images(8, 3, size, size), Tensor(np.arange(8))
    optimizer = optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)
    found = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = tinycnn.functional.cross_entropy(model(batch), labels)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def check_gradients(block, input_shape, seed=0):
    """Gradients of a block in training mode, by input and by every parameter, against differences in float64."""
    rng = np.random.default_rng(seed)
    block.double()
    for parameter in block.parameters():
        parameter.data[...] = rng.standard_normal(parameter.shape) * 0.5 + (parameter.ndim == 1)
    watched = (Tensor(rng.standard_normal(input_shape)), *block.parameters())
    tinycnn.gradcheck(lambda x, *parameters: block(x), watched)
