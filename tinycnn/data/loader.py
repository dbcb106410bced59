"""Batches from a dataset, in a seeded order, read ahead by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..random import default_generator
from ..tensor import Tensor
from .seeding import sample_generators
from .transforms import ToTensor

__all__ = ["DataLoader", "default_collate"]

MIXING = 1  # keeps the stream of batch transforms apart from that of the order


class DataLoader:
    """Go through a dataset in batches, once for each `for` loop over the loader.

    Parameters
    ----------
    dataset : Dataset
        Anything with `__len__` and `__getitem__`.
    batch_size : int
        Samples in a batch.
    shuffle : bool
        A new random order each epoch, or the dataset's own.
    num_workers : int
        Threads that read ahead; 0 reads in the calling thread.
    drop_last : bool
        Leave out a last batch that is smaller.
    generator : numpy.random.Generator, optional
        One number is drawn from it, now, as this loader's seed; the package's generator if left out.
    prefetch_factor : int
        Batches that each worker reads ahead.
    collate_fn : function, optional
        Makes a batch of a list of samples; `default_collate` if left out.
    batch_transform : BatchTransform or function, optional
        Called as batch_transform(images, labels, generator) with the arrays of every batch of (images, labels), such as `transforms.MixUp`;
        the generator depends on the seed, the epoch and the batch's number.

    Raises
    ------
    ArgumentError
        When a number is out of range or the dataset is none.

    Notes
    -----
    The order of epoch e depends on the seed and e alone, and what a random transform does to sample i depends on the
    seed, e and i alone. So neither the number of workers nor their speed can change a batch, and a run is resumed to
    the same bits by `state_dict` and `load_state_dict`. torch's loader ties both to worker processes and their number;
    threads need neither pickling nor an `if __name__ == "__main__"` guard.

    Each loop over the loader is one epoch; a loop left early has used its epoch up.

    Examples
    --------
    >>> from tinycnn.data import TensorDataset
    >>> loader = DataLoader(TensorDataset(np.arange(5)), batch_size=2)
    >>> [batch.numpy().tolist() for (batch,) in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        num_workers: int = 0,
        drop_last: bool = False,
        generator: np.random.Generator | None = None,
        prefetch_factor: int = 2,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        batch_transform: Callable[..., Any] | None = None,
    ) -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise ArgumentError(f"DataLoader: {type(dataset).__name__} is no dataset; it needs __len__ and __getitem__")
        for name, value, least in (
            ("batch_size", batch_size, 1),
            ("num_workers", num_workers, 0),
            ("prefetch_factor", prefetch_factor, 1),
        ):
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
                raise ArgumentError(f"DataLoader: {name} {value!r} must be a whole number of {least} or more")
        self.dataset = dataset
        self.batch_size = int(batch_size)
        self.shuffle = bool(shuffle)
        self.num_workers = int(num_workers)
        self.drop_last = bool(drop_last)
        self.prefetch_factor = int(prefetch_factor)
        self.collate_fn = collate_fn
        self.batch_transform = batch_transform
        self.seed = int(default_generator(generator).integers(2**63))
        self._epoch = 0
        self._delivered = 0
        self._under_way = False

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    @property
    def epoch(self) -> int:
        """The epoch under way, or else the one that the next loop runs."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Let the next loop run epoch `epoch` from its start, counted from 0."""
        self.load_state_dict({"seed": self.seed, "epoch": epoch, "batch": 0})

    def state_dict(self) -> dict[str, int]:
        """Return where the loader is: seed, epoch and the number of its batches that were delivered.

        Three whole numbers, which JSON can hold. Taken inside a loop, right after a batch was used, it continues with
        the next one.
        """
        return {"seed": self.seed, "epoch": self._epoch, "batch": self._delivered}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Let the next loop continue where `state_dict` was taken.

        Parameters
        ----------
        state : mapping
            What `state_dict` returned. Dataset, batch_size, shuffle and drop_last must be the same then and now.

        Raises
        ------
        ArgumentError
            When it is no such state.
        """
        numbers = [state.get(key) for key in ("seed", "epoch", "batch")] if isinstance(state, Mapping) else [None]
        if not all(isinstance(number, int | np.integer) and number >= 0 for number in numbers) or len(numbers) != 3:
            raise ArgumentError(f"DataLoader.load_state_dict: {state!r} does not hold 'seed', 'epoch' and 'batch', whole numbers of zero or more")
        if int(state["batch"]) > len(self):
            raise ArgumentError(f"DataLoader.load_state_dict: batch {state['batch']} of an epoch of {len(self)}; was batch_size another?")
        self.seed, self._epoch, self._delivered = (int(state[key]) for key in ("seed", "epoch", "batch"))
        self._under_way = False

    def order(self, epoch: int) -> np.ndarray:
        """Return the sample numbers of an epoch in the order in which they are delivered."""
        count = len(self.dataset)
        if not self.shuffle:
            return np.arange(count)
        return np.random.default_rng([self.seed, epoch]).permutation(count)

    def __iter__(self) -> Iterator[Any]:
        """Run the next epoch, or the rest of the one that `load_state_dict` named."""
        if self._under_way or self._delivered >= len(self) > 0:
            self._epoch, self._delivered = self._epoch + 1, 0
        self._under_way = True
        return self._run(self._epoch, self._delivered)

    def _run(self, epoch: int, first: int) -> Iterator[Any]:
        """Deliver the batches of an epoch from number `first` on."""
        order = self.order(epoch)
        numbers = range(first, len(self))
        jobs = ((number, order[number * self.batch_size : (number + 1) * self.batch_size]) for number in numbers)
        batches = self._read(jobs, epoch) if self.num_workers == 0 else self._read_ahead(jobs, epoch)
        for number, batch in zip(numbers, batches, strict=True):
            if self._epoch == epoch:
                self._delivered = number + 1
            yield batch
        if self._epoch == epoch:
            self._epoch, self._delivered, self._under_way = epoch + 1, 0, False

    def _read(self, jobs: Iterator[tuple[int, np.ndarray]], epoch: int) -> Iterator[Any]:
        """Read batch after batch in the calling thread."""
        for number, indices in jobs:
            yield self._batch(number, indices, epoch)

    def _read_ahead(self, jobs: Iterator[tuple[int, np.ndarray]], epoch: int) -> Iterator[Any]:
        """Read batches in threads, a bounded number ahead, and deliver them in order.

        Leaving the loop closes this generator, and that waits for the batches being read: no thread outlives the loop.
        """
        waiting: deque[Future[Any]] = deque()
        with ThreadPoolExecutor(self.num_workers, thread_name_prefix="tinycnn-data") as pool:
            try:
                for number, indices in jobs:
                    waiting.append(pool.submit(self._batch, number, indices, epoch))
                    if len(waiting) > self.num_workers * self.prefetch_factor:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _batch(self, number: int, indices: np.ndarray, epoch: int) -> Any:
        """Read one batch, and mix it where that is asked for."""
        batch = self._samples(indices, epoch)
        if self.batch_transform is None:
            return batch
        images, labels = batch
        generator = np.random.default_rng([self.seed, epoch, MIXING, number])
        return tuple(Tensor(array) for array in self.batch_transform(images.data, labels.data, generator))

    def _samples(self, indices: np.ndarray, epoch: int) -> Any:
        """Read the samples of one batch, all at once where the dataset can."""
        dataset = self.dataset
        generators = None
        if getattr(dataset, "random", False):
            generators = sample_generators(self.seed, epoch, indices)
        if self.collate_fn is None and getattr(dataset, "can_batch", False):
            return tuple(Tensor(array) for array in dataset.batch(indices, generators))
        if hasattr(dataset, "sample"):
            passed: Sequence[np.random.Generator | None] = generators or [None] * len(indices)
            samples = [dataset.sample(int(index), generator) for index, generator in zip(indices, passed, strict=True)]
        else:
            samples = [dataset[int(index)] for index in indices]
        return (self.collate_fn or default_collate)(samples)


def default_collate(samples: Sequence[Any]) -> Any:
    """Make a batch of samples: numbers become a vector, arrays are stacked, tuples go part by part.

    Parameters
    ----------
    samples : sequence
        Samples of one kind. The first part of a tuple, where it is a uint8 picture, is made a float32 image by
        `ToTensor`.

    Returns
    -------
    Tensor or tuple
        Whole numbers as int64, fractions as float32, arrays in their own number type.

    Raises
    ------
    ShapeError
        When images differ in shape.

    Examples
    --------
    >>> images, labels = default_collate([(np.zeros((2, 2), np.uint8), 7), (np.ones((2, 2), np.uint8), 1)])
    >>> images.shape, labels.numpy()
    ((2, 1, 2, 2), array([7, 1]))
    """
    first = samples[0]
    if isinstance(first, tuple | list):
        columns = [list(column) for column in zip(*samples, strict=True)]
        if all(isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim in (2, 3) for image in columns[0]):
            columns[0] = [ToTensor()(picture) for picture in columns[0]]
        return tuple(default_collate(column) for column in columns)
    if isinstance(first, bool | int | np.integer | np.bool_):
        return Tensor(np.array(samples, np.bool_ if isinstance(first, bool | np.bool_) else np.int64))
    if isinstance(first, float):
        return Tensor(np.array(samples, np.float32))
    arrays = [sample.data if isinstance(sample, Tensor) else np.asarray(sample) for sample in samples]
    if len({array.shape for array in arrays}) > 1:
        shapes = sorted({array.shape for array in arrays})
        raise ShapeError(f"DataLoader: samples of different shapes, {shapes[0]} and {shapes[1]}, make no batch; use Resize or a crop")
    if arrays[0].dtype.kind not in "biuf":
        raise ArgumentError(f"DataLoader: samples of {type(first).__name__} make no batch; return arrays and numbers, or give collate_fn")
    return Tensor(np.stack(arrays))
