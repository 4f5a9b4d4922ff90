"""Leftovers are found and removed, and a Job is shown, on both clusters and with our rights."""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from runjob import cli
from runjob.cluster import Cluster
from runjob.errors import ApiError
from runjob.login import login
from runjob.options import Connection
from runjob.request import JOB
from tests.contract.launches import own_handlers
from tests.contract.leftovers import body, ended
from tests.contract.rights import right_of
from tests.contract.targets import RealTarget, Target, launcher_rules

NOW = ("--older-than", "0")


@dataclass(frozen=True)
class Said:
    """What a subcommand printed and returned."""

    code: int
    lines: list[str]
    remarks: list[str]

    def rows(self, name: str) -> list[list[str]]:
        """Return the lines about Jobs whose names begin so, each split into its columns."""
        rows = [re.split(r"  +", line) for line in self.lines]
        return [row for row in rows if len(row) > 1 and row[1].startswith(name)]


Say = Callable[..., Said]


@pytest.fixture
def say(target: Target, capfd: pytest.CaptureFixture[str]) -> Say:
    def run(*words: str) -> Said:
        capfd.readouterr()
        where = ("-n", target.namespace, "--kubeconfig", str(target.kubeconfig))
        with own_handlers():
            code = cli.main([*words, *where])
        out, err = capfd.readouterr()
        return Said(code, out.splitlines(), err.splitlines())

    return run


@pytest.fixture
def left(target: Target, name: str) -> str:
    """Leave a Job of each kind behind; return what their names begin with."""
    target.api.create("jobs", body(f"{name}-runs", "sleep 600", suspend=True))
    ended(
        target,
        body(f"{name}-good", "echo hi"),
        body(f"{name}-bad", "seq 1 12; exit 3"),
        body(f"{name}-theirs", "exit 0", ours=False),
    )
    return name


def states(target: Target, name: str) -> set[str]:
    """Return the ends of the names of the Jobs that are there."""
    names = [item["metadata"]["name"] for item in target.api.items("jobs")]
    return {each.removeprefix(f"{name}-") for each in names if each.startswith(name)}


def test_ended_jobs_of_ours_are_removed_and_no_others(target: Target, say: Say, left: str) -> None:
    looked = say("gc", *NOW)
    assert looked.code == 0
    rows = {row[1].removeprefix(f"{left}-"): row for row in looked.rows(left)}
    assert set(rows) == {"good", "bad"}
    assert {row[0] for row in rows.values()} == {"would remove"}
    assert rows["bad"][2::2] == ["Failed", "BackoffLimitExceeded"]
    assert states(target, left) == {"runs", "good", "bad", "theirs"}

    young = say("gc", "--delete")
    assert (young.code, young.rows(left)) == (0, [])
    failed = say("gc", *NOW, "--delete", "--failed")
    assert [row[:2] for row in failed.rows(left)] == [["removed", f"{left}-bad"]]
    assert states(target, left) == {"runs", "good", "theirs"}
    rest = say("gc", *NOW, "--delete", "--all-makers")
    assert [row[0] for row in rest.rows(left)] == ["removed", "removed"]
    assert (rest.code, states(target, left)) == (0, {"runs"})
    target.api.until(lambda: not target.api.pods(f"{left}-bad"), "its pods gone with it")


def test_jobs_are_shown_as_they_stand_and_a_wrong_name_with_those_near_it(
    target: Target, say: Say, left: str
) -> None:
    pod = target.api.pods(f"{left}-bad")[0]["metadata"]["name"]
    shown = say("show", f"{left}-bad")
    text = "\n".join(shown.lines)
    assert (shown.code, shown.remarks) == (0, [])
    assert text.startswith(f"Job {target.namespace}/{left}-bad: Failed, ")
    assert "by runjob (launch 0123456789abcdef)" in text
    assert f"Pod {pod}: Failed on " in text
    assert "container main: ended with exit code 3" in text
    assert [line for line in shown.lines if line.startswith("  | ")] == [
        f"  | {number}" for number in range(3, 13)
    ]
    assert "Job has reached the specified backoff limit" in text
    assert f"Next:    kubectl -n {target.namespace} --kubeconfig " in text
    assert f" logs {pod} -c main" in text

    waits = "\n".join(say("show", f"{left}-runs").lines)
    assert f"{left}-runs: suspended" in waits
    assert f"patch job {left}-runs" in waits

    done = "\n".join(say("show", f"{left}-theirs").lines)
    assert f"{left}-theirs: Complete, " in done
    assert "by runjob" not in done
    assert f"delete job {left}-theirs" in done

    wrong = say("show", f"{left}-god")
    assert (wrong.code, wrong.lines, len(wrong.remarks)) == (1, [], 1)
    assert wrong.remarks[0].startswith(f"runjob: error: no Job {left}-god in namespace ")
    assert f"{left}-good" in wrong.remarks[0]


@pytest.fixture
def many(target: Target, name: str) -> str:
    for number in range(7):
        target.api.create("jobs", body(f"{name}-{number}", "true", suspend=True))
    return name


def test_many_jobs_are_read_page_by_page(target: Target, many: str) -> None:
    cluster = Cluster(login(Connection(kubeconfig=str(target.kubeconfig))))
    pages = list(cluster.pages(JOB, target.namespace, {}, size=3))
    names = [item["metadata"]["name"] for page in pages for item in page]
    assert max(map(len, pages)) == 3
    assert names == sorted(item["metadata"]["name"] for item in target.api.items("jobs"))
    assert sum(each.startswith(many) for each in names) == 7


@pytest.fixture
def elsewhere(target: Target) -> Iterator[str]:
    """Make another namespace."""
    name = f"elsewhere-{secrets.token_hex(3)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    target.api.call("POST", "/api/v1/namespaces", body)
    yield name
    target.api.call("DELETE", f"/api/v1/namespaces/{name}", {})


def test_the_jobs_of_all_namespaces_are_found_and_each_is_removed_in_its_own(
    target: Target, name: str, elsewhere: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """By who may list them all: the launcher's Role does not grant it."""
    admin = target.admin_kubeconfig if isinstance(target, RealTarget) else str(target.kubeconfig)

    def say(*words: str) -> Said:
        capfd.readouterr()
        with own_handlers():
            code = cli.main([*words, "--kubeconfig", admin])
        out, err = capfd.readouterr()
        return Said(code, out.splitlines(), err.splitlines())

    ended(target, body(name, "exit 1"))
    there = JOB.path(elsewhere)
    target.api.call("POST", there, body(name, "true", suspend=True))

    pages = list(Cluster(login(Connection(kubeconfig=admin))).pages(JOB, None, {}, size=1))
    assert max(map(len, pages)) == 1
    assert sum(item["metadata"]["name"] == name for page in pages for item in page) == 2

    head, *listed = say("list", "-A").lines
    assert head.startswith("NAMESPACE  ")
    rows = [re.split(r"  +", line) for line in listed if f" {name} " in line]
    assert [row[:3] for row in rows] == [
        [target.namespace, name, "failed"], [elsewhere, name, "suspended"],
    ]  # fmt: skip

    looked = say("gc", "-A", *NOW)
    assert [row[2:4] for row in looked.rows(target.namespace) if name in row] == [[name, "Failed"]]
    assert looked.rows(elsewhere) == []
    (remark,) = (each for each in looked.remarks if f"in namespace {target.namespace}; " in each)
    words = shlex.split(remark.partition("; remove: ")[2])
    with own_handlers():
        assert cli.main(words[words.index("gc") :]) == 0
    target.api.until(lambda: target.api.job(name) is None, f"{name} gone")
    assert target.api.call("GET", f"{there}/{name}")["spec"]["suspend"]


def test_a_job_that_changed_since_it_was_seen_stays(target: Target, name: str) -> None:
    made = target.api.create("jobs", body(name, "true", suspend=True))["metadata"]
    path, kind = target.api.path("jobs", name), "application/merge-patch+json"
    target.api.call("PATCH", path, {"metadata": {"labels": {"touched": "yes"}}}, kind)
    cluster = Cluster(login(Connection(kubeconfig=str(target.kubeconfig))))
    with pytest.raises(ApiError, match="ResourceVersion in the precondition") as refused:
        cluster.remove(JOB, target.namespace, name, made["uid"], made["resourceVersion"])
    assert (refused.value.status, refused.value.heals) == (409, False)
    assert target.api.job(name) is not None


def test_no_more_is_asked_for_than_the_launchers_role_allows(
    target: Target, say: Say, name: str
) -> None:
    ended(target, body(name, "exit 1"))
    with target.counted() as asked:
        assert say("show", name).code == 0
        assert say("show", f"{name}-nowhere").code == 1
        assert say("gc", *NOW, "--delete").rows(name)
    rights = {
        (resource, verb)
        for rule in launcher_rules()
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    # The embedded cluster counts methods and paths, the real one's audit names verbs.
    used = {
        (each.resource, each.verb) if target.real else right_of(each.verb, each.resource, "")
        for each in asked
    }
    assert {("jobs", "list"), ("jobs", "delete"), ("pods/log", "get")} <= used
    assert used <= rights
