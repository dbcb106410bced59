"""The map of five lecture decks as data: what each slide teaches, what reproduces it, which numbers must come out."""

from .convolution import CONVOLUTION
from .data import DATA
from .decks import DECKS
from .detection import DETECTION
from .entries import Check, Deck, Erratum, Row, Slide
from .errata import ERRATA
from .fixtures import FIXTURES
from .layers import LAYERS
from .losses import LOSSES
from .networks import NETWORKS
from .pooling import POOLING
from .questions import QUESTIONS
from .tasks import REPRESENTATION, SEGMENTATION

__all__ = ["DECKS", "ERRATA", "FIXTURES", "PARTS", "ROWS", "Check", "Deck", "Erratum", "Row", "Slide"]

PARTS: dict[str, tuple[Row, ...]] = {
    "Tensors, conventions, convolution": CONVOLUTION,
    "Pooling, unpooling, upsampling": POOLING,
    "Layers, activations, blocks": LAYERS,
    "Architectures": NETWORKS,
    "Losses, probability, optimisation": LOSSES,
    "Detection": DETECTION,
    "Segmentation, restoration, style": SEGMENTATION,
    "Representation, transfer, retrieval": REPRESENTATION,
    "Data, annotation, metrics": DATA,
    "Demos, tools, questions": QUESTIONS,
}
ROWS: dict[str, Row] = {row.id: row for part in PARTS.values() for row in part}
