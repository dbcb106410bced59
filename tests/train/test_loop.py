"""The loop: it learns, shows, logs and evaluates."""

import csv
import io
import json

import numpy as np
import pytest

from tinycnn import functional, nn, optim
from tinycnn.data import DataLoader
from tinycnn.errors import UsageError
from tinycnn.tensor import Tensor
from tinycnn.train import TrainConfig, evaluate, prepare, train
from tinycnn.train.progress import Progress, readable_seconds

CONFIG = TrainConfig(epochs=8, batch_size=16, learning_rate=0.1)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_it_learns_and_the_records_say_so(small_net, stripes):
    result = train(*prepare(small_net, *stripes, CONFIG), CONFIG, show=False)
    assert [record.epoch for record in result.epochs] == list(range(1, 9))
    assert result.epochs[-1].test_accuracy > 0.9
    assert result.epochs[-1].train_loss < result.epochs[0].train_loss
    assert len(result.step_losses) == len(result.learning_rates) == 8 * 6
    assert (result.exit_code, result.interrupted, result.checkpoint) == (0, None, None)
    assert all(record.images_per_second > 0 for record in result.epochs)


def test_the_epoch_loss_is_the_mean_over_its_images(stripes):
    config = TrainConfig(epochs=1, batch_size=20, schedule="constant", learning_rate=1e-12, momentum=0.0)
    prepared = prepare(lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), *stripes, config)
    result = train(*prepared, config, show=False)
    # With a rate of almost nothing the model stays what it was, so that the whole set at once gives the same mean.
    assert np.isclose(result.epochs[0].train_loss, evaluate(prepared.model, DataLoader(stripes[0], batch_size=96)).loss)


def test_one_plain_line_an_epoch_where_there_is_no_terminal(small_net, stripes):
    said = io.StringIO()
    train(*prepare(small_net, *stripes, CONFIG), CONFIG, stream=said)
    lines = [line for line in said.getvalue().splitlines() if line.startswith("epoch")]
    assert len(lines) == 8
    assert "\r" not in said.getvalue()
    assert "test accuracy" in lines[0] and "images/s" in lines[0]


def test_a_bar_on_a_terminal(small_net, stripes):
    said = Terminal()
    train(*prepare(small_net, *stripes, CONFIG), CONFIG, stream=said)
    assert "\repoch 1/8 [" in said.getvalue()
    assert "ETA" in said.getvalue() and "images/s" in said.getvalue()


def test_a_shorter_drawing_covers_a_longer_one():
    said = Terminal()
    progress = Progress(1, 2, stream=said)
    progress.step(0, 2, 1234567.0, 0.5, 8)
    progress.say("done")
    last_drawn = said.getvalue().split("\r")
    assert last_drawn[-1] == "done\n"
    assert last_drawn[-2].strip() == "" and len(last_drawn[-2]) >= len(last_drawn[-3])


def test_silence(small_net, stripes):
    said = Terminal()
    train(*prepare(small_net, *stripes, CONFIG), CONFIG, show=False, stream=said)
    assert said.getvalue() == ""


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0s"), (59.6, "1m00s"), (3599, "59m59s"), (7322, "2h02m")])
def test_seconds_read_well(seconds, text):
    assert readable_seconds(seconds) == text


def test_the_logs_agree(tmp_path, small_net, stripes):
    config = CONFIG.replace(log_every=10)
    result = train(*prepare(small_net, *stripes, config), config, output=tmp_path, show=False, run_info={"model": "small"})
    events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert events[0]["event"] == "start"
    assert events[0]["config"]["seed"] == 0 and events[0]["run"] == {"model": "small"} and events[0]["threads"] >= 1
    assert [event["step"] for event in events if event["event"] == "step"] == [10, 20, 30, 40]
    assert [event["loss"] for event in events if event["event"] == "step"] == result.step_losses[9::10]
    assert events[-1] == {"event": "end", "reason": "finished"}
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["test_accuracy"]) for row in rows] == [record.test_accuracy for record in result.epochs]


def test_a_plateau_schedule_waits_for_the_test(small_net, stripes):
    config = CONFIG.replace(schedule="constant")
    prepared = prepare(small_net, *stripes, config)
    plateau = optim.lr_scheduler.ReduceLROnPlateau(prepared.optimizer, patience=0, threshold=10.0, factor=0.5)
    result = train(*prepared._replace(scheduler=plateau), config, show=False)
    assert result.epochs[0].learning_rate == 0.1
    assert result.epochs[-1].learning_rate < 0.01


def test_label_smoothing_teaches_but_does_not_judge(small_net, stripes):
    config = CONFIG.replace(label_smoothing=0.3)
    result = train(*prepare(small_net, *stripes, config), config, show=False)
    assert result.epochs[-1].train_loss > result.epochs[-1].test_loss


def test_label_smoothing_needs_the_cross_entropy(small_net, stripes):
    config = CONFIG.replace(label_smoothing=0.3)
    with pytest.raises(UsageError, match="label_smoothing works with the cross-entropy only"):
        train(*prepare(small_net, *stripes, config), config, show=False, loss_function=functional.mse_loss)


def test_an_empty_loader_is_refused(small_net, stripes):
    prepared = prepare(small_net, *stripes, CONFIG)
    with pytest.raises(UsageError, match="the training loader yields no batch"):
        train(*prepared._replace(train_loader=[]), CONFIG)
    with pytest.raises(UsageError, match="the loader yields no images"):
        evaluate(prepared.model, [])


class Recite(nn.Module):
    """Gives back the logits that the images hold."""

    def forward(self, input):
        return Tensor(input.data[:, 0, 0])


def test_evaluate_counts_by_hand():
    logits = np.array([[3, 0, 0], [0, 3, 0], [0, 5, 0], [1, 0, 0], [0, 0, 2]], np.float32)
    labels = np.array([0, 1, 2, 1, 2])
    batches = [(logits[:2, None, None], labels[:2]), (logits[2:, None, None], labels[2:])]
    found = evaluate(Recite(), batches)
    np.testing.assert_array_equal(found.confusion, [[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    assert (found.count, found.accuracy) == (5, 0.6)
    np.testing.assert_array_equal(found.predictions, [0, 1, 1, 0, 2])
    losses = [np.log(np.exp(row).sum()) - row[label] for row, label in zip(logits.astype(float), labels, strict=True)]
    assert np.isclose(found.loss, np.mean(losses))
    assert [image.index for image in found.worst] == [2, 3]
    worst = found.worst[0]
    assert (worst.label, worst.prediction) == (2, 1)
    assert np.isclose(worst.loss, losses[2]) and np.isclose(worst.probability_of_label, np.exp(-losses[2]))
    np.testing.assert_array_equal(worst.image, logits[2, None, None])
    assert [image.index for image in evaluate(Recite(), batches, worst=1).worst] == [2]


def test_evaluate_leaves_the_model_in_its_mode(small_net, stripes):
    model = small_net()
    loader = DataLoader(stripes[1], batch_size=8)
    first, second = evaluate(model, loader), evaluate(model, loader)
    assert model.training
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
