"""A pull that fails for want of a login says which Secret is not there."""

from __future__ import annotations

from tests.contract.launches import Launcher, sh
from tests.contract.targets import Target


def test_a_pull_that_fails_names_the_pull_secret_that_is_not_there(
    launch: Launcher, name: str, target: Target
) -> None:
    """Naive: the verdict says `denied`, and nobody thinks of the Secret that nobody made."""
    image = ("-i", target.image("denied"), "-p", "Always", "-s", f"{name}-login")
    run = launch("-j", name, *image, "-k", "true")
    assert run.code == 10
    assert f"the imagePullSecret {name}-login does not exist" in run.verdict


def test_a_pull_that_waits_names_the_pull_secret_that_is_not_there(
    launch: Launcher, name: str, target: Target
) -> None:
    image = ("-i", target.image("quota"), "-p", "Always", "-s", f"{name}-login")
    run = launch("-j", name, *image, "-k", "true", "--start-timeout", "8")
    waits = [line for line in run.err.splitlines() if "waiting: " in line]
    assert f"the imagePullSecret {name}-login does not exist" in waits[-1]
    assert f"the imagePullSecret {name}-login does not exist" in run.verdict


def test_a_pull_that_succeeds_says_nothing_of_a_pull_secret(launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh("sleep 2; exit 3"), "-s", f"{name}-login")
    assert run.code == 1
    assert "-login" not in run.text.partition("Job created")[2] + run.err
