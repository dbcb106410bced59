"""A run that was stopped, politely or not, goes on to the same bits."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tinycnn.errors import CheckpointError, UsageError
from tinycnn.train import TrainConfig, load_checkpoint, prepare, save_checkpoint, train

CONFIG = TrainConfig(epochs=3, batch_size=16, learning_rate=0.1, log_every=2, seed=5)
STEPS_PER_EPOCH = 6
ON_THE_CLOCK = ("seconds", "images_per_second")


class PulledPlug(Exception):
    """Ends a run in the middle, as a crash would."""


def run(small_net, stripes, config=CONFIG, **options):
    prepared = prepare(small_net, *stripes, config)
    result = train(*prepared, config, show=False, **options)
    return {name: value.data.copy() for name, value in prepared.model.state_dict().items()}, result


def stop_after(steps: int):
    """A `save` that lets the run die right after the checkpoint of that step."""

    def save(path, checkpoint):
        save_checkpoint(path, checkpoint)
        if len(checkpoint.step_losses) >= steps:
            raise PulledPlug
        return path

    return save


def without_clock(events):
    return [{key: value for key, value in event.items() if key not in ON_THE_CLOCK} for event in events]


def log_of(folder: Path):
    lines = (folder / "log.jsonl").read_text().splitlines()
    return without_clock(json.loads(line) for line in lines)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("stop", [1, 4, 6, 7, 12, 17])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, small_net, stripes, optimizer, stop):
    config = CONFIG.replace(checkpoint_every=1, optimizer=optimizer, learning_rate=0.02)
    whole, whole_result = run(small_net, stripes, config, output=tmp_path / "whole")
    with pytest.raises(PulledPlug):
        run(small_net, stripes, config, output=tmp_path / "parts", save=stop_after(stop))
    parts, parts_result = run(small_net, stripes, config, output=tmp_path / "parts", resume=True)
    assert whole.keys() == parts.keys()
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])
    assert whole_result.step_losses == parts_result.step_losses
    assert whole_result.learning_rates == parts_result.learning_rates
    assert log_of(tmp_path / "whole") == log_of(tmp_path / "parts")
    table = [(tmp_path / name / "log.csv").read_text().splitlines() for name in ("whole", "parts")]
    assert [row.split(",")[:6] for row in table[0]] == [row.split(",")[:6] for row in table[1]]


@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_averages_clipping_and_accumulation_resume_to_the_same_bits(tmp_path, small_net, stripes, stop):
    config = CONFIG.replace(checkpoint_every=1, average=0.9, clip_norm=0.5, accumulate=4, decay_all=False, mixup=0.3, label_smoothing=0.1)
    whole, whole_result = run(small_net, stripes, config, output=tmp_path / "whole")
    with pytest.raises(PulledPlug):
        run(small_net, stripes, config, output=tmp_path / "parts", save=stop_after(stop))
    parts, parts_result = run(small_net, stripes, config, output=tmp_path / "parts", resume=True)
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])
    assert len(whole_result.step_losses) == 2 * 3  # six batches an epoch in groups of four and two
    assert whole_result.step_losses == parts_result.step_losses
    assert log_of(tmp_path / "whole") == log_of(tmp_path / "parts")
    averages = [load_checkpoint(tmp_path / name).average for name in ("whole", "parts")]
    assert averages[0]["steps"] == averages[1]["steps"] == 6
    for name, array in averages[0]["average"].items():
        np.testing.assert_array_equal(array, averages[1]["average"][name])


def test_a_run_of_an_earlier_version_goes_on(tmp_path, small_net, stripes):
    whole, _ = run(small_net, stripes)
    with pytest.raises(PulledPlug):
        run(small_net, stripes, CONFIG.replace(checkpoint_every=1), output=tmp_path, save=stop_after(4))
    old = load_checkpoint(tmp_path)
    for name in ("average", "mixup", "clip_norm", "decay_all"):
        del old.config[name]
    save_checkpoint(tmp_path, old)
    parts, _ = run(small_net, stripes, output=tmp_path, resume=True)
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])


def test_a_run_stopped_many_times_ends_with_the_same_bits(tmp_path, small_net, stripes):
    config = CONFIG.replace(checkpoint_every=2)
    whole, _ = run(small_net, stripes, config)
    for stop in (2, 4, 8, 10, 16):
        with pytest.raises(PulledPlug):
            run(small_net, stripes, config, output=tmp_path, resume=True, save=stop_after(stop))
    parts, _ = run(small_net, stripes, config, output=tmp_path, resume=True)
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])


def test_another_seed_gives_other_bits(small_net, stripes):
    first, _ = run(small_net, stripes)
    second, _ = run(small_net, stripes, CONFIG.replace(seed=6))
    assert any((first[name] != second[name]).any() for name in first)


def test_a_finished_run_has_nothing_left_to_do(tmp_path, small_net, stripes):
    first, result = run(small_net, stripes, output=tmp_path)
    second, again = run(small_net, stripes, output=tmp_path, resume=True)
    assert result.epochs == again.epochs
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_resume_without_a_checkpoint_begins(tmp_path, small_net, stripes):
    _, result = run(small_net, stripes, output=tmp_path, resume=True)
    assert len(result.epochs) == 3


def test_resume_refuses_other_hyper_parameters(tmp_path, small_net, stripes):
    run(small_net, stripes, output=tmp_path, run_info={"model": "small"})
    with pytest.raises(UsageError, match=r"learning_rate was 0.1 and is now 0.2"):
        run(small_net, stripes, CONFIG.replace(learning_rate=0.2), output=tmp_path, resume=True)
    with pytest.raises(UsageError, match=r"model was 'small' and is now 'large'"):
        run(small_net, stripes, output=tmp_path, resume=True, run_info={"model": "large"})


def test_a_damaged_checkpoint_lets_the_previous_one_go_on(tmp_path, small_net, stripes):
    whole, _ = run(small_net, stripes)
    with pytest.raises(PulledPlug):
        run(small_net, stripes, CONFIG.replace(checkpoint_every=1), output=tmp_path, save=stop_after(9))
    newest = tmp_path / "checkpoint.npz"
    newest.write_bytes(newest.read_bytes()[:500])
    said = io.StringIO()
    prepared = prepare(small_net, *stripes, CONFIG)
    train(*prepared, CONFIG, output=tmp_path, resume=True, stream=said)
    assert "going on from the previous one" in said.getvalue()
    for name, value in prepared.model.state_dict().items():
        np.testing.assert_array_equal(whole[name], value.data)


def test_an_unwritable_folder_is_noticed_before_training(tmp_path, small_net, stripes):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot write to the output folder"):
        run(small_net, stripes, output=tmp_path / "file" / "run")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_the_step_saves_and_says_how_to_go_on(tmp_path, small_net, stripes, number, code):
    whole, _ = run(small_net, stripes)

    def save_then_signal(path, checkpoint):
        save_checkpoint(path, checkpoint)
        if len(checkpoint.step_losses) == 8:
            signal.raise_signal(number)
        return path

    config = CONFIG.replace(checkpoint_every=4)
    said = io.StringIO()
    result = train(*prepare(small_net, *stripes, config), config, output=tmp_path, stream=said, save=save_then_signal)
    assert result.exit_code == code
    assert result.interrupted == number.name
    assert f"stopped by {number.name} in epoch 2, after 9 steps" in said.getvalue()
    assert "--resume" in said.getvalue()
    assert load_checkpoint(tmp_path).step == 9 - STEPS_PER_EPOCH
    parts, _ = run(small_net, stripes, config, output=tmp_path, resume=True)
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def kill_at_random(server: subprocess.Popen, folder: Path, generator: np.random.Generator) -> bool:
    """Let a child go on with the run, kill -9 it at a random moment; whether that was inside a write."""
    server.stdin.write(f"{folder}\n".encode())
    server.stdin.flush()
    child = int(server.stdout.readline())
    assert server.stdout.readline() == b"learning\n", "the run ended before it could be killed"
    time.sleep(generator.uniform(0.0, 0.06))
    os.kill(child, signal.SIGKILL)
    while server.stdout.readline() != b"gone\n":
        pass
    # The partial file is renamed when its write is complete: a child that leaves one was killed inside the write.
    return (folder / "checkpoint.npz.partial").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")
@pytest.mark.parametrize("moments", [6, pytest.param(20, marks=pytest.mark.exhaustive)])
def test_kill_9_never_leaves_an_unreadable_checkpoint(tmp_path, moments):
    from tests.train.killable_run import learn

    generator = np.random.default_rng(11)
    inside, reached = 0, [0]
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("killable_run.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as server:
        for _ in range(moments):
            inside += kill_at_random(server, tmp_path / "killed", generator)
            reached.append(len(load_checkpoint(tmp_path / "killed").step_losses))
        server.stdin.close()
    assert inside >= moments // 4
    assert reached == sorted(reached)
    whole, whole_losses = learn(tmp_path / "whole")
    parts, parts_losses = learn(tmp_path / "killed")
    assert len(whole_losses) > reached[-1]
    assert whole_losses == parts_losses
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])


@pytest.mark.exhaustive  # compiles everything twice over
def test_the_process_that_compiles_computes_the_same_bits_as_one_that_loads(tmp_path):
    program = "import sys, pathlib; from tests.train.killable_run import learn; print(learn(pathlib.Path(sys.argv[1]))[1])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TINYCNN_CACHE": str(tmp_path / "cache")}
    losses = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / name)], env=environment, check=True, capture_output=True, text=True
        ).stdout
        for name in ("compiles", "loads")
    ]
    assert len(losses[0]) > 1000
    assert losses[0] == losses[1]
