"""`tinycnn codes RUN`: a network's features, and what simpler methods make of them."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from .common import Console, add_data_options, add_machine_options, find_run, table, use_threads, whole_number

DESCRIPTION = """\
Run images through a trained network, keep what a layer makes of them (CNN codes), and give the codes to a linear support vector machine,
to nearest neighbours and to k-means, which sees no labels. Draws a map of the codes and the nearest images to some."""
EPILOG = """\
examples:
  tinycnn codes runs/resnet20-cifar10
  tinycnn codes runs/lenet5-mnist --data digits --images 2000 --map tsne
  tinycnn codes runs/resnet20-cifar10 --layer layer2 --pool --save codes.npz
"""
QUERIES, SHOWN = 8, 6  # rows and columns of the picture of neighbours
MAPPED = 2000  # points of the map


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="folder, checkpoint or name of a run (default: the newest)")
    add_data_options(parser, None, "what the run was trained on")
    parser.add_argument("--layer", metavar="PATH", help="the module whose output is kept (default: what the last layer gets)")
    parser.add_argument("--pool", action="store_true", help="average each map over its pixels")
    parser.add_argument("--images", type=whole_number(10), default=5000, metavar="N", help="at most N training and test images (default: 5000)")
    parser.add_argument("--neighbours", type=whole_number(1), default=5, metavar="K", help="how many vote (default: 5)")
    parser.add_argument("--map", default="pca", choices=("pca", "tsne"), help="how the map is made; tsne needs pip install 'tinycnn[learn]'")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the pictures go (default: the run's folder)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep codes and labels in an .npz file")
    parser.add_argument("--no-pictures", action="store_true", help="draw nothing")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compute the codes, try the methods, draw."""
    console = Console(arguments.json)
    use_threads(arguments.threads)
    if arguments.save is not None and arguments.save.suffix != ".npz":
        raise UsageError(f"--save {arguments.save}: name a file that ends in .npz")
    from ..study.clustering import cluster_accuracy, k_means
    from ..study.linear_svm import LinearSVM
    from ..study.neighbours import classify_by_neighbours, k_nearest
    from ..train import features
    from .data import open_data
    from .runs import restore

    source = find_run(arguments.run)
    restored = restore(source)
    info = restored.info
    data = open_data(arguments.data or info["data"], arguments.download)
    for words, own, other in (("channels", info["channels"], data.channels), ("pixels a side", info["image_size"], data.image_size)):
        if own != other:
            raise UsageError(f"codes: the network was trained on images with {own} {words}, {data.name} has {other}")
    loaders, pictures = _loaders(data, info, arguments.images)
    learned, labels = features(restored.model, loaders[0], arguments.layer, pool=arguments.pool)
    tested, truth = features(restored.model, loaders[1], arguments.layer, pool=arguments.pool)
    where = arguments.layer or "the last layer's input"
    console.say(f"{info['model']} from {source}: {learned.shape[1]:,} numbers an image of {data.name}, {where}")
    if arguments.save is not None:
        np.savez(arguments.save, train_codes=learned, train_labels=labels, test_codes=tested, test_labels=truth)
    # The machine weighs all features alike, so they get the same spread.
    mean, spread = learned.mean(0), learned.std(0) + 1e-6
    machine = LinearSVM(C=1.0 / len(learned)).fit((learned - mean) / spread, labels)
    by_machine = float(np.mean(machine.predict((tested - mean) / spread) == truth))
    votes = min(arguments.neighbours, len(learned))
    nearest, _ = k_nearest(learned, tested, max(votes, min(SHOWN, len(learned))))
    by_neighbours = float(np.mean(classify_by_neighbours(labels, nearest[:, :votes]) == truth))
    clusters = k_means(tested, min(len(data.classes), len(tested)))
    by_clusters = cluster_accuracy(clusters.labels, truth)
    chosen = [
        ["linear support vector machine", f"{100 * by_machine:.2f} %"],
        [f"{votes} nearest neighbours", f"{100 * by_neighbours:.2f} %"],
        [f"k-means, {len(data.classes)} clusters without labels", f"{100 * by_clusters:.2f} %"],
    ]
    console.say(table(["method", f"accuracy on {len(truth):,} test images"], chosen))
    drawn = [] if arguments.no_pictures else _draw(arguments, source, data, tested, truth, nearest, labels, pictures, console)
    console.result(
        {
            "model": info["model"],
            "data": data.name,
            "features": learned.shape[1],
            "svm": by_machine,
            "neighbours": by_neighbours,
            "k_means": by_clusters,
            "pictures": drawn,
        }
    )
    return 0


def _loaders(data: Any, info: dict[str, Any], count: int) -> tuple[list[Any], list[Any]]:
    """Batches of up to `count` training and test images, normalised as the network learned, and the pictures themselves."""
    from ..data import DataLoader, Subset
    from ..data.transforms import Compose, Normalize, ToTensor
    from .data import TEST_BATCH, Pictures, with_transform

    transform = Compose([ToTensor(), Normalize(info["mean"], info["std"])])
    loaders, pictures = [], []
    for split in (data.train, data.test):
        rows = np.random.default_rng(0).permutation(len(split))[:count]
        part = Subset(with_transform(split, transform), rows)
        loaders.append(DataLoader(part, TEST_BATCH, generator=np.random.default_rng(0)))
        pictures.append(Pictures(part))
    return loaders, pictures


def _draw(
    arguments: argparse.Namespace,
    source: Path,
    data: Any,
    codes: np.ndarray[Any, Any],
    truth: np.ndarray[Any, Any],
    nearest: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any],
    pictures: list[Any],
    console: Console,
) -> list[Path]:
    """The map and the neighbours, as PNG files."""
    from .. import plot
    from ..study.projection import pca, t_sne
    from ..train import require_writable

    if not plot.available():
        console.say("pictures: none drawn: pip install 'tinycnn[plot]'")
        return []
    folder = require_writable(arguments.out or (source.parent if source.is_file() else source))
    part = codes[:MAPPED]
    if arguments.map == "tsne":
        places, title = t_sne(part, perplexity=min(30.0, (len(part) - 1) / 3)), "t-SNE"
    else:
        places, shares = pca(part, 2)
        title = f"two principal components, {100 * shares.sum():.0f} % of the variance"
    count = min(QUERIES, len(truth))
    rows = [[pictures[0][index] for index in nearest[query][:SHOWN]] for query in range(count)]
    same = [[bool(labels[index] == truth[query]) for index in nearest[query][:SHOWN]] for query in range(count)]
    queries = [pictures[1][query] for query in range(count)]
    drawn = [
        plot.draw_map(places, truth[:MAPPED], data.classes, folder / "codes_map.png", f"Codes of {data.name}: {title}"),
        plot.draw_neighbours(queries, rows, same, folder / "codes_neighbours.png", "Test images and the nearest training images"),
    ]
    console.say(f"pictures: {', '.join(map(str, drawn))}")
    return drawn
