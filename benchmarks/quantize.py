"""Networks in 8-bit integers against themselves in floats: accuracy by method, memory, and time, on all 10,000 test images.

    python benchmarks/quantize.py --weights resnet20-12fca82f.th      # LeNet-5 on MNIST, ResNet-20 on CIFAR-10; writes results/quantize.json

LeNet-5 is trained first (three epochs, seed 0); ResNet-20's weights are akamaster's pytorch_resnet_cifar10, normalised as there.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from harness import measure, save

import tinycnn
from tinycnn import models, nn
from tinycnn.data import load_dataset
from tinycnn.study.quantization import CALIBRATIONS, errors_by_layer, quantize
from tinycnn.train import prepare, recipe, train
from tinycnn.weights import load_weights

CALIBRATION_IMAGES = 512
BATCHES = (1, 64)
BITS = (8, 6, 5, 4)
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def pixels_of(name: str, train_split: bool, mean: Any, std: Any, count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Normalised images (N, C, H, W) of a data set at even distances, and their labels."""
    photos = load_dataset(name, train_split, transform=None)
    places = np.arange(len(photos)) if count is None else np.linspace(0, len(photos) - 1, count).round().astype(int)
    pictures = np.stack([np.asarray(photos[int(place)][0]) for place in places]).astype(np.float32)
    planes = pictures.reshape(len(pictures), *pictures.shape[1:3], -1).transpose(0, 3, 1, 2) if pictures.shape[1] not in (1, 3) else pictures
    mean, std = (np.asarray(numbers, np.float32).reshape(-1, 1, 1) for numbers in (mean, std))
    return np.ascontiguousarray((planes / np.float32(255) - mean) / std), np.asarray(photos.labels())[places]


def accuracy(model: Any, images: np.ndarray, labels: np.ndarray) -> float:
    """In per cent."""
    with tinycnn.no_grad():
        right = sum(int((model(tinycnn.Tensor(images[k : k + 250])).data.argmax(1) == labels[k : k + 250]).sum()) for k in range(0, len(labels), 250))
    return 100 * right / len(labels)


def trained_lenet(epochs: int) -> tuple[Any, Any, Any]:
    """LeNet-5 on MNIST by its recipe, with the statistics that its images were normalised with."""
    from tinycnn.cli.data import open_data

    data = open_data("mnist")
    config = recipe("lenet5", "mnist", epochs=epochs, seed=0)
    prepared = prepare(models.lenet5, data.learning_set(config), data.test_set(), config)
    train(*prepared, config)
    return prepared.model.eval(), data.train.mean, data.train.std


def study(name: str, model: Any, data: str, mean: Any, std: Any, rounds: int) -> dict[str, Any]:
    """One network: every way to quantise it, its memory and its time."""
    calibration, _ = pixels_of(data, True, mean, std, CALIBRATION_IMAGES)
    images, labels = pixels_of(data, False, mean, std)
    float_accuracy = accuracy(model, images, labels)
    ways = []
    for method in CALIBRATIONS:
        for per_channel in (True, False):
            small = quantize(model, calibration, method=method, per_channel=per_channel)
            found = accuracy(small, images, labels)
            ways.append({"ranges": method, "per_channel": per_channel, "accuracy": found, "points_lost": round(float_accuracy - found, 3)})
            print(name, ways[-1], flush=True)
    by_bits = {bits: accuracy(quantize(model, calibration, method="mse", bits=bits), images, labels) for bits in BITS}
    small = quantize(model, calibration)
    fused = nn.fuse(model)
    times = {}
    for batch in BATCHES:
        some = tinycnn.Tensor(images[:batch])
        with tinycnn.no_grad():
            found_times = measure({"float": lambda some=some: fused(some).data, "int8": lambda some=some: small(some).data}, rounds)
        milliseconds = {which: round(1e3 * found_times.median(which), 3) for which in ("float", "int8")}
        times[batch] = {**milliseconds, "ratio": round(found_times.ratio("int8", "float"), 3)}
    layers = [{"name": row.name, "alone": row.alone, "so_far": row.so_far} for row in errors_by_layer(small, calibration[:64])]
    return {
        "network": name,
        "data": data,
        "float_accuracy": float_accuracy,
        "ways": ways,
        "accuracy_by_bits": by_bits,
        "bytes": {"float": small.float_bytes, "int8": small.nbytes},
        "milliseconds": times,
        "layers": layers,
    }


def main() -> None:
    """Study both and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True, help="resnet20-12fca82f.th")
    parser.add_argument("--epochs", type=int, default=3, help="of LeNet-5's training")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    resnet = models.resnet20().eval()
    load_weights(resnet, arguments.weights)
    rows = [study("resnet20", resnet, "cifar10", *IMAGENET, arguments.rounds)]
    rows.append(study("lenet5", *_lenet(arguments.epochs), arguments.rounds))
    save("quantize", {"calibration_images": CALIBRATION_IMAGES, "lenet5_epochs": arguments.epochs, "rows": rows})


def _lenet(epochs: int) -> tuple[Any, str, Any, Any]:
    model, mean, std = trained_lenet(epochs)
    return model, "mnist", mean, std


if __name__ == "__main__":
    main()
