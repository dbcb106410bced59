"""The tape: order, accumulation, freeing, versions, modes."""

import threading

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor, autograd
from tinycnn.autograd import record
from tinycnn.errors import GraphError, ShapeError
from tinycnn.kernels import memory


def leaf(*values: float) -> Tensor:
    return Tensor(np.array(values), requires_grad=True)


def test_gradient_of_a_product_by_hand():
    x, y = leaf(2.0, 3.0), leaf(5.0, 7.0)
    (x * y).backward(np.array([1.0, 10.0]))
    np.testing.assert_array_equal(x.grad.numpy(), [5.0, 70.0])
    np.testing.assert_array_equal(y.grad.numpy(), [2.0, 30.0])


def test_a_tensor_used_twice_receives_both_gradients():
    x = leaf(3.0)
    (x * x + x).backward()
    assert x.grad.item() == 7.0


def test_a_diamond_is_visited_once_a_node():
    visits = []
    x = leaf(1.0)

    def backward(grad, needs):
        visits.append(grad.copy())
        return (grad,)

    middle = record("middle", x.data.copy(), (x,), backward)
    left, right = middle * 2.0, middle * 3.0
    (left + right).backward()
    assert len(visits) == 1
    assert x.grad.item() == 5.0


def test_a_chain_of_50_000_operators_needs_no_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(50_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0


def test_gradients_add_up_over_calls_and_own_their_memory():
    x = leaf(1.0, 2.0)
    upstream = np.array([3.0, 4.0])
    for _ in range(2):
        (x + 0.0).backward(upstream)
    np.testing.assert_array_equal(x.grad.numpy(), [6.0, 8.0])
    np.testing.assert_array_equal(upstream, [3.0, 4.0])
    assert not np.shares_memory(x.grad.data, upstream)


def test_two_leaves_do_not_share_one_gradient_array():
    x, y = leaf(1.0), leaf(2.0)
    (x + y).backward()
    x.grad.data += 1.0
    assert y.grad.item() == 1.0


def passed_on(*gradients, size=4):
    """The gradients of leaves of which an operator hands back the given arrays, each given as a function of the upstream gradient."""
    leaves = [Tensor(np.zeros(size), requires_grad=True) for _ in gradients]
    y = record("passed_on", np.zeros(size), tuple(leaves), lambda grad, needs: tuple([gradient(grad) for gradient in gradients]))
    upstream = np.arange(1.0, size + 1)
    y.backward(upstream)
    found = [one.grad.data for one in leaves]
    others = [upstream, *found]
    for k, one in enumerate(found):
        assert one.flags.carray
        assert not any(np.shares_memory(one, other) for j, other in enumerate(others) if j != k + 1)
    return found


@pytest.mark.parametrize("size", [4, 40_000])  # arrays of the C library, and recycled ones
def test_a_fresh_gradient_becomes_the_leafs_own_without_a_copy(size):
    addresses = []

    def fresh(grad):
        flat = memory.empty((1, size), np.float64)
        flat[:] = 2 * grad
        addresses.append(flat.ctypes.data)
        return flat.reshape(size)

    (found,) = passed_on(fresh, size=size)
    assert addresses == [found.ctypes.data]
    np.testing.assert_array_equal(found, 2 * np.arange(1.0, size + 1))


def test_what_forward_saved_for_its_gradient_becomes_the_leafs_own_when_the_graph_is_freed():
    for retain in (False, True):
        x = leaf(1.0, 2.0)
        saved = [np.array([5.0, 6.0])]
        address = saved[0].ctypes.data
        y = record("saved", np.zeros(2), (x,), lambda grad, needs, saved=saved: (saved[0],))
        del saved
        y.backward(np.ones(2), retain_graph=retain)
        assert (x.grad.data.ctypes.data == address) == (not retain)
        x.grad.data += 1.0
        if retain:
            x.grad = None
            y.backward(np.ones(2))
            np.testing.assert_array_equal(x.grad.data, [5.0, 6.0])


def test_no_gradient_is_shared_with_another_leaf_or_with_anything_that_lives_on():
    kept = 3.0 * np.arange(4.0)
    table = np.zeros(100)
    scratch = memory.workspace(4, np.float64)

    def one_for_both():
        both = np.zeros(4)
        return lambda grad: both

    same = one_for_both()
    passed_on(same, same)
    passed_on(lambda grad: grad, lambda grad: grad[:])
    passed_on(lambda grad: grad, lambda grad: grad * 2, lambda grad: grad[::-1])
    for view in (kept, kept[:], kept.reshape(2, 2).reshape(4), kept[::-1], np.broadcast_to(kept[:1], 4), np.frombuffer(bytes(32))):
        (found,) = passed_on(lambda grad, view=view: view)
        assert not np.shares_memory(found, kept)
    (found,) = passed_on(lambda grad: scratch)
    assert not np.shares_memory(found, scratch)
    # A view of the whole that nobody else holds would keep all of it alive.
    (found,) = passed_on(lambda grad: np.concatenate([grad, table])[:4])
    assert found.base is None
    # Two halves of one fresh array.
    halves = []

    def half(grad):
        halves.append(halves[0][4:] if halves else np.zeros(8))
        return halves[0][:4] if len(halves) == 1 else halves.pop()

    passed_on(half, half)


def test_a_gradient_kept_by_an_inner_tensor_is_not_shared_with_the_leafs():
    x = leaf(1.0, 2.0)
    middle = x.reshape(2)
    middle.retain_grad()
    (middle + 0.0).backward(np.array([1.0, 1.0]))
    middle.grad.data += 5.0
    np.testing.assert_array_equal(x.grad.data, [1.0, 1.0])


def test_a_float32_leaf_has_a_float32_gradient_whatever_comes_back():
    x = Tensor(np.zeros(2, np.float32), requires_grad=True)
    record("wide", np.zeros(2, np.float32), (x,), lambda grad, needs: (np.ones(2),)).backward(np.ones(2))
    assert x.grad.dtype == np.float32


def test_backward_from_a_leaf_adds_the_upstream_gradient():
    x = leaf(1.0, 2.0)
    x.backward(np.array([3.0, 4.0]))
    np.testing.assert_array_equal(x.grad.numpy(), [3.0, 4.0])


def test_the_graph_is_freed_by_backward_unless_retained():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0
    with pytest.raises(GraphError, match=r"freed by an earlier backward.*retain_graph=True"):
        y.backward()


def test_a_saved_tensor_changed_by_the_engine_is_refused():
    x = leaf(2.0)
    y = x * x
    x._wrote()
    with pytest.raises(GraphError, match=r"changed in place since \(version 0, now 1\).*step the optimiser after backward"):
        y.backward()


def test_backward_wants_a_number_or_an_upstream_gradient_of_the_same_shape():
    x = leaf(1.0, 2.0)
    with pytest.raises(ShapeError, match=r"shape \(2,\) is not a single number"):
        (x * 2.0).backward()
    with pytest.raises(ShapeError, match=r"grad has shape \(3,\), the tensor \(2,\)"):
        (x * 2.0).backward(np.ones(3))
    with pytest.raises(GraphError, match="gradients of gradients"):
        (x * 2.0).backward(leaf(1.0, 1.0))


def test_backward_of_what_needs_no_gradient_says_so():
    with pytest.raises(GraphError, match="does not require gradients"):
        (Tensor(np.ones(1)) * 2.0).backward()


def test_no_grad_records_nothing_and_nests():
    x = leaf(1.0)
    with tinycnn.no_grad():
        assert not (x * 2.0).requires_grad
        with tinycnn.enable_grad():
            assert (x * 2.0).requires_grad
        assert not tinycnn.is_grad_enabled()
    assert tinycnn.is_grad_enabled()


def test_no_grad_as_a_decorator():
    @tinycnn.no_grad()
    def double(x):
        return x * 2.0

    assert not double(leaf(1.0)).requires_grad
    assert not double(leaf(1.0)).requires_grad


def test_grad_mode_is_per_thread():
    seen = []
    with tinycnn.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tinycnn.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_retain_grad_keeps_the_gradient_of_a_result():
    x = leaf(3.0)
    y = x * 2.0
    y.retain_grad()
    (y * y + y).backward()
    assert y.grad.item() == 13.0
    assert x.grad.item() == 26.0
    with pytest.raises(GraphError, match="does not require gradients"):
        Tensor(np.ones(1)).retain_grad()


def test_inputs_that_need_no_gradient_are_not_asked_for_one():
    asked = []

    def backward(grad, needs):
        asked.append(needs)
        return grad, None, None

    x, constant = leaf(1.0), Tensor(np.ones(1))
    record("three", np.ones(1), (x, constant, None), backward).backward()
    assert asked == [(True, False, False)]


def test_plus_equals_rebinds():
    x = leaf(1.0)
    y = x
    y += 1.0
    assert x.data[0] == 1.0
    assert y is not x
    y.backward()
    assert x.grad.item() == 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("transposed", [False, True])
def test_large_gradients_that_meet_are_added_by_threads_to_the_same_bits(dtype, transposed):
    shape = (400, 500)
    assert shape[0] * shape[1] >= autograd.LARGE
    rng = np.random.default_rng(3)
    first, second = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    if transposed:
        second = np.asfortranarray(second)
    x = tinycnn.Tensor(np.zeros(shape, dtype), requires_grad=True)
    y = x * 1.0
    ((y * first).sum() + (y * second).sum()).backward()
    np.testing.assert_array_equal(x.grad.numpy(), first + second)
    kept = first.copy()
    assert autograd._sum(first, second).dtype == dtype
    np.testing.assert_array_equal(first, kept)
