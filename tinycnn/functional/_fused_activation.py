"""The activations that a convolution or a normalisation applies to its own result."""

from typing import Any

from ..errors import ArgumentError

# By name, the kernel of the gradient.
ACTIVATION_SLOPES = {"relu": "relu_grad_x", "relu6": "relu6_grad_x", "silu": "silu_grad_x", "hardswish": "hardswish_grad_x"}
# Of these the result tells where the gradient passes: the gradient's kernel may be given it instead of the argument.
TOLD_BY_RESULT = ("relu", "relu6")
# What a convolution calls for those that its own kernels do not know.
ACTIVATION_KERNELS = ("relu6", "silu", "hardswish", "relu6_grad_x", "silu_grad_x", "hardswish_grad_x")


def fused_activation(name: str, activation: Any) -> None:
    """Refuse what is no such activation."""
    if activation not in (None, *ACTIVATION_SLOPES):
        known = ", ".join(f'"{one}"' for one in ACTIVATION_SLOPES)
        raise ArgumentError(f"{name}: activation {activation!r} is neither None nor {known}")
