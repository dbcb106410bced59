"""The errors that every layer of tinycnn raises; each message names the argument, the rule, the numbers and the nearest fix."""


class TinycnnError(Exception):
    """Base of every error that tinycnn raises on purpose."""


class ShapeError(TinycnnError, ValueError):
    """Sizes that do not fit together."""


class DtypeError(TinycnnError, TypeError):
    """An element type that the operator is not defined on."""


class ArgumentError(TinycnnError, ValueError):
    """An argument outside its allowed range or set of names."""
