"""`explain` of every operator: terms that add up, gradients that finite differences confirm, and histories that hold elsewhere too."""

import json
import math
import sys
from fractions import Fraction

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor
from tinycnn.errors import ShapeError, UsageError
from tinycnn.registry import OPERATORS
from tinycnn.study import explain, explain_calls
from tinycnn.study.explain_arguments import parsed_array
from tinycnn.study.explain_calls import arrays_in, gradients_of, is_arrays, run_operator, traced_leaf
from tinycnn.study.explanation import Check
from tinycnn.study.operator_examples import example_arguments
from tinycnn.study.plain_numbers import numpy_function
from tinycnn.study.traced import OPERATIONS, Traced, counted, walk
from tinycnn.study.traced_array import traced_array

explain_module = sys.modules["tinycnn.study.explain"]  # its name in the package is the function
CONSTANT_IN_THE_GRADIENT = {"complete_box_iou", "complete_box_iou_loss"}
DECISIONS = {
    "all", "allclose", "any", "argmax", "argmin", "argsort", "batched_nms", "bincount", "bucketize", "eq", "equal", "ge", "gt", "histc", "isclose",
    "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "le", "logical_and", "logical_not", "logical_or", "logical_xor", "lt",
    "masks_to_boxes", "ne", "nms", "nonzero", "one_hot", "remove_small_boxes", "searchsorted", "unique",
}  # fmt: skip


def inspect_explanation(found, name):
    """What must hold for every explanation."""
    assert found.formula, name
    assert found.results, name
    assert found.largest_error <= 1e-12, name
    reference = dict(run_operator(name, example_arguments(name, found.seed)).outputs)
    for part in found.results:
        np.testing.assert_allclose(part.values, np.asarray(reference[part.name].data, part.values.dtype), rtol=1e-12, atol=1e-12, err_msg=name)
        assert len(part.elements) == part.values.size
        if name not in DECISIONS and part.values.dtype.kind == "f":
            assert all(element.terms for element in part.elements), name
            assert any(element.sources for element in part.elements), name
    assert not any("does not run on traced" in note for note in found.notes), name
    if name not in CONSTANT_IN_THE_GRADIENT:
        wrong = [check for check in found.checks if not check.agrees]
        assert not wrong, (name, wrong[:2])
    if OPERATORS[name].differentiable:
        assert found.gradients, name
        assert found.checks, name


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_every_operator_is_explained(name):
    found = explain(name, backward=bool(OPERATORS[name].differentiable), seed=1)
    inspect_explanation(found, name)
    assert found.operator in found.text()
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_metric_is_sent_to_its_own_commands():
    with pytest.raises(UsageError, match=r"average_precision is a metric, not an operator; `tinycnn metrics TABLE`.*`tinycnn ap .* --steps`"):
        explain("average_precision")


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(2, 8))
@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_every_operator_is_explained_on_other_numbers(name, seed):
    found = explain(name, backward=bool(OPERATORS[name].differentiable), seed=seed)
    inspect_explanation(found, name)
    assert "<script" in found.html()
    assert "align*" in found.latex()


DRAWN = {
    "conv2d": [
        {"stride": 2, "padding": 1}, {"dilation": 2, "padding": "full"}, {"padding": 1, "padding_mode": "reflect"},
        {"padding": (1, 0, 2, 1), "padding_mode": "circular"}, {"padding": "same_tf", "stride": (2, 1), "activation": "relu"},
    ],
    "conv1d": [{"padding": "causal", "dilation": 2}],
    "conv_transpose2d": [{"stride": 2, "padding": 1, "output_padding": 1}, {"stride": 3}, {"dilation": 2}],
    "convolve2d": [{"padding": "full"}],
    "max_pool2d": [{"stride": 1, "padding": 1}, {"ceil_mode": True, "stride": 3}, {"dilation": 2}, {"return_indices": True}],
    "avg_pool2d": [{"padding": 1, "count_include_pad": False}, {"divisor_override": 3}, {"ceil_mode": True, "stride": 3}],
    "interpolate": [
        {"mode": "bicubic"}, {"mode": "bilinear", "align_corners": True}, {"mode": "area", "align_corners": None},
        {"mode": "nearest", "align_corners": None},
    ],
    "pad": [{"mode": mode, "pad": (1, 1)} for mode in ("reflect", "replicate", "circular")],
    "grid_sample": [{"mode": mode, "padding_mode": padding} for mode in ("nearest", "bicubic") for padding in ("border", "reflection")],
    "batch_norm": [{"activation": "relu"}],
    "cross_entropy": [{"reduction": "none"}, {"label_smoothing": 0.25, "reduction": "sum"}, {"weight": [1.0, 2.0, 4.0]}],
    "focal_loss": [{"gamma": 0.0}, {"reduction": "sum"}],
    "gelu": [{"approximate": "tanh"}],
    "norm": [{"p": 1}, {"p": float("inf")}, {"dim": 1}],
    "box_iou": [{"fmt": "cxcywh", "boxes1": [[2.0, 2.0, 3.0, 4.0]], "boxes2": [[3.0, 2.5, 2.5, 3.0]]}],
    "roi_align": [{"aligned": True}, {"sampling_ratio": 0, "output_size": 3}, {"spatial_scale": 0.5}],
    "scaled_dot_product_attention": [{"is_causal": True}, {"scale": 2.0}],
    "smooth_l1_loss": [{"beta": 0.5, "reduction": "none"}],
    "var": [{"dim": 1, "correction": 0}],
    "unfold": [{"padding": 1, "stride": 2}],
    "einsum": [{"equation": "ij,jk->ki"}],
}  # fmt: skip


@pytest.mark.parametrize("name, options", [(name, options) for name, several in DRAWN.items() for options in several])
def test_terms_add_up_under_drawn_options(name, options):
    found = explain(name, backward=True, seed=3, **options)
    assert found.largest_error <= 1e-12
    assert found.gradients
    assert all(element.terms for part in found.parts if part.values.dtype.kind == "f" for element in part.elements)
    wrong = [check for check in found.checks if not check.agrees]
    assert not wrong, wrong[:3]


def evaluated(roots, values):
    """The recorded operations once more, at other numbers."""
    done = {}
    for node in walk(roots):
        operands = [] if node.operation == "source" else [done[id(operand)] for operand in node.operands]
        if node.operation == "constant":
            result = float(node.value)
        elif node.operation == "source":
            result = values[node.operands]
        elif node.operation == "neg":
            result = -operands[0]
        elif node.operation == "pow":
            result = operands[0] ** operands[1]
        elif node.operation in OPERATIONS:
            result = OPERATIONS[node.operation](*map(np.float64, operands))
        elif node.operation in ("floor", "ceil", "trunc", "round"):
            result = {"floor": math.floor, "ceil": math.ceil, "trunc": math.trunc, "round": round}[node.operation](operands[0])
        else:
            result = numpy_function(node.operation)(*operands)
        done[id(node)] = result
    return np.array([done[id(root)] for root in roots], np.float64)


def moved(arguments, amount, rng):
    """The float arrays a little elsewhere; probabilities and answers stay."""

    def shifted(name, value):
        if is_arrays(value):
            return tuple(shifted(name, part) for part in value)
        fixed = not isinstance(value, np.ndarray) or value.dtype.kind != "f" or name in ("target", "targets")
        if fixed:
            return value
        step = amount * rng.uniform(0.5, 1, value.shape)
        return np.where(value == 0, 0, value + step) if name == "boxes" else value + step

    return {name: shifted(name, value) for name, value in arguments.items()}


def flattened(name, array):
    return {(name, index): float(array[index]) for index in np.ndindex(array.shape)}


@pytest.mark.parametrize("name", sorted(set(OPERATORS) - DECISIONS - {"unique"}))
def test_nothing_is_forgotten_on_the_way(name):
    """The history recorded at one point, evaluated at another near by, is the operator there: so no input was taken for a constant."""
    rng = np.random.default_rng(5)
    here = moved(example_arguments(name), 0.09, rng)
    # A grid of whole pixels and boxes' images are places, which have no neighbours.
    there = moved(here, 1e-6, rng) if OPERATORS[name].family != "roi" else here
    values = {key: value for label, array in arrays_in(there) for key, value in flattened(label, array).items()}
    traced, plain = run_operator(name, here, traced_leaf), run_operator(name, there)
    live = {}
    for (label, history), (_, result) in zip(traced.outputs, plain.outputs, strict=True):
        if history.dtype == object:
            got = evaluated([Traced(root) for root in history.data.reshape(-1)], values)
            np.testing.assert_allclose(got, result.data.reshape(-1), rtol=1e-9, atol=1e-10)
            if history.requires_grad and result.requires_grad:
                live[label] = np.arange(1.0, result.data.size + 1).reshape(result.shape)
                values |= flattened(f"grad_{label}", live[label])
    if not live or not OPERATORS[name].differentiable:
        return
    histories = gradients_of(traced, {label: traced_array(f"grad_{label}", grad) for label, grad in live.items()})
    for label, gradient in gradients_of(plain, live).items():
        got = evaluated([Traced(root) for root in histories[label].reshape(-1)], values)
        np.testing.assert_allclose(got, gradient.reshape(-1), rtol=1e-8, atol=1e-9, err_msg=label)


# Worked by hand


def test_convolution_by_hand():
    found = explain("conv2d", [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 0], [0, -1]], backward=True, grad=np.ones((2, 2)))
    first = found.results[0].elements[0]
    assert first.value == -4
    assert [term.value for term in first.terms] == [1, 0, 0, -5]
    assert first.numbers == "1 * 1 + 2 * 0 + 4 * 0 + 5 * (-1)"
    weight = next(part for part in found.gradients if part.of == "weight")
    assert weight.values.reshape(-1).tolist() == [12, 16, 24, 28]  # 1+2+4+5, 2+3+5+6, ...
    assert len(weight.elements[0].terms) == 4


def test_transposed_convolution_sums_overlaps():
    found = explain("conv_transpose2d", [[1, 2], [3, 4]], np.ones((3, 3)), stride=2)
    assert found.results[0].values.shape == (1, 1, 5, 5)
    middle = next(element for element in found.results[0].elements if element.index == (0, 0, 2, 2))
    assert middle.value == 10
    assert len(middle.terms) == 4
    assert "Between 1 and 4 products overlap" in "".join(table.note for table in found.tables)


def test_max_pooling_routes_and_average_fractions():
    found = explain("max_pool2d", parsed_array("5 0 8 2; 1 9 5 4"), kernel_size=2, backward=True)
    assert found.results[0].values.reshape(-1).tolist() == [9, 8]
    assert found.results[0].elements[0].symbols == "input[0, 0, 1, 1]"
    assert [check.agrees for check in found.checks] == [True] * 8
    mean = explain("avg_pool2d", parsed_array("5 0 8 2; 1 9 5 4"), kernel_size=2).results[0].elements[0]
    assert mean.value == Fraction(15, 4)
    assert mean.numbers == "(5 + 0 + 1 + 9)/4"


def test_batch_statistics():
    found = explain("batch_norm", np.array([[1.0], [3.0], [5.0]]), running_mean=None, running_var=None, training=True, backward=True)
    table = next(table for table in found.tables if table.title == "Statistics")
    assert table.rows[0][1:4] == ("3", "2.66667", "4")


def test_suppression_reasons():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30.0]])
    found = explain("nms", boxes, np.array([0.5, 0.9, 0.7]), 0.5)
    rows = {row[0]: row[-1] for row in found.tables[0].rows}
    assert rows["1"] == "kept"
    assert rows["2"] == "kept"
    assert rows["0"].startswith("suppressed by box 1: IoU 81/119 > 0.5")
    assert found.results[0].values.tolist() == [1, 2]


def test_sampling_points_of_roi_align():
    found = explain("roi_align", np.arange(16.0).reshape(4, 4), [[0.0, 0, 0, 2, 2]], 1, sampling_ratio=2, aligned=True)
    table = next(table for table in found.tables if table.title.startswith("Sampling points"))
    assert table.rows[0][2:] == ("4", "(0, 0) (0, 1) (1, 0) (1, 1)")
    assert found.results[0].elements[0].value == Fraction(5, 2)


def test_softmax_steps_and_its_gradient():
    found = explain("softmax", [[1, 2, 3]], dim=1, backward=True, grad=[[1, 0, 0]])
    p = np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum()
    np.testing.assert_allclose(found.gradients[0].values[0], p * (np.array([1, 0, 0]) - p[0]), rtol=1e-12)
    assert any(table.title == "Steps of log-sum-exp" for table in found.tables)


def test_bilinear_taps():
    found = explain("interpolate", [[1, 2], [3, 4]], scale_factor=2, mode="bilinear", align_corners=False)
    assert found.results[0].elements[5].value == Fraction(7, 4)  # 9/16 + 6/16 + 9/16 + 4/16
    assert any(table.title.startswith("Taps") for table in found.tables)


def test_kinks_are_named_with_both_sides():
    found = explain("relu", [-1.0, 0.0, 2.0], backward=True, grad=[1.0, 1.0, 1.0])
    assert [check.kink for check in found.checks] == [False, True, False]
    assert found.checks[1].verdict == "kink: 0 from the left, 1 from the right"
    assert found.checks[1].agrees


def test_small_gradients_are_checked_in_earnest():
    close, far = Check("x", (), 1.25e-6, 1.2501e-6, 1.2499e-6), Check("x", (), 1.25e-6, 0.0, 0.0)
    assert close.agrees and not far.agrees
    assert Check("x", (), 1.25e-6, 0.0, 0.0, 1000.0).agrees  # nothing can be said so far below the rounding of the numbers subtracted


def test_index_maps():
    found = explain("transpose", [[1, 2, 3], [4, 5, 6]], dim0=0, dim1=1)
    assert found.results[0].elements[1].symbols == "input[1, 0]"
    assert found.tables[0].title.startswith("Index map")


def test_compositions_name_their_steps():
    found = explain("scaled_dot_product_attention")
    steps = next(table for table in found.tables if table.title.startswith("Steps"))
    assert {"matmul", "softmax"} <= {row[1] for row in steps.rows}


def test_decisions_name_what_decides_them():
    found = explain("argmax", [[1, 5, 2]], dim=1)
    assert found.results[0].elements[0].value == 1
    assert ("input", (0, 1)) in found.results[0].elements[0].sources
    compared = explain("gt", [1.0, 4.0], [2.0, 3.0])
    assert compared.results[0].elements[1].decisions == ("input[1] = 4 > other[1] = 3: yes",)


def test_the_whole_package_is_left_as_it_was():
    state = tinycnn.random.get_state()
    explain("dropout", [[1.0, 2.0]])
    assert tinycnn.random.get_state() == state


def test_tensors_and_lists_do():
    assert explain("add", Tensor(np.array([1.0])), [2.0]).results[0].elements[0].symbols == "input[0] + other[0]"


# Wrong input


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: explain("conv2"), "did you mean conv2d"),
        (lambda: explain("zzzzzz"), "--list"),
        (lambda: explain("max_pool2d", [[1, 2], [3, 4]], kernelsize=2), "did you mean kernel_size"),
        (lambda: explain("relu", [1.0], input=[2.0]), "given twice"),
        (lambda: explain("relu", np.zeros((10000, 10000), np.uint8)), "has 100,000,000 elements"),
        (lambda: explain("relu", np.broadcast_to(np.int8(1), (10000, 10000)), grad=[1.0]), "has 100,000,000 elements"),
        (lambda: explain("relu", [1.0], grad=np.broadcast_to(1.0, (10000, 10000))), "grad has 100,000,000 elements"),
        (lambda: explain("relu", [1.0], grad=[1j]), "grad is not an array of numbers"),
        (lambda: explain("cumsum", np.arange(4096.0), dim=0), "numbers stand behind the elements of y"),
        (lambda: explain("roi_align", sampling_ratio=1000), "take one up to 16"),
        (lambda: explain("relu", [1.0], inplace="maybe"), "inplace must be true or false, not 'maybe'"),
        (lambda: explain("relu", [1.0], np.array([3.0])), "inplace must be true or false, not an array"),
        (lambda: explain("max_pool2d", kernel_size={"a": 1}), "must be a number, some in parentheses, a word or an array"),
        (lambda: explain("relu", [[1, 2], [3]]), "give every row as many numbers"),
        (lambda: explain("relu", ["one"]), "not an array of numbers"),
        (lambda: explain("relu", [1.0], [2.0], [3.0]), "too many"),
        (lambda: explain("adaptive_avg_pool2d", [[1.0]], output_size=100000), "too large"),
        (lambda: explain("conv2d", np.zeros((60, 60)), np.zeros((40, 40))), "too many products"),
        (lambda: explain("relu", [1.0, 2.0], grad=[1.0, 2.0, 3.0]), "they must be equal"),
        (lambda: explain("one_hot", [10**9]), "a place for every number up to 1,000,000,000"),
        (lambda: explain("clamp", input=None), "clamp needs input"),
        (lambda: explain("conv2d", weight="heavy"), "weight must be an array, not 'heavy'"),
        (lambda: explain("batch_norm", np.zeros((0, 2))), "batch_norm cannot take this"),
        (lambda: parsed_array("5 0; 1"), "row 2 of '5 0; 1' has 1 numbers, row 1 has 2"),
        (lambda: parsed_array("5 zero"), "'zero' in '5 zero' is not a number"),
        (lambda: parsed_array(" "), "an array is empty"),
        (lambda: parsed_array(";"), "an array is empty"),
        (lambda: parsed_array("|;|"), "an array is empty"),
        (lambda: parsed_array("[[1, 2], [3]]"), "is no array of numbers"),
        (lambda: parsed_array("[1, 2"), "is no array of numbers"),
        (lambda: parsed_array("1 2 | 3"), "differ in size"),
    ],
)
def test_wrong_input_gets_a_sentence_that_says_what_to_type(call, words):
    with pytest.raises(UsageError) as error:
        call()
    assert words in str(error.value)


def test_the_operators_own_rules_speak_for_themselves():
    with pytest.raises(ShapeError, match="conv2d"):
        explain("conv2d", np.ones((1, 2, 3, 3)), np.ones((1, 1, 2, 2)))
    with pytest.raises(ShapeError, match=r"other \(3, 2\) came from the worked example: give it too"):
        explain("matmul", [[1.0, 2.0]])


def test_what_is_drawn_fits_what_is_given():
    assert explain("add", [1.0, 2, 3, 4]).arrays["other"].shape == (4,)
    assert explain("mse_loss", np.ones((3, 4))).arrays["target"].shape == (3, 4)
    assert explain("cross_entropy", [[1.0, 2], [3, 4], [5, 6]]).arrays["target"].max() < 2
    assert explain("cross_entropy", [2.0, 1, 0], [0]).arrays["input"].shape == (1, 3)
    assert explain("box_iou", [0.0, 0, 4, 4]).arrays["boxes1"].shape == (1, 4)
    assert explain("layer_norm", [[1.0, 2, 3, 4]]).options["normalized_shape"] == (4,)
    assert explain("interpolate", [[1.0, 2, 3]]).results[0].values.shape == (1, 1, 2, 6)
    assert explain("interpolate", [[1.0, 2, 3]], size=(1, 2)).results[0].values.shape == (1, 1, 1, 2)
    assert explain("scatter", [[1.0, 2, 3], [4, 5, 6]]).arrays["src"].shape == (2, 3)
    assert explain("linear", [1.0, 2, 3]).results[0].values.shape == (2,)


@pytest.mark.parametrize("name", ["relu", "eq", "argsort", "var", "sum", "cat", "logical_not", "isnan"])
def test_nothing_is_explained_too(name):
    empty = np.zeros((0, 2))
    with np.errstate(all="raise"):
        found = explain(name, empty, *([empty] if name == "eq" else []))
    assert found.results and not any(element.sources for part in found.results for element in part.elements)


def test_work_that_nobody_waits_for_is_refused(monkeypatch):
    monkeypatch.setattr(explain_calls, "SECONDS", 0)
    with pytest.raises(UsageError, match="takes more than 0 seconds"):
        explain("roi_align", [[1.0, 2], [3, 4]], [0.0, 0, 0, 1e9, 1e9], sampling_ratio=0)


def test_large_results_are_checked_at_some_places(monkeypatch):
    monkeypatch.setattr(explain_module, "CHECKED_NUMBERS", 3000)
    found = explain("conv2d", np.arange(36.0).reshape(6, 6), np.ones((3, 3)), backward=True)
    assert 4 <= len(found.checks) < 36
    assert any("gradient entries were checked" in note for note in found.notes)
    monkeypatch.setattr(explain_module, "MOST_NUMBERS", 0)
    decided = explain("argmax", np.arange(6.0).reshape(2, 3), dim=1)
    assert any("was looked for among the first 4 elements" in note for note in decided.notes)


def test_too_much_arithmetic_is_refused():
    x = traced_array("x", np.ones(3))
    with counted(4) as made:
        x.sum()
        assert made[0] == 2
        with pytest.raises(UsageError, match="more than 4 numbers are computed on the way"):
            x * x
    assert len(x * x) == 3  # elsewhere nothing is counted


def test_tables_of_products_and_routes():
    product = explain("matmul", [[1.0, 2]], [[3.0], [4]]).tables[0]
    assert product.rows == (("[0, 0]", "input[0, 0] other[0, 0] + input[0, 1] other[1, 0]", "1 * 3 + 2 * 4", "11"),)
    assert explain("sort", [[3.0, 1, 2]], dim=1).tables[0].rows[0] == ("y[0][0, 0]", "input[0, 1]", "1")


def test_inline_arrays():
    assert parsed_array("1 2 3").shape == (3,)
    assert parsed_array("1, 2; 3, 4").tolist() == [[1, 2], [3, 4]]
    assert parsed_array("1/4 -inf").tolist() == [0.25, -math.inf]
    assert parsed_array("1 2; 3 4 | 5 6; 7 8").shape == (2, 2, 2)
    assert parsed_array("[[1, 2], [3, 4]]").tolist() == [[1, 2], [3, 4]]
