"""Words and sentences: Kim's cleaning, vocabularies, the readers, folds, and files that are not what they claim."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.data.sentences import fold_numbers, load_sentences, parse_labelled
from tinycnn.data.word_vectors import read_word_vectors
from tinycnn.data.words import PADDING, UNKNOWN, Vocabulary, tokenise
from tinycnn.errors import ArgumentError, DataError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I've seen it; you'll see!", ["i", "'ve", "seen", "it", "you", "'ll", "see", "!"]),
        ("(rock & roll)", ["(", "rock", "roll", ")"]),
        ("they're what he'd say, isn't it?", ["they", "'re", "what", "he", "'d", "say", ",", "is", "n't", "it", "?"]),
        ("j . r . r . tolkien's", ["j", "r", "r", "tolkien", "'s"]),
        ("\u00e9\u00e8 ...", []),
    ],
)
def test_cleaning(text, words):
    assert tokenise(text) == words


def test_capitals_stay_where_they_are_asked_for():
    assert tokenise("Who is Who", lower=False) == ["Who", "is", "Who"]


@given(st.text(max_size=80))
def test_cleaning_twice_changes_nothing(text):
    # Endings apart: "n't" alone is an ending already.
    once = " ".join(tokenise(text))
    if "'" not in once:
        assert " ".join(tokenise(once)) == once


def test_encoding_pads_and_cuts():
    words = Vocabulary.of(["a b c", "a b", "a"], margin=2, least=2)
    assert words.words == ("a", "b") and words.length == 7 and len(words) == 4
    assert words.encode(["b a z", "a a a a a a a a"]).tolist() == [[0, 0, 3, 2, UNKNOWN, 0, PADDING], [0, 0, 2, 2, 2, 0, 0]]
    again = Vocabulary(**words.to_dict())
    assert again.words == words.words and again.encode(["b a z"]).tolist() == words.encode(["b a z"]).tolist()
    with pytest.raises(DataError, match="no sentence holds a word"):
        Vocabulary.of(["...", ""])
    with pytest.raises(ArgumentError, match="above twice the margin"):
        Vocabulary(["a"], 4, margin=2)
    with pytest.raises(DataError, match="sentence 1 has 10001 words"):
        Vocabulary.of(["a " * 10_001])


def test_reviews_keep_the_byte_that_python_takes_for_a_line_end(tmp_path):
    (tmp_path / "rt-polarity.neg").write_bytes(b"dull\x85and slow \n\nbad \xe9 \n")
    (tmp_path / "rt-polarity.pos").write_bytes(b"fine \n")
    found, test = load_sentences("rt-polarity", tmp_path)
    assert len(found) == 3 and test is None and found.labels.tolist() == [0, 0, 1] and found.classes == ("negative", "positive")
    assert tokenise(found.texts[0]) == ["dull", "and", "slow"]


def test_questions_have_six_classes(tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "TREC.train.all").write_text("0 How ?\n5 How far ?\n")
    (tmp_path / "text" / "TREC.test.all").write_text("3 Who ?\n")
    learn, test = load_sentences("trec", tmp_path)
    assert len(learn.classes) == 6 and learn.labels.tolist() == [0, 5] and test.labels.tolist() == [3] and test.texts == ("Who ?",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no sentence"),
        (b"\n \n", "holds no sentence"),
        (b"good\n", "line 1, 'good', must be a class"),
        (b"good fine\ngood nice\n", "1 different classes on 2 lines"),
        (b"a x\nb y\nc z\n", "3 different classes on 3 lines"),
    ],
)
def test_files_of_ones_own(tmp_path, content, words):
    path = tmp_path / "own.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        parse_labelled(path)


def test_classes_are_sorted_as_numbers_where_they_are_numbers(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("10 ten\n9 nine\n10 more\n9 again\n")
    assert parse_labelled(path).classes == ("9", "10")
    path.write_text("7 strange\n0 known\n")
    with pytest.raises(DataError, match="begins with '7', where a class from 0 to 1"):
        parse_labelled(path, ("a", "b"))


def test_sets_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="did you mean rt-polarity"):
        load_sentences("rt-polarty")
    with pytest.raises(DataError, match=r"subj\.all are not in"):
        load_sentences("subj", tmp_path)


@given(st.integers(2, 12), st.integers(0, 60), st.integers(0, 3))
def test_folds_are_a_division_into_equal_parts(folds, more, seed):
    numbers = fold_numbers(folds + more, folds, seed)
    sizes = np.bincount(numbers, minlength=folds)
    assert sizes.sum() == folds + more and sizes.max() - sizes.min() <= 1
    np.testing.assert_array_equal(numbers, fold_numbers(folds + more, folds, seed))


def test_folds_that_cannot_be():
    with pytest.raises(ArgumentError, match="folds=4 must be at least 2 and at most the 3 samples"):
        fold_numbers(3, 4)


def test_word_vectors_of_three_kinds(tmp_path):
    rows = {"fine": [1.0, 2.0], "dull": [-1.0, 0.5]}
    binary = b"2 2\n" + b"".join(word.encode() + b" " + struct.pack("<2f", *row) + b"\n" for word, row in rows.items())
    text = "".join(f"{word} {row[0]} {row[1]}\n" for word, row in rows.items())
    for name, data in (("v.bin", binary), ("v.txt", ("2 2\n" + text).encode()), ("glove.txt", text.encode())):
        (tmp_path / name).write_bytes(data)
        found = read_word_vectors(tmp_path / name, {"dull", "absent"})
        assert list(found) == ["dull"] and found["dull"].tolist() == [-1.0, 0.5]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("v.bin", b"", "does not begin with word2vec's line"),
        ("v.bin", b"2 9999999\n", "does not begin with word2vec's line"),
        ("v.bin", b"2 2\nfine " + struct.pack("<2f", 1, 2) + b"\ndull \x00", "cut short or damaged at word 2 of 2"),
        ("v.bin", b"1 1\n" + b"x" * 9000, "cut short or damaged at word 1"),
        ("v.bin", b"1 1\nfine " + struct.pack("<f", float("nan")), "not finite"),
        ("v.txt", b"", "is empty"),
        ("v.txt", b"fine 1 2\ndull 1\n", "line 2 has 1 numbers"),
        ("v.txt", b"fine one two\n", "other than numbers"),
    ],
)
def test_broken_vectors_get_one_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_word_vectors(tmp_path / name, {"fine", "dull"})
