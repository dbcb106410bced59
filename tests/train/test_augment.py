"""From a config's numbers to what happens to the training images."""

import numpy as np
import pytest

from tinycnn import nn
from tinycnn.data import ArrayDataset, Subset
from tinycnn.data.transforms import CutMix, MixUp, Normalize, RandomChoice
from tinycnn.errors import UsageError
from tinycnn.train import TrainConfig, augmentation, prepare, train
from tinycnn.train.augment import ONE_IMAGE, mixing

CONFIG = TrainConfig(epochs=1, batch_size=8, learning_rate=0.01)
STRENGTH = {"shift": 2, "flip": True, "rotate": 20.0, "elastic": 20.0, "colour": 0.4, "cutout": 3, "erase": 1.0}


def colours(count: int) -> ArrayDataset:
    return ArrayDataset(np.random.default_rng(0).integers(0, 255, (count, 3, 8, 8), dtype=np.uint8), np.arange(count) % 3)


def small() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 3))


def first_batch(config):
    return next(iter(prepare(small, colours(16), colours(6), config).train_loader))[0].data


@pytest.mark.parametrize("field", ONE_IMAGE)
def test_each_field_changes_the_training_images_and_only_them(field):
    config = CONFIG.replace(**{field: STRENGTH[field]})
    assert (first_batch(config) != first_batch(CONFIG)).any()
    np.testing.assert_array_equal(first_batch(config), first_batch(config))
    run = prepare(small, colours(16), colours(6), config)
    np.testing.assert_array_equal(next(iter(run.test_loader))[0].data, colours(6).images.astype(np.float32) / np.float32(255))


def test_blots_come_after_normalising_and_everything_else_before():
    own = Normalize([0.5], [0.5])
    steps = augmentation(TrainConfig(**STRENGTH), (8, 8), own).transforms
    expected = "RandomCrop RandomHorizontalFlip RandomRotation ElasticTransform ColorJitter Normalize Cutout RandomErasing"
    assert " ".join(type(step).__name__ for step in steps) == expected


def test_mixing_follows_the_config():
    assert mixing(CONFIG, colours(6)) is None
    assert repr(mixing(CONFIG.replace(mixup=0.2), colours(6))) == "MixUp(alpha=0.2, num_classes=3)"
    assert isinstance(mixing(CONFIG.replace(cutmix=1.0), Subset(colours(6), [0, 1])), CutMix)
    both = mixing(CONFIG.replace(mixup=0.2, cutmix=1.0), colours(6))
    assert isinstance(both, RandomChoice) and isinstance(both.transforms[0], MixUp)


def test_a_net_learns_from_mixed_images():
    run = prepare(small, colours(48), colours(6), CONFIG.replace(mixup=1.0, epochs=4))
    result = train(*run, CONFIG.replace(mixup=1.0, epochs=4), show=False)
    assert np.mean(result.step_losses[-6:]) < np.mean(result.step_losses[:6])
    assert 0 <= result.epochs[0].train_accuracy <= 1


def test_mixed_images_need_the_cross_entropy():
    config = CONFIG.replace(cutmix=1.0)
    run = prepare(small, colours(16), colours(6), config)
    with pytest.raises(UsageError, match="cutmix works with the cross-entropy only"):
        train(*run, config, show=False, loss_function=lambda output, target: output.sum())


def test_symmetry_is_for_detectors():
    with pytest.raises(UsageError, match="prepare: symmetry=True is for detectors"):
        prepare(small, colours(16), colours(6), CONFIG.replace(symmetry=True))
