"""The paper of a run: what the run knows is filled in, what only the author knows is asked for."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..drawing import drawing_of
from ..summary import Row
from ..tables import short_count
from .as_html import paper_html
from .as_latex import paper_latex
from .as_notebook import paper_notebook
from .blocks import Ask, Block, Curves, Diagram, Grid, Listing, Picture, Section, Words
from .measures import known
from .run_facts import RunFacts, read_run

__all__ = ["Paper", "run_report"]

MOST_BOXES = 16  # a longer diagram does not fit beside the text; its table of parts does
MOST_LAYERS = 14
MOST_EPOCHS = 8
SCHEDULES = {"one_cycle": "rises and falls once", "cosine": "falls along a cosine", "step": "falls in steps", "constant": "stays"}
CHANGES = {
    "shift": "moved by up to {} pixels", "rotate": "turned by up to {} degrees", "elastic": "deformed elastically (strength {})",
    "colour": "changed in colour (strength {})", "cutout": "blotted out in a square of {} pixels", "erase": "erased in part with probability {}",
    "mixup": "blended in pairs (mixup, alpha {})", "cutmix": "pasted into each other (cutmix, alpha {})",
}  # fmt: skip


@dataclass(frozen=True)
class Paper:
    """Title, author, and the four sections."""

    title: str
    author: str
    sections: tuple[Section, ...]
    facts: RunFacts

    def html(self) -> str:
        """One page that works offline; prints on A4."""
        return paper_html(self.title, self.author, self.sections, _data(self.facts))

    def latex(self, folder: str | Path = ".") -> str:
        """A document for pdflatex; pictures are named as seen from `folder`, where the file will lie."""
        return paper_latex(self.title, self.author, self.sections, Path(folder))

    def notebook(self) -> dict[str, Any]:
        """A Jupyter notebook (nbformat 4.5), its pictures inside; the code cells draw the log and read the run again."""
        return paper_notebook(self.title, self.author, self.sections)


def run_report(folder: str | Path, *, author: str = "", title: str = "") -> Paper:
    """Fill the midterm's template from a run that `tinycnn train` left.

    Parameters
    ----------
    folder : str or Path
        The run's folder, or its checkpoint file.
    author : str
        Below the title; asked for where it is empty.
    title : str
        "MODEL on DATA" where it is empty.

    Returns
    -------
    Paper
        `html()`, `latex(folder)` and `notebook()` write it.

    Raises
    ------
    CheckpointError
        If there is no checkpoint, it is not one of `tinycnn train`, or no epoch was finished.

    Notes
    -----
    Every number comes from the run's checkpoint, its config.json and a forward pass of its network; nothing is trained or evaluated again.
    """
    facts = read_run(folder)
    sections = (
        Section("Motivation", tuple(_motivation(facts))),
        Section("Method", tuple(_method(facts))),
        Section("Evaluation", tuple(_evaluation(facts))),
        Section("Reproduction", tuple(_reproduction(facts))),
    )
    return Paper(title or f"{facts.info['model']} on {facts.data_name}", author, sections, facts)


def _motivation(facts: RunFacts) -> list[Block]:
    return [
        Words(facts.task.question(facts.info, facts.data_name)),
        Words(f"The network: {facts.what}" + (f" Source: {facts.source}" if facts.source else "")),
        Ask("In two or three sentences: which problem did this paper solve, what is its idea, and why did you choose it?"),
    ]


def _method(facts: RunFacts) -> list[Block]:
    network = facts.network
    blocks: list[Block] = [
        Words(
            f"The network has {network.parameters:,} parameters; one image costs {short_count(network.macs)} multiply-accumulates. "
            "Sizes are channels x height x width."
        )
    ]
    if len(network.rows) <= MOST_BOXES:
        blocks.append(Diagram(drawing_of(network), f"{facts.info['model']}: every operator, with the shapes between them."))
    rows = _parts(network.rows)
    total = ("all", "", f"{network.parameters:,}", short_count(network.macs))
    blocks.append(Grid(("part", "output", "parameters", "MACs"), [*rows, total], "The network, part by part.", (1, 2, 3)))
    blocks.append(Words(_recipe(facts)))
    blocks.append(Ask("What differs from the paper (size, data, training), and why?"))
    return blocks


def _parts(rows: Sequence[Row]) -> list[tuple[str, str, str, str]]:
    """A row a layer; a row a part of the network where these are too many."""
    groups: dict[str, list[Row]] = {}
    few = len(rows) <= MOST_LAYERS
    for row in rows:
        name = row.name if few else row.name.split(".")[0]
        groups.setdefault(name, []).append(row)
    found = []
    for name, own in groups.items():
        shape = "x".join(map(str, own[-1].call.output.shape[1:]))
        parameters, macs = sum(row.parameters for row in own), sum(row.cost.macs or 0 for row in own)
        words = name if few or len(own) == 1 else f"{name} ({len(own)} operators)"
        found.append((words, shape, f"{parameters:,}" if parameters else "-", short_count(macs) if macs else "-"))
    return found


def _recipe(facts: RunFacts) -> str:
    """The training in words."""
    config = facts.config
    rate = f"a learning rate of {config['learning_rate']:g} that {SCHEDULES.get(str(config.get('schedule')), 'changes')}"
    minutes = facts.info.get("minutes")
    length = f"{minutes:g} minutes, in which {len(facts.epochs)} epochs were begun," if minutes else f"{config['epochs']} epochs"
    words = [f"Trained for {length} with {config['optimizer']}, {config['batch_size']} images a step, {rate}"]
    if config.get("loss"):
        words.append(f"the loss {config['loss']}")
    if config["optimizer"] == "sgd" and config.get("momentum"):
        words.append(f"{'Nesterov ' if config.get('nesterov') else ''}momentum {config['momentum']:g}")
    if config.get("weight_decay"):
        words.append(f"weight decay {config['weight_decay']:g}")
    if config.get("label_smoothing"):
        words.append(f"labels smoothed by {config['label_smoothing']:g}")
    changes = [text.format(f"{config[name]:g}") for name, text in CHANGES.items() if config.get(name)]
    changes += ["mirrored"] if config.get("flip") else []
    changes += ["changed by the symmetries of the data"] if config.get("symmetry") else []
    varied = f" Training images are at random {', '.join(changes)}." if changes else " Training images are not varied."
    return ", ".join(words) + "." + varied


def _evaluation(facts: RunFacts) -> list[Block]:
    task, last = facts.task, facts.epochs[-1]
    header = ("epoch", *(heading for heading, _, _ in task.columns))
    wanted = int(facts.config.get("epochs", last["epoch"]))
    short = "" if last["epoch"] >= wanted or facts.info.get("minutes") else f" The run stopped after {last['epoch']} of {wanted} epochs."
    seed = f" One seed ({facts.config.get('seed', 0)}): the spread over seeds is not known from one run."
    drawn = (task.quantities[0], task.score)
    blocks: list[Block] = [
        Words(_verdict(facts) + short + seed),
        Curves(facts.epochs, drawn, f"Loss and {task.score.title} over the epochs; dashed: while the network learned, solid: {task.others}."),
        Grid(header, _epoch_rows(facts), "Some epochs of the log.", tuple(range(len(header)))),
    ]
    blocks += [Picture(facts.folder / name, caption) for name, caption in task.pictures if (facts.folder / name).is_file()]
    blocks += [Words(f"Noted while it trained: {hint}") for hint in facts.hints]
    blocks.append(Ask("Beside the paper's number: where does the difference come from? What does the network confuse, and why?"))
    return blocks


def _verdict(facts: RunFacts) -> str:
    """The last score, the best one, and how far training was ahead."""
    score, best, key = facts.task.score, facts.best, facts.task.key
    if not facts.scored:
        return f"The {score.title} of the {facts.task.others} was not measured in this run."
    last = facts.scored[-1]
    loss = known(last, "test_loss")
    words = f"After epoch {last['epoch']} the {score.title} of the {facts.task.others} is {100 * last[key]:.2f} %"
    words += "" if loss is None else f" (loss {loss:.4f})"
    words += f"; the best epoch was {best['epoch']} with {100 * best[key]:.2f} %."
    if score.train and known(last, score.train) is not None:
        gap = 100 * (last[score.train] - last[key])
        words += f" In training it was {abs(gap):.2f} points {'higher' if gap >= 0 else 'lower'}."
    return words


def _epoch_rows(facts: RunFacts) -> list[tuple[str, ...]]:
    """Epochs at even distances, the last included."""
    count = len(facts.epochs)
    places = sorted({round(k * (count - 1) / max(MOST_EPOCHS - 1, 1)) for k in range(MOST_EPOCHS)}) if count > MOST_EPOCHS else range(count)
    columns = facts.task.columns
    return [(str(epoch["epoch"]), *(each.cell(name, epoch) for _, each, name in columns)) for epoch in (facts.epochs[place] for place in places)]


def _reproduction(facts: RunFacts) -> list[Block]:
    environment = {name: value for name, value in facts.environment.items() if name not in ("command", "written")}
    machine = list(environment.items())
    machine += [("training", f"{facts.minutes:.1f} minutes")]
    machine += [("source", f"commit {facts.commit}")] if facts.commit else []
    machine += [("checkpoint", f"SHA-256 {facts.checksum[:16]}...")]
    options = {name: value for name, value in facts.info["model_options"].items() if name not in ("num_classes", "in_channels", "image_size")}
    settings = [(name.replace("_", " "), str(value)) for name, value in (*facts.changed.items(), *options.items())]
    code = f"""
        from tinycnn.study.report import read_run

        run = read_run({str(facts.folder)!r})
        print(run.score, run.checksum)
    """
    return [
        Words("The same seed, threads and machine give the same bits; another machine the same to rounding."),
        Listing(f"pip install tinycnn\n{facts.command}\ntinycnn eval {facts.folder}", "sh"),
        Listing(textwrap.dedent(code).strip(), "python"),
        Grid(("hyper-parameter", "value"), settings, "Settings; all others have their default."),
        Grid(("machine", "value"), machine, "Where it ran."),
        Ask("What would somebody need beside this to get your number: data, patience, a seed list?"),
    ]


def _data(facts: RunFacts) -> dict[str, Any]:
    """The numbers, for programs that read the page."""
    return {"info": dict(facts.info), "config": dict(facts.config), "epochs": list(facts.epochs), "environment": dict(facts.environment)}
