"""The Tensor itself: dtypes, memory, conversions, messages."""

import copy
import pickle

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor
from tinycnn.errors import DtypeError, GraphError


def test_it_shares_the_array():
    array = np.zeros(2, np.float32)
    tensor = Tensor(array)
    array[0] = 5.0
    assert tensor.data[0] == 5.0
    assert tensor.numpy() is array
    assert tensor.detach().numpy() is array


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32, np.uint8, np.bool_])
def test_dtypes_are_kept(dtype):
    assert Tensor(np.zeros(2, dtype)).dtype == dtype


@pytest.mark.parametrize("dtype", [np.float16, np.complex128, np.int8])
def test_other_dtypes_are_refused_with_the_fix(dtype):
    with pytest.raises(DtypeError, match=r"dtype \w+ is not one of float32.*astype"):
        Tensor(np.zeros(2, dtype))


def test_integers_have_no_gradients():
    with pytest.raises(DtypeError, match="only float32 and float64 have gradients"):
        Tensor(np.zeros(2, np.int64), requires_grad=True)
    with pytest.raises(DtypeError, match="only float32 and float64"):
        Tensor(np.zeros(2, np.int64)).requires_grad_()


def test_numpy_of_a_tensor_in_a_graph_is_refused():
    with pytest.raises(GraphError, match=r"detach\(\)\.numpy\(\)"):
        Tensor(np.ones(1), requires_grad=True).numpy()


def test_item_wants_one_element():
    assert Tensor(np.array([[3.5]])).item() == 3.5
    with pytest.raises(ValueError, match="has 2 elements, not one"):
        Tensor(np.zeros(2)).item()


def test_truth_is_ambiguous_for_several_elements():
    assert Tensor(np.array([1.0]))
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor(np.zeros(2)))


def test_copies_are_leaves_with_their_own_memory():
    tensor = Tensor(np.ones(2), requires_grad=True)
    twin = copy.deepcopy(tensor)
    twin.data[0] = 9.0
    assert tensor.data[0] == 1.0
    assert twin.requires_grad
    loaded = pickle.loads(pickle.dumps(tensor))
    np.testing.assert_array_equal(loaded.data, tensor.data)
    with pytest.raises(GraphError, match="only leaves"):
        copy.deepcopy(tensor * 2.0)


def test_representation_names_what_differs_from_the_usual():
    assert repr(Tensor(np.array([1.5], np.float32))) == "tensor([1.5])"
    assert "dtype=float64" in repr(Tensor(np.array([1.5])))
    x = Tensor(np.array([1.5]), requires_grad=True)
    assert "requires_grad=True" in repr(x)
    assert "grad_fn=<mul>" in repr(x * 2.0)


def test_asking_no_gradient_of_a_result_is_refused():
    with pytest.raises(GraphError, match="detach"):
        (Tensor(np.ones(1), requires_grad=True) * 2.0).requires_grad_(False)


def test_the_names_a_torch_user_looks_for():
    assert tinycnn.nn.functional is tinycnn.functional
    assert tinycnn.float32 is np.float32
    assert hasattr(tinycnn.optim, "lr_scheduler")
    assert tinycnn.nn.init is not None
    assert tinycnn.nn.utils is not None


def test_seeding_repeats_and_refuses_nonsense():
    first = tinycnn.manual_seed(7).standard_normal(3)
    np.testing.assert_array_equal(first, tinycnn.manual_seed(7).standard_normal(3))
    with pytest.raises(tinycnn.errors.ArgumentError, match="-1 is not a whole number"):
        tinycnn.manual_seed(-1)
    with pytest.raises(tinycnn.errors.ArgumentError, match="default_rng"):
        tinycnn.random.default_generator(np.random)
