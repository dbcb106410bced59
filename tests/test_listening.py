"""What a listener hears of a network, and that listening leaves no trace."""

import sys
import threading

import numpy as np
import pytest

import tinycnn
from tinycnn import functional as F
from tinycnn import nn
from tinycnn.errors import ShapeError
from tinycnn.functional import softsign as renamed
from tinycnn.listening import Hearing, Listener, _operators_by_code, listening, profiled
from tinycnn.registry import OPERATORS


class Diary(Listener):
    """Writes everything down; `hearings` says how operators are taken, whole if left out."""

    def __init__(self, **hearings):
        self.hearings = hearings
        self.lines = []
        self.arguments = []
        self.functions = []

    def entered(self, module):
        self.lines.append(f"in {type(module).__name__}")

    def left(self):
        self.lines.append("out")

    def called(self, operator, arguments):
        self.lines.append(operator)
        self.arguments.append(arguments)
        return self.hearings.get(operator, Hearing.WHOLE)

    def returned(self, operator, result):
        self.lines.append(f"{operator} gave {type(result).__name__}")

    def passed(self, operator, result):
        self.lines.append(f"{operator} passed {type(result).__name__}")

    def inside(self, frame, event, argument):
        self.functions.append(frame.f_code)


def heard(function, **hearings):
    diary = Diary(**hearings)
    with listening(diary):
        function()
    return diary


X = tinycnn.Tensor(np.array([[1, -2, 3]], np.float32))


def test_every_way_to_call_an_operator_is_heard_once():
    diary = heard(lambda: (renamed(X), X.tanh(), -X, 1.0 + X, X[:, 0], X.detach(), F.relu(X)))
    assert diary.lines[::2] == ["softsign", "tanh", "neg", "add", "getitem", "detach", "relu"]
    assert diary.lines[1::2] == [f"{name} gave Tensor" for name in diary.lines[::2]]


def test_arguments_come_by_name_with_their_defaults():
    arguments = heard(lambda: (F.softmax(X, 1), X.permute(1, 0), F.hardtanh(X, max_val=2.0), F.cat([X, X], dim=1))).arguments
    assert arguments[0]["input"] is X and arguments[0]["dim"] == 1
    assert arguments[1]["dims"] == (1, 0)
    assert (arguments[2]["min_val"], arguments[2]["max_val"]) == (-1.0, 2.0)
    assert arguments[3]["tensors"][1] is X and arguments[3]["dim"] == 1


def test_whole_in_parts_or_not_at_all():
    whole, parts, nothing = (heard(lambda: X.unbind(1), unbind=hearing) for hearing in (Hearing.WHOLE, Hearing.PARTS, Hearing.NOTHING))
    assert whole.lines == ["unbind", "unbind gave tuple"]
    assert parts.lines[0] == "unbind" and parts.lines[-1] == "unbind passed tuple"
    assert parts.lines[1:-1] == ["select", "select gave Tensor"] * 3
    assert nothing.lines == ["unbind", *parts.lines[1:-1]]
    assert F.select.__code__ in whole.functions


def test_modules_are_entered_and_left():
    diary = heard(lambda: nn.Sequential(nn.Linear(3, 2), nn.ReLU())(X))
    calls = ["in Linear", "linear", "linear gave Tensor", "out", "in ReLU", "relu", "relu gave Tensor", "out"]
    assert diary.lines == ["in Sequential", *calls, "out"]


def test_an_operator_that_raises_gives_none_and_the_hook_goes():
    diary = Diary(matmul=Hearing.PARTS)
    with pytest.raises(ShapeError), listening(diary):
        nn.Linear(4, 2)(X)
    assert diary.lines == ["in Linear", "linear", "linear gave NoneType", "out"]
    diary.lines.clear()
    with pytest.raises(ShapeError), listening(diary):
        tinycnn.matmul(X, X)
    assert diary.lines[0] == "matmul" and diary.lines[-1] == "matmul passed NoneType"
    assert sys.getprofile() is None


def test_a_listener_that_raises_ends_the_call():
    class Refusing(Diary):
        def returned(self, operator, result):
            raise KeyError(operator)

    with pytest.raises(KeyError, match="relu"), listening(Refusing()):
        F.relu(X)
    assert sys.getprofile() is None
    assert F.relu(X).data[0, 1] == 0


def test_other_threads_are_not_heard():
    def elsewhere():
        thread = threading.Thread(target=lambda: results.append(F.relu(X)))
        thread.start()
        thread.join()

    results = []
    diary = heard(lambda: (elsewhere(), F.tanh(X)))
    assert len(results) == 1
    assert diary.lines == ["tanh", "tanh gave Tensor"]


def test_what_profiled_before_goes_on_afterwards():
    outer, events = Diary(), []
    with profiled(lambda frame, event, argument: events.append(frame.f_code)):
        mine = sys.getprofile()
        with listening(outer):
            F.relu(X)
            inner = heard(lambda: F.tanh(X))
            F.softsign(X)
        assert sys.getprofile() is mine
        F.sigmoid(X)
    assert sys.getprofile() is None
    assert outer.lines[::2] == ["relu", "softsign"]
    assert inner.lines[::2] == ["tanh"]
    assert F.sigmoid.__code__ in events and F.relu.__code__ not in events


def test_every_operator_has_code_of_its_own():
    """Operators made by one factory would share their code, and be heard under one name."""
    assert {name for name, _ in _operators_by_code().values()} == {*OPERATORS, "getitem", "detach"}
