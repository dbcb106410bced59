"""Differentiable operators under torch.nn.functional's names, and torch's tensor functions: one file a family."""
# TEMPORARY while the families are being written (integrator replaces it): import what exists.
import importlib as _importlib
import pathlib as _pathlib

for _family in (
    "activation", "conv", "dropout", "elementwise", "index", "linear", "loss", "padding", "pool", "reduction", "shape",
    "unary", "comparison", "extremum", "joining", "product", "conversion",
):
    if (_pathlib.Path(__file__).parent / f"{_family}.py").exists():
        _module = _importlib.import_module(f".{_family}", __name__)
        globals().update({_name: getattr(_module, _name) for _name in _module.__all__})
