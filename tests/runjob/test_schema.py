"""The schema of the result file says what is written, no less and no more."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runjob import cli
from runjob.endings import Ending, early_end, natural_end, overdue_end
from runjob.errors import Exit
from runjob.guide.answer import text
from runjob.guide.schema import RESULT, fields
from runjob.observed import Picture
from runjob.result import as_json
from runjob.verdict import verdict
from tests.runjob.scenes import condition, container, ended, event, picture, pod, waiting

PACKAGE = Path(cli.__file__).parent

COMPLETE = picture(
    condition("Complete"), pod(container(terminated=ended(0)), phase="Succeeded"), succeeded=1
)
FAILED = picture(
    condition("Failed", "BackoffLimitExceeded"),
    pod(
        container("init", role="init", terminated=ended(0)),
        container(terminated=ended(137, "OOMKilled"), restarts=2, last=ended(4)),
        phase="Failed",
    ),
    event("FailedScheduling", "no node"),
    failed=1,
)
LOST = picture(
    condition("Failed", "BackoffLimitExceeded"),
    pod(phase="Failed", reason="Evicted", message="low on memory", node=""),
    failed=1,
)
STUCK = picture(pod(waiting("InvalidImageName", "what: is this"), phase="Pending"))
SEEN = {"complete": COMPLETE, "failed": FAILED, "lost": LOST, "stuck": STUCK}


def told(seen: Picture) -> dict[str, Any]:
    """Return the result of a launch that saw this and then ended."""
    ending = natural_end(seen) or early_end(seen) or overdue_end(seen, 600)
    return as_json(verdict("here/hello", ending, seen))


RESULTS = {
    **{name: told(seen) for name, seen in SEEN.items()},
    "mapped": as_json(
        verdict(
            "here/hello",
            Ending(code=Exit.SUCCEEDED, text="succeeded"),
            COMPLETE,
            container=True,
            mapped=((0, 3),),
        )
    ),
    **{
        code.name: as_json(verdict("here/hello", Ending(code=code, text="ended"), None))
        for code in Exit
    },
}


@functools.cache
def validator() -> Any:
    """Return what holds a result to the schema, imported here: that takes seconds."""
    import jsonschema

    return jsonschema.Draft202012Validator(RESULT)


@pytest.mark.parametrize("name", RESULTS)
def test_what_is_written_is_as_the_schema_says(name: str) -> None:
    validator().validate(json.loads(json.dumps(RESULTS[name])))


def names(value: Any, before: str = "") -> set[str]:
    """Return the fields of a result as the schema's table names them."""
    if isinstance(value, list):
        return set().union(*(names(each, f"{before}[]") for each in value))
    if not isinstance(value, dict):
        return set()
    found = {f"{before}.{key}".lstrip(".") for key in value}
    return found.union(*(names(each, f"{before}.{key}") for key, each in value.items()))


def test_the_schema_knows_every_field_that_is_written_and_no_other() -> None:
    written = set().union(*map(names, RESULTS.values()))
    assert written == {name for name, _ in fields()}


@pytest.mark.parametrize("name", [name for name, _ in fields() if "[]" not in name])
def test_a_result_without_a_field_is_none(name: str) -> None:
    result = told(FAILED)
    *outer, last = name.split(".")
    holder = result
    for each in outer:
        holder = holder[each]
    del holder[last]
    assert not validator().is_valid(result)


@pytest.mark.parametrize(
    "more",
    [{"exit_code": 256}, {"ending": "well"}, {"attempts": -1}, {"hint": None}, {"schema": 2}],
)
def test_a_result_with_a_wrong_value_is_none(more: dict[str, Any]) -> None:
    result = told(FAILED)
    assert validator().is_valid(result)
    assert not validator().is_valid({**result, **more})


def test_help_prints_it_as_json() -> None:
    printed = json.loads(text("help", "schema"))
    assert printed == RESULT
    validator().check_schema(printed)


def test_every_field_is_explained() -> None:
    told = " ".join(text("help", "result").split())
    for name, meaning in fields():
        assert meaning
        assert f" {name} {meaning}" in told


def test_a_launch_writes_what_the_schema_says(tmp_path: Path) -> None:
    line = "-j hello -i busybox:1 -k sh -k -c --sandbox --print result --result-file result.json"
    done = subprocess.run(
        [sys.executable, str(PACKAGE / "runJob.py"), *line.split(), "-k", "exit 3"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    written = json.loads((tmp_path / "result.json").read_text())
    validator().validate(written)
    printed = re.search(r"(?m)^Result: (.*)$", done.stdout)
    assert printed
    assert json.loads(printed[1]) == written
