"""The parts of a release that need no build."""

from __future__ import annotations

import ast
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from misc import manifests
from misc.release import __main__ as command
from misc.release import archives, bundle, index, lock, make, relock, sbom, tree
from misc.release.archives import Entry
from misc.release.errors import ReleaseError
from misc.release.lock import Lock, Package
from runjob.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
LOCK = lock.read(lock.FILE.read_text(encoding="utf-8"))
ENTRIES = {"b": Entry(b"two"), "a/run": Entry(b"one", executable=True)}


# -- archives -------------------------------------------------------------------------------------


def test_a_zip_depends_on_its_contents_and_its_time_alone() -> None:
    turned = dict(reversed(ENTRIES.items()))
    assert archives.zipped(ENTRIES, 1700000000) == archives.zipped(turned, 1700000000)
    assert archives.zipped(ENTRIES, 1700000000) != archives.zipped(ENTRIES, 1700000010)


def test_a_zip_holds_modes_and_starts_as_it_is_told() -> None:
    data = archives.zipped(ENTRIES, 0, b"#!/bin/sh\n")
    assert data.startswith(b"#!/bin/sh\n")
    assert archives.unzipped(data) == {"b": b"two", "a/run": b"one"}
    infos = zipfile.ZipFile(io.BytesIO(data)).infolist()
    assert [(info.filename, info.external_attr >> 16) for info in infos] == [
        ("a/run", 0o100755),
        ("b", 0o100644),
    ]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}


def test_a_tar_keeps_what_matters_and_forgets_who_made_it() -> None:
    data = archives.tarred(ENTRIES, 1700000000)
    assert archives.untarred(data) == ENTRIES
    assert archives.tarred(dict(reversed(ENTRIES.items())), 1700000000) == data
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        kept = {(info.uid, info.gid, info.uname, info.mtime) for info in archive}
    assert kept == {(0, 0, "", 1700000000)}


# -- the bundle -----------------------------------------------------------------------------------


def test_of_a_wheel_the_pure_part_is_taken_with_its_licence() -> None:
    wheel = dict.fromkeys(
        (
            "kubernetes/client/rest.py",
            "kubernetes/aio/client/rest.py",
            "kubernetes/config/kube_config_test.py",
            "kubernetes/dynamic/test_client.py",
            "websocket/tests/data/header01.txt",
            "yaml/loader.py",
            "yaml/_yaml.cpython-310-x86_64-linux-gnu.so",
            "_yaml/__init__.py",
            "x-1.data/scripts/x",
            "x-1.dist-info/METADATA",
            "x-1.dist-info/RECORD",
            "x-1.dist-info/licenses/LICENSE",
        ),
        b"",
    )
    assert set(bundle.chosen(wheel)) == {
        "kubernetes/client/rest.py",
        "yaml/loader.py",
        "x-1.dist-info/METADATA",
        "x-1.dist-info/licenses/LICENSE",
    }


def test_of_our_own_wheel_only_the_launcher_is_taken() -> None:
    names = (
        "runjob/cli.py",
        "runjob/runJob.py",
        "application/cli.py",
        "runjob-1.dist-info/LICENSE",
    )
    assert set(bundle.launcher(dict.fromkeys(names, b""))) == {names[0], names[3]}


def test_what_is_hardly_ever_loaded_is_not_compiled() -> None:
    part = {"runjob/a.py": b"A = 1\n", "kubernetes/client/api/b.py": b"", "runjob/c.json": b"{}"}
    assert set(bundle.archive([part], b"")) == {"__main__.py", "runjob/a.pyc", *part}


def test_what_is_compiled_depends_on_its_source_alone() -> None:
    """And not on how this Python was started, nor on what else it has loaded."""
    source = b"def f(x):\n    assert x\n    return x in {'one', 'two', 'three'}\n"
    code = f"from misc.release.bundle import compiled; print(compiled('a.py', {source!r}).hex())"
    lines = (["-c", code], ["-O", "-c", code], ["-c", f"import unittest.mock; {code}"])
    made = {
        subprocess.run(
            [sys.executable, *line],
            cwd=ROOT,
            env={"PYTHONHASHSEED": "0"},
            capture_output=True,
            check=True,
        ).stdout
        for line in lines
    }
    assert len(made) == 1


def test_the_start_of_the_archive_is_read_by_any_python_3() -> None:
    ast.parse((ROOT / "misc/release/start.py").read_bytes(), feature_version=(3, 4))


# -- the lock -------------------------------------------------------------------------------------


def test_a_lock_reads_as_it_was_written() -> None:
    assert lock.text(LOCK) == lock.FILE.read_text(encoding="utf-8")
    assert lock.read(lock.text(LOCK)) == LOCK


def test_every_wheel_that_a_release_takes_is_known_by_its_sum() -> None:
    for package in (*LOCK.bundled, *LOCK.tools):
        assert re.fullmatch("[0-9a-f]{64}", package.sha256), package.name


def test_what_is_bundled_needs_nothing_else_but_what_is_left_out_with_its_half() -> None:
    needs = {name for package in LOCK.bundled for name in package.needs}
    assert needs - set(LOCK.bundle) == {"aiohttp"}


@pytest.mark.parametrize(
    "file",
    ["misc/agent/requirements.txt", "pythonapp/requirements.txt", "application/requirements.txt"],
)
def test_the_lock_and_an_image_have_the_same_versions(file: str) -> None:
    pins = re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)$", (ROOT / file).read_text(), re.MULTILINE)
    assert len(pins) > 8
    locked = LOCK.packages
    assert {name: locked[lock.normal(name)].version for name, _ in pins} == dict(pins)


def test_a_wheel_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    strange = replace(LOCK.packages["durationpy"], sha256="0" * 64)
    with pytest.raises(ReleaseError, match=r"^pip download of durationpy: .*(?i:hash)"):
        index.wheels([strange], tmp_path)


def test_an_index_that_does_not_answer_ends_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with pytest.raises(ReleaseError) as caught:
        index.install(LOCK.tools, tmp_path)
    assert re.fullmatch(r"pip install of setuptools: [^\n]+", str(caught.value))


def test_a_new_lock_names_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "durationpy-0.1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    monkeypatch.setattr(index, "wheels", lambda *_, **__: [wheel])
    made = relock.lock(LOCK, tmp_path)
    assert made.bundle == LOCK.bundle
    assert made.packages["durationpy"].sha256 == hashlib.sha256(b"wheel").hexdigest()
    assert made.packages["kubernetes"].version == metadata.version("kubernetes")
    assert "aiohttp" in made.packages["kubernetes"].needs
    assert made.packages["jinja2"].extras == ("engines", "report", "docs")
    assert "pandas" in made.packages  # by an extra of the connector
    assert "pytest" not in made.packages


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (("License-Expression: MIT OR Apache-2.0", "License: BSD"), "MIT OR Apache-2.0"),
        (("License: apache-2.0",), "Apache-2.0"),
        (("Classifier: License :: OSI Approved :: MIT License",), "MIT"),
        (
            ("License: Dual", "Classifier: License :: OSI Approved", "Classifier: License :: Free"),
            '"Free"',
        ),
        (("License: All of it",), '"All of it"'),
        ((), ""),
    ],
)
def test_a_licence_is_an_expression_or_words_in_quotes(
    lines: tuple[str, ...], licence: str, tmp_path: Path
) -> None:
    (tmp_path / "METADATA").write_text("\n".join(("Name: some", *lines)))
    assert relock.licence(metadata.PathDistribution(tmp_path).metadata) == licence


# -- the tree -------------------------------------------------------------------------------------


def test_outside_git_the_files_are_those_that_an_sdist_lists(tmp_path: Path) -> None:
    names = [
        "PKG-INFO",
        "README.md",
        "gone.py",
        "runjob.egg-info/SOURCES.txt",
        "share/man/runjob.1",
    ]
    (tmp_path / "runjob.egg-info").mkdir()
    (tmp_path / "runjob.egg-info/SOURCES.txt").write_text("\n".join(names))
    (tmp_path / "README.md").touch()
    (tmp_path / "stray.secret").touch()
    assert tree.files(tmp_path) == ("README.md",)


def test_in_git_the_files_are_those_that_are_tracked(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for name in ("kept", "stray", "run.sh"):
        (tmp_path / name).touch()
    (tmp_path / "run.sh").chmod(0o700)
    subprocess.run(["git", "-C", tmp_path, "add", "kept", "run.sh"], check=True)
    tree.export(tmp_path, tmp_path / "copy", 1700000000)
    copied = {path.name: path.stat() for path in (tmp_path / "copy").iterdir()}
    assert {name: stat.st_mode & 0o777 for name, stat in copied.items()} == {
        "kept": 0o644,
        "run.sh": 0o755,
    }
    assert {stat.st_mtime for stat in copied.values()} == {1700000000}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        pytest.param({}, "set SOURCE_DATE_EPOCH to seconds since 1970", id="no time"),
        pytest.param(
            {"SOURCE_DATE_EPOCH": "today"}, "is 'today', and must be seconds", id="a word"
        ),
        pytest.param({"SOURCE_DATE_EPOCH": "1"}, "neither a git checkout nor", id="no sdist"),
    ],
)
def test_what_cannot_be_released_is_refused_in_one_line(
    environ: dict[str, str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["--root", str(tmp_path), "--out", str(tmp_path / "out")]
    assert command.main(line, environ) == 1
    (*_, said) = capsys.readouterr().err.splitlines()
    assert said.startswith("release: error: ")
    assert words in said
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReleaseError, match="file/dist cannot be written: Not a directory"):
        make.written({"a": b""}, tmp_path / "file" / "dist")


# -- bills of materials ---------------------------------------------------------------------------


def test_a_bill_is_the_same_whatever_the_order() -> None:
    one = Package(name="one", version="1", licence="MIT", needs=("two",), extras=("",))
    two = Package(name="two", version="2", licence='"Own words"', extras=("report",))
    about = sbom.Subject(file="f", data=b"x", version="3", asks=("one", "else"), notes={})
    text = sbom.bill(about, [one, two], 0)
    assert text == sbom.bill(about, [two, one], 0)
    assert '"timestamp": "1970-01-01T00:00:00Z"' in text
    assert '"name": "Own words"' in text


# -- the version ----------------------------------------------------------------------------------


def test_the_top_of_the_changelog_is_this_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == VERSION


def test_every_image_of_ours_is_of_this_version() -> None:
    """Image names and kustomize's newTag, wherever they stand."""
    found: dict[str, set[str]] = {}
    for name in tree.files(ROOT):
        if name.startswith(("tests/", "CHANGELOG")) or not name.endswith(
            (".yaml", ".json", ".md", ".sh", ".py")
        ):
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        tags = re.findall(
            r"\brunjob/(?:producer|consumer|sample|controlm-agent):([\w.-]+)|\bnewTag: *(\S+)", text
        )
        found |= {name: {one or other for one, other in tags}} if tags else {}
    assert len(found) > 10
    assert {name: tags for name, tags in found.items() if tags != {VERSION}} == {}
    assert manifests.TAG == VERSION


def test_the_lock_is_of_a_release_that_has_a_tool_to_build_it() -> None:
    assert [tool.name for tool in LOCK.tools] == ["setuptools"]
    assert isinstance(LOCK, Lock)
