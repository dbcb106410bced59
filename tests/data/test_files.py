"""Folders and archives: the same files from each, nothing written, nothing trusted."""

import io
import os
import sys
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.published_formats import tar_bytes, zip_bytes
from tinycnn.data import files as module
from tinycnn.data.files import read_files
from tinycnn.errors import DataError

FILES = {"one.bin": b"first" * 100, "two.bin": bytes(range(256)) * 9}


def plain_tar(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


@pytest.mark.parametrize("make", [tar_bytes, zip_bytes, plain_tar], ids=["tar.gz", "zip", "tar"])
def test_archives_give_what_folders_give(make, tmp_path):
    archive = tmp_path / "any-name"
    archive.write_bytes(make({**FILES, "unwanted.bin": b"x"}))
    assert read_files(archive, set(FILES)) == FILES
    folder = tmp_path / "folder" / "inner"
    folder.mkdir(parents=True)
    for name, data in {**FILES, "unwanted.bin": b"x"}.items():
        (folder / name).write_bytes(data)
    assert read_files(tmp_path, set(FILES)) == FILES
    assert read_files(folder, {"absent.bin"}) == {}


@pytest.mark.parametrize("make", [tar_bytes, zip_bytes], ids=["tar.gz", "zip"])
def test_members_with_evil_paths_are_only_read(make, tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    archive = folder / "archive"
    archive.write_bytes(make({"one.bin": b"payload"}, "../../"))
    before = sorted(tmp_path.rglob("*"))
    assert read_files(archive, {"one.bin"}) == {"one.bin": b"payload"}
    assert sorted(tmp_path.rglob("*")) == before


def test_links_in_archives_are_not_followed(tmp_path):
    archive = tmp_path / "links.tar"
    with tarfile.open(archive, "w") as members:
        link = tarfile.TarInfo("one.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        members.addfile(link)
    assert read_files(archive, {"one.bin"}) == {}


def test_the_nearest_of_two_files_in_a_folder_wins_and_twins_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.bin").write_bytes(name.encode())
    with pytest.raises(DataError, match=r"holds two files called one.bin; give the folder of the one that is meant"):
        read_files(tmp_path, {"one.bin"})
    archive = tmp_path / "twins.zip"
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("a/one.bin", b"a")
        members.writestr("b/one.bin", b"b")
    with pytest.raises(DataError, match=r"holds two files called one.bin"):
        read_files(archive, {"one.bin"})


@pytest.mark.parametrize("make", [tar_bytes, zip_bytes], ids=["tar.gz", "zip"])
def test_bombs_stop_at_the_limit(make, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 1000)
    archive = tmp_path / "bomb"
    archive.write_bytes(make({"one.bin": bytes(100_000)}))
    with pytest.raises(DataError, match=r"one.bin states 100000 bytes, more than the 1000 allowed"):
        read_files(archive, {"one.bin"})


def test_a_tar_of_endless_zeros_stops_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_ARCHIVE_BYTES", 100_000)
    archive = tmp_path / "zeros.tar.gz"
    archive.write_bytes(tar_bytes({"padding": bytes(1 << 20), "one.bin": b"x"}))
    with pytest.raises(DataError, match="unpacks to more than 100000 bytes"):
        read_files(archive, {"one.bin"})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "neither a folder nor a .tar, .tar.gz or .zip archive"),
        (b"hello", "neither a folder nor a .tar, .tar.gz or .zip archive"),
        (b"\x1f\x8bhello", "truncated or corrupted archive"),
        (tar_bytes(FILES)[:-30], "truncated or corrupted archive"),
        (tar_bytes(FILES)[:-6] + b"\0\0\0\0\0\0", "truncated or corrupted archive"),
    ],
)
def test_wrong_archives_get_one_sentence(content, sentence, tmp_path):
    path = tmp_path / "archive"
    path.write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        read_files(path, set(FILES))


def test_what_is_not_there_or_not_readable_is_said(tmp_path):
    with pytest.raises(DataError, match="absent: no such file or folder"):
        read_files(tmp_path / "absent", {"one.bin"})
    (tmp_path / "one.bin").mkdir()
    assert read_files(tmp_path, {"one.bin"}) == {}


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="the superuser reads everything")
def test_unreadable_files_are_named(tmp_path):
    (tmp_path / "one.bin").write_bytes(b"x")
    (tmp_path / "one.bin").chmod(0)
    with pytest.raises(DataError, match=r"one.bin: cannot be read \(Permission denied\)"):
        read_files(tmp_path, {"one.bin"})


@given(st.data())
def test_mutated_archives_load_or_get_one_sentence(tmp_path_factory, data):
    original = data.draw(st.sampled_from([tar_bytes(FILES), zip_bytes(FILES), plain_tar(FILES)]))
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("mutants") / "archive"
    path.write_bytes(bytes(mutated[: data.draw(st.just(len(mutated)) | st.integers(0, len(mutated)))]))
    try:
        found = read_files(path, set(FILES))
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert all(type(content) is bytes for content in found.values())
