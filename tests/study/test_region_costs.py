"""The work of R-CNN against Fast R-CNN, by hand for a small network."""

import pytest

from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.study.region_costs import RegionCosts, region_costs


def test_both_schemes_by_hand():
    features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1))
    head = nn.Sequential(nn.Flatten(), nn.Linear(8 * 2 * 2, 10))
    costs = region_costs(features, head, (32, 24), 50, crop=8, pooled=(8, 2, 2), proposal_network=nn.Conv2d(8, 5, 1))
    each = 27 * 4 + 36 * 8 / 4  # a pixel of the image
    assert costs.features_of_region == 64 * each and costs.features_of_image == 32 * 24 * each
    assert costs.head == 320 and costs.proposal_network == 16 * 12 * 40
    assert costs.per_region == 50 * (costs.features_of_region + 320)
    assert costs.per_image == costs.features_of_image + 7680 + 50 * 320
    text = costs.as_text()
    assert "50 x 11.5 k" in text and "1 x 138 k" in text and f"{costs.ratio:.3g} times" in text
    assert "outside" in region_costs(features, head, (32, 24), 50, crop=8, pooled=(8, 2, 2)).as_text()
    with pytest.raises(ArgumentError, match="proposals=0"):
        region_costs(features, head, (32, 24), 0)


def test_vgg16_of_the_paper():
    """VGG-16's 15.3 GMACs of convolutions a crop, 0.12 of linear layers: 2000 regions of an image of 600 x 1000 are 73 times the shared work."""
    convolutions, linear = 15_346_630_656, 25088 * 4096 + 4096 * 4096
    costs = RegionCosts(2000, convolutions, round(convolutions * 600 * 1000 / 224**2), linear, 0)
    assert costs.per_region == pytest.approx(30.9e12, rel=0.01)
    assert costs.ratio == pytest.approx(73.3, rel=0.01)
