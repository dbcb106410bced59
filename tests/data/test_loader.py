"""The loader's laws: every sample once an epoch, an order that only seed and epoch decide, exact resumption, no thread left."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn.data import ArrayDataset, DataLoader, Subset, TensorDataset
from tinycnn.data.transforms import Compose, RandomCrop, RandomHorizontalFlip, ToTensor
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.tensor import Tensor

PICTURES = np.random.default_rng(0).integers(0, 256, (23, 3, 8, 8), dtype=np.uint8)
AUGMENT = Compose([RandomCrop(8, padding=2), RandomHorizontalFlip(), ToTensor()])


def augmented(batched: bool = True) -> ArrayDataset:
    """Random crops and flips of 23 pictures; the transform of one image at a time if not `batched`."""
    transform = AUGMENT if batched else Compose([np.asarray, AUGMENT])
    return ArrayDataset(PICTURES, np.arange(23) % 10, transform=transform)


def bits(loader, epochs=1):
    """Everything that some epochs deliver, as bytes."""
    return [tuple(part.numpy().tobytes() for part in batch) for _ in range(epochs) for batch in loader]


def seeded(dataset, workers=0, **options):
    options = {"batch_size": 4, "shuffle": True, **options}
    return DataLoader(dataset, num_workers=workers, generator=np.random.default_rng(5), **options)


def tinycnn_threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("tinycnn-data")]


@given(st.integers(0, 40), st.integers(1, 9), st.booleans(), st.booleans(), st.integers(0, 2))
def test_each_epoch_is_a_permutation(count, batch_size, shuffle, drop_last, workers):
    loader = DataLoader(TensorDataset(np.arange(count)), batch_size, shuffle, drop_last=drop_last, num_workers=workers)
    orders = []
    for _ in range(2):
        batches = [batch.numpy() for (batch,) in loader]
        assert len(batches) == len(loader)
        assert all(len(batch) == batch_size for batch in batches[: count // batch_size])
        orders.append(np.concatenate([np.empty(0, int), *batches]))
        delivered = count - count % batch_size * drop_last
        assert len(orders[-1]) == len(set(orders[-1])) == delivered and set(orders[-1]) <= set(range(count))
    if not shuffle:
        assert orders[0].tolist() == list(range(len(orders[0])))
    elif len(orders[0]) > 20:
        assert orders[0].tolist() != orders[1].tolist()


@pytest.mark.parametrize("batched", [True, False])
def test_workers_change_no_bit(batched):
    expected = bits(seeded(augmented(batched)), 2)
    for workers in (1, 3):
        assert bits(seeded(augmented(batched), workers), 2) == expected
    assert expected[: len(expected) // 2] != expected[len(expected) // 2 :]
    assert bits(seeded(augmented(not batched)), 2) == expected


def test_what_happens_to_a_sample_does_not_depend_on_its_batch():
    small = seeded(augmented(), shuffle=False, batch_size=2)
    large = seeded(augmented(), shuffle=False, batch_size=23)
    np.testing.assert_array_equal(np.concatenate([images.numpy() for images, _ in small]), next(iter(large))[0].numpy())


def test_the_seed_comes_from_the_generator_or_from_manual_seed():
    assert bits(seeded(augmented())) == bits(seeded(augmented()))
    tinycnn.manual_seed(1)
    first, second = DataLoader(augmented(), 4, True), DataLoader(augmented(), 4, True)
    tinycnn.manual_seed(1)
    again = DataLoader(augmented(), 4, True)
    assert bits(first) == bits(again) != bits(second)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stop", range(7))
def test_a_resumed_run_has_the_same_bits(workers, stop):
    whole = bits(seeded(augmented(), workers), 3)
    loader = seeded(augmented(), workers)
    delivered = bits(loader)
    states = []
    for batch in loader:
        if len(states) == stop:
            break
        states.append(loader.state_dict())
        delivered.append(tuple(part.numpy().tobytes() for part in batch))
    state = states[-1] if states else {"seed": loader.seed, "epoch": 1, "batch": 0}
    resumed = DataLoader(augmented(), 4, True, num_workers=workers)
    resumed.load_state_dict(state)
    rest = bits(resumed, 1 if stop == len(loader) else 2)
    assert delivered[: 6 + stop] + rest == whole


def test_states_are_plain_numbers_and_epochs_can_be_set():
    loader = seeded(augmented())
    assert len(loader) == 6 and loader.epoch == 0
    epochs = [bits(loader) for _ in range(3)]
    assert loader.epoch == 3 and loader.state_dict() == {"seed": loader.seed, "epoch": 3, "batch": 0}
    loader.set_epoch(1)
    assert [bits(loader), bits(loader)] == epochs[1:]
    iterator = iter(loader)
    next(iterator)
    assert loader.state_dict() == {"seed": loader.seed, "epoch": 3, "batch": 1}
    next(iter(loader))
    assert loader.epoch == 4


def test_leaving_a_loop_leaves_no_thread():
    for workers in (1, 3):
        for _ in seeded(augmented(), workers):
            break
        assert tinycnn_threads() == []
        with pytest.raises(KeyError):
            for _ in seeded(augmented(), workers):
                raise KeyError
        assert tinycnn_threads() == []
        bits(seeded(augmented(), workers))
        assert tinycnn_threads() == []


class Broken:
    """A dataset whose sample 9 cannot be read."""

    def __len__(self):
        return 20

    def __getitem__(self, index):
        if index == 9:
            raise OSError(f"sample {index} is gone")
        return np.zeros(2, np.float32), index


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_errors_reach_the_loop_after_the_batches_before_them(workers):
    delivered = []
    with pytest.raises(OSError, match="sample 9 is gone"):
        for _, labels in DataLoader(Broken(), 4, num_workers=workers):
            delivered.append(labels.numpy().tolist())
    assert delivered == [[0, 1, 2, 3], [4, 5, 6, 7]] and tinycnn_threads() == []


class Slow:
    """A dataset that counts how many samples were read."""

    def __init__(self):
        self.read = 0

    def __len__(self):
        return 100

    def __getitem__(self, index):
        self.read += 1
        return float(index), index


def test_reading_ahead_is_bounded():
    dataset = Slow()
    iterator = iter(DataLoader(dataset, 1, num_workers=2, prefetch_factor=2))
    next(iterator)
    time.sleep(0.05)
    assert 1 < dataset.read <= 6
    iterator.close()
    assert tinycnn_threads() == []


def test_what_batches_are_made_of():
    images, labels = next(iter(DataLoader(ArrayDataset(PICTURES, np.arange(23) % 10), 4)))
    assert isinstance(images, Tensor) and images.shape == (4, 3, 8, 8) and images.dtype == np.float32
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(images.numpy(), PICTURES[:4].astype(np.float32) / np.float32(255))
    values, flags, rows = next(iter(DataLoader([(0.5, True, np.ones(2)), (1.5, False, np.zeros(2))], 2)))
    assert (values.dtype, flags.dtype, rows.dtype) == (np.float32, np.bool_, np.float64) and rows.shape == (2, 2)
    (tensors,) = next(iter(DataLoader([(Tensor(np.zeros(3, np.float32)),)] * 2, 2)))
    assert tensors.shape == (2, 3)
    chosen = next(iter(DataLoader([3, 1, 2], 3, collate_fn=sum)))
    assert chosen == 6


def test_subsets_keep_the_fast_path_and_its_bits():
    part = Subset(augmented(), [5, 3, 11])
    assert part.can_batch and part.random
    slow = Subset(augmented(False), [5, 3, 11])
    assert not slow.can_batch and bits(seeded(part)) == bits(seeded(slow))


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: DataLoader(3), ArgumentError, "int is no dataset; it needs __len__ and __getitem__"),
        (lambda: DataLoader([1], 0), ArgumentError, "batch_size 0 must be a whole number of 1 or more"),
        (lambda: DataLoader([1], 2.5), ArgumentError, "batch_size 2.5 must be"),
        (lambda: DataLoader([1], num_workers=-1), ArgumentError, "num_workers -1 must be a whole number of 0 or more"),
        (lambda: DataLoader([1], prefetch_factor=0), ArgumentError, "prefetch_factor 0 must be"),
        (lambda: DataLoader([1]).load_state_dict({"seed": 1}), ArgumentError, "does not hold 'seed', 'epoch' and 'batch'"),
        (lambda: DataLoader([1]).set_epoch(-1), ArgumentError, "whole numbers of zero or more"),
        (
            lambda: DataLoader([1]).load_state_dict({"seed": 1, "epoch": 0, "batch": 2}),
            ArgumentError,
            "batch 2 of an epoch of 1; was batch_size another",
        ),
        (lambda: list(DataLoader([np.zeros(2), np.zeros(3)], 2)), ShapeError, r"different shapes, \(2,\) and \(3,\)"),
        (lambda: list(DataLoader(["a", "b"], 2)), ArgumentError, "samples of str make no batch"),
    ],
)
def test_errors_say_what_to_do(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


@given(st.integers(0, 2**63 - 1), st.integers(0, 1000))
def test_sample_generators_differ_from_each_other(seed, epoch):
    from tinycnn.data.seeding import sample_generators

    draws = {generator.integers(2**63) for generator in sample_generators(seed, epoch, np.arange(200))}
    assert len(draws) == 200
