"""Parts of a network that stay as they are: no gradients, and no new batch statistics either."""

from collections.abc import Iterable
from typing import TypeVar

from ..errors import ArgumentError
from .module import Module

__all__ = ["freeze", "freeze_except", "is_frozen", "unfreeze"]

M = TypeVar("M", bound=Module)


def freeze(module: M) -> M:
    """Keep a module and all below as they are: parameters get no gradient, and `train()` leaves it in evaluation mode.

    Parameters
    ----------
    module : Module
        Changed in place.

    Returns
    -------
    Module
        The same.

    Notes
    -----
    `requires_grad_(False)` alone leaves batch normalisation in training mode: its running statistics go on moving, and what was learned
    with the old ones no longer fits. Here they stay, dropout does nothing, and both outlast any number of calls of `train()`.

    Examples
    --------
    >>> from tinycnn import nn
    >>> net = nn.Sequential(nn.freeze(nn.BatchNorm2d(3)), nn.Conv2d(3, 2, 1)).train()
    >>> net[0].training, net[1].training, net[0].weight.requires_grad
    (False, True, False)
    """
    for each in module.modules():
        each.__dict__["_frozen"] = True
        each.training = False
    module.requires_grad_(False)
    return module


def unfreeze(module: M) -> M:
    """Let a module and all below learn again; the next `train()` puts it into training mode.

    Examples
    --------
    >>> from tinycnn import nn
    >>> layer = nn.unfreeze(nn.freeze(nn.Linear(2, 2))).train()
    >>> layer.training, layer.weight.requires_grad
    (True, True)
    """
    for each in module.modules():
        each.__dict__.pop("_frozen", None)
    module.requires_grad_(True)
    return module


def is_frozen(module: Module) -> bool:
    """Whether `freeze` has been called on the module or one above it, and `unfreeze` not since."""
    return bool(module.__dict__.get("_frozen", False))


def freeze_except(model: M, paths: Iterable[str]) -> M:
    """Freeze all of a network but some of its modules, named by their dotted paths.

    The modules above a chosen one keep their mode, because what they do in training, such as running side branches, is theirs to decide.

    Parameters
    ----------
    model : Module
        Changed in place.
    paths : iterable of str
        Of the modules that may learn, as in `named_modules`; "" is the whole model.

    Raises
    ------
    ArgumentError
        For a path that does not exist.

    Examples
    --------
    >>> from tinycnn import nn
    >>> net = nn.freeze_except(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), ["1"]).train()
    >>> [layer.training for layer in net], net.training
    ([False, True], True)
    """
    chosen = list(paths)
    known = dict(model.named_modules())
    for path in chosen:
        if path not in known:
            raise ArgumentError(f"freeze_except: there is no module {path!r}; the children are {', '.join(model._modules)}")
    freeze(model)
    for path in chosen:
        unfreeze(known[path])
        parts = path.split(".") if path else []
        for length in range(len(parts)):
            known[".".join(parts[:length])].__dict__.pop("_frozen", None)
    return model
