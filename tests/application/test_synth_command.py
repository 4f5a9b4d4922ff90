"""What the command that makes people up refuses, it refuses in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from application.synth.cli import main


@pytest.mark.parametrize(
    ("options", "word"),
    [
        pytest.param(["--posts", "0"], "--posts 0: it takes a whole number from 1", id="no posts"),
        pytest.param(["--posts", "-1"], "--posts", id="fewer than none"),
        pytest.param(["--posts", "many"], "--posts many", id="no number"),
        pytest.param(["--addresses", "0"], "--addresses 0", id="no addresses"),
        pytest.param(["--seed", "x"], "--seed x", id="no seed"),
        pytest.param(["--days", "0"], "--days 0", id="no days"),
        pytest.param(["--until", "noon"], "--until noon: a time is written as", id="no time"),
        pytest.param(["--until", "1999-01-01T00:00:00Z"], "no time of a post", id="before X"),
        pytest.param(["--unknown"], "-h lists the options", id="no option"),
    ],
)
def test_bad_options_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], word: str
) -> None:
    assert main([str(tmp_path), *options]) == 2
    told = capsys.readouterr().err
    assert word in told
    assert told.count("\n") == 1
    assert told.startswith("synth: error: ")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main([str(tmp_path / "file" / "folder")]) == 2
    told = capsys.readouterr().err
    assert "cannot be written (Not a directory)" in told
    assert told.count("\n") == 1


def test_without_the_towns_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zipcodes", None)
    assert main([str(tmp_path)]) == 2
    assert "pip install zipcodes" in capsys.readouterr().err
