"""The module tree: registration, walks, state, modes, hooks and text."""

import copy

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor, nn
from tinycnn.errors import ArgumentError, CheckpointError, DtypeError


class Scale(nn.Module):
    """Multiplies by a trained number, adds a buffer."""

    def __init__(self, value=2.0):
        super().__init__()
        self.factor = nn.Parameter(np.array([value], np.float32))
        self.register_buffer("offset", Tensor(np.zeros(1, np.float32)))
        self.register_buffer("scratch", Tensor(np.zeros(1, np.float32)), persistent=False)

    def forward(self, x):
        return x * self.factor.detach() + self.offset


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Scale()
        self.second = Scale(3.0)
        self.register_parameter("bias", None)

    def forward(self, x):
        return self.second(self.first(x))


def ones():
    return Tensor(np.ones(1, np.float32))


def test_assignment_registers():
    pair = Pair()
    assert [name for name, _ in pair.named_parameters()] == ["first.factor", "second.factor"]
    assert [name for name, _ in pair.named_buffers()] == [
        "first.offset",
        "first.scratch",
        "second.offset",
        "second.scratch",
    ]
    assert [name for name, _ in pair.named_modules()] == ["", "first", "second"]
    assert [name for name, _ in pair.named_children()] == ["first", "second"]
    assert list(pair.named_parameters(recurse=False)) == []
    assert [name for name, _ in pair.named_parameters(prefix="net")] == ["net.first.factor", "net.second.factor"]
    assert pair.first.factor.requires_grad
    assert pair.bias is None
    assert pair(ones()).item() == 6.0
    assert "factor" in dir(pair.first)


def test_a_name_means_one_thing():
    module = Scale()
    module.extra = None
    module.extra = nn.Parameter(np.zeros(2, np.float32))
    assert "extra" not in module.__dict__
    module.factor = None
    assert module.factor is None
    assert [name for name, _ in module.named_parameters()] == ["extra"]
    del module.extra
    assert not hasattr(module, "extra")
    module.offset = Tensor(np.ones(1, np.float32))
    assert module.state_dict()["offset"].item() == 1
    pair = Pair()
    pair.second = None
    assert [name for name, _ in pair.named_modules()] == ["", "first"]
    pair.first = Scale(5.0)
    assert pair.first.factor.item() == 5


def test_shared_parameters_appear_once_but_are_saved_twice():
    pair = Pair()
    pair.second.factor = pair.first.factor
    assert [name for name, _ in pair.named_parameters()] == ["first.factor"]
    assert len(list(pair.named_parameters(remove_duplicate=False))) == 2
    assert [key for key in pair.state_dict() if "factor" in key] == ["first.factor", "second.factor"]
    shared = nn.Sequential(pair.first, pair.first)
    assert [name for name, _ in shared.named_modules()] == ["", "0"]
    assert len(list(shared.children())) == 1
    assert list(shared.state_dict()) == ["0.factor", "0.offset", "1.factor", "1.offset"]


def test_state_shares_memory_and_loading_copies_in_place():
    pair, other = Pair(), Pair()
    state = pair.state_dict()
    assert list(state) == ["first.factor", "first.offset", "second.factor", "second.offset"]
    assert not state["first.factor"].requires_grad
    state["first.factor"].data[0] = 7
    assert pair.first.factor.item() == 7
    array, version = other.first.factor.data, other.first.factor._version
    assert other.load_state_dict(state) == ([], [])
    assert other.first.factor.data is array
    assert array[0] == 7
    assert other.first.factor._version == version + 1
    state["first.factor"].data[0] = 8
    assert array[0] == 7


def test_loading_takes_ndarrays_and_keeps_the_dtype():
    pair = Pair()
    pair.load_state_dict({key: np.ones(tensor.shape) for key, tensor in pair.state_dict().items()})
    assert pair.first.factor.dtype == np.float32
    assert pair.first.factor.item() == 1


def test_loading_after_forward_is_noticed_by_backward():
    x = Tensor(np.ones(2), requires_grad=True)
    weight = nn.Parameter(np.ones(2))
    module = nn.Module()
    module.weight = weight
    y = (x * weight).sum()
    module.load_state_dict({"weight": np.zeros(2)})
    with pytest.raises(tinycnn.errors.GraphError, match="changed in place"):
        y.backward()


def test_a_bad_state_is_shown_as_a_table_and_changes_nothing():
    pair = Pair()
    state = {"first.factor": np.full(2, 5.0), "first.offset": np.full(1, 5.0), "second.factr": np.ones(1)}
    with pytest.raises(CheckpointError) as caught:
        pair.load_state_dict(state)
    assert str(caught.value).splitlines() == [
        "load_state_dict: keys do not fit Pair: 1 mis-shaped, 2 missing, 1 unexpected",
        "    key            in the model  in the state dict",
        "    first.factor   (1,)          (2,)",
        "    second.factor  (1,)          missing",
        "    second.offset  (1,)          missing",
        "    second.factr   unexpected    (1,)",
        "    'second.factr' looks like 'second.factor'; rename it, or load with strict=False to skip it",
    ]
    assert pair.first.offset.item() == 0
    with pytest.raises(CheckpointError, match="1 mis-shaped"):
        pair.load_state_dict(state, strict=False)


def test_files_from_before_batch_counters_load():
    norm = nn.BatchNorm2d(2)
    state = {key: value for key, value in norm.state_dict().items() if key != "num_batches_tracked"}
    assert len(state) == 4
    assert norm.load_state_dict(state) == ([], [])


def test_not_strict_loads_what_fits():
    pair = Pair()
    result = pair.load_state_dict({"first.factor": np.full(1, 5.0), "head": np.ones(1)}, strict=False)
    assert result.missing_keys == ["first.offset", "second.factor", "second.offset"]
    assert result.unexpected_keys == ["head"]
    assert pair.first.factor.item() == 5


def test_a_common_prefix_is_recognised():
    state = {f"module.{key}": tensor for key, tensor in Pair().state_dict().items()}
    with pytest.raises(CheckpointError, match=r"every unexpected key starts with 'module.'; strip it"):
        Pair().load_state_dict(state)


def test_a_long_table_is_cut():
    state = {f"layer{number}": np.ones(1) for number in range(100)}
    with pytest.raises(CheckpointError, match=r"\.\.\. and 74 more"):
        Pair().load_state_dict(state)


@pytest.mark.parametrize("state, message", [([1], "a list is not a mapping"), ({"a": np.array(["x"])}, "'a' holds <U1 values")])
def test_states_that_are_none(state, message):
    with pytest.raises(CheckpointError, match=message):
        Pair().load_state_dict(state)


def test_modes():
    pair = Pair()
    assert pair.training
    assert pair.eval() is pair
    assert not pair.second.training
    assert pair.train().second.training
    with pytest.raises(ArgumentError, match="mode must be True or False"):
        pair.train(pair)


def test_conversion():
    pair = Pair()
    pair.first.register_buffer("count", Tensor(np.zeros(1, np.int64)))
    pair.first.factor.grad = ones()
    parameter = pair.first.factor
    assert pair.double() is pair
    assert pair.first.factor is parameter
    assert (parameter.dtype, parameter.grad.dtype) == (np.float64, np.float64)
    assert pair.first.offset.dtype == np.float64
    assert pair.first.count.dtype == np.int64
    assert pair.to(tinycnn.float32).first.factor.dtype == np.float32
    assert pair.to("cpu").to(dtype="float64").first.factor.dtype == np.float64
    assert pair.float().first.factor.dtype == np.float32
    with pytest.raises(DtypeError, match="int64 is not a type that modules compute in"):
        pair.to(np.int64)
    with pytest.raises(ArgumentError, match="device 'cuda:0' is not available"):
        pair.to("cuda:0")


def test_gradients_are_dropped_or_zeroed_and_frozen():
    pair = Pair()
    pair.first.factor.grad = ones()
    pair.zero_grad(set_to_none=False)
    assert pair.first.factor.grad.item() == 0
    pair.zero_grad()
    assert pair.first.factor.grad is None
    pair.requires_grad_(False)
    assert not any(parameter.requires_grad for parameter in pair.parameters())


def test_apply_visits_children_first():
    seen = []
    Pair().apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Scale", "Scale", "Pair"]


def test_hooks_see_and_replace():
    pair = Pair()
    seen = []
    handle = pair.first.register_forward_hook(lambda module, args, output: seen.append((args[0].item(), output.item())))
    pair(ones())
    assert seen == [(1.0, 2.0)]
    handle.remove()
    handle.remove()
    pair(ones())
    assert len(seen) == 1
    with pair.first.register_forward_hook(lambda module, args, output: output * 10.0):
        assert pair(ones()).item() == 60
    with pair.register_forward_pre_hook(lambda module, args: args[0] + 1.0):
        assert pair(ones()).item() == 12
    with pair.register_forward_pre_hook(lambda module, args: (args[0] + 2.0,)):
        assert pair(ones()).item() == 18
    assert pair(ones()).item() == 6


def test_a_hook_may_remove_itself():
    scale = Scale()
    handle = scale.register_forward_hook(lambda module, args, output: handle.remove())
    scale(ones())
    assert not scale._forward_hooks


def test_copies_are_apart():
    pair = Pair()
    twin = copy.deepcopy(pair)
    twin.first.factor.data[0] = 9
    assert pair.first.factor.item() == 2
    assert isinstance(twin.first.factor, nn.Parameter)
    assert list(twin.state_dict()) == list(pair.state_dict())


def test_submodules_by_path():
    net = nn.Sequential(Pair(), Scale())
    assert net.get_submodule("0.second") is net[0].second
    assert net.get_submodule("") is net
    with pytest.raises(ArgumentError, match="Pair has no child 'third'; its children: first, second"):
        net.get_submodule("0.third")


def test_text():
    assert repr(Pair()) == "Pair(\n  (first): Scale()\n  (second): Scale()\n)"
    assert repr(nn.Sequential(Pair())).splitlines()[1:3] == ["  (0): Pair(", "    (first): Scale()"]
    assert repr(nn.Sequential()) == "Sequential()"
    assert repr(Scale().factor) == "Parameter containing:\ntensor([2.], requires_grad=True)"


def test_mistakes_are_named():
    class Forgetful(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(np.zeros(1))

    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\) first"):
        Forgetful()
    with pytest.raises(NotImplementedError, match="Module has no forward method"):
        nn.Module()(1)
    module = Scale()
    with pytest.raises(TypeError, match=r"Scale\.factor is registered as a Parameter; assign a Parameter or None, not Te"):
        module.factor = ones()
    with pytest.raises(TypeError, match=r"Scale\.offset is registered as a Tensor; assign a Tensor or None, not int"):
        module.offset = 3
    with pytest.raises(TypeError, match="registered as a Module; assign a Module or None, not int"):
        Pair().first = 3
    with pytest.raises(AttributeError, match="Scale has no attribute 'weight'"):
        module.weight  # noqa: B018
    with pytest.raises(ArgumentError, match="has no dot"):
        module.add_module("a.b", Scale())
    with pytest.raises(ArgumentError, match="'forward' is already an attribute of Scale"):
        module.add_module("forward", Scale())
    with pytest.raises(ArgumentError, match=r"'child' is a int, not an nn\.Module"):
        module.add_module("child", 3)
    with pytest.raises(ArgumentError, match=r"'w' is a ndarray; wrap it: nn.Parameter\(...\)"):
        module.register_parameter("w", np.zeros(1))
    with pytest.raises(ArgumentError, match=r"'b' is a ndarray; wrap it: tinycnn\.Tensor"):
        module.register_buffer("b", np.zeros(1))
