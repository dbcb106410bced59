"""The experiments that compare whole networks: depth, identity layers, side branches, and how general each layer is."""

import argparse
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import UsageError
from .common import Console, table

DEPTHS = {"degradation": "20,56", "vgg-depth": "11,13,16,19"}
ADDED_LAYERS = 1  # identity layers behind every module that takes some


def run(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Do the experiment."""
    from ..train import recipe
    from .data import open_data, short_name
    from .runs import check_model_name
    from .train import changes

    names = _networks(arguments)
    for name in names:
        check_model_name(name)
    config = recipe(names[0], short_name(arguments.data), **{"epochs": 2, **changes(arguments)})
    data = open_data(arguments.data, arguments.download)
    learn, validate = data.split_training(config)
    if arguments.images is not None:
        learn = _first(learn, arguments.images)
        validate = _first(validate, max(1, arguments.images // 5))
    console.say(f"{len(learn):,} training images of {data.name}, error measured on {len(validate):,} others; {config.epochs} epochs each")
    return ACTIONS[arguments.name](arguments, names, data, learn, validate, config, console)


def _networks(arguments: argparse.Namespace) -> list[str]:
    """The names of the networks to train."""
    if arguments.name not in DEPTHS:
        return [arguments.model]
    text = arguments.depths or DEPTHS[arguments.name]
    depths = [part.strip() for part in text.split(",")]
    if not all(depth.isdigit() for depth in depths):
        raise UsageError(f"--depths {text}: write whole numbers with commas, such as {DEPTHS[arguments.name]}")
    if arguments.name == "vgg-depth":
        return [f"vgg{depth}_cifar" for depth in depths]
    return [f"{kind}{depth}" for kind in ("plain", "resnet") for depth in depths]


def _first(dataset: Any, count: int) -> Any:
    """Up to `count` samples, evenly spread."""
    from ..data import Subset

    return Subset(dataset, np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(np.int64)))


def _builder(name: str, data: Any, **more: Any) -> Callable[[], Any]:
    from ..models import get_model
    from .runs import model_options

    options = {**model_options(name, len(data.classes), data.channels, data.image_size), **more}
    return lambda: get_model(name, **options)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _compare(builders: dict[str, Callable[[], Any]], learn: Any, validate: Any, config: Any, console: Console) -> list[Any]:
    """Train all, say each as it ends, and print the table."""
    from ..train import compare_networks

    def say(one: Any) -> None:
        last = one.epochs[-1]
        console.say(f"{one.name}: training error {_percent(1 - last.train_accuracy)}, {one.seconds:.1f} s")

    runs = compare_networks(builders, learn, validate, config, each=say)
    rows = []
    for one in runs:
        last, best = one.epochs[-1], max(epoch.test_accuracy for epoch in one.epochs)
        first = one.gradients_before[0].rms / max(one.gradients_before[-1].rms, 1e-30)
        rows.append(
            [
                one.name,
                str(one.layers),
                f"{one.parameters:,}",
                f"{last.train_loss:.4f}",
                _percent(1 - last.train_accuracy),
                _percent(1 - last.test_accuracy),
                _percent(1 - best),
                f"{first:.2e}",
                f"{one.seconds:.1f}",
            ]
        )
    header = ["network", "layers", "parameters", "train loss", "train error", "test error", "best", "gradient first/last", "seconds"]
    console.say("\n" + table(header, rows))
    return runs


def _draw_errors(arguments: argparse.Namespace, runs: list[Any], title: str, console: Console) -> None:
    if arguments.picture is None:
        return
    from .. import plot

    plot.draw_errors({one.name: [dataclasses.asdict(epoch) for epoch in one.epochs] for one in runs}, arguments.picture, title)
    console.say(f"picture: {arguments.picture}")


def _plain(runs: list[Any]) -> dict[str, Any]:
    return {"runs": [dataclasses.asdict(one) for one in runs]}


def _degradation(arguments: Any, names: list[str], data: Any, learn: Any, validate: Any, config: Any, console: Console) -> dict[str, Any]:
    runs = _compare({name: _builder(name, data) for name in names}, learn, validate, config, console)
    half = len(runs) // 2
    for kind, part in (("plain", runs[:half]), ("residual", runs[half:])):
        shallow, deep = part[0], part[-1]
        worse = 100 * (shallow.epochs[-1].train_accuracy - deep.epochs[-1].train_accuracy)
        words = f"{worse:.2f} points more" if worse > 0 else f"{-worse:.2f} points less"
        console.say(f"{kind}: {deep.name} has {words} training error than {shallow.name}")
    _draw_errors(arguments, runs, f"Degradation on {data.name}", console)
    return _plain(runs)


def _vgg_depth(arguments: Any, names: list[str], data: Any, learn: Any, validate: Any, config: Any, console: Console) -> dict[str, Any]:
    """Without batch normalisation, as VGG was published: it hides how hard depth makes the optimisation."""
    runs = _compare({name: _builder(name, data, batch_norm=False) for name in names}, learn, validate, config, console)
    best = min(runs, key=lambda one: 1 - one.epochs[-1].train_accuracy)
    console.say(f"the lowest training error: {best.name}, with {best.layers} layers; the networks have no batch normalisation")
    _draw_errors(arguments, runs, f"Depth of VGG on {data.name}", console)
    return _plain(runs)


def _side_branches(arguments: Any, names: list[str], data: Any, learn: Any, validate: Any, config: Any, console: Console) -> dict[str, Any]:
    (name,) = names
    builders = {f"{name} {words}": _builder(name, data, aux_logits=on) for words, on in (("without", False), ("with side branches", True))}
    runs = _compare(builders, learn, validate, config, console)
    if arguments.picture is not None:
        from .. import plot

        flows = {}
        for one in runs:
            for words, gradients in (("before", one.gradients_before), ("after", one.gradients_after)):
                own = [(layer.layer, layer.rms) for layer in gradients if not layer.layer.lower().startswith("aux")]
                flows[f"{one.name}, {words}"] = own
        plot.draw_gradient_flow(flows, arguments.picture, f"The gradient in every layer, {name} on {data.name}")
        console.say(f"picture: {arguments.picture}")
    return _plain(runs)


def _identity(arguments: Any, names: list[str], data: Any, learn: Any, validate: Any, config: Any, console: Console) -> dict[str, Any]:
    from ..autograd import no_grad
    from ..nn import init
    from ..train import Deepened, prepare, train
    from ..train.prepare import first_images

    build = _builder(names[0], data)
    prepared = prepare(build, learn, validate, config)
    train(*prepared, config, show=False)
    model = prepared.model.eval()
    images = first_images(prepared.test_loader, 64)
    with no_grad():
        before = model(images).data.copy()
    rows = [_measure(f"{names[0]}, trained", prepared)]
    deeper = Deepened(model, images, ADDED_LAYERS)
    with no_grad():
        difference = float(np.abs(deeper.eval()(images).data - before).max())
    words = f"with {len(list(deeper.added)) * ADDED_LAYERS} identity layers"
    again = prepare(lambda: deeper, learn, validate, config)
    rows.append(_measure(words, again))
    train(*again, config, show=False)
    rows.append(_measure(f"{words}, trained on", again))

    def from_random() -> Any:
        net = Deepened(build(), images, ADDED_LAYERS, after=deeper.after)
        for parameter in net.added.parameters():
            init.kaiming_normal_(parameter, nonlinearity="relu")
        return net

    fresh = prepare(from_random, learn, validate, config)
    train(*fresh, config, show=False)
    rows.append(_measure("as deep, from random weights", fresh))
    console.say(table(["network", "parameters", "training error", "test error"], [row[:4] for row in rows]))
    largest = np.abs(before).max()
    console.say(f"the identity layers changed the outputs of {len(before)} images by at most {difference:.2g}, the largest is {largest:.2g}")
    return {"difference": difference, "rows": [{"network": row[0], "train_error": row[4], "test_error": row[5]} for row in rows]}


def _measure(name: str, run: Any) -> list[Any]:
    """A row of the table: name, parameters, both errors in words and as numbers."""
    from ..train import evaluate

    errors = [1 - evaluate(run.model, loader, worst=0).accuracy for loader in (run.train_loader, run.test_loader)]
    return [name, f"{sum(parameter.numel() for parameter in run.model.parameters()):,}", *map(_percent, errors), *errors]


def _layer_transfer(arguments: Any, names: list[str], data: Any, learn: Any, validate: Any, config: Any, console: Console) -> dict[str, Any]:
    from ..train.layer_transfer import layer_transfer, split_classes

    first, second = ([split_classes(part, half) for part in (learn, validate)] for half in (0, 1))
    half = len(data.classes) // 2
    build = _builder(names[0], data)
    runs = layer_transfer(build, first, second, (half, len(data.classes) - half), config)
    rows = [[str(one.parts), one.until, _percent(one.frozen), _percent(one.tuned)] for one in runs]
    console.say(table(["parts kept", "until", "frozen", "fine-tuned"], rows))
    console.say(f"accuracy on classes {half} to {len(data.classes) - 1} of a network whose first parts were learned on classes 0 to {half - 1}")
    if arguments.picture is not None:
        from .. import plot

        flows = {"frozen": [one.frozen for one in runs], "fine-tuned": [one.tuned for one in runs]}
        plot.draw_layer_transfer(flows, [one.until for one in runs], arguments.picture)
        console.say(f"picture: {arguments.picture}")
    return {"runs": [one._asdict() for one in runs]}


ACTIONS: dict[str, Any] = {
    "degradation": _degradation,
    "vgg-depth": _vgg_depth,
    "side-branches": _side_branches,
    "identity": _identity,
    "layer-transfer": _layer_transfer,
}
