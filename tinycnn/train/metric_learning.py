"""Training a network whose vectors are near each other for like pictures: balanced batches, a choice of losses, an alarm for collapse."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import functional as F
from .. import nn, optim
from .. import random as tinycnn_random
from ..autograd import no_grad
from ..data.balanced import BalancedBatches
from ..data.dataset import ArrayDataset
from ..data.seeding import sample_generators
from ..data.transforms import Compose, Normalize, RandomCrop, RandomHorizontalFlip, ToTensor, Transform
from ..errors import TrainingError, UsageError
from ..models import get_model
from ..models.registry import list_models
from ..tensor import Tensor
from .checkpoint import Checkpoint, checkpoint_of, save_checkpoint
from .health import Finding, collapsed_embeddings

__all__ = [
    "LOSSES",
    "MetricConfig",
    "MetricEpoch",
    "MetricRun",
    "choose_people",
    "embed",
    "hold_out",
    "known_by_classifier",
    "load_metric_run",
    "save_metric_run",
    "train_embedding",
]

LOSSES = ("softmax", "arcface", "cosface", "sphereface", "contrastive", "contrastive-hadsell", "triplet", "triplet-semi-hard", "triplet-random")
EMBED_BATCH = 100
# Of each loss: the margin where none is given. Distances are between vectors of length 1.
MARGINS = {"softmax": 0.0, "arcface": 0.3, "cosface": 0.2, "sphereface": 2.0}
PAIR_MARGIN, TRIPLET_MARGIN = 1.0, 0.3


@dataclass(frozen=True)
class MetricConfig:
    """Every choice of a training."""

    model: str = "small_face"
    loss: str = "arcface"
    margin: float | None = None  # radians, cosine, times or distance; the loss's usual one if None
    scale: float = 16.0  # s of ArcFace and CosFace; the papers' 64 is for many thousand people
    classes: int = 10  # P, people of a batch
    samples: int = 4  # K, pictures of each
    epochs: int = 40
    learning_rate: float = 1e-3  # Adam's
    weight_decay: float = 1e-4
    shift: int = 3  # pixels a training picture moves at random
    mirror: bool = True
    seed: int = 0

    @property
    def used_margin(self) -> float:
        """The margin given, or the loss's usual one."""
        if self.margin is not None:
            return self.margin
        return MARGINS.get(self.loss, PAIR_MARGIN if self.loss.startswith("contrastive") else TRIPLET_MARGIN)

    def require_sound(self) -> MetricConfig:
        """Itself, or one sentence about the first value that no training can have."""
        if self.loss not in LOSSES:
            raise UsageError(f"MetricConfig: loss={self.loss!r} must be one of {', '.join(LOSSES)}")
        known = [name for name in list_models("embedding") if name != "siamese_koch"]
        if self.model not in known:
            raise UsageError(f"MetricConfig: model={self.model!r} must be one of {', '.join(known)}")
        for name, value, fits, words in (
            ("epochs", self.epochs, self.epochs >= 1, "a whole number from 1 up"),
            ("shift", self.shift, self.shift >= 0, "a whole number from 0 up"),
            ("learning_rate", self.learning_rate, self.learning_rate > 0, "above 0"),
            ("scale", self.scale, self.scale > 0, "above 0"),
            ("margin", self.margin, self.used_margin >= 0, "at least 0"),
        ):
            if not fits:
                raise UsageError(f"MetricConfig: {name}={value} must be {words}")
        return self


@dataclass(frozen=True)
class MetricEpoch:
    """One pass through the people."""

    epoch: int
    loss: float
    seconds: float
    distance: float  # mean between the vectors of the last batch, at length 1: about 1.4 when they point everywhere, 0 when they collapsed


@dataclass
class MetricRun:
    """A trained network, how its pictures are prepared, and how the training went."""

    model: nn.Module
    config: MetricConfig
    image_size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    people: tuple[str, ...] = ()  # whom it was trained on
    epochs: list[MetricEpoch] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    head: nn.Module | None = None  # of the losses that learn a vector a class
    threshold: float | None = None  # the cosine from which two pictures count as one person, found on people held out
    source: str = ""


class Objective(nn.Module):
    """A loss of vectors and labels by its name; those of classification bring a vector a class that is learned with the network.

    Shapes
    ------
    (B, D), (B,) -> ()
    """

    def __init__(self, config: MetricConfig, features: int, classes: int) -> None:
        super().__init__()
        self.config = config
        self.head: nn.Module | None = None
        if config.loss == "softmax":
            self.head = nn.Linear(features, classes)
        elif config.loss == "arcface":
            self.head = nn.ArcFace(features, classes, config.scale, config.used_margin)
        elif config.loss == "cosface":
            self.head = nn.CosFace(features, classes, config.scale, config.used_margin)
        elif config.loss == "sphereface":
            self.head = nn.SphereFace(features, classes, config.scale, max(1, round(config.used_margin)))

    def forward(self, vectors: Tensor, labels: np.ndarray) -> Tensor:
        """The loss of a balanced batch."""
        loss, margin = self.config.loss, self.config.used_margin
        if self.head is not None:
            logits = self.head(vectors) if loss == "softmax" else self.head(vectors, Tensor(labels))
            return F.cross_entropy(logits, Tensor(labels))
        unit = F.normalize(vectors)
        if loss.startswith("contrastive"):
            first, second = np.triu_indices(len(labels), 1)
            like = (labels[first] == labels[second]).astype(vectors.data.dtype)
            here, there = (F.index_select(unit, 0, Tensor(side.astype(np.int64))) for side in (first, second))
            return F.contrastive_loss(here, there, Tensor(like), margin, form="hadsell" if loss.endswith("hadsell") else "linear")
        mining = {"triplet": "hard", "triplet-semi-hard": "semi-hard", "triplet-random": "random"}[loss]
        return F.triplet_loss_batch(unit, Tensor(labels), margin, mining, reduction="nonzero")


def build_network(config: MetricConfig, image_size: tuple[int, int], channels: int = 1) -> nn.Module:
    """The network of a config for pictures of a size."""
    options: dict[str, Any] = {"in_channels": channels}
    if config.model == "small_face":
        options["image_size"] = image_size
    return get_model(config.model, **options)


def train_embedding(people: ArrayDataset, config: MetricConfig | None = None, *, say: Callable[[str], None] = lambda line: None) -> MetricRun:
    """Train a network on the pictures of some people.

    Parameters
    ----------
    people
        Of `read_people` or `read_omniglot`, or some classes of it by `choose_people`.
    config
        `MetricConfig()` if left out.
    say
        Called with a line an epoch.

    Returns
    -------
    MetricRun
        Its findings hold the collapse alarm where the vectors have become one point.

    Raises
    ------
    UsageError
        For a config that no training can have.
    ArgumentError
        For more people a batch than there are.
    TrainingError
        When the loss is no longer finite.
    """
    config = (config or MetricConfig()).require_sound()
    tinycnn_random.manual_seed(config.seed)
    image_size = people.image_shape[1:]
    batches = BalancedBatches(people.labels(), min(config.classes, len(people.classes)), config.samples, config.seed)
    steps: list[Transform] = [RandomCrop(image_size, config.shift)] if config.shift else []
    steps += [RandomHorizontalFlip()] if config.mirror else []
    learning = people.with_transform(Compose([*steps, ToTensor(), Normalize(people.mean, people.std)]))
    model = build_network(config, image_size, people.image_shape[0])
    run = MetricRun(model, config, image_size, people.mean, people.std, people.classes)
    features = embed(run, people.images[:2]).shape[1]
    objective = Objective(config, features, len(people.classes))
    run.head = objective.head
    optimizer = optim.AdamW([*model.parameters(), *objective.parameters()], lr=config.learning_rate, weight_decay=config.weight_decay)
    for epoch in range(1, config.epochs + 1):
        started = time.perf_counter()
        model.train()
        losses, vectors = [], None
        for batch in batches.epoch(epoch):
            images, labels = learning.batch(batch, sample_generators(config.seed, epoch, batch))
            vectors = model(Tensor(images))
            loss = objective(vectors, labels)
            losses.append(float(loss.item()))
            if not np.isfinite(losses[-1]):
                raise TrainingError(f"train_embedding: the loss is {losses[-1]} in epoch {epoch}; lower learning_rate={config.learning_rate:g}")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert vectors is not None
        run.epochs.append(MetricEpoch(epoch, float(np.mean(losses)), time.perf_counter() - started, mean_distance(vectors.data)))
        _watch(run, vectors.data, say)
        last = run.epochs[-1]
        say(f"epoch {epoch:3d}   loss {last.loss:.4f}   mean distance {last.distance:.3f}   {last.seconds:.1f} s")
    model.eval()
    return run


def _watch(run: MetricRun, vectors: np.ndarray, say: Callable[[str], None]) -> None:
    """Raise the alarm once when all vectors have become one point."""
    margin = run.config.used_margin if run.config.loss.startswith("triplet") else None
    finding = collapsed_embeddings(vectors, margin)
    if finding is not None and not run.findings:
        run.findings.append(finding)
        say(str(finding))


def mean_distance(vectors: np.ndarray) -> float:
    """The mean Euclidean distance of all pairs of vectors, each brought to length 1.

    Examples
    --------
    >>> round(mean_distance(np.array([[2.0, 0.0], [0.0, 0.5]])), 4)
    1.4142
    """
    unit = unit_rows(vectors)
    distances = np.sqrt(np.maximum(2 - 2 * unit @ unit.T, 0))
    return float(distances[np.triu_indices(len(unit), 1)].mean()) if len(unit) > 1 else 0.0


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1, float64; a row of zeros stays."""
    rows = np.asarray(vectors, np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def embed(run: MetricRun, images: np.ndarray) -> np.ndarray:
    """The vectors of pictures, at length 1.

    Parameters
    ----------
    run
        The network and how its pictures are prepared.
    images
        uint8 (N, channels, height, width) or (N, height, width).

    Returns
    -------
    ndarray
        float64 (N, D).
    """
    return unit_rows(_vectors(run, images))


def _vectors(run: MetricRun, images: np.ndarray) -> np.ndarray:
    """What the network answers, of any length."""
    pictures = images[:, None] if images.ndim == 3 else images
    if pictures.shape[2:] != tuple(run.image_size):
        wanted = f"{run.image_size[0]}x{run.image_size[1]}"
        raise UsageError(f"embed: pictures of {pictures.shape[2]}x{pictures.shape[3]} for a network of {wanted}; scale them")
    prepare = Compose([ToTensor(), Normalize(run.mean, run.std)])
    was_training = run.model.training
    run.model.eval()
    found = []
    with no_grad():
        for start in range(0, len(pictures), EMBED_BATCH):
            part = prepare.batch(np.ascontiguousarray(pictures[start : start + EMBED_BATCH]), None)
            found.append(run.model(Tensor(part)).data)
    run.model.train(was_training)
    return np.concatenate(found) if found else np.empty((0, 0))


def known_by_classifier(run: MetricRun, images: np.ndarray) -> list[str] | None:
    """Whom the classifier that was trained along names; it has one output for each person of the training and none for anybody else.

    Parameters
    ----------
    run
        Of a loss with a classifier: softmax, arcface, cosface or sphereface; of the others the answer is None.
    images
        As of `embed`.

    Returns
    -------
    list of str, or None
    """
    if run.head is None:
        return None
    vectors = Tensor(_vectors(run, images))
    with no_grad():
        if isinstance(run.head, nn.Linear):
            scores = run.head(vectors).data
        else:  # without a known answer there is no margin: the cosines alone decide
            scores = F.linear(F.normalize(vectors), F.normalize(run.head.weight)).data
    return [run.people[number] for number in scores.argmax(1)]


def hold_out(people: ArrayDataset, count: int | None = None, fold: int | None = None) -> tuple[ArrayDataset, ArrayDataset]:
    """The people to learn from, and a block of them, in their order, that the network never sees.

    Parameters
    ----------
    people
        All.
    count
        How many are held out; a quarter if left out.
    fold
        Which block, from 0; the last if left out. As many folds as there are whole blocks hold out everybody in turn.

    Raises
    ------
    UsageError
        When fewer than two people are left on one of the sides, or there is no such fold.

    Examples
    --------
    >>> four = ArrayDataset(np.zeros((4, 2, 2), np.uint8), [0, 1, 2, 3], classes=["Ada", "Ben", "Cleo", "Dan"])
    >>> [part.classes for part in hold_out(four, 2, fold=0)]
    [('Cleo', 'Dan'), ('Ada', 'Ben')]
    """
    total = len(people.classes)
    held = max(2, total // 4) if count is None else count
    if not 2 <= held <= total - 2:
        raise UsageError(f"hold_out: {held} of {total} people held out; two are needed at least to learn from, and two to test on")
    folds = total // held
    if fold is not None and not 0 <= fold < folds:
        raise UsageError(f"hold_out: fold={fold} must be from 0 to {folds - 1}: {total} people are {folds} blocks of {held}")
    start = total - held if fold is None else fold * held
    block = list(range(start, start + held))
    return choose_people(people, [label for label in range(total) if label not in block]), choose_people(people, block)


def choose_people(people: ArrayDataset, names: list[int]) -> ArrayDataset:
    """Some of the people, numbered anew in the order given."""
    labels = people.labels()
    rows = np.concatenate([np.flatnonzero(labels == label) for label in names])
    place = {label: number for number, label in enumerate(names)}
    targets = [place[int(label)] for label in labels[rows]]
    images = people.images[rows]
    return ArrayDataset(images, targets, classes=[people.classes[label] for label in names], mean=people.mean, std=people.std)


def save_metric_run(folder: str | Path, run: MetricRun) -> Path:
    """Keep a trained network in ``checkpoint.npz``, which holds no code and no picture."""
    info = {
        "task": "embedding",
        "people": list(run.people),
        "image_size": list(run.image_size),
        "mean": list(run.mean),
        "std": list(run.std),
        "epochs": [asdict(epoch) for epoch in run.epochs],
        "findings": [asdict(finding) for finding in run.findings],
        "threshold": run.threshold,
        "source": run.source,
    }
    arrays = {f"model.{key}": value.data for key, value in run.model.state_dict().items()}
    if run.head is not None:
        arrays |= {f"head.{key}": value.data for key, value in run.head.state_dict().items()}
    return save_checkpoint(folder, Checkpoint(model=arrays, config=asdict(run.config), run_info=info))


def load_metric_run(folder: str | Path) -> MetricRun:
    """Read what `save_metric_run` wrote.

    Raises
    ------
    CheckpointError
        When there is none, it cannot be read, or it is a run of another kind.
    """
    with checkpoint_of(folder, "embedding", "faces") as checkpoint:
        info = checkpoint.run_info
        config = MetricConfig(**checkpoint.config)
        height, width = info["image_size"]
        run = MetricRun(
            build_network(config, (height, width), len(info["mean"])), config, (height, width), tuple(info["mean"]), tuple(info["std"])
        )
        run.people, run.source = tuple(info["people"]), str(info["source"])
        run.epochs = [MetricEpoch(**epoch) for epoch in info["epochs"]]
        run.findings = [Finding(**finding) for finding in info["findings"]]
        run.threshold = None if info["threshold"] is None else float(info["threshold"])
    run.model.load_state_dict(_below("model.", checkpoint.model))
    head = _below("head.", checkpoint.model)
    if head:
        classes, features = head["weight"].shape
        run.head = Objective(config, features, classes).head
        assert run.head is not None
        run.head.load_state_dict(head)
    run.model.eval()
    return run


def _below(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): Tensor(value) for key, value in arrays.items() if key.startswith(prefix)}
