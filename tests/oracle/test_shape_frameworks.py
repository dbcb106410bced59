"""What study.shape says PyTorch and ONNX answer, against PyTorch and onnxruntime themselves."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.study.shape import shape

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

numbers = {
    "size": st.integers(1, 14),
    "kernel": st.integers(1, 5),
    "stride": st.integers(1, 4),
    "padding": st.integers(0, 3),
    "dilation": st.integers(1, 3),
}


def told(answer):
    return {(each.framework, each.call): (None if None in each.output else each.output) for each in answer.frameworks}


def size_or_none(function):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "same" with an even kernel costs torch a copy
            return tuple(function().shape[2:])
    except (RuntimeError, ValueError):
        return None


@given(**numbers)
def test_torch_convolutions(size, kernel, stride, padding, dilation):
    answers = told(shape("conv1d", size, kernel, stride, padding, dilation))
    x, w = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
    conv = torch.nn.functional.conv1d
    assert answers["PyTorch", f"padding={padding}"] == size_or_none(lambda: conv(x, w, None, stride, padding, dilation))
    assert answers["PyTorch", 'padding="same"'] == size_or_none(lambda: conv(x, w, None, stride, "same", dilation))


@given(**numbers)
def test_torch_poolings(size, kernel, stride, padding, dilation):
    answers = told(shape("max_pool1d", size, kernel, stride, padding, dilation))
    x, pool = torch.zeros(1, 1, size), torch.nn.functional.max_pool1d
    assert answers["PyTorch", f"padding={padding}"] == size_or_none(lambda: pool(x, kernel, stride, padding, dilation))
    assert answers["PyTorch", "ceil_mode=True"] == size_or_none(lambda: pool(x, kernel, stride, padding, dilation, True))


@given(**numbers, behind=st.integers(0, 3))
def test_torch_transposed_convolutions(size, kernel, stride, padding, dilation, behind):
    answers = told(shape("conv_transpose1d", size, kernel, stride, padding, dilation, output_padding=behind))
    x, w = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
    real = size_or_none(lambda: torch.nn.functional.conv_transpose1d(x, w, None, stride, padding, behind, 1, dilation))
    assert answers["PyTorch", f"padding={padding}, output_padding={behind}"] == real


def run_onnx(operator, size, kernel, **attributes):
    """The output size of one ONNX node, or None where the runtime refuses."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weights = [] if "Pool" in operator else [helper.make_tensor("w", kind, (1, 1, kernel), np.zeros(kernel, np.float32))]
    node = helper.make_node(operator, ["x", *(["w"] if weights else [])], ["y"], kernel_shape=[kernel], **attributes)
    inputs = [helper.make_tensor_value_info("x", kind, (1, 1, size))]
    graph = helper.make_graph([node], "one", inputs, [helper.make_tensor_value_info("y", kind, None)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": np.zeros((1, 1, size), np.float32)})[0].shape[2:]
    except Exception:
        return None


ONNX_CASES = [
    (7, 3, 3, 0),
    (7, 3, 2, 1),
    (6, 3, 2, 0),
    (5, 2, 2, 0),
    (9, 4, 4, 2),
    (12, 2, 3, 1),
    (8, 2, 1, 0),
    (24, 3, 2, 1),
    (23, 7, 4, 3),
    (10, 1, 3, 0),
]


@pytest.mark.parametrize(("size", "kernel", "stride", "padding"), ONNX_CASES)
def test_onnx(size, kernel, stride, padding):
    conv, pool = told(shape("conv1d", size, kernel, stride, padding)), told(shape("max_pool1d", size, kernel, stride, padding))
    back = told(shape("conv_transpose1d", size, kernel, stride, padding))
    steps = {"strides": [stride]}
    pads = {"pads": [padding, padding], **steps}
    assert conv["ONNX", f"pads={padding}"] == run_onnx("Conv", size, kernel, **pads)
    if padding <= kernel // 2:
        assert pool["ONNX", f"pads={padding}"] == run_onnx("MaxPool", size, kernel, **pads)
        assert pool["ONNX", "ceil_mode=1"] == run_onnx("MaxPool", size, kernel, ceil_mode=1, **pads)
    for name in ("SAME_UPPER", "SAME_LOWER"):
        assert conv["ONNX", name] == run_onnx("Conv", size, kernel, auto_pad=name, **steps)
        if kernel >= stride:  # else the padding would be negative, which onnxruntime refuses for a pooling
            assert pool["ONNX", name] == run_onnx("MaxPool", size, kernel, auto_pad=name, **steps)
    assert back["ONNX", f"pads={padding}, output_padding=0"] == run_onnx("ConvTranspose", size, kernel, **pads)
    if kernel >= stride:  # else onnxruntime departs from the standard: (i - 1) s + k
        assert back["ONNX", "SAME_UPPER"] == run_onnx("ConvTranspose", size, kernel, auto_pad="SAME_UPPER", **steps)
