"""The class of every pixel: a small U-Net learns to tell triangles, half discs and arrows apart on a rough background.

The pictures are drawn, so there is nothing to download. `tinycnn train unet` does the same from the command line and leaves curves and a
report; `--data nuclei` and `--data camvid` are real.

    python examples/03_segmentation.py            # 8 epochs of 200 pictures
    python examples/03_segmentation.py --smoke    # one epoch of 24, a few seconds
"""

import argparse
import sys
from pathlib import Path

from tinycnn import manual_seed, models, plot, train
from tinycnn.data import load_label_maps


def main() -> int:
    """Train, and say what became of it."""
    parser = argparse.ArgumentParser(description="Train a small U-Net on drawn shapes.")
    parser.add_argument("--smoke", action="store_true", help="one epoch of a few pictures")
    parser.add_argument("--picture", type=Path, help="a PNG file for one test picture, its labels and the answer")
    arguments = parser.parse_args()

    few = 24 if arguments.smoke else None
    learn, test = load_label_maps("shapes").first(few), load_label_maps("shapes", "test").first(few)
    config, options = train.segmentation_recipe("unet_small", "shapes", **({"epochs": 1} if arguments.smoke else {}))

    manual_seed(config.seed)
    model = models.get_model("unet_small", num_classes=len(learn.classes), **options)
    mean, std = train.moments(learn)
    result = train.train_segmentation(model, learn, config, mean=mean, std=std, say=print)

    verdict = train.evaluate_segmentation(model, test, mean=mean, std=std)
    print(f"on {verdict.pictures} pictures that the net has never seen:")
    print(verdict.scores.text())
    for name, _, iou, _, pixels in verdict.rows():
        print(f"{name:>12}: IoU {100 * iou:.1f} %, {pixels:,} pixels")
    if arguments.picture:
        picture, labels = test[0]
        guess = train.pixel_scores(model, picture[None], mean, std)[0].argmax(0)
        palette = plot.voc_colour_map(len(test.classes))
        panels = {"picture": picture, "truth": plot.overlay(picture, labels, palette), "network": plot.overlay(picture, guess, palette)}
        plot.draw_label_maps(panels, arguments.picture, classes=test.classes, palette=palette, shown=range(len(test.classes)))
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
