"""Published results on ImageNet: parameters, multiply-adds and accuracy of the networks the field compares itself with.

From the metadata of the IMAGENET1K_V1 weights in torchvision 0.28 (docs.pytorch.org/vision/stable/models.html, "Table of all available
classification weights"): one crop of 224 pixels, 299 for Inception v3, the net's own size for EfficientNet. torchvision calls the
multiply-adds GFLOPS.
"""

from typing import NamedTuple

__all__ = ["IMAGENET_RESULTS", "PublishedResult"]


class PublishedResult(NamedTuple):
    """One network's size, work and accuracy."""

    model: str
    parameters: int
    giga_macs: float  # 10^9 multiply-adds an image
    top1: float  # % of the 50,000 validation images


IMAGENET_RESULTS = tuple(
    PublishedResult(*row)
    for row in (
        ("alexnet", 61_100_840, 0.714, 56.522),
        ("vgg11", 132_863_336, 7.609, 69.02),
        ("vgg13", 133_047_848, 11.308, 69.928),
        ("vgg16", 138_357_544, 15.47, 71.592),
        ("vgg19", 143_667_240, 19.632, 72.376),
        ("vgg11_bn", 132_868_840, 7.609, 70.37),
        ("vgg16_bn", 138_365_992, 15.47, 73.36),
        ("vgg19_bn", 143_678_248, 19.632, 74.218),
        ("googlenet", 6_624_904, 1.498, 69.778),
        ("inception_v3", 27_161_264, 5.713, 77.294),
        ("resnet18", 11_689_512, 1.814, 69.758),
        ("resnet34", 21_797_672, 3.664, 73.314),
        ("resnet50", 25_557_032, 4.089, 76.13),
        ("resnet101", 44_549_160, 7.801, 77.374),
        ("resnet152", 60_192_808, 11.514, 78.312),
        ("resnext50_32x4d", 25_028_904, 4.23, 77.618),
        ("resnext101_32x8d", 88_791_336, 16.414, 79.312),
        ("wide_resnet50_2", 68_883_240, 11.398, 78.468),
        ("wide_resnet101_2", 126_886_696, 22.753, 78.848),
        ("densenet121", 7_978_856, 2.834, 74.434),
        ("densenet161", 28_681_000, 7.728, 77.138),
        ("densenet169", 14_149_480, 3.36, 75.6),
        ("densenet201", 20_013_928, 4.291, 76.896),
        ("squeezenet1_0", 1_248_424, 0.819, 58.092),
        ("squeezenet1_1", 1_235_496, 0.349, 58.178),
        ("mobilenet_v2", 3_504_872, 0.301, 71.878),
        ("mobilenet_v3_small", 2_542_856, 0.057, 67.668),
        ("mobilenet_v3_large", 5_483_032, 0.217, 74.042),
        ("shufflenet_v2_x0_5", 1_366_792, 0.04, 60.552),
        ("shufflenet_v2_x1_0", 2_278_604, 0.145, 69.362),
        ("mnasnet0_5", 2_218_512, 0.104, 67.734),
        ("mnasnet1_0", 4_383_312, 0.314, 73.456),
        ("efficientnet_b0", 5_288_548, 0.386, 77.692),
        ("efficientnet_b1", 7_794_184, 0.687, 78.642),
        ("efficientnet_b2", 9_109_994, 1.088, 80.608),
        ("efficientnet_b3", 12_233_232, 1.827, 82.008),
        ("efficientnet_b4", 19_341_616, 4.394, 83.384),
        ("efficientnet_b5", 30_389_784, 10.266, 83.444),
        ("efficientnet_b6", 43_040_704, 19.068, 84.008),
        ("efficientnet_b7", 66_347_960, 37.746, 84.122),
    )
)
