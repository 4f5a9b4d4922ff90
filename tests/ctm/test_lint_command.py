"""The lint as a command: what it prints, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctm.lint import __main__
from ctm.lint.vendor import MissingClientError, catalogue
from tests.ctm.linting import PROJECT


def write(folder: Path, content: Any) -> str:
    path = folder / "x.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


FAULTY = {"F": {"Type": "Folder", "J": {"Type": "Job:Dummy", "Hots": "a"}}}


def test_findings_end_with_1_one_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write(tmp_path, FAULTY)
    assert __main__.main([name]) == 1
    assert capsys.readouterr().out == (
        f"{name}:1: F/J/Hots: a Job:Dummy has no such property; is it Host?\n"
    )


def test_findings_are_told_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = write(tmp_path, FAULTY)
    assert __main__.main(["--format", "json", name]) == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert finding == {
        "file": name,
        "line": 1,
        "object": "F/J/Hots",
        "rule": "property",
        "what": "a Job:Dummy has no such property; is it Host?",
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_that_has_read_enough_is_no_error(form: str, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "ctm.lint", "--format", form, write(tmp_path, FAULTY)]
    with subprocess.Popen(
        line, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_kind_of_finding_can_be_passed_over(tmp_path: Path) -> None:
    assert __main__.main(["--except", "property", write(tmp_path, FAULTY)]) == 0


def test_files_are_looked_up_in_the_folders_that_the_caller_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = {"Type": "Job:Script", "FilePath": "/srv/jobs", "FileName": "run.sh"}
    name = write(tmp_path, {"F": {"Type": "Folder", "J": job}})
    assert __main__.main([name]) == 0
    assert __main__.main([name, "--folder", f"/srv/jobs={tmp_path}"]) == 1
    assert "/srv/jobs/run.sh" in capsys.readouterr().out
    (tmp_path / "run.sh").touch()
    assert __main__.main([name, "--folder", f"/srv/jobs={tmp_path}"]) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1\n"b": 2}', "x.json:2: not JSON: Expecting ',' delimiter"),
        ("[]", "x.json:1: not a definition"),
    ],
)
def test_what_is_no_definition_ends_with_2(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main([write(tmp_path, text)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("lint: error: ")
    assert says in printed.err
    assert printed.err.count("\n") == 1


def test_a_file_that_is_not_there_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["no/such.json"]) == 2
    assert "no/such.json: cannot be read: No such file" in capsys.readouterr().err


def test_a_text_in_another_encoding_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes('{"ä": 1}'.encode("latin-1"))
    assert __main__.main([str(path)]) == 2
    assert "is not UTF-8" in capsys.readouterr().err


def test_a_missing_client_is_told_in_one_line_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "aapi.bases", None)
    with pytest.raises(MissingClientError):
        catalogue()
    assert __main__.main([write(tmp_path, FAULTY)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("lint: error: ")
    assert "pip install 'ctm-python-client" in printed
    assert printed.count("\n") == 1
