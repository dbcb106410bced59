"""Pose: a small Keypoint R-CNN learns from nothing where the tip, the right and the left of each turned shape are.

Each point is the place of the largest number in a map of its own; right and left are the shape's, so that a mirror exchanges them.
`tinycnn train keypointrcnn_mini --data shapes` does the same from the command line and leaves curves and a report: 15 minutes on two cores gave
points an AP50 (by OKS) of 0.718, one seed (benchmarks/results/shapes.json).

    python examples/06_pose.py --minutes 15    # a quarter of an hour on two cores
    python examples/06_pose.py --smoke         # a few steps
"""

import argparse
import sys
from pathlib import Path

from tinycnn import models, no_grad, plot, train
from tinycnn.data import KeptInMemory, ShapesDetection


def main() -> int:
    """Train, and say what became of it."""
    parser = argparse.ArgumentParser(description="Train a small Keypoint R-CNN on drawn shapes.")
    parser.add_argument("--minutes", type=float, default=15.0, help="of training (default: 15)")
    parser.add_argument("--seed", type=int, default=0, help="decides everything random (default: 0)")
    parser.add_argument("--smoke", action="store_true", help="a few steps on a few pictures")
    parser.add_argument("--picture", type=Path, help="a PNG file for one test picture with what was found")
    arguments = parser.parse_args()

    learn = KeptInMemory(ShapesDetection(16 if arguments.smoke else 4000, seed=arguments.seed))
    test = ShapesDetection(4 if arguments.smoke else 500, seed=arguments.seed, train=False)
    config = train.detection_config("keypointrcnn_mini").replace(seed=arguments.seed, flip=True, epochs=1 if arguments.smoke else 1000)
    minutes = None if arguments.smoke else arguments.minutes
    run = train.prepare_detector(lambda: models.get_model("keypointrcnn_mini", num_classes=4, num_keypoints=3), learn, test, config, minutes=minutes)
    result = train.train_detector(*run, config)

    scores = train.evaluate_detector(run.model, test).scores
    print(f"AP50 of boxes {scores['AP50']:.3f}, of points {scores.get('keypoint_AP50', 0):.3f}, on {len(test)} pictures that the net has never seen")
    if arguments.picture:
        image = test[0][0]
        with no_grad():
            found = run.model.eval()([image])[0]
        plot.draw_detections(image, found, dict(enumerate(test.classes, start=1)), scale=4).save(arguments.picture)
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
