"""Mutated files: each loads with shapes that fit its arrays, or gives one sentence; nothing runs, nothing large is made."""

import tracemalloc

import numpy as np
import pytest

import tinycnn
from tests.weights.hostile import CFG, PROTOTXT, small_files
from tinycnn.errors import CheckpointError
from tinycnn.weights import parse_cfg, parse_prototxt

MOST_BYTES = 64 << 20  # tracemalloc's peak; the files have less than 5 KB


def mutated(generator, original):
    """A copy with bytes changed, cut out, repeated or put in, or numbers set to extremes."""
    data = bytearray(original)
    for _ in range(generator.integers(1, 5)):
        if not data:
            break
        at = int(generator.integers(len(data)))
        kind = generator.integers(6)
        if kind == 0:
            data[at] = generator.integers(256)
        elif kind == 1:
            data[at] ^= 1 << int(generator.integers(8))
        elif kind == 2:
            del data[at : at + int(generator.integers(1, 40))]
        elif kind == 3:
            data[at:at] = generator.bytes(int(generator.integers(1, 20)))
        elif kind == 4:
            length = int(generator.integers(1, 9))
            data[at : at + length] = generator.choice([b"\xff", b"\x00", b"\x7f", b"\x80"]) * length
        else:
            data[at:at] = data[at : at + int(generator.integers(1, 60))]
    return bytes(data[: int(generator.integers(len(data) + 1))]) if generator.random() < 0.1 else bytes(data)


def try_file(folder, name, data):
    """Load one file; True if it could be read."""
    path = folder / f"mutant-{name}"
    path.write_bytes(data)
    try:
        loaded = tinycnn.load(path, cfg=folder / "net.cfg" if name.endswith(".weights") else None)
    except CheckpointError as error:
        message = str(error)
        assert "\n" not in message.strip() and 10 < len(message) < 2000
        return False
    for array in loaded.values():
        assert isinstance(array, np.ndarray) and array.nbytes < MOST_BYTES
        array.tobytes()
    return True


def try_text(parse, text):
    try:
        parse(text)
    except CheckpointError as error:
        assert "\n" not in str(error).strip()


def attack(folder, count, monkeypatch):
    """Mutate every format in turn; gives how many files of each could still be read."""
    monkeypatch.chdir(folder)
    (folder / "net.cfg").write_text(CFG)
    originals = small_files()
    try:
        import safetensors  # noqa: F401
    except ImportError:
        del originals["one.safetensors"]
    for name, data in originals.items():
        assert try_file(folder, name, data), name
    generator = np.random.default_rng(20_26)
    read = dict.fromkeys(originals, 0)
    names = [*originals, "cfg", "prototxt"]
    tracemalloc.start()
    for number in range(count):
        name = names[number % len(names)]
        if name in originals:
            read[name] += try_file(folder, name, mutated(generator, originals[name]))
        else:
            parse, text = (parse_cfg, CFG) if name == "cfg" else (parse_prototxt, PROTOTXT)
            try_text(parse, mutated(generator, text.encode()).decode("latin-1"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST_BYTES
    assert {path.name for path in folder.iterdir()} <= {"net.cfg", *(f"mutant-{name}" for name in originals)}
    return read


def test_two_hundred_mutants(tmp_path, monkeypatch):
    read = attack(tmp_path, 200, monkeypatch)
    assert 0 < sum(read.values()) < 200


@pytest.mark.exhaustive
def test_ten_thousand_mutants(tmp_path, monkeypatch):
    read = attack(tmp_path, 10_000, monkeypatch)
    print(read)
    assert 0 < sum(read.values()) < 10_000
