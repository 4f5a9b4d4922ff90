"""A secret that is given stands in nothing that the launcher is called with, prints or writes."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.contract.agents import Agent, Expand
from tests.contract.launches import FOREVER
from tests.contract.targets import Target

SECRET = "Zq7-open-sesame"


def test_a_secret_of_a_form_is_in_no_argument_no_output_and_no_result(
    agent: Agent,
    commands: Expand,
    common: tuple[str, ...],
    target: Target,
    name: str,
    tmp_path: Path,
) -> None:
    """A naive job type hands its fields over as words, which `ps` shows to everybody."""
    result = tmp_path / "result.json"
    line = commands(
        "0001",
        Command=f"sh -c {shlex.quote(FOREVER)}",
        **{
            "Environment variable name 1": "DB_PASSWORD",
            "Value for Environment Variable 1": SECRET,
            "More Options": shlex.join((*common, "--result-file", str(result))),
        },
    ).execute
    process = agent.start(line)
    try:
        (pod,) = target.api.running_pods(name)
        words = Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")
        around = Path(f"/proc/{process.pid}/environ").read_text()
    finally:
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert {"name": "DB_PASSWORD", "value": SECRET} in pod["spec"]["containers"][0]["env"]
    assert "--form" in words
    assert process.returncode == 8
    assert "DB_PASSWORD=****" in out
    for told in (*words, around, out, err, result.read_text()):
        assert SECRET not in told
