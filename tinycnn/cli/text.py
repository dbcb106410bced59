"""`tinycnn text train|predict|sweep`: Kim's sentence network, cross-validated, swept, and its n-grams shown."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from .common import Console, add_machine_options, check_action, find_run, new_run_folder, positive_number, table, use_threads, whole_number
from .main import nearest

DESCRIPTION = """\
Classify sentences by a small convolutional network over their words (Kim 2014), with Zhang and Wallace's choices.

  train DATA       train; or with --folds 10 cross-validate, fold after fold, going on where it was stopped
  predict [TEXT]   say the class of sentences, and which n-grams made it: as text, and as a page (--html)
  sweep DATA       Zhang and Wallace's sensitivity sweep: --of region, maps, pooling, dropout, activation or norm

DATA is rt-polarity, trec, subj, or a file with a class, a space and a sentence on each line."""
EPILOG = """\
examples:
  tinycnn text train rt-polarity --folder ../shared/data
  tinycnn text train rt-polarity --folds 10 --out runs/kim       10-fold cross-validation; the same command goes on after a stop
  tinycnn text train trec --vectors static --vectors-file glove.6B.300d.txt
  tinycnn text predict "a gorgeous , witty film" --run runs/text-rt-polarity --html why.html
  tinycnn text sweep rt-polarity --of region --epochs 10 --only-folds 0,1,2 --out runs/sweep
"""
ACTIONS = ("train", "predict", "sweep")
MAX_ASKED = 1000  # sentences of one predict


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument("words", nargs="*", metavar="DATA|TEXT", help="train, sweep: the data; predict: sentences, else lines of standard input")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where the files of a named data set lie")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the run or the folds are kept")
    parser.add_argument("--run", metavar="RUN", help="predict: folder or name of a run (default: runs/text-*, the newest)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="predict: the sentences and their n-grams as one page")
    parser.add_argument("--of", default="region", metavar="WHAT", help="sweep: region, maps, pooling, dropout, activation or norm (default: region)")
    parser.add_argument("--values", metavar="A,B", help="sweep: only these variants, by number from 0")
    parser.add_argument("--folds", type=whole_number(2), metavar="N", help="cross-validate with N folds (sweep: 10)")
    parser.add_argument("--only-folds", metavar="A,B", help="only these folds, by number from 0")
    parser.add_argument("--region-sizes", metavar="A,B", help="words a filter sees (default: 3,4,5)")
    for name, kind, words in (
        ("maps", whole_number(1), "filters of each region size (default: 100)"),
        ("k", whole_number(1), "of k-max and local pooling"),
        ("dimension", whole_number(1), "numbers of a word's vector (default: 300)"),
        ("least", whole_number(1), "words seen less often are unknown (default: 1)"),
        ("epochs", whole_number(1), "passes over the training sentences (default: 25)"),
        ("batch-size", whole_number(1), "sentences a step (default: 50)"),
        ("seed", whole_number(0), "decides everything random (default: 0)"),
    ):
        parser.add_argument(f"--{name}", type=kind, metavar="N", help=words)
    parser.add_argument("--activation", metavar="NAME", help="relu, tanh, sigmoid, softplus, cube, tanh-cube or identity")
    parser.add_argument("--pooling", metavar="NAME", help="max, k-max, local-max or local-average")
    parser.add_argument("--dropout", type=float, metavar="P", help="share of the pooled numbers dropped (default: 0.5)")
    parser.add_argument("--max-norm", type=float, metavar="S", help="bound on a class's weights, 0 for none (default: 3)")
    parser.add_argument("--lr", type=positive_number, metavar="X", help="Adadelta's factor (default: 1)")
    parser.add_argument("--vectors", metavar="KIND", help="rand, static, non-static or multichannel (default: rand)")
    parser.add_argument("--vectors-file", type=Path, metavar="FILE", help="word2vec's .bin or text, or GloVe's text")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, cross-validate, sweep, or read sentences."""
    check_action(arguments.action, ACTIONS, "text")
    console = Console(arguments.json)
    use_threads(arguments.threads)
    if arguments.action == "predict":
        return _predict(arguments, console)
    if len(arguments.words) != 1:
        raise UsageError(f"text {arguments.action}: name one data set: rt-polarity, trec, subj or a file")
    from ..data.sentences import load_sentences

    config = _config(arguments)
    learn, test = load_sentences(arguments.words[0], arguments.folder)
    # Kim keeps capitals in questions: "Who is Who" asks for something else.
    options = {"vectors_file": arguments.vectors_file, "lower": arguments.words[0] != "trec", "say": console.say}
    counts = f"{len(learn):,} sentences, {len(learn.classes)} classes"
    console.say(f"{learn.name}: {counts}{f', {len(test):,} test sentences' if test is not None else ''}")
    if arguments.action == "sweep":
        return _sweep(arguments, learn, config, options, console)
    if arguments.folds is not None:
        return _folds(arguments, learn, config, options, console)
    return _train(arguments, learn, test, config, options, console)


def _config(arguments: argparse.Namespace) -> Any:
    from ..models.text.zhang_wallace import ACTIVATIONS, POOLINGS
    from ..train.text import TextConfig

    given = {field.name: getattr(arguments, field.name, None) for field in dataclasses.fields(TextConfig)}
    given["learning_rate"] = arguments.lr
    sizes = _numbers("--region-sizes", arguments.region_sizes, 1)
    given["region_sizes"] = None if sizes is None else tuple(sizes)
    for option, value, known in (("activation", arguments.activation, ACTIVATIONS), ("pooling", arguments.pooling, POOLINGS)):
        if value is not None and value not in known:
            raise UsageError(f"--{option} {value}: there is no such {option}{nearest(value, list(known))}; there are {', '.join(known)}")
    config = TextConfig(**{key: value for key, value in given.items() if value is not None}).require_sound()
    if config.vectors != "rand" and arguments.vectors_file is None:
        raise UsageError(f"--vectors {config.vectors}: needs --vectors-file FILE, word2vec's or GloVe's vectors")
    return config


def _numbers(option: str, text: str | None, least: int) -> list[int] | None:
    if text is None:
        return None
    parts = text.split(",")
    if not all(part.strip().isascii() and part.strip().isdigit() and int(part) >= least for part in parts):
        raise UsageError(f"{option} {text}: write whole numbers from {least} up with commas, such as 3,4,5")
    return [int(part) for part in parts]


def _train(arguments: argparse.Namespace, learn: Any, test: Any, config: Any, options: dict[str, Any], console: Console) -> int:
    """One training; without test sentences of its own, the data's first fold of ten is the test."""
    import numpy as np

    from ..data.sentences import fold_numbers
    from ..train import require_writable
    from ..train.text import save_text_run, train_text

    if test is None:
        numbers = fold_numbers(len(learn), 10, config.seed)
        learn, test = learn.part(np.flatnonzero(numbers != 0)), learn.part(np.flatnonzero(numbers == 0))
        console.say(f"every tenth sentence, {len(test):,}, is kept for the test; --folds 10 tests on all of them in turn")
    folder = require_writable(new_run_folder(arguments.out, "text", learn.name))
    trained = train_text(learn, test, config, **options)
    save_text_run(folder, trained, learn.name)
    parameters = sum(parameter.numel() for parameter in trained.model.parameters())
    if trained.known is not None:
        console.say(f"{100 * trained.known:.1f} % of the {len(trained.vocabulary.words):,} words have a published vector")
    accuracy = f"{100 * (trained.accuracy or 0):.2f} % of the test sentences are right"
    console.say(f"{accuracy}, after epoch {trained.best_epoch} of {config.epochs}; {parameters:,} parameters")
    console.say(f'try it        tinycnn text predict "..." --run {folder} --html why.html')
    epochs = [dataclasses.asdict(epoch) for epoch in trained.epochs]
    console.result({"folder": folder, "accuracy": trained.accuracy, "best_epoch": trained.best_epoch, "parameters": parameters, "epochs": epochs})
    return 0


def _folds(arguments: argparse.Namespace, learn: Any, config: Any, options: dict[str, Any], console: Console) -> int:
    from ..train.text_sweep import Variant, cross_validate

    store = None if arguments.out is None else arguments.out / "folds.json"
    if store is None:
        console.say("nothing is kept: with --out FOLDER the same command goes on after a stop")
    done = cross_validate(learn, config, arguments.folds, only=_numbers("--only-folds", arguments.only_folds, 0), store=store, **options)
    whole = Variant(learn.name, config, done)
    console.say("\n" + table(["fold", "accuracy", "best epoch", "minutes"], [_fold_row(fold) for fold in done]))
    console.say(f"mean of {len(done)} of {arguments.folds} folds {100 * whole.mean:.2f} %, standard deviation {100 * whole.deviation:.2f}")
    console.result({"mean": whole.mean, "deviation": whole.deviation, "folds": [dataclasses.asdict(fold) for fold in done], "store": store})
    return 0


def _fold_row(fold: Any) -> list[str]:
    return [str(fold.fold), f"{100 * fold.accuracy:.2f} %", str(fold.best_epoch), f"{fold.seconds / 60:.1f}"]


def _sweep(arguments: argparse.Namespace, learn: Any, config: Any, options: dict[str, Any], console: Console) -> int:
    from ..train.text_sweep import sweep_text

    found = sweep_text(
        learn,
        arguments.of,
        config,
        arguments.folds or 10,
        only=_numbers("--only-folds", arguments.only_folds, 0),
        folder=arguments.out,
        values=_numbers("--values", arguments.values, 0),
        **options,
    )
    rows = [[each.name, f"{100 * each.mean:.2f} %", f"{100 * each.deviation:.2f}", str(len(each.folds))] for each in found]
    console.say("\n" + table([arguments.of, "mean accuracy", "deviation", "folds"], rows))
    variants = [
        {"name": each.name, "mean": each.mean, "deviation": each.deviation, "folds": [dataclasses.asdict(fold) for fold in each.folds]}
        for each in found
    ]
    console.result({"sweep": arguments.of, "variants": variants})
    return 0


def _predict(arguments: argparse.Namespace, console: Console) -> int:
    from ..study.ngrams import fired_ngrams
    from ..train.text import load_text_run

    folder = _run_folder(arguments.run)
    sentences = [text for text in arguments.words if text.strip()] or _standard_input()
    trained = load_text_run(folder)
    if getattr(trained.model, "pooling", "max") != "max":
        from ..train.text import classify

        chances = classify(trained, sentences)
        rows = [[text[:60], trained.classes[row.argmax()], f"{100 * row.max():.1f} %"] for text, row in zip(sentences, chances, strict=True)]
        console.say(table(["sentence", "class", "probability"], rows))
        console.say("the n-grams are shown for networks with one maximum a map (--pooling max)")
        console.result({"run": folder, "sentences": [{"text": text, "probabilities": row} for text, row in zip(sentences, chances, strict=True)]})
        return 0
    readings = [fired_ngrams(trained.model, trained.vocabulary, trained.classes, text) for text in sentences]  # type: ignore[arg-type]
    console.say("\n\n".join(reading.text() for reading in readings))
    if arguments.html is not None:
        from ..study.ngram_page import ngram_page

        arguments.html.write_text(ngram_page(readings), encoding="utf-8")
        console.say(f"\nwritten: {arguments.html}")
    console.result({"run": folder, "sentences": [reading.to_dict() for reading in readings]})
    return 0


def _run_folder(text: str | None) -> Path:
    from .common import known_runs

    if text is not None:
        return find_run(text)
    runs = [folder for folder in known_runs() if folder.name.startswith("text-")]
    if not runs:
        raise DataError("there is no run runs/text-* yet; `tinycnn text train rt-polarity` makes one, or name one by --run")
    return runs[0]


def _standard_input() -> list[str]:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError('text predict: give a sentence, as in `tinycnn text predict "a fine film"`, or sentences on standard input')
    sentences = [line.strip() for line in sys.stdin.read(1 << 20).splitlines() if line.strip()]
    if not 1 <= len(sentences) <= MAX_ASKED:
        raise UsageError(f"text predict: {len(sentences)} sentences on standard input; give 1 to {MAX_ASKED}, one a line")
    return sentences
