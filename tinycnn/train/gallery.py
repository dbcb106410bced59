"""A gallery of known people: enrol someone by a picture or more, verify a claim, identify a stranger. Nothing is trained."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import CheckpointError, DataError, UsageError
from ..nn import Module
from .checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from .metric_learning import unit_rows

__all__ = ["Gallery", "Verdict", "fingerprint", "load_gallery", "save_gallery"]

MAX_NAME = 200


@dataclass(frozen=True)
class Verdict:
    """What the gallery says of a picture."""

    name: str  # whom it is compared with, or the likeliest
    score: float  # cosine of the two vectors, from -1 to 1
    accepted: bool  # whether the score reaches the threshold


def fingerprint(model: Module) -> str:
    """A SHA-256 over all weights: vectors of different networks must not be compared."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {value.data.dtype.str} {value.data.shape}\n".encode())
        digest.update(np.ascontiguousarray(value.data).data)
    return digest.hexdigest()


class Gallery:
    """The vectors of enrolled people, and the score from which two vectors count as one person.

    Parameters
    ----------
    threshold : float
        A cosine, from -1 to 1; of `recognition.verify_pairs` for a rate of errors.
    network : str
        The `fingerprint` of the network whose vectors these are; "" for any.

    Examples
    --------
    >>> gallery = Gallery(threshold=0.8)
    >>> gallery.enrol("Ada", np.array([[1.0, 0.0], [0.9, 0.1]]))
    >>> gallery.enrol("Ben", np.array([[0.0, 1.0]]))
    >>> gallery.verify("Ada", np.array([1.0, 0.1])).accepted, gallery.verify("Ben", np.array([1.0, 0.1])).accepted
    (True, False)
    >>> gallery.identify(np.array([0.1, 1.0]))[0].name
    'Ben'
    """

    def __init__(self, threshold: float = 0.5, network: str = "") -> None:
        self.set_threshold(threshold)
        self.network = network
        self.vectors: dict[str, np.ndarray] = {}  # of each person (pictures, D), at length 1

    def __len__(self) -> int:
        """How many people are enrolled."""
        return len(self.vectors)

    def set_threshold(self, threshold: float) -> None:
        """Count two vectors as one person from this cosine up."""
        if not -1 <= threshold <= 1:
            raise UsageError(f"Gallery: threshold={threshold!r} must be a cosine, from -1 to 1")
        self.threshold = float(threshold)

    def enrol(self, name: str, vectors: np.ndarray) -> None:
        """Add a person, or more pictures of one.

        Parameters
        ----------
        name : str
            1 to 200 letters.
        vectors : ndarray
            (pictures, D) or (D,), of `embed`.

        Raises
        ------
        UsageError
            For a name that is none, or vectors that are not finite, zero, or of another length than the others.
        """
        if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
            raise UsageError(f"Gallery.enrol: the name {name[:40]!r} must be 1 to {MAX_NAME} printable letters")
        rows = self._rows("enrol", vectors)
        known = self.vectors.get(name)
        self.vectors[name] = rows if known is None else np.concatenate([known, rows])

    def remove(self, name: str) -> None:
        """Forget a person."""
        self._require(name)
        del self.vectors[name]

    def templates(self) -> np.ndarray:
        """A vector a person, (people, D): the mean direction of the person's pictures."""
        return unit_rows(np.stack([rows.mean(0) for rows in self.vectors.values()]))

    def verify(self, name: str, vector: np.ndarray) -> Verdict:
        """Whether a picture shows the person of that name."""
        self._require(name)
        score = float(self._rows("verify", vector)[0] @ unit_rows(self.vectors[name].mean(0, keepdims=True))[0])
        return Verdict(name, score, score >= self.threshold)

    def identify(self, vector: np.ndarray, most: int = 5) -> list[Verdict]:
        """The likeliest people, the best first; nobody is accepted where no score reaches the threshold."""
        if not self.vectors:
            raise UsageError("Gallery.identify: nobody is enrolled; enrol people first")
        scores = self.templates() @ self._rows("identify", vector)[0]
        names = list(self.vectors)
        order = np.argsort(-scores, kind="stable")[:most]
        return [Verdict(names[place], float(scores[place]), bool(scores[place] >= self.threshold)) for place in order]

    def _require(self, name: str) -> None:
        if name not in self.vectors:
            listed = ", ".join(list(self.vectors)[:10]) or "nobody yet"
            raise UsageError(f"there is nobody called {name!r} in the gallery; it holds {listed}")

    def _rows(self, function: str, vectors: np.ndarray) -> np.ndarray:
        rows = np.atleast_2d(np.asarray(vectors, np.float64))
        width = next(iter(self.vectors.values())).shape[1] if self.vectors else rows.shape[-1]
        if rows.ndim != 2 or not len(rows) or rows.shape[1] != width:
            raise UsageError(f"Gallery.{function}: vectors of shape {np.shape(vectors)}; they must be (pictures, {width})")
        if not np.isfinite(rows).all() or not rows.any(1).all():
            raise UsageError(f"Gallery.{function}: a vector is zero or not finite and has no direction; is the network trained?")
        return unit_rows(rows)


def save_gallery(path: str | Path, gallery: Gallery) -> Path:
    """Write a gallery into an .npz file with a checksum; it holds names and vectors, no pictures and no code."""
    target = Path(path)
    if target.suffix != ".npz":
        raise UsageError(f"save_gallery: {target} must be a file that ends in .npz")
    arrays = {str(number): rows for number, rows in enumerate(gallery.vectors.values())}
    info = {"task": "gallery", "names": list(gallery.vectors), "threshold": gallery.threshold, "network": gallery.network}
    return save_checkpoint(target, Checkpoint(model=arrays, run_info=info))


def load_gallery(path: str | Path) -> Gallery:
    """Read what `save_gallery` wrote.

    Raises
    ------
    CheckpointError
        When there is none or it is damaged.
    DataError
        When it is another kind of file, or its parts do not fit each other.
    """
    target = Path(path)
    if not target.exists():
        raise CheckpointError(f"there is no gallery {target}; `tinycnn faces enrol NAME PICTURE --gallery {target}` begins one")
    checkpoint = load_checkpoint(target)
    info = checkpoint.run_info
    if info.get("task") != "gallery":
        raise DataError(f"{target}: is no gallery of people, but another file of tinycnn")
    try:
        gallery = Gallery(float(info["threshold"]), str(info["network"]))
        for number, name in enumerate(info["names"]):
            gallery.enrol(str(name), checkpoint.model[str(number)])
        if len(gallery) != len(checkpoint.model):
            raise DataError(f"{target}: {len(checkpoint.model)} people's vectors for {len(gallery)} names")
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{target}: its parts do not fit each other ({error})") from error
    return gallery
