"""The class of every pixel: a small U-Net learns to tell triangles, half discs and arrows apart on a rough background.

The pictures are drawn, so there is nothing to download; nuclei and camvid are real, and looked for in TINYCNN_DATA. `tinycnn train unet`
does the same from the command line and leaves curves and a report.

    python examples/03_segmentation.py                  # 8 epochs of 200 pictures
    python examples/03_segmentation.py --data nuclei    # a quarter of an hour on two cores: benchmarks/results/real_data.json, row unet
    python examples/03_segmentation.py --smoke          # one epoch of 24, a few seconds
"""

import argparse
import sys
from pathlib import Path

from tinycnn import manual_seed, models, plot, train
from tinycnn.data import known_name, load_label_maps
from tinycnn.models.segmentation import border_classes


def main() -> int:
    """Train, and say what became of it."""
    parser = argparse.ArgumentParser(description="Train a U-Net on drawn shapes or real pictures.")
    parser.add_argument("--data", default="shapes", help="shapes, nuclei, camvid, or a folder of label maps (default: shapes)")
    parser.add_argument("--smoke", action="store_true", help="one epoch of a few pictures")
    parser.add_argument("--picture", type=Path, help="a PNG file for one test picture, its labels and the answer")
    arguments = parser.parse_args()

    few, name = (24 if arguments.smoke else None), "unet_small" if arguments.data == "shapes" else "unet"
    learn, test = load_label_maps(arguments.data).first(few), load_label_maps(arguments.data, "test").first(few)
    classes = learn.classes or train.NUCLEI_CLASSES
    config, options = train.segmentation_recipe(name, known_name(arguments.data), **({"epochs": 1} if arguments.smoke else {}))

    manual_seed(config.seed)
    model = models.get_model(name, num_classes=len(classes), **options)
    mean, std = train.moments(learn)
    result = train.train_segmentation(model, learn, config, mean=mean, std=std, say=print)

    verdict = train.evaluate_segmentation(model, test, mean=mean, std=std)
    print(f"on {verdict.pictures} pictures that the net has never seen:")
    print(verdict.scores.text())
    for name, _, iou, _, pixels in verdict.rows():
        print(f"{name:>12}: IoU {100 * iou:.1f} %, {pixels:,} pixels")
    if verdict.instances is not None:
        print("cells: {} found, {} invented, {} missed".format(*verdict.instances))
    if arguments.picture:
        picture, labels = test[0]
        if not learn.classes:
            labels = border_classes(labels)
        guess = train.pixel_scores(model, picture[None], mean, std)[0].argmax(0)
        palette = plot.palette_for(arguments.data, len(classes))
        panels = {"picture": picture, "truth": plot.overlay(picture, labels, palette), "network": plot.overlay(picture, guess, palette)}
        plot.draw_label_maps(panels, arguments.picture, classes=classes, palette=palette, shown=range(len(classes)))
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
