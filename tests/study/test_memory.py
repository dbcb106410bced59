"""The memory ledger: by hand for small chains, against the process for larger ones."""

import pytest

from tests.study.small_networks import ResidualBlock
from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.study import measured_peak, memory_ledger, summary


def test_a_ledger_by_hand():
    net = nn.Sequential(nn.Linear(100, 200), nn.Linear(200, 50))
    ledger = memory_ledger(net, (100,), batch=64, optimizer="adam")
    weights = 4 * (100 * 200 + 200 + 200 * 50 + 50)
    assert (ledger.weights, ledger.gradients, ledger.optimizer_state) == (weights, weights, 2 * weights)
    # Arrays have up to one vector of slack behind their end and up to 12.5 % of a size class.
    assert 4 * 64 * 100 <= ledger.input <= 1.15 * 4 * 64 * 100
    assert 4 * 64 * 250 <= ledger.activations <= 1.2 * 4 * 64 * 250
    # The tape holds the hidden rows; the last rows are the caller's.
    assert 4 * 64 * 200 <= ledger.kept <= 1.2 * 4 * 64 * 250
    assert ledger.inference_alive >= weights + 4 * 64 * (100 + 200)
    assert ledger.training_alive >= 4 * weights + 4 * 64 * (100 + 200 + 50)
    assert ledger.training_peak >= ledger.training_alive


def test_a_batch_grows_activations_only():
    net = ResidualBlock(4)
    small, large = (memory_ledger(net, (4, 16, 16), batch) for batch in (4, 400))
    assert (small.weights, small.optimizer_state) == (large.weights, large.optimizer_state)
    assert 90 < large.kept / small.kept < 110


def test_optimisers_differ_by_their_state():
    states = [memory_ledger(nn.Linear(10, 10), (10,), optimizer=name).optimizer_state for name in ("sgd", "momentum", "adam")]
    assert states == [0, 440, 880]


def test_a_network_that_cannot_train_still_has_a_table():
    class Frozen(nn.Module):
        def forward(self, input):
            if self.training:
                raise ArgumentError("for inference only")
            return input * 2.0

    result = summary(Frozen(), (3,))
    assert result.memory.training_peak is None
    assert "no training step: for inference only" in result.text()


@pytest.mark.parametrize(
    "options, message", [({"optimizer": "lion"}, "optimizer 'lion' is not one of"), ({"batch": 0}, "batch must be at least 1, not 0")]
)
def test_refused_ledgers(options, message):
    with pytest.raises(ArgumentError, match=f"memory_ledger: {message}"):
        memory_ledger(nn.Linear(2, 2), (2,), **options)


def test_a_measured_optimiser_that_does_not_exist():
    with pytest.raises(ArgumentError, match="measured_peak: optimizer 'lion' is not one of"):
        measured_peak(nn.Linear(2, 2), (2,), optimizer="lion")


@pytest.mark.exhaustive
@pytest.mark.parametrize("training", [False, True])
def test_prediction_against_the_process(training):
    """Large enough that the noise of a process, some MB, does not count."""
    net = nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), *(ResidualBlock(32) for _ in range(3)), nn.AdaptiveAvgPool2d(1))
    ledger = memory_ledger(net, (3, 64, 64), batch=64)
    measured = measured_peak(net, (3, 64, 64), batch=64, training=training)
    if measured is None:
        pytest.skip("this system does not tell")
    predicted = ledger.training_peak if training else ledger.inference_peak
    assert 0.75 * predicted < measured < 1.25 * predicted


def test_a_measured_peak_holds_at_least_the_weights():
    measured = measured_peak(nn.Linear(1000, 500), (1000,), batch=8)
    assert measured is None or measured >= 4 * 500 * 1001
