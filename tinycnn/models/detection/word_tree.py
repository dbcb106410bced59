"""A tree of words for classes: a terrier is a dog is an animal, and a softmax decides between brothers only.

References
----------
Redmon, Farhadi: YOLO9000: better, faster, stronger, CVPR 2017, "hierarchical classification", figures 5 and 6.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import functional
from ...errors import ArgumentError, ShapeError
from ...tensor import Tensor

__all__ = ["WordTree"]


class WordTree:
    """Classes, each with its parent; the network gives one number a class, and brothers compete.

    Formula
    -------
    Pr(n | parent) = exp(z_n) / sum over n and its brothers; Pr(n) = product of Pr along the path from the root to n.

    Parameters
    ----------
    parents : list of int
        The position of each class's parent, which comes before it; -1 at the root.
    names : list of str, optional
        Of the classes.

    Raises
    ------
    ArgumentError
        For a parent that does not come before its child, or names of another number.

    Examples
    --------
    >>> tree = WordTree([-1, -1, 0, 0], ["animal", "artefact", "cat", "dog"])
    >>> tree.path(3), tree.groups
    ([0, 3], [[0, 1], [2, 3]])
    >>> tree.probabilities(np.log([[3.0, 1.0, 1.0, 4.0]])).round(4).tolist()
    [[0.75, 0.25, 0.15, 0.6]]
    """

    def __init__(self, parents: Sequence[int], names: Sequence[str] | None = None) -> None:
        if not len(parents):
            raise ArgumentError("WordTree: there are no classes")
        for number, parent in enumerate(parents):
            if not -1 <= parent < number:
                raise ArgumentError(f"WordTree: the parent of class {number} is {parent}; it must be -1 or a class before it")
        if names is not None and len(names) != len(parents):
            raise ArgumentError(f"WordTree: there are {len(parents)} classes but {len(names)} names")
        self.parents = list(parents)
        self.names = list(names) if names is not None else [str(number) for number in range(len(parents))]
        brothers: dict[int, list[int]] = {}
        for number, parent in enumerate(parents):
            brothers.setdefault(parent, []).append(number)
        self.groups = list(brothers.values())
        self.group_of = {number: k for k, group in enumerate(self.groups) for number in group}
        self._children = {parent: self.groups[self.group_of[group[0]]] for parent, group in brothers.items()}

    @classmethod
    def read(cls, text: str) -> WordTree:
        """From Darknet's .tree file: a line a class, its name and its parent's line, counted from 0; -1 at the root.

        Raises
        ------
        ArgumentError
            With the line that is none.

        Examples
        --------
        >>> WordTree.read("animal -1\\ncat 0").parents
        [-1, 0]
        """
        names, parents = [], []
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            name, _, parent = line.strip().rpartition(" ")
            try:
                parents.append(int(parent))
            except ValueError:
                raise ArgumentError(f"WordTree: line {number} is {line[:60]!r}; it must be a name, a blank and the parent's number") from None
            names.append(name)
        return cls(parents, names)

    def __len__(self) -> int:
        return len(self.parents)

    def path(self, number: int) -> list[int]:
        """The classes from the root to this one."""
        found = []
        while number >= 0:
            found.append(number)
            number = self.parents[number]
        return found[::-1]

    def _checked(self, shape: tuple[int, ...]) -> None:
        if not shape or shape[-1] != len(self):
            raise ShapeError(f"WordTree: there are {len(self)} classes, but the last axis of {shape} has not so many numbers")

    def conditional(self, logits: np.ndarray) -> np.ndarray:
        """Pr(class | its parent) of (..., classes)."""
        self._checked(logits.shape)
        found = np.empty_like(logits)
        for group in self.groups:
            own = np.exp(logits[..., group] - logits[..., group].max(axis=-1, keepdims=True))
            found[..., group] = own / own.sum(axis=-1, keepdims=True)
        return found

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Pr(class) of (..., classes): the product along its path."""
        found = self.conditional(logits)
        for number, parent in enumerate(self.parents):
            if parent >= 0:
                found[..., number] *= found[..., parent]
        return found

    def loss(self, logits: Tensor, labels: np.ndarray) -> Tensor:
        """The sum over rows (K, classes) of the cross-entropies at every step of the path to the label, -log Pr(label).

        Examples
        --------
        >>> tree = WordTree([-1, -1, 0, 0])
        >>> round(tree.loss(Tensor(np.log([[3.0, 1.0, 1.0, 4.0]])), np.array([3])).item(), 6), round(float(-np.log(0.6)), 6)
        (0.510826, 0.510826)
        """
        self._checked(logits.shape)
        rows: dict[int, list[int]] = {}
        right: dict[int, list[int]] = {}
        for row, label in enumerate(labels):
            for number in self.path(int(label)):
                group = self.group_of[number]
                rows.setdefault(group, []).append(row)
                right.setdefault(group, []).append(self.groups[group].index(number))
        total = logits.sum() * 0.0
        for group, of_group in rows.items():
            own = logits[np.array(of_group)[:, None], np.array(self.groups[group])[None]]
            total = total + functional.cross_entropy(own, np.array(right[group]), reduction="sum")
        return total

    def decide(self, logits: np.ndarray, threshold: float = 0.5) -> tuple[int, float]:
        """Go down from the root, always to the likeliest child, while Pr stays above the threshold; where it ends, and its Pr.

        Where no child of the root reaches it, that child is the answer all the same.

        Examples
        --------
        >>> tree = WordTree([-1, -1, 0, 0])
        >>> [tree.decide(np.log([3.0, 1.0, 1.0, ratio]))[0] for ratio in (1.5, 4.0)]
        [0, 3]
        """
        conditional = self.conditional(np.asarray(logits))
        number, probability = -1, 1.0
        while number in self._children:
            children = self._children[number]
            best = children[int(conditional[children].argmax())]
            if number >= 0 and probability * conditional[best] <= threshold:
                break
            number, probability = best, probability * float(conditional[best])
        return number, probability
