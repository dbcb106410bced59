"""Gradient reports: curves with the slopes of theory, kinks with their comparisons, wrong gradients found, and refusals in words."""

import json
import re

import numpy as np
import pytest

from tinycnn import Tensor, kernels, nn
from tinycnn.autograd import record
from tinycnn.errors import ShapeError, UsageError
from tinycnn.random import get_state
from tinycnn.registry import OPERATORS, Operator
from tinycnn.study import gradcheck_report, gradient_model
from tinycnn.study.gradient_page import curve_svg, kink_svg
from tinycnn.study.gradient_report import relative_error


def test_every_entry_agrees_and_the_curve_is_a_v():
    report = gradcheck_report("softmax", [1.0, 2.0, 3.0], dim=0)
    assert report and [entry.kind for entry in report.entries] == ["agrees"] * 3
    assert max(entry.error for entry in report.entries) < 1e-7
    central, one_sided, single = report.sweeps
    assert (central.dtype, central.kind) == ("float64", "central")
    assert 1e-6 <= central.steps[central.best] <= 1e-4
    assert central.truncation == pytest.approx(2, abs=0.2) and central.rounding == pytest.approx(-1, abs=0.35)
    assert one_sided.truncation == pytest.approx(1, abs=0.2)
    assert 1e-9 <= one_sided.steps[one_sided.best] <= 1e-6
    assert single.steps[single.best] >= 1e-3 and single.errors[single.best] > 100 * central.errors[central.best]
    words = "; ".join(central.words())
    assert "best step 1e-05" in words and "eps^1/3 = 6e-06" in words and "truncated Taylor series (theory h^2)" in words
    assert "too few steps" in "; ".join(single.words())


def test_linear_operators_have_no_truncation():
    report = gradcheck_report("avg_pool2d", [[1, 2], [3, 5]], kernel_size=2)
    central = report.sweeps[0]
    assert central.best == 0 and central.truncation is None and central.errors[0] < 1e-14
    assert "straight line" in report.text()


def test_relu_at_zero_is_a_kink_with_its_comparison():
    report = gradcheck_report("relu", [-1.0, 0.0, 2.0], grad=[1, 3, 1])
    kink = report.entries[1]
    assert report.passed and kink.kind == "kink"
    assert (kink.check.left, kink.check.right, kink.check.analytic) == pytest.approx((0, 3, 0))
    assert "input[1] = 0" in kink.why[0] and "tie" in kink.why[0] and kink.outputs == ("y[1]",)
    assert "a subgradient" in kink.verdict and report.kinks == [kink]
    assert kink.profile[0] == pytest.approx((-0.5, 0)) and kink.profile[-1] == pytest.approx((0.5, 1.5))
    assert kink_svg(kink).count("<path") == 4


def test_ties_of_a_maximum_name_both_elements():
    report = gradcheck_report("max_pool2d", [[1, 3], [3, 2]], kernel_size=2, grad=[[2.0]])
    assert [entry.name for entry in report.kinks] == ["input[0, 0, 0, 1]", "input[0, 0, 1, 0]"]
    assert [entry.check.analytic for entry in report.kinks] == [2, 0]  # the first of equals
    for entry in report.kinks:
        assert "input[0, 0, 1, 0] = 3 > input[0, 0, 0, 1] = 3" in entry.why[0]


def test_entries_close_to_a_kink_are_pointed_out():
    report = gradcheck_report("relu", [1e-3, 2.0], grad=[1, 1])
    assert report.entries[0].margin == pytest.approx(1e-3) and report.entries[0].kind == "agrees"
    assert any("1 entry lies within 0.1 of a kink, input[0] closest (0.001)" in note for note in report.notes)


def test_jumps_and_ends_have_no_derivative():
    report = gradcheck_report("hardshrink", [0.5, 1.0])
    assert report.entries[0].kind == "undefined" and "jumps" in report.entries[0].verdict
    assert "1 have no derivative" in report.sentence
    root = gradcheck_report("sqrt", [0.0, 1.0])
    assert root and [entry.kind for entry in root.entries] == ["undefined", "agrees"]
    assert root.sweeps[0].truncation == pytest.approx(2, abs=0.2)  # an infinite gradient is no yardstick
    json.dumps(root.to_dict(), allow_nan=False)


def wrong_square(input):
    """A square whose gradient forgets its factor two."""
    return record("wrong_square", input.data * input.data, (input,), lambda grad, needs: (grad * input.data,))


def test_wrong_gradients_are_found(monkeypatch):
    monkeypatch.setitem(OPERATORS, "wrong_square", Operator("wrong_square", "elementwise", wrong_square, (), ("input",), ""))
    report = gradcheck_report("wrong_square", [1.0, 2.0], grad=[1, 1])
    assert not report and [entry.kind for entry in report.entries] == ["DIFFERS", "DIFFERS"]
    assert "DIFFERS: 2 analytic, 4 numeric" in report.entries[1].verdict
    assert "the gradients at input[0], input[1] DIFFER" in report.sentence


def test_samples_keep_the_ties():
    x = np.arange(1.0, 201.0)
    x[150] = 0.0
    report = gradcheck_report("relu", x, entries=5)
    assert len(report.entries) == 5 and [entry.name for entry in report.kinks] == ["input[150]"]
    assert any("5 of 200 entries were compared" in note for note in report.notes)


def test_gradients_that_are_not_of_the_value_are_excused():
    report = gradcheck_report("complete_box_iou_loss", entries=3)
    assert report.passed and any("alpha as a constant" in note for note in report.notes)


def test_reports_in_every_form():
    report = gradcheck_report("max_pool2d", [[1, 3], [3, 2.5]], kernel_size=2)
    text = report.text()
    assert text.startswith("max_pool2d(input, kernel_size=2)\n") and "because" in text and str(report) == text
    data = report.to_dict()
    json.dumps(data, allow_nan=False)
    assert data["passed"] and len(data["entries"]) == 4 and data["entries"][1]["kind"] == "kink"
    page = gradcheck_report("tanh", [0.5, 1.0]).html()
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "") and page.count('<path class="s') == 6
    assert curve_svg(gradcheck_report("tanh", [0.5]).sweeps).count("<circle") == 3
    assert "srcdoc" in report._repr_html_()


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", sorted(name for name, operator in OPERATORS.items() if operator.differentiable))
def test_every_operator_has_a_report(name):
    report = gradcheck_report(name, seed=2)
    assert report, report.text()
    assert report.entries and report.html()


def test_relative_errors():
    assert relative_error(1.0, 1.1, 0.0) == pytest.approx(0.1 / 1.1)
    assert relative_error(0.0, 1e-9, 1.0) == 1e-9


class Small(nn.Module):
    """Convolution, ReLU, pooling, linear."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm2d(2)
        self.head = nn.Linear(2, 3)

    def forward(self, input):
        """Scores."""
        return self.head(self.drop(self.norm(self.conv(input)).relu()).mean((2, 3)))


@pytest.mark.parametrize("training", [False, True])
def test_networks_parameter_by_parameter(training):
    model = Small()
    before = {name: value.data.copy() for name, value in model.state_dict().items()}
    with kernels.use("reference"):
        report = gradcheck_report(model, input_size=(1, 5, 5), training=training, seed=1)
    assert report, report.text()
    assert [parameter.name for parameter in report.parameters] == [name for name, _ in model.named_parameters()]
    assert max(parameter.error for parameter in report.parameters) < 1e-5
    assert all(len(parameter.entries) >= 1 for parameter in report.parameters)
    assert report.sweeps[0].errors[report.sweeps[0].best] < 1e-6
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.data, before[name])
        assert value.data.dtype == before[name].dtype
    assert "worst entries" in report.text() and "Parameters" in report.html()
    json.dumps(report.to_dict(), allow_nan=False)


class Forgetful(Small):
    """A network whose gradient is cut by a detour over plain numbers."""

    def forward(self, input):
        """Scores, the gradient of half of which is lost."""
        scores = super().forward(input)
        return scores + Tensor(scores.data)


def test_networks_with_wrong_gradients_are_found():
    with kernels.use("reference"):
        report = gradcheck_report(Forgetful(), input_size=(1, 5, 5))
    assert not report and {parameter.kind for parameter in report.parameters} == {"DIFFERS"}
    assert "the gradients of conv.weight" in report.sentence and "DIFFER" in report.sentence


@pytest.mark.parametrize(
    ("subject", "arrays", "options", "words"),
    [
        ("rellu", (), {}, "gradcheck: there is no operator or network 'rellu'; did you mean relu"),
        ("rellu", ([1],), {}, "gradcheck: there is no operator or network 'rellu'"),
        ("argmax", (), {}, "argmax has no gradient"),
        ("relu", ([1.0],), {"grad": [1, 2]}, "grad has shape (2,), the result of relu (1,)"),
        ("relu", ([1.0],), {"grad": [[1], [2, 3]]}, "grad is not an array of numbers"),
        ("relu", ([1.0],), {"entries": 0}, "entries 0 must be a whole number from 1 up"),
        ("relu", ([1.0],), {"seed": -1}, "seed -1"),
        ("relu", (), {"alpha": 1}, "gradcheck: relu has no argument 'alpha'"),
        ("lenet5", ([1.0],), {}, "a network's batch and upstream gradient are drawn"),
        ("lenet5", (), {"batch_size": 9}, "batch_size 9 must be a whole number from 1 to 8"),
        ("lenet5", (), {"input_size": "big"}, "input_size 'big' must be sizes"),
        ("lenet5", (), {"input_size": (1, 1000, 1000)}, "is too much to be run hundreds of times"),
        ("lenet5", (), {"width": 3}, "option"),
    ],
)
def test_refusals_say_what_to_do(subject, arrays, options, words):
    state = get_state()
    with pytest.raises(UsageError, match=re.escape(words)):
        gradcheck_report(subject, *arrays, **options)
    assert get_state() == state


def test_networks_need_a_size_and_parameters(monkeypatch):
    monkeypatch.setattr(gradient_model, "MOST_PARAMETERS", 60_000)
    with pytest.raises(UsageError, match="lenet5 has 61,706 parameters and would be run for minutes; take one of at most 60,000"):
        gradcheck_report("lenet5")
    with pytest.raises(UsageError, match=r"say which input the network takes: input_size=\(3, 32, 32\)"):
        gradcheck_report(Small())
    with pytest.raises(UsageError, match="has no parameters"):
        gradcheck_report(nn.ReLU(), input_size=(3,))
    with pytest.raises(UsageError, match="build it with them"):
        gradcheck_report(Small(), input_size=(1, 5, 5), width=2)
    with pytest.raises(UsageError, match=r"Small does not take \(2, 5, 5\).*give another input_size"):
        gradcheck_report(Small(), input_size=(2, 5, 5))


def test_the_operators_own_errors_pass():
    with pytest.raises(ShapeError):
        gradcheck_report("conv2d", [[1.0]], [[1.0, 2.0]])
