"""Masks: a small Mask R-CNN learns from nothing which pixels belong to each of several overlapping shapes.

Beside its box each shape gets a map of probabilities, drawn for its class alone. The nuclei are real, and looked for in TINYCNN_DATA. `tinycnn
train maskrcnn_mini --data shapes` does the same from the command line and leaves curves and a report: 15 minutes on one core gave masks an AP50 of
0.756 with left-right mirrors alone, one seed (benchmarks/results/shapes.json).

    python examples/05_instance_segmentation.py --minutes 15     # a quarter of an hour on two cores
    python examples/05_instance_segmentation.py --data nuclei    # as long: benchmarks/results/real_data.json, row maskrcnn
    python examples/05_instance_segmentation.py --smoke          # a few steps
"""

import argparse
import sys
from pathlib import Path

from tinycnn import models, no_grad, plot, train
from tinycnn.data import InstanceMaps, KeptInMemory, ShapesDetection, load_label_maps


def main() -> int:
    """Train, and say what became of it."""
    parser = argparse.ArgumentParser(description="Train a small Mask R-CNN on drawn shapes or real nuclei.")
    parser.add_argument("--data", choices=["shapes", "nuclei"], default="shapes", help="what to learn from (default: shapes)")
    parser.add_argument("--minutes", type=float, default=15.0, help="of training (default: 15)")
    parser.add_argument("--seed", type=int, default=0, help="decides everything random (default: 0)")
    parser.add_argument("--smoke", action="store_true", help="a few steps on a few pictures")
    parser.add_argument("--picture", type=Path, help="a PNG file for one test picture with what was found")
    arguments = parser.parse_args()

    options: dict[str, int] = {}
    if arguments.data == "nuclei":
        learn, test = (KeptInMemory(InstanceMaps(load_label_maps("nuclei", split), "nucleus")) for split in ("train", "test"))
        options = train.NUCLEI_DETECTION
    else:
        learn = KeptInMemory(ShapesDetection(16 if arguments.smoke else 4000, seed=arguments.seed))
        test = KeptInMemory(ShapesDetection(4 if arguments.smoke else 500, seed=arguments.seed, train=False))
    classes = len(learn.classes) + 1  # with the background
    config = train.detection_config("maskrcnn_mini").replace(seed=arguments.seed, flip=True, epochs=1 if arguments.smoke else 1000)
    minutes = None if arguments.smoke else arguments.minutes
    run = train.prepare_detector(lambda: models.get_model("maskrcnn_mini", num_classes=classes, **options), learn, test, config, minutes=minutes)
    result = train.train_detector(*run, config)

    scores = train.evaluate_detector(run.model, test).scores
    print(f"AP50 of boxes {scores['AP50']:.3f}, of masks {scores.get('mask_AP50', 0):.3f}, on {len(test)} pictures that the net has never seen")
    if arguments.picture:
        image = test[0][0]
        with no_grad():
            found = run.model.eval()([image])[0]
        plot.draw_detections(image, found, dict(enumerate(test.classes, start=1)), scale=4).save(arguments.picture)
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
