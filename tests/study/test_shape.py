"""study.shape: the decks' golden numbers, and drawn configurations against what the kernels really give and read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, ShapeError, TinycnnError
from tinycnn.study.axis_picture import axis_svg
from tinycnn.study.shape import OPERATOR_NAMES, operator_named, shape
from tinycnn.study.shape_axis import Axis, decimal
from tinycnn.study.shape_fixes import nearest_fixes
from tinycnn.study.volume_picture import volume_svg, volume_text


@st.composite
def axes(draw, kinds=("conv", "pool", "transposed")):
    kind = draw(st.sampled_from(kinds))
    size, kernel, stride = draw(st.integers(1, 14)), draw(st.integers(1, 5)), draw(st.integers(1, 5))
    most = kernel // 2 if kind == "pool" else 4
    before, after = draw(st.integers(0, most)), draw(st.integers(0, most))
    behind = draw(st.integers(0, 3)) if kind == "transposed" else 0
    return Axis(kind, "length", size, kernel, stride, before, after, draw(st.integers(1, 3)), behind, kind == "pool" and draw(st.booleans()))


def run(axis):
    """The real operator on ones: its output, and which inputs received any gradient; None where it refuses."""
    x = Tensor(np.ones((1, 1, axis.size)), requires_grad=True)
    padding = (axis.before, axis.after)
    try:
        with tinycnn.use_kernels("reference"):
            if axis.kind == "conv":
                y = F.conv1d(x, np.ones((1, 1, axis.kernel)), None, axis.stride, padding, axis.dilation)
            elif axis.kind == "transposed":
                y = F.conv_transpose1d(x, np.ones((1, 1, axis.kernel)), None, axis.stride, padding, axis.output_padding, 1, axis.dilation)
            else:
                return F.max_pool1d(x, axis.kernel, axis.stride, padding, axis.dilation, axis.ceil_mode).shape[-1], None
            y.sum().backward()
    except TinycnnError:
        return None
    return y.shape[-1], np.flatnonzero(x.grad.data[0, 0] == 0).tolist()


@given(axis=axes())
def test_the_verdict_agrees_with_the_operator(axis):
    found = run(axis)
    assert axis.allowed == (found is not None)
    if found is not None:
        output, unread = found
        assert axis.output == output
        if axis.kind == "conv":
            assert axis.unread() == unread
            if unread and not axis.leftover:
                assert "never read" in axis.verdict()
    words = axis.verdict()
    assert words.startswith(("tiles", "fits", "does not", "is refused"))
    assert words.startswith("does not fit") == (axis.output < 1 and not words.startswith("is refused"))
    if axis.kind != "transposed" and axis.allowed and axis.quotient.denominator > 1:
        assert "does not tile" in words and decimal(axis.quotient) in words


@given(axis=axes())
def test_every_fix_fits_and_runs(axis):
    fixes = nearest_fixes(axis)
    assert bool(fixes) or axis.fits or axis.kind != "conv"
    for fix in fixes:
        # What was refused may become allowed and still overlap unevenly; what was allowed becomes even.
        assert fix.axis.fits or (fix.axis.allowed and not axis.allowed), fix
        output, _ = run(fix.axis)
        assert output == fix.axis.output >= 1
        if fix.axis.kind != "transposed" and not fix.axis.ceil_mode:
            assert fix.axis.quotient == output  # nothing is rounded
        changed = [name for name in ("size", "kernel", "stride", "dilation", "ceil_mode") if getattr(fix.axis, name) != getattr(axis, name)]
        padded = (fix.axis.before, fix.axis.after) != (axis.before, axis.after)
        assert len(changed) + padded <= 1 or axis.kind == "transposed"
        assert str(fix.axis.output) in fix.text()


@given(axis=axes(("conv", "pool")))
def test_frameworks_agree_with_ours_where_they_follow_one_rule(axis):
    name = "conv1d" if axis.kind == "conv" else "max_pool1d"
    answer = shape(name, axis.size, axis.kernel, axis.stride, (axis.before, axis.after), axis.dilation, ceil_mode=axis.ceil_mode)
    answers = {(each.framework, each.call): each.output for each in answer.frameworks}
    ceil = -(-axis.size // axis.stride)
    assert answers["TensorFlow", "SAME"] == answers["ONNX", "SAME_UPPER"] == answers["ONNX", "SAME_LOWER"] == (ceil,)
    if axis.kind == "conv":
        floor = (axis.floor_output if axis.floor_output >= 1 else None,)
        assert next(output for (who, call), output in answers.items() if who == "PyTorch" and "same" not in call) == floor
        assert answers["PyTorch", 'padding="same"'] == ((axis.size,) if axis.stride == 1 else (None,))
    assert answer.text() and answer.to_dict()["axes"][0]["output"] == axis.output


def test_the_slide_that_does_not_fit():
    # FEATURES A14: N = 7, F = 3: stride 1 -> 5, 2 -> 3, 3 -> 2.33.
    assert shape("conv2d", 7, 3, stride=1).output == (5, 5)
    assert shape("conv2d", 7, 3, stride=2).output == (3, 3)
    answer = shape("conv2d", 7, 3, stride=3)
    assert not answer.fits and answer.output == (2, 2)
    assert answer.verdicts == (("height, width", "does not tile: (7 - 3)/3 + 1 = 2.33; rounded down to 2, and row 6 is never read"),)
    changes = [fix.change for _, fix in answer.fixes]
    assert {"padding 1", "stride 2", "input 6 (crop 1)"} <= set(changes)
    outputs = {(each.framework, each.call): each.output for each in answer.frameworks}
    assert outputs["PyTorch", "padding=0"] == outputs["Caffe", "pad: 0"] == (2, 2)
    assert outputs["PyTorch", 'padding="same"'] == (None, None)
    assert outputs["Keras", "same"] == (3, 3)


@pytest.mark.parametrize(("kernel", "padding"), [(3, 1), (5, 2), (7, 3)])
def test_padding_that_keeps_the_size(kernel, padding):
    assert shape("conv2d", 7, kernel, padding=padding).output == (7, 7)  # FEATURES A15
    assert shape("conv2d", 7, kernel, padding="same").output == (7, 7)


def test_numbers_of_the_decks_and_of_public_threads():
    ten = shape("conv2d", (3, 32, 32), 5, padding=2, filters=10)  # A17
    assert ten.output == (10, 32, 32) and ten.parameters == 760 and ten.fits
    assert shape("conv2d", (3, 32, 32), 5, filters=6).output == (6, 28, 28)  # A11, A13
    assert shape("conv2d", (6, 28, 28), 5, filters=10).output == (10, 24, 24)
    alexnet = shape("conv2d", 224, 11, stride=4)  # stats.stackexchange 650777
    assert "54.25" in alexnet.verdicts[0][1] and alexnet.output == (54, 54)
    assert "input 227" in [fix.change for _, fix in alexnet.fixes]
    dilated = shape("conv2d", 7, 3, dilation=2)  # A21
    assert dilated.output == (3, 3) and "effective kernel 2*(3 - 1) + 1 = 5" in dilated.steps[0][1]
    assert [shape("conv2d", size, 3, 2, "same_tf").output[0] for size in (23, 24)] == [12, 12]  # keras#9883
    keras = {(each.framework, each.call): each.output for each in shape("conv_transpose2d", 12, 3, 2).frameworks}
    assert keras["Keras", "same"] == (24, 24)
    assert "0 before and 1 after" in shape("conv2d", 6, 3, 2, "same_tf").notes[0]  # MIPVerify.jl#23
    assert shape("avg_pool2d", 9, 4, 4, 2, ceil_mode=True).output == (3, 3)  # pytorch#116420
    assert shape("conv_transpose2d", 2, 3, 2).output == (5, 5)  # B10
    assert shape("conv_transpose2d", 2, 3, 2, 1, output_padding=1).output == (4, 4)
    assert "checkerboard" in shape("conv_transpose2d", 2, 3, 2).verdicts[0][1]
    assert shape("conv_transpose2d", 2, 4, 2, 1).fits


def test_caffe_pooling_rounds_up_and_only_drops_windows_where_it_pads():
    def caffe(*arguments):
        return next(each.output for each in shape("max_pool1d", *arguments).frameworks if each.framework == "Caffe")

    assert caffe(5, 2) == (3,)
    assert caffe(5, 1, 3) == (3,)  # the third window starts behind the input; PyTorch drops it
    assert shape("max_pool1d", 5, 1, 3, ceil_mode=True).output == (2,)
    assert caffe(9, 4, 4, 2) == (3,)


def test_windows_that_skip_rows():
    assert "rows 1, 3, 5 are never read: the stride 2 is more than the kernel 1" in shape("conv1d", 7, 1, 2).verdicts[0][1]
    assert "the last 1 of the padding is never read" in shape("conv1d", 6, 3, 2, 1).verdicts[0][1]


CASES = [
    ("conv2d", (2, 6, 7), {"kernel_size": 3, "filters": 4}),
    ("conv3d", (2, 4, 5, 6), {"kernel_size": (1, 2, 3), "stride": 2, "filters": 3}),
    ("conv_transpose3d", (2, 2, 2, 2), {"kernel_size": 2, "stride": 2, "filters": 3}),
    ("avg_pool3d", (2, 4, 5, 6), {"kernel_size": 2}),
    ("lp_pool2d", (2, 5, 5), {"kernel_size": 2}),
    ("max_unpool2d", (2, 3, 3), {"kernel_size": 2}),
    ("unfold", (2, 5, 6), {"kernel_size": (2, 3)}),
    ("fold", (12, 16), {"kernel_size": (2, 3), "output_size": (5, 6)}),
    ("adaptive_avg_pool2d", (2, 7, 5), {"output_size": (3, 2)}),
    ("adaptive_max_pool1d", (2, 7), {"output_size": 3}),
    ("pad", (2, 5, 5), {"padding": (1, 0, 2, 3)}),
    ("interpolate", (2, 5, 5), {"scale_factor": 1.5}),
    ("pixel_shuffle", (8, 3, 4), {"scale_factor": 2}),
    ("pixel_unshuffle", (2, 4, 6), {"scale_factor": 2}),
    ("flatten", (2, 3, 4), {}),
    ("linear", (2, 5), {"filters": 7}),
]


@pytest.mark.parametrize(("name", "size", "options"), CASES, ids=[case[0] for case in CASES])
def test_each_operator_against_itself(name, size, options):
    answer = shape(name, size, **options)
    x = np.random.default_rng(0).standard_normal((1, *size))
    kernel, stride = options.get("kernel_size"), options.get("stride", 1)
    out, scale = options.get("output_size"), options.get("scale_factor")
    taps = (kernel,) * int(name[-2]) if isinstance(kernel, int) and name[-1] == "d" else kernel
    with tinycnn.use_kernels("reference"):
        calls = {
            "conv2d": lambda: F.conv2d(x, np.ones((4, 2, *taps)), None, stride),
            "conv3d": lambda: F.conv3d(x, np.ones((3, 2, *taps)), None, stride),
            "conv_transpose3d": lambda: F.conv_transpose3d(x, np.ones((2, 3, *taps)), None, stride),
            "avg_pool3d": lambda: F.avg_pool3d(x, kernel),
            "lp_pool2d": lambda: F.lp_pool2d(x, 2.0, kernel),
            "max_unpool2d": lambda: F.max_unpool2d(x, np.tile(np.arange(9).reshape(3, 3), (1, 2, 1, 1)), kernel),
            "unfold": lambda: F.unfold(x, kernel),
            "fold": lambda: F.fold(x, out, kernel),
            "adaptive_avg_pool2d": lambda: F.adaptive_avg_pool2d(x, out),
            "adaptive_max_pool1d": lambda: F.adaptive_max_pool1d(x, out),
            "pad": lambda: F.pad(x, (2, 3, 1, 0)),
            "interpolate": lambda: F.interpolate(x, scale_factor=scale),
            "pixel_shuffle": lambda: F.pixel_shuffle(x, scale),
            "pixel_unshuffle": lambda: F.pixel_unshuffle(x, scale),
            "flatten": lambda: tinycnn.tensor(x).flatten(1),
            "linear": lambda: F.linear(x, np.ones((7, 5))),
        }
        assert answer.output == calls[name]().shape[1:]
    assert answer.text().startswith(name.split("_")[0][:3]) or name in answer.text()
    assert volume_svg(answer).startswith("<svg") and volume_text(answer)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (("conv4d", 7), {}, ArgumentError, "there is no operator 'conv4d'; there are conv1d"),
        (("conv2d", 7), {}, ArgumentError, "the kernel is missing"),
        (("conv2d", "seven", 3), {}, ArgumentError, "input_size must be a whole number"),
        (("conv2d", (1, 2, 3, 4, 5), 3), {}, ShapeError, "input_size has 5 numbers; give 2"),
        (("conv2d", 2**31, 3), {}, ArgumentError, "more than an axis can hold"),
        (("conv2d", 7, 3, 0), {}, ArgumentError, "stride must be a whole number >= 1"),
        (("conv2d", 7, 3, 2, "same"), {}, ArgumentError, 'padding "same" keeps the size and so asks for stride 1'),
        (("conv2d", 7, 3), {"ceil_mode": True}, ArgumentError, "has no ceil_mode"),
        (("avg_pool2d", 7, 3), {"dilation": 2}, ArgumentError, "has no dilation"),
        (("max_pool2d", (3, 7, 7), 3), {"filters": 4}, ArgumentError, "has no filters"),
        (("conv2d", (3, 7, 7), 3), {"filters": 4, "groups": 2}, ShapeError, "groups=2 must divide both 3 channels and 4 filters"),
        (("conv_transpose2d", 7, 3, 2, "same"), {}, ArgumentError, "a transposed convolution crops by numbers"),
        (("adaptive_avg_pool2d", 7), {}, ArgumentError, "is missing"),
        (("linear", 7), {}, ArgumentError, "the number of outputs is missing"),
        (("interpolate", 7), {}, ArgumentError, "give one of size and scale_factor"),
    ],
)
def test_what_is_refused(arguments, options, error, words):
    with pytest.raises(error, match="(?s)" + words.replace("(", r"\(").replace(")", r"\)")):
        shape(*arguments, **options)


def test_wrong_sizes_are_answered_rather_than_raised():
    small = shape("conv2d", 2, 5)
    assert small.output is None and "does not fit: kernel 5 > padded height 2" in small.verdicts[0][1]
    assert "padding 2" in [fix.change for _, fix in small.fixes]
    assert shape("pixel_shuffle", (10, 4, 4)).output is None
    assert shape("fold", (12, 15), (2, 3), output_size=(5, 6)).output is None
    assert shape("max_pool2d", 7, 3, padding=2).output is None
    wrong = shape("conv_transpose2d", 4, 3, 2, output_padding=2)
    assert wrong.output is None and "it does not add zeros" in wrong.verdicts[0][1]


def test_strict_raises_with_the_arithmetic_and_three_fixes():
    with pytest.raises(ShapeError, match=r"\(7 - 3\)/3 \+ 1 = 2.33.*; use padding 1: .*, or padding \(0, 2\): .*, or stride 2: "):
        shape("conv2d", 7, 3, stride=3, strict=True)
    with pytest.raises(ShapeError, match="10 channels are no multiple"):
        shape("pixel_shuffle", (10, 4, 4), strict=True)
    assert shape("conv2d", 7, 3, stride=2, strict=True).fits


def test_overlaps_of_a_transposed_convolution():
    answer = shape("conv_transpose1d", 2, 3, 2)  # FEATURES B10: 1 1 2 1 1 along each axis
    assert answer.axes[0].overlaps() == [1, 1, 2, 1, 1]
    assert "terms an output along length: 1 1 2 1 1" in answer.notes
    assert "pixel_shuffle" in answer.text()
    assert set(shape("conv_transpose1d", 6, 4, 2, 1).axes[0].overlaps()[1:-1]) == {2}


def test_positions_of_a_resize():
    notes = shape("interpolate", (1, 2), output_size=(1, 4)).notes  # the input is 1x2: a height and a width
    assert "source positions, half_pixel: -0.25, 0.25, 0.75, 1.25" in notes
    assert "source positions, align_corners: 0.00, 0.33, 0.67, 1.00" in notes
    assert "source positions, asymmetric: 0.00, 0.50, 1.00, 1.50" in notes


def test_unpooling_has_no_checkerboard():
    answer = shape("max_unpool2d", 3, 3, 2)
    assert answer.fits and answer.output == (7, 7) and answer.verdicts[0][1].startswith("fits: (3 - 1)*2 + 3 = 7")
    assert "terms an output" not in answer.text()


def test_huge_sizes_are_quick_and_short():
    answer = shape("conv2d", 10**9, 7, 5)
    assert answer.output == (199999999, 199999999)
    assert "the last 3 elements" in answer.verdicts[0][1]
    assert len(answer.text()) < 4000
    assert len(axis_svg(answer.axes[0])) < 20_000


def test_names():
    assert all(operator_named(name) == name for name in OPERATOR_NAMES)
    assert operator_named("MaxPool2d") == "max_pool2d"
    assert operator_named("ConvTranspose1d") == "conv_transpose1d"


@given(axis=axes(("transposed",)))
def test_overlaps_are_what_ones_add_up_to(axis):
    if axis.allowed:
        with tinycnn.use_kernels("reference"):
            padding = (axis.before, axis.after)
            y = F.conv_transpose1d(
                np.ones((1, 1, axis.size)), np.ones((1, 1, axis.kernel)), None, axis.stride, padding, axis.output_padding, 1, axis.dilation
            )
        assert axis.overlaps() == y.data[0, 0].tolist()
