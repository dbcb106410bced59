"""Training a network for sentences as Kim did: Adadelta, batches of 50, the epoch that is best on held-out sentences."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from .. import optim
from .. import random as tinycnn_random
from ..autograd import no_grad
from ..data.sentences import Sentences
from ..data.word_vectors import read_word_vectors
from ..data.words import PADDING, Vocabulary
from ..errors import TrainingError, UsageError
from ..functional import cross_entropy
from ..models.text import VECTORS, ZhangWallaceCNN
from ..nn import Module
from ..tensor import Tensor
from .checkpoint import Checkpoint, checkpoint_of, save_checkpoint

__all__ = ["TextConfig", "TextEpoch", "TextRun", "classify", "load_text_run", "save_text_run", "train_text"]

TEST_BATCH = 200


@dataclass(frozen=True)
class TextConfig:
    """Every choice of a training; the defaults are Kim's CNN-rand."""

    region_sizes: tuple[int, ...] = (3, 4, 5)  # words
    maps: int = 100  # of each region size
    activation: str = "relu"
    pooling: str = "max"
    k: int = 1  # of the pooling; see ZhangWallaceCNN
    dropout: float = 0.5
    max_norm: float = 3.0  # of a class's row in the last layer; 0 for no bound
    vectors: str = "rand"
    dimension: int = 300  # numbers of a word's vector
    least: int = 1  # words seen less often in training are unknown
    epochs: int = 25
    batch_size: int = 50
    learning_rate: float = 1.0  # Adadelta's factor
    rho: float = 0.95  # Adadelta's memory
    held_out: float = 0.1  # share of the training sentences that chooses the epoch
    seed: int = 0

    def require_sound(self) -> TextConfig:
        """Itself, or one sentence about the first value that no training can have."""
        if self.vectors not in VECTORS:
            raise UsageError(f"TextConfig: vectors={self.vectors!r} must be one of {', '.join(VECTORS)}")
        for name in ("epochs", "batch_size", "least", "maps", "dimension", "k"):
            if getattr(self, name) < 1:
                raise UsageError(f"TextConfig: {name}={getattr(self, name)} must be a whole number from 1 up")
        for name, low, high in (("dropout", 0.0, 1.0), ("held_out", 0.0, 0.9), ("rho", 0.0, 1.0)):
            if not low <= getattr(self, name) < high:
                raise UsageError(f"TextConfig: {name}={getattr(self, name)} must be from {low:g} up and below {high:g}")
        if not self.learning_rate > 0 or not self.max_norm >= 0:
            raise UsageError(f"TextConfig: learning_rate={self.learning_rate} must be above 0 and max_norm={self.max_norm} at least 0")
        return self


@dataclass(frozen=True)
class TextEpoch:
    """One pass over the training sentences."""

    epoch: int
    loss: float  # mean of the training, with dropout
    held_out: float  # share of right answers
    seconds: float


@dataclass
class TextRun:
    """A trained network, what it needs to read sentences, and how it did."""

    model: Module
    vocabulary: Vocabulary
    classes: tuple[str, ...]
    config: TextConfig
    epochs: list[TextEpoch] = field(default_factory=list)
    best_epoch: int = 0
    accuracy: float | None = None  # on the test sentences
    known: float | None = None  # share of the vocabulary that the given vectors hold


def build(config: TextConfig, vocabulary: Vocabulary, num_classes: int, table: np.ndarray | None = None) -> ZhangWallaceCNN:
    """The network of a config, for sentences of a vocabulary."""
    return ZhangWallaceCNN(
        len(vocabulary),
        num_classes,
        activation=config.activation,
        pooling=config.pooling,
        k=config.k,
        length=vocabulary.length,
        dimension=config.dimension,
        region_sizes=config.region_sizes,
        maps=config.maps,
        dropout=config.dropout,
        max_norm=config.max_norm or None,
        vectors=config.vectors,
        table=table,
    )


def train_text(
    learn: Sentences,
    test: Sentences | None = None,
    config: TextConfig | None = None,
    *,
    vectors_file: str | Path | None = None,
    lower: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> TextRun:
    """Train on sentences, keep the epoch that is best on a held-out tenth, and measure it on the test sentences.

    Parameters
    ----------
    learn, test
        The sentences; without a test set nothing is measured.
    config
        `TextConfig()` if left out.
    vectors_file
        Published word vectors, which "static", "non-static" and "multichannel" start from; words it lacks are drawn.
    lower
        Small letters only.
    say
        Called with a line an epoch.

    Returns
    -------
    TextRun

    Raises
    ------
    UsageError
        For a config that no training can have, or too few sentences.
    TrainingError
        When the loss is no longer finite.
    """
    config = (config or TextConfig()).require_sound()
    held = round(config.held_out * len(learn))
    if len(learn) - held < 2:
        raise UsageError(f"train_text: {len(learn)} sentences less {held} held out are too few to learn from")
    generator = np.random.default_rng(config.seed)
    tinycnn_random.manual_seed(config.seed)
    order = generator.permutation(len(learn))
    chosen, kept = learn.part(order[held:]), learn.part(order[:held])
    vocabulary = Vocabulary.of(chosen.texts, lower=lower, margin=max(config.region_sizes) - 1, least=config.least)
    table, known = None, None
    if vectors_file is not None:
        config, table, known = _given_vectors(vectors_file, vocabulary, config, generator)
    model = build(config, vocabulary, len(learn.classes), table)
    run = TextRun(model, vocabulary, learn.classes, config, known=known)
    _learn(run, vocabulary.encode(chosen.texts), chosen.labels, kept, generator, say)
    if test is not None:
        run.accuracy = _accuracy(run, test)
    return run


def _learn(
    run: TextRun, rows: np.ndarray, labels: np.ndarray, kept: Sentences, generator: np.random.Generator, say: Callable[[str], None]
) -> None:
    """The loop; leaves the model as it was after its best epoch."""
    config, model = run.config, run.model
    assert isinstance(model, ZhangWallaceCNN)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optim.Adadelta(trained, lr=config.learning_rate, rho=config.rho)
    best, weights = -1.0, model.state_dict()
    for epoch in range(1, config.epochs + 1):
        started = time.perf_counter()
        model.train()
        losses = []
        order = generator.permutation(len(rows))
        for start in range(0, len(rows), config.batch_size):
            batch = order[start : start + config.batch_size]
            loss = cross_entropy(model(Tensor(rows[batch])), Tensor(labels[batch]))
            value = float(loss.item())
            if not np.isfinite(value):
                raise TrainingError(f"train_text: the loss is {value} in epoch {epoch}; lower learning_rate, which is {config.learning_rate:g}")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            model.constrain_()
            losses.append(value * len(batch))
        # Without held-out sentences the last epoch counts.
        right = _accuracy(run, kept) if len(kept) else float(epoch)
        run.epochs.append(TextEpoch(epoch, sum(losses) / len(rows), right if len(kept) else float("nan"), time.perf_counter() - started))
        if right > best:
            best, run.best_epoch = right, epoch
            weights = {key: Tensor(value.data.copy()) for key, value in model.state_dict().items()}
        shown = f"{100 * right:6.2f} % of {len(kept)} held-out sentences" if len(kept) else "no held-out sentences"
        say(f"epoch {epoch:3d}   loss {run.epochs[-1].loss:.4f}   {shown}   {run.epochs[-1].seconds:.1f} s")
    model.load_state_dict(weights)
    model.eval()


def classify(run: TextRun, texts: tuple[str, ...] | list[str]) -> np.ndarray:
    """Probabilities (N, classes), float64, of sentences."""
    was_training = run.model.training
    run.model.eval()
    found = []
    with no_grad():
        for start in range(0, len(texts), TEST_BATCH):
            logits = run.model(Tensor(run.vocabulary.encode(texts[start : start + TEST_BATCH]))).data.astype(np.float64)
            powers = np.exp(logits - logits.max(1, keepdims=True))
            found.append(powers / powers.sum(1, keepdims=True))
    run.model.train(was_training)
    return np.concatenate(found) if found else np.empty((0, len(run.classes)))


def _accuracy(run: TextRun, sentences: Sentences) -> float:
    return float(np.mean(classify(run, sentences.texts).argmax(1) == sentences.labels))


def _given_vectors(
    path: str | Path, vocabulary: Vocabulary, config: TextConfig, generator: np.random.Generator
) -> tuple[TextConfig, np.ndarray, float]:
    """The table of published vectors, in whose width the network is built; words without one are drawn with the same variance."""
    given = read_word_vectors(path, vocabulary.numbers)
    if not given:
        raise UsageError(f"{path}: holds none of the {len(vocabulary.words)} words of the sentences; is it of another language?")
    width = len(next(iter(given.values())))
    spread = float(np.sqrt(3 * np.mean([vector.var() for vector in given.values()])))
    table = generator.uniform(-spread, spread, (len(vocabulary), width)).astype(np.float32)
    for word, vector in given.items():
        table[vocabulary.numbers[word]] = vector
    table[PADDING] = 0
    return replace(config, dimension=width), table, len(given) / max(len(vocabulary.words), 1)


def save_text_run(folder: str | Path, run: TextRun, name: str = "") -> Path:
    """Keep a trained network, its vocabulary and its config in ``checkpoint.npz``, which holds no code."""
    arrays = {key: value.data for key, value in run.model.state_dict().items()}
    info = {
        "task": "text",
        "data": name,
        "classes": list(run.classes),
        "vocabulary": run.vocabulary.to_dict(),
        "epochs": [asdict(epoch) for epoch in run.epochs],
        "best_epoch": run.best_epoch,
        "accuracy": run.accuracy,
    }
    config = {**asdict(run.config), "region_sizes": list(run.config.region_sizes)}
    return save_checkpoint(folder, Checkpoint(model=arrays, config=config, run_info=info))


def load_text_run(folder: str | Path) -> TextRun:
    """Read what `save_text_run` wrote.

    Raises
    ------
    CheckpointError
        When there is none, it cannot be read, or it is a run of another kind.
    """
    with checkpoint_of(folder, "text", "text") as checkpoint:
        info = checkpoint.run_info
        config = TextConfig(**{**checkpoint.config, "region_sizes": tuple(checkpoint.config["region_sizes"])})
        vocabulary = Vocabulary(**info["vocabulary"])
        run = TextRun(build(config, vocabulary, len(info["classes"])), vocabulary, tuple(info["classes"]), config)
        run.epochs = [TextEpoch(**epoch) for epoch in info["epochs"]]
        run.best_epoch, run.accuracy = int(info["best_epoch"]), info["accuracy"]
    run.model.load_state_dict({key: Tensor(value) for key, value in checkpoint.model.items()})
    run.model.eval()
    return run
