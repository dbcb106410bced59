"""`tinycnn metrics TABLE`: every metric of a confusion matrix or of true and predicted labels, with the substitution shown."""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, DataError, DtypeError, ShapeError, UsageError
from .common import Console
from .shape import add_result_options, finish

DESCRIPTION = """\
Precision, recall, F1, IoU, accuracy, their averages (both macro F1), kappa and MCC, each as formula, your numbers put in, the exact
fraction and the value. TABLE is a confusion matrix in quotes or a file (CSV or JSON) of one, or of columns true, predicted and,
if there is one, score (higher for the positive class)."""
EPILOG = """\
examples:
  tinycnn metrics "80 25; 10 35" --names yes,no --positive yes
  tinycnn metrics "30 20 10; 50 60 10; 20 20 80" --names A,B,C --orientation predicted-rows
  tinycnn metrics predictions.csv --html metrics.html            columns true,predicted,score
  tinycnn metrics confusion.json --json                          {"matrix": [[8, 1], [4, 17]], "names": ["no", "yes"]}
"""
TRUE = ("true", "y_true", "truth", "target", "label", "actual", "gold")
PREDICTED = ("predicted", "y_pred", "prediction", "pred", "guess")
SCORE = ("score", "y_score", "probability", "prob", "y_proba")
MOST_BYTES = 100_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("table", metavar="TABLE", help='"8 1; 4 17", or a CSV or JSON file')
    parser.add_argument("--orientation", choices=("true-rows", "predicted-rows"), help="which classes the rows of a matrix are (default: true)")
    parser.add_argument("--names", metavar="A,B,...", help="the classes' names, in the order of the matrix")
    parser.add_argument("--positive", metavar="NAME", help="of two classes the positive one (default: the second)")
    parser.add_argument("--zero-division", choices=("0", "1", "nan"), default="0", help="what 0/0 is (default: 0)")
    add_result_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the sheet."""
    from ..study.metric_page import metric_page
    from ..study.metric_sheet import metric_sheet

    console = Console(arguments.json)
    source = read_table(arguments.table)
    names = [name.strip() for name in arguments.names.split(",")] if arguments.names else source.get("names")
    orientation = arguments.orientation.replace("-", "_") if arguments.orientation else source.get("orientation")
    try:
        if "true" in source:
            source, names = _counted(source, names, arguments)
            orientation = "true_rows"
        sheet = metric_sheet(
            source["matrix"], names, orientation=orientation, positive=arguments.positive, zero_division=float(arguments.zero_division),
            true=source.get("hits"), scores=source.get("scores"),
        )  # fmt: skip
    except (ArgumentError, ShapeError, DtypeError) as error:
        raise UsageError(str(error)) from error
    console.say(sheet.text())
    finish(console, arguments, sheet.to_dict(), metric_page(sheet) if arguments.html else "")
    return 0


def _counted(source: dict[str, Any], names: list[str] | None, arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Labels counted into a matrix; with scores, which examples are positive."""
    from .. import metrics

    if arguments.orientation:
        raise UsageError("--orientation is for a matrix; columns true and predicted say themselves which is which")
    true, predicted = ([str(label) for label in source[key]] for key in ("true", "predicted"))
    found = sorted(set(true) | set(predicted), key=_label_order)
    if names is not None and not set(found) <= set(names):
        raise UsageError(f"--names must be the labels in the table ({', '.join(found[:10])}), in the order wanted")
    labels = names if names is not None else found
    if len(labels) < 2:
        raise UsageError(f"only the label {found[0]!r} occurs; name all classes by --names")
    result: dict[str, Any] = {"matrix": metrics.confusion_matrix(true, predicted, labels=labels)}
    if "score" in source and len(labels) == 2:
        positive = arguments.positive if arguments.positive is not None else labels[1]
        result |= {"hits": [label == positive for label in true], "scores": source["score"]}
    return result, labels


def _label_order(label: str) -> tuple[bool, float, str]:
    try:
        return False, float(label), label
    except ValueError:
        return True, 0.0, label


def read_table(text: str) -> dict[str, Any]:
    """A matrix, or labels, of inline text or a file: {"matrix", "names"?, "orientation"?} or {"true", "predicted", "score"?}."""
    path = Path(text) if len(text) < 1000 and "\n" not in text and "\0" not in text else None
    if path is not None and path.is_dir():
        raise UsageError(f"{text} is a folder; give a CSV or JSON file, or a matrix in quotes")
    if path is not None and path.is_file():
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path}: larger than {MOST_BYTES // 1_000_000} MB")
        try:
            content = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: is no text (not UTF-8)") from error
        return _json(content, str(path)) if content.lstrip()[:1] in ("{", "[") else _csv(content, str(path))
    if text.lstrip()[:1] in ("{", "["):
        return _json(text, "TABLE")
    if not re.fullmatch(r"[\d\s.,;+-]+", text):
        raise UsageError(f'{text[:60]!r} is neither a file nor a matrix; write "8 1; 4 17", one row a semicolon')
    rows = [row for row in re.split(r"[;\n]", text) if row.strip()]
    return {"matrix": _matrix([re.split(r"[,\s]+", row.strip()) for row in rows], "TABLE")}


def _number(cell: Any, where: str) -> float:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value) or isinstance(cell, bool):
        raise DataError(f"{where}: {str(cell)[:40]!r} is no number")
    return value


def _matrix(rows: list[list[Any]], where: str) -> list[list[float]]:
    if not rows or any(len(row) != len(rows) for row in rows):
        lengths = sorted({len(row) for row in rows})
        raise DataError(f"{where}: a confusion matrix has as many columns as rows; {len(rows)} rows of {', '.join(map(str, lengths[:4]))} numbers")
    return [[_number(cell, where) for cell in row] for row in rows]


def _columns(columns: dict[str, list[Any]], where: str) -> dict[str, Any] | None:
    """Labels by the names of their columns, or None."""
    known = {str(name).strip().lower(): values for name, values in columns.items()}
    true, predicted, score = (next((known[name] for name in names if name in known), None) for names in (TRUE, PREDICTED, SCORE))
    if true is None or predicted is None:
        return None
    if not true or not all(isinstance(each, list) and len(each) == len(true) for each in (true, predicted, score) if each is not None):
        raise DataError(f"{where}: true, predicted and score must be equally long columns of at least one line")
    found: dict[str, Any] = {"true": true, "predicted": predicted}
    if score is not None:
        found["score"] = [_number(cell, where) for cell in score]
    return found


def _csv(content: str, where: str) -> dict[str, Any]:
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(content.splitlines(), delimiter=_delimiter(content)) if any(row)]
    except csv.Error as error:
        raise DataError(f"{where}: is no CSV ({error})") from error
    if not rows:
        raise DataError(f"{where}: is empty")
    head, body = rows[0], rows[1:]
    if all(len(row) == len(head) for row in body):
        found = _columns({name: [row[place] for row in body] for place, name in enumerate(head)}, where)
        if found is not None:
            return found
    if _numeric(head) and len(head) == len(rows):
        return {"matrix": _matrix(rows, where)}
    named = not _numeric(body[0][:1]) if body else False  # the first column holds names too
    names = head[1:] if named and len(head) == len(body) + 1 else head
    return {"matrix": _matrix([row[1:] if named else row for row in body], where), "names": names}


def _delimiter(content: str) -> str:
    first = content.splitlines()[0] if content.strip() else ""
    return max(",;\t", key=first.count) if any(each in first for each in ",;\t") else " "


def _numeric(cells: list[str]) -> bool:
    return bool(cells) and all(re.fullmatch(r"[+-]?\d+(\.\d*)?", cell) for cell in cells)


def _json(content: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: is no JSON ({str(error)[:80]})") from error
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        keys = value[0].keys()
        found = _columns({key: [each.get(key) for each in value] for key in keys}, where)
    elif isinstance(value, dict) and "matrix" not in value:
        found = _columns(value, where)
    else:
        table = value["matrix"] if isinstance(value, dict) else value
        if not isinstance(table, list) or not all(isinstance(row, list) for row in table):
            raise DataError(f"{where}: the matrix must be a list of rows")
        found = {"matrix": _matrix(table, where)}
        if isinstance(value, dict):
            found |= {key: value[key] for key in ("names", "orientation") if value.get(key) is not None}
            if not isinstance(found.get("names", []), list) or not isinstance(found.get("orientation", ""), str):
                raise DataError(f"{where}: names must be a list, orientation true_rows or predicted_rows")
    if found is None:
        raise DataError(f'{where}: wants {{"matrix": [[...]]}}, or lists (or records) named true and predicted')
    return found
