"""Torchvision's segmentation networks: the same keys in order, and from the same weights the same scores."""

import pytest

from tests.oracle.model_agreement import agree, same_keys
from tinycnn import nn
from tinycnn.models import get_model

torchvision = pytest.importorskip("torchvision")

pytestmark = pytest.mark.torch

AUXILIARY = ["fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101", "deeplabv3_mobilenet_v3_large"]


def pair(name, **options):
    theirs = torchvision.models.segmentation.__dict__[name](weights=None, weights_backbone=None, num_classes=5, **options)
    return nn.utils.skip_init(get_model, name, num_classes=5, **options), theirs


def test_the_smallest():
    agree(*pair("lraspp_mobilenet_v3_large"), (2, 3, 65, 90))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", AUXILIARY)
def test_with_the_auxiliary_classifier(name):
    agree(*pair(name, aux_loss=True), (2, 3, 65, 90))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", AUXILIARY)
def test_without_it(name):
    same_keys(*pair(name))


@pytest.mark.exhaustive
def test_in_training():
    agree(*pair("deeplabv3_mobilenet_v3_large", aux_loss=True), (4, 3, 64, 96), 1e-8, training=True)
