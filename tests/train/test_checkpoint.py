"""Checkpoints: what comes back, what damage is noticed, and what a crash leaves."""

import os

import numpy as np
import pytest

from tinycnn.errors import CheckpointError
from tinycnn.tensor import Tensor
from tinycnn.train import Checkpoint, load_checkpoint, require_writable, save_checkpoint


def example(epoch: int = 1) -> Checkpoint:
    return Checkpoint(
        model={"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "scalar": np.array(2, np.int64)},
        optimizer={
            "state": {0: {"step": 3, "momentum_buffer": Tensor(np.ones(2))}},
            "param_groups": [{"lr": 0.1, "betas": (0.9, 0.99)}],
        },
        scheduler={"last_epoch": 7, "best": float("inf")},
        generator={"bit_generator": "PCG64", "state": {"state": 2**120 + 1, "inc": 5}},
        epoch=epoch,
        step=9,
        sums={"loss": 0.1 + 0.2},
        config={"seed": 3},
        run_info={"model": "lenet5"},
        events=[{"event": "step", "step": 50}, {"event": "epoch", "epoch": 1, "train_loss": 1 / 3}],
        step_losses=np.array([1.0, 0.5]),
    )


def test_everything_comes_back(tmp_path):
    save_checkpoint(tmp_path, example())
    back = load_checkpoint(tmp_path)
    assert back.model["weight"].dtype == np.float32
    np.testing.assert_array_equal(back.model["weight"], example().model["weight"])
    assert back.model["scalar"].shape == ()
    assert back.optimizer["state"][0]["step"] == 3
    np.testing.assert_array_equal(back.optimizer["state"][0]["momentum_buffer"], np.ones(2))
    assert back.optimizer["param_groups"][0]["betas"] == (0.9, 0.99)
    assert back.scheduler == example().scheduler
    assert back.generator == example().generator
    assert (back.epoch, back.step, back.sums, back.events) == (1, 9, example().sums, example().events)
    assert back.epochs == [{"epoch": 1, "train_loss": 1 / 3}]
    np.testing.assert_array_equal(back.step_losses, [1.0, 0.5])
    assert back.note is None


def test_the_file_is_a_plain_npz_without_pickles(tmp_path):
    path = save_checkpoint(tmp_path / "run.npz", example())
    with np.load(path, allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_the_previous_one_is_kept_and_nothing_else(tmp_path):
    for epoch in (1, 2, 3):
        save_checkpoint(tmp_path, example(epoch))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", "checkpoint.previous.npz"]
    assert load_checkpoint(tmp_path).epoch == 3
    assert load_checkpoint(tmp_path / "checkpoint.previous.npz").epoch == 2


def damage(path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "cut short":
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "a bit flipped":
        data[data.index(b"\x00\x00\x80\x3f")] ^= 1  # inside the array whose first element is 1.0
        path.write_bytes(data)
    elif how == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(len(data)))
    elif how == "another npz":
        np.savez(path, something=np.zeros(3))
    elif how == "missing":
        path.unlink()


DAMAGES = ["cut short", "empty", "a bit flipped", "noise", "another npz"]


@pytest.mark.parametrize("how", DAMAGES)
def test_damage_is_one_sentence(tmp_path, how):
    path = save_checkpoint(tmp_path, example())
    damage(path, how)
    with pytest.raises(CheckpointError, match=r"checkpoint.npz (cannot be read|is damaged)") as caught:
        load_checkpoint(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", [*DAMAGES, "missing"])
def test_the_previous_one_steps_in_and_says_so(tmp_path, how):
    save_checkpoint(tmp_path, example(1))
    damage(save_checkpoint(tmp_path, example(2)), how)
    back = load_checkpoint(tmp_path)
    assert back.epoch == 1
    assert "going on from the previous one, checkpoint.previous.npz" in back.note


def test_two_damaged_ones_are_an_error(tmp_path):
    save_checkpoint(tmp_path, example(1))
    damage(save_checkpoint(tmp_path, example(2)), "cut short")
    damage(tmp_path / "checkpoint.previous.npz", "empty")
    with pytest.raises(CheckpointError, match=r"the previous one, checkpoint.previous.npz, cannot be read either"):
        load_checkpoint(tmp_path)


def test_no_checkpoint_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no checkpoint .*checkpoint.npz"):
        load_checkpoint(tmp_path)


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path):
    path = save_checkpoint(tmp_path, example())
    whole = path.read_bytes()
    generator = np.random.default_rng(5)
    for place in generator.choice(len(whole), 60, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        try:
            back = load_checkpoint(path)
        except CheckpointError:
            continue
        np.testing.assert_array_equal(back.model["weight"], example().model["weight"])
        assert back.events == example().events


def test_a_crash_while_writing_leaves_the_old_one(tmp_path):
    save_checkpoint(tmp_path, example(1))

    def crash(file, arrays):
        file.write(b"half of it")
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        save_checkpoint(tmp_path, example(2), write=crash)
    assert load_checkpoint(tmp_path).epoch == 1


def test_a_full_disk_is_one_sentence(tmp_path):
    def full(file, arrays):
        raise OSError(28, "No space left on device")

    with pytest.raises(CheckpointError, match=r"cannot write the checkpoint .*: No space left on device"):
        save_checkpoint(tmp_path, example(), write=full)


def test_what_json_cannot_hold_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="a checkpoint holds arrays, numbers and text, not set"):
        save_checkpoint(tmp_path, Checkpoint({}, run_info={"names": {1}}))


def test_an_output_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(CheckpointError, match=r"cannot write to the output folder .*taken"):
        require_writable(tmp_path / "taken")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_output_folder_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(CheckpointError, match="cannot write to the output folder"):
        require_writable(tmp_path)
