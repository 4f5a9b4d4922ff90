"""The pipeline's documents say what the code does, and the try-out works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from misc.engines.__main__ import everything

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "pipeline.md").read_text(encoding="utf-8")
VARIABLE = r"(?:CRM|GEO|KAFKA|SNOWFLAKE|X)_[A-Z_]+[A-Z]"
# Words in capitals that are no settings: an authenticator, a table, a stage.
NO_SETTING = {"SNOWFLAKE_JWT", "GEO_STAGE", "GEO_FILES"}


@pytest.fixture(scope="module")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synth")
    made = shell(f"python -m application.synth {folder} --posts 1000", {})
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def settings(synth: Path) -> Iterator[dict[str, str]]:
    with everything(posts=synth / "posts.jsonl") as found:
        yield dict(found)


def test_every_setting_that_the_code_reads_is_documented_and_no_other() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for package in ("application", "pythonapp")
        for path in sorted((ROOT / package).glob("*.py"))
    )
    read = set(re.findall(rf'"({VARIABLE})"', code)) - NO_SETTING
    assert set(re.findall(rf"`({VARIABLE})`", PAGE)) == read


def test_every_link_leads_to_a_file() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_the_steps_by_hand_work(settings: dict[str, str]) -> None:
    first, shell_of_all, *rest = re.findall(r"```sh\n(.*?)```", PAGE, re.S)[0].splitlines()
    assert shell_of_all.startswith("python -m misc.engines --posts build/synth/posts.jsonl -- sh ")
    for line in (first, *rest):
        told = shell(line, settings)
        assert told.returncode == 0, told.stderr


def test_the_try_out_ends_with_actions(settings: dict[str, str], synth: Path) -> None:
    told = shell(f"sh misc/pipeline.sh {synth}", {**settings, "PYTHON": sys.executable})
    assert told.returncode == 0, told.stderr
    categories = re.findall(r"^  (customer|household member|prospect|unknown) .* [1-9]\d*$",
                            told.stdout, re.M)  # fmt: skip
    assert categories == ["customer", "household member", "prospect", "unknown"]
    for each in ("calls to make", "offers to make", "households to join"):
        assert re.search(rf"^{each}: [1-9]", told.stdout, re.M)


def shell(line: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    folder = Path(sys.executable).parent
    env = {**os.environ, **settings, "PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(
        ["sh", "-ec", line], cwd=ROOT, env=env, capture_output=True, text=True, timeout=110
    )
