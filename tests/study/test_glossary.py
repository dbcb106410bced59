"""The glossary: found by any of its names, every command it names exists, one page without requests."""

import json
import shlex

import pytest

from tinycnn.cli import main
from tinycnn.cli.main import COMMANDS
from tinycnn.errors import ArgumentError
from tinycnn.study import glossary
from tinycnn.study.glossary_rows import ROWS


def test_terms_are_found_by_any_name():
    assert [term.name for term in glossary("PPN").terms] == ["Pooling Pyramid Network"]
    assert [term.name for term in glossary("scene-text").terms] == ["Scene text detection"]
    assert {term.name for term in glossary("detection").terms} == {"Scene text detection", "Video detection"}
    assert glossary().terms == ROWS and len({term.name.lower() for term in ROWS}) == len(ROWS)


def test_every_term_says_what_it_is_and_names_commands_that_exist():
    for term in ROWS:
        assert len(term.what) > 80 and term.source and term.deck.startswith("S"), term.name
        for line in term.here:
            words = shlex.split(line)
            assert words[0] == "tinycnn" and words[1] in COMMANDS, line


@pytest.mark.parametrize(("word", "words"), [("snipper", "did you mean SNIPER"), ("?!", "holds no letter"), ("zzzz", "there are Action recognition")])
def test_refusals(word, words):
    with pytest.raises(ArgumentError, match=words):
        glossary(word)


def test_the_command(capsys, tmp_path):
    page = tmp_path / "glossary.html"
    assert main(["glossary", "sniper", "--json", "--html", str(page)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [term["name"] for term in found["terms"]] == ["SNIPER"] and "<h2>SNIPER" in page.read_text() and "src=" not in page.read_text()
    assert main(["glossary", "snipper"]) == 2 and "did you mean SNIPER" in capsys.readouterr().err
