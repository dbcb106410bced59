"""Downloads from a server in this process: resumed, checked, taken from the next mirror, or given up with one sentence."""

import hashlib
import http.server
import re
import threading

import pytest

from tinycnn.data import data_folders, load_dataset
from tinycnn.data import download as module
from tinycnn.data.download import download_file
from tinycnn.data.published import PUBLISHED, RemoteFile
from tinycnn.errors import DataError

CONTENT = bytes(range(256)) * 4000
FILE = RemoteFile("data.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Handler(http.server.BaseHTTPRequestHandler):
    """Paths choose how the server behaves: /good/, /norange/, /wrong/, /short/, /long/, /gone/."""

    def do_GET(self):
        behaviour = self.path.split("/")[1]
        start = int(re.match(r"bytes=(\d+)-", self.headers.get("Range", "bytes=0-"))[1])
        self.server.requests.append((behaviour, start))
        if behaviour == "gone":
            self.send_error(404)
            return
        content = {"wrong": bytes(len(CONTENT)), "long": CONTENT + b"more"}.get(behaviour, CONTENT)
        if start and behaviour != "norange":
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            content = content[start:]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if behaviour == "short" else content)

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def server():
    """A server of this process and the address it listens at."""
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.requests = []
    running.address = f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def mirrors(server, *behaviours):
    return [f"{server.address}/{behaviour}/" for behaviour in behaviours]


def test_a_good_mirror(server, tmp_path, capsys):
    path = download_file(FILE, mirrors(server, "good"), tmp_path / "new" / "folder")
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["data.bin"]
    # Standard error is no terminal here: one line.
    assert re.fullmatch(r"data.bin: 1.0 MB from http://127.0.0.1:\d+/good/, checked, in .*folder\n", capsys.readouterr().err)


@pytest.mark.parametrize("have", [1, 1000, len(CONTENT) - 1, len(CONTENT)])
def test_a_part_is_continued(server, tmp_path, have):
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:have])
    assert download_file(FILE, mirrors(server, "good"), tmp_path, progress=False).read_bytes() == CONTENT
    assert server.requests == ([("good", have)] if have < len(CONTENT) else [])


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:1000])
    assert download_file(FILE, mirrors(server, "norange"), tmp_path, progress=False).read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [b"rubbish" * 20, bytes(len(CONTENT)), bytes(len(CONTENT) + 5)])
def test_a_wrong_part_is_thrown_away(server, tmp_path, wrong):
    (tmp_path / "data.bin.part").write_bytes(wrong)
    assert download_file(FILE, mirrors(server, "good"), tmp_path, progress=False).read_bytes() == CONTENT
    assert server.requests[-1] == ("good", 0)


@pytest.mark.parametrize("bad", ["gone", "wrong", "short", "long"])
def test_the_next_mirror_is_tried(server, tmp_path, bad, capsys):
    assert download_file(FILE, mirrors(server, bad, "good"), tmp_path).read_bytes() == CONTENT
    assert server.requests[0] == (bad, 0) and server.requests[-1][0] == "good"
    assert f"/{bad}/: " in capsys.readouterr().err


def test_when_all_fail_the_reasons_are_named_and_nothing_wrong_is_left(server, tmp_path):
    sentence = r"data.bin could not be downloaded \(.*/gone/: .*Not Found.*/wrong/: its content has another SHA-256.*\)"
    with pytest.raises(DataError, match=sentence) as caught:
        download_file(FILE, mirrors(server, "gone", "wrong"), tmp_path, progress=False)
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot write to .*; set TINYCNN_DATA to another folder"):
        download_file(FILE, ["http://127.0.0.1:1/"], tmp_path / "file" / "below", progress=False)


def test_a_bar_moves_at_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    bar = module.Progress("data.bin", 100, shown=True)
    bar.update(50)
    bar.finish("done")
    assert re.match(r"\rdata.bin \[#{12}-{12}\] 0.0/0.0 MB, .* MB/s\r.*done\n", capsys.readouterr().err)


def test_without_a_network_the_sentence_says_what_to_put_where(tmp_path, monkeypatch):
    def no_network(*arguments, **options):
        raise OSError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    for name in ("mnist", "cifar10", "cifar100"):
        first = PUBLISHED[name].files[True][0].name
        with pytest.raises(DataError, match="Without a network: get ") as caught:
            load_dataset(name, folder=tmp_path, progress=False)
        sentence = str(caught.value)
        assert "Name or service not known" in sentence and first in sentence and str(tmp_path) in sentence
        assert "--data digits" in sentence and "\n" not in sentence
        assert all(mirror in sentence for mirror in PUBLISHED[name].mirrors)
    with pytest.raises(DataError, match=r"mnist: not found; put train-images-idx3-ubyte.gz, train-labels"):
        load_dataset("mnist", folder=tmp_path, allow_download=False)


def test_a_named_data_set_is_downloaded_once(server, tmp_path, monkeypatch):
    import dataclasses

    from tests.data.published_formats import write_mnist

    write_mnist(tmp_path / "source")
    contents = {path.name: path.read_bytes() for path in (tmp_path / "source").iterdir()}

    def answer(file):
        data = contents[file.name]
        return RemoteFile(file.name, len(data), hashlib.sha256(data).hexdigest())

    files = {split: tuple(answer(file) for file in PUBLISHED["mnist"].files[split]) for split in (True, False)}
    small = dataclasses.replace(PUBLISHED["mnist"], files=files, mirrors=((tmp_path / "source").as_uri() + "/",))
    monkeypatch.setitem(PUBLISHED, "mnist", small)
    monkeypatch.setenv("TINYCNN_DATA", str(tmp_path / "chosen"))
    assert data_folders()[0] == tmp_path / "chosen" and len(data_folders()) == 2
    monkeypatch.setattr(module, "data_folders", lambda: [tmp_path / "chosen"])
    monkeypatch.setattr("tinycnn.data.load.data_folders", lambda: [tmp_path / "chosen"])
    assert len(load_dataset("mnist", train=True, progress=False)) == 12
    assert sorted(path.name for path in (tmp_path / "chosen" / "mnist").iterdir()) == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ]
    assert len(load_dataset("mnist", train=False, progress=False)) == 11
