"""Find the command, run it, and turn every known failure into one sentence and an exit code.

Exit codes: 0 done, 1 a failure that one sentence on the error stream explains, 2 a command or option that does not
exist or does not fit, 130 stopped by Ctrl-C.
"""

import argparse
import difflib
import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

from ..errors import TinycnnError, UsageError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

# Command: its module in this folder, and its line in `tinycnn --help`.
COMMANDS = {
    "train": ("train", "train a network, evaluate it, draw what it learned"),
    "eval": ("evaluate", "evaluate a trained network and draw its pictures"),
    "health": ("health", "say in words how a run stands: dead units, update sizes, gradients, plateaus"),
    "detect": ("detect", "find objects on pictures or on every frame of a video, drawn, with frames a second"),
    "predict": ("predict", "say what is on an image, with your network or one trained on ImageNet"),
    "segment": ("segment", "paint the class of every pixel over a photo, or count the cells on it"),
    "ckpt": ("ckpt", "inspect, diff, convert: look into files of weights, PyTorch's among them, and rewrite them"),
    "search": ("search", "search hyper-parameters, by grid or at random"),
    "experiment": ("experiment", "init, lr-range, degradation, side-branches and more: small experiments with a table"),
    "transfer": ("transfer", "teach a trained network another data set"),
    "attribute": ("attribute", "where a network looks: CAM, Grad-CAM and nine more; activations, filters, attention masks"),
    "quantize": ("quantize", "a trained network in 8-bit integers: accuracy, size, time, and the error layer by layer"),
    "report": ("report", "a run as a short paper: motivation, method, evaluation, reproduction; HTML, LaTeX, notebook"),
    "codes": ("codes", "a network's features to a linear SVM, nearest neighbours, k-means and a map"),
    "text": ("text", "classify sentences: train, cross-validate, sweep, and show which n-grams fired"),
    "faces": ("faces", "metric learning: train, enrol, verify, identify and evaluate, on faces or on characters"),
    "leaderboard": ("leaderboard", "rank the runs on this machine; draw accuracy against cost"),
    "data": ("data_command", "what is in a data set; annotations checked and converted"),
    "bench": ("bench", "time the convolution algorithms and a training step on this machine"),
    "summary": ("summary", "take a network apart: shapes, parameters, MACs, memory, receptive field"),
    "shape": ("shape", "the size of what comes out, why, and how to make it fit: an operator, a stack of layers, a network"),
    "solve": ("solve", "size arithmetic backwards: which kernel, stride, padding gives this output"),
    "conventions": ("conventions", "where frameworks differ: the same input under each rule"),
    "memory": ("memory", "work out the memory of one convolution, line by line"),
    "region-costs": ("region_costs", "why R-CNN took 47 s: a network's work once a region against once an image"),
    "explain": ("explain", "take an operator apart on your numbers: terms, gradients as sums, numeric check"),
    "views": ("views", "one convolution seen from many sides: window, im2col, matrix, Fourier, flip, equivariance, learning"),
    "exercise": ("exercise", "seeded sheets of exercises, blank or solved, and answer files marked"),
    "myths": ("myths", "claims in circulation that are wrong, each with a counter-example that runs"),
    "book": ("book", "write the operator book: a page an operator, with formulas, worked examples, sources, checks"),
    "animate": ("animate", "convolution arithmetic with your numbers, step by step: page, GIF, stills; checkerboards"),
    "gradcheck": ("gradcheck", "gradients beside finite differences: kinks explained, error against step size"),
    "lecture": ("lecture", "five lecture decks: which command reproduces which slide, and where a deck is wrong"),
    "glossary": ("glossary", "what the lecture decks name without explaining, and what of it runs here"),
    "compare": ("compare", "put two networks, or two designs, side by side"),
    "metrics": ("metrics", "every metric of a confusion matrix or of labels, with your numbers put in"),
    "ap": ("ap", "detection's average precision by three rules, and why each detection is right or wrong"),
    "detection": ("detection", "a detector step by step: anchors, matching, nms, roialign, decode, heat"),
    "anchors": ("anchors", "anchors or default boxes of a detector, map by map, and the true boxes that none covers"),
    "iou": ("iou", "how much two boxes overlap, worked out and drawn"),
    "denoise": ("denoise", "take the noise off photos, and say how well: DnCNN, or a network of your own"),
    "learn-denoising": ("learn_denoising", "teach DnCNN or CARE's U-Net to denoise, from a folder of clean photos"),
    "noise2void": ("noise2void", "learn to denoise one photo from itself, through blind spots; where that fails"),
    "autoencode": ("autoencode", "train an autoencoder and look into its code"),
    "loss-means": ("loss_means", "squared error asks for the mean, absolute error for the median, a hit for the mode"),
    "style": ("style", "paint a photo in the style of another; what each layer knows of both"),
    "fast-style": ("fast_style", "style in one pass, by a network that has learned it"),
    "dream": ("dream", "more of what a network sees in a photo; what a unit or a class likes best"),
    "adversarial": ("adversarial", "changes too small to see that turn a network's answer"),
    "warmup": ("warmup", "compile all float32 kernels now instead of at their first use"),
    "doctor": ("doctor", "check the installation, with one-line fixes"),
}

EPILOG = """\
examples:
  tinycnn train lenet5                     5,000 real digits come with the package: nothing to download
  tinycnn train lenet5 --data mnist        60,000 digits, downloaded once
  tinycnn predict photo.png                with the network trained last
  tinycnn train --help                     every command explains itself

exit codes: 0 done, 1 a failure explained in one sentence, 2 wrong usage, 130 stopped by Ctrl-C
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are UsageErrors: one sentence, the nearest option, and where to read on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)

    def error(self, message: str) -> Any:
        raise UsageError(f"{message}; `{self.prog} --help` lists the options")

    def parse_all(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse, options and other words in any order; an option that does not exist is answered with the nearest ones that do."""
        parsed, unknown = self.parse_known_intermixed_args(list(arguments))
        if unknown:
            name = unknown[0].split("=")[0]
            known = [option for action in self._actions for option in action.option_strings]
            offer = nearest(name, known) if name.startswith("-") else ""
            raise UsageError(f"`{self.prog}` has no use for {name!r}{offer}; `{self.prog} --help` lists the options")
        return parsed


def nearest(name: str, known: Sequence[str]) -> str:
    """The words "; did you mean ...?" for a misspelt name, or nothing."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            try:
                code = _run(arguments)
            except SystemExit as stop:  # argparse leaves this way after --help
                code = int(stop.code or 0)
            sys.stdout.flush()
            return code
        except KeyboardInterrupt:
            _complain("stopped by Ctrl-C", debug)
            return INTERRUPTED
        except UsageError as error:
            _complain(str(error), debug)
            return USAGE
        except BrokenPipeError:
            # Whoever read the output has gone; Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _complain("the output was closed before everything was written", debug)
            return FAILED
        except (TinycnnError, OSError, MemoryError) as error:
            _complain(explain(error), debug)
            return FAILED
        except Exception as error:
            first_line = (str(error).strip() or "no message").splitlines()[0][:200]
            hint = "" if debug else " (--debug shows where)"
            _complain(f"this is a bug in tinycnn, please report it: {type(error).__name__}: {first_line}{hint}", debug)
            return FAILED


def explain(error: BaseException) -> str:
    """One sentence for a known error."""
    if isinstance(error, MemoryError):
        return "there is not enough memory; a smaller --batch-size needs less"
    if isinstance(error, OSError) and not isinstance(error, TinycnnError):
        reason = error.strerror or str(error) or type(error).__name__
        return f"{error.filename}: {reason}" if error.filename else reason
    return str(error)


def _complain(sentence: str, debug: bool) -> None:
    """One line on the error stream, whatever the message's own line breaks; the traceback only on request."""
    if debug:
        traceback.print_exc()
    sys.stderr.write(f"tinycnn: {' '.join(sentence.split())}\n")
    sys.stderr.flush()


def _show_warning(message: Warning | str, *_details: Any, **_more: Any) -> None:
    sys.stderr.write(f"tinycnn: note: {' '.join(str(message).split())}\n")


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        return _top_level(arguments)
    name = arguments[0]
    if name not in COMMANDS:
        raise UsageError(f"there is no command {name!r}{nearest(name, list(COMMANDS))}; there are {', '.join(COMMANDS)}")
    command = importlib.import_module(f".{COMMANDS[name][0]}", __package__)
    parser = Parser(prog=f"tinycnn {name}", description=command.DESCRIPTION, epilog=command.EPILOG)
    command.configure(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    return int(command.run(parser.parse_all(arguments[1:])))


def _top_level(arguments: list[str]) -> int:
    listing = "\n".join(f"  {name:<12} {line}" for name, (_, line) in COMMANDS.items())
    parser = Parser(
        prog="tinycnn",
        usage="tinycnn COMMAND [options]",
        description=f"Convolutional networks you can read, check and step through, fast on your CPU.\n\ncommands:\n{listing}",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    if parser.parse_all(arguments).version:
        from .. import __version__

        print(f"tinycnn {__version__}")
    else:
        parser.print_help()
    return OK
