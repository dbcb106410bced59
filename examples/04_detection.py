"""Boxes: a small Faster R-CNN learns from nothing to find triangles, half discs and arrows that are turned and overlap.

The pictures are drawn, so there is nothing to download; any folder of Pascal VOC's or COCO's form with its splits may take their place. Why
each detection is right or wrong is said in words. `tinycnn train fasterrcnn_mini` does the same and leaves curves and a report.
Its 15 minutes on two cores gave an AP50 of 0.853 with left-right mirrors alone, one seed (benchmarks/results/shapes.json).

    python examples/04_detection.py --minutes 15    # a quarter of an hour on two cores
    python examples/04_detection.py --data ../shared/data/bccd/BCCD
    python examples/04_detection.py --smoke         # a few steps
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from tinycnn import models, plot, train
from tinycnn.data import AnnotatedImages, KeptInMemory, ShapesDetection
from tinycnn.metrics import detection_verdicts


def main() -> int:
    """Train, and say what became of it."""
    parser = argparse.ArgumentParser(description="Train a small Faster R-CNN on drawn shapes or your own pictures.")
    parser.add_argument("--data", type=Path, help="a folder of annotated pictures with a train and a test split")
    parser.add_argument("--minutes", type=float, default=15.0, help="of training (default: 15)")
    parser.add_argument("--seed", type=int, default=0, help="decides everything random (default: 0)")
    parser.add_argument("--smoke", action="store_true", help="a few steps on a few pictures")
    parser.add_argument("--picture", type=Path, help="a PNG file for one test picture with what was found")
    arguments = parser.parse_args()

    if arguments.data:
        learn, test = (KeptInMemory(AnnotatedImages(arguments.data, split=split)) for split in ("train", "test"))
    else:
        learn = KeptInMemory(ShapesDetection(16 if arguments.smoke else 4000, seed=arguments.seed))
        test = KeptInMemory(ShapesDetection(4 if arguments.smoke else 500, seed=arguments.seed, train=False))
    config = train.detection_config("fasterrcnn_mini").replace(seed=arguments.seed, flip=True, epochs=1 if arguments.smoke else 1000)
    minutes, classes = None if arguments.smoke else arguments.minutes, len(learn.classes) + 1  # with the background
    run = train.prepare_detector(lambda: models.get_model("fasterrcnn_mini", num_classes=classes), learn, test, config, minutes=minutes)
    result = train.train_detector(*run, config)

    found = train.evaluate_detector(run.model, test)
    print(f"AP50 {found.scores['AP50']:.3f}, AP {found.scores['AP']:.3f} on {len(test)} pictures that the net has never seen")
    verdicts, missed = detection_verdicts(found.data)
    sure = Counter(each.verdict for each in verdicts if found.data.detections[each.detection].score >= 0.5)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sure.most_common()) or "none"
    print(f"detections of a score of 0.5 or more: {counts}; {len(missed)} things missed")
    if arguments.picture:
        names = dict(enumerate(test.classes, start=1))
        plot.draw_detections(test[0][0], found.answers[0], names, scale=4).save(arguments.picture)
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
