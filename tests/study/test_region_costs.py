"""The work of R-CNN against Fast R-CNN, by hand for a small network."""

import json
from dataclasses import replace

import pytest

from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.study.region_costs import RegionCosts, RegionSeconds, region_costs, region_costs_page, region_seconds


def test_both_schemes_by_hand():
    features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1))
    head = nn.Sequential(nn.Flatten(), nn.Linear(8 * 2 * 2, 10))
    costs = region_costs(features, head, (32, 24), 50, crop=8, pooled=(8, 2, 2), proposal_network=nn.Conv2d(8, 5, 1))
    each = 27 * 4 + 36 * 8 / 4  # a pixel of the image
    assert costs.features_of_region == 64 * each and costs.features_of_image == 32 * 24 * each
    assert costs.head == 320 and costs.proposal_network == 16 * 12 * 40
    assert costs.per_region == 50 * (costs.features_of_region + 320)
    assert costs.per_image == costs.features_of_image + 50 * 320
    text = costs.as_text()
    assert f"per region is {costs.ratio:.3g} times" in text and "Faster R-CNN" in text and "138 k" in text
    rcnn, fast, faster = costs.schemes()
    assert rcnn.shared == 0 and fast.shared == costs.features_of_image / (costs.features_of_image + 50 * 320)
    assert fast.total == costs.features_of_image + 50 * 320 and faster.total == costs.features_of_image + 7680 + 300 * 320
    assert len(region_costs(features, head, (32, 24), 50, crop=8, pooled=(8, 2, 2)).schemes()) == 2
    with pytest.raises(ArgumentError, match="nothing was measured"):
        costs.schemes(measured=True)
    with pytest.raises(ArgumentError, match="proposals=0"):
        region_costs(features, head, (32, 24), 0)


def test_vgg16_of_the_paper():
    """VGG-16's 15.3 GMACs of convolutions a crop, 0.12 of linear layers: 2000 regions of an image of 600 x 1000 are 73 times the shared work."""
    convolutions, linear = 15_346_630_656, 25088 * 4096 + 4096 * 4096
    costs = RegionCosts(2000, convolutions, round(convolutions * 600 * 1000 / 224**2), linear, 0)
    assert costs.per_region == pytest.approx(30.9e12, rel=0.01)
    assert costs.ratio == pytest.approx(73.3, rel=0.01)


def test_seconds_are_a_table_of_their_own():
    features, head = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()), nn.Sequential(nn.Flatten(), nn.Linear(4 * 64, 2))
    seconds = region_seconds(features, head, (16, 16), crop=8, batch=2)
    assert min(seconds.features_of_region, seconds.features_of_image, seconds.head) > 0 and seconds.proposal_network == 0
    costs = replace(region_costs(features, head, (16, 16), 100, crop=8), seconds=RegionSeconds(0.02, 0.3, 0.001))
    rcnn, fast = costs.schemes(measured=True)
    assert rcnn.total == pytest.approx(2.1) and fast.total == pytest.approx(0.4)
    assert "2.1 s" in costs.as_text() and "5.25 x" in costs.as_text()
    page = region_costs_page(costs, "a < b")
    assert "Seconds on this machine" in page and "a &lt; b" in page and "http" not in page
    assert json.loads(page.split('id="answer">')[1].split("</script>")[0])["seconds"]["head"] == 0.001
    with pytest.raises(ArgumentError, match="batch=0 must be at least 1"):
        region_seconds(features, head, (16, 16), crop=8, batch=0)
