"""A kill ends the Job of the run that it names, and tells why where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runjob.plan import RUN_ID
from runjob.sandbox import Fault
from runjob.sandbox.faults import Refuse
from tests.contract.api import Json
from tests.contract.launches import FOREVER, Launcher, Starter, sh
from tests.contract.targets import EmbeddedTarget, Target, wants_real

embedded = pytest.mark.skipif(wants_real(), reason="only the embedded cluster breaks on demand")


def test_a_kill_of_an_earlier_run_spares_a_job_whose_manifest_was_read_off_that_ones(
    launch: Launcher, start: Starter, target: Target, name: str, tmp_path: Path
) -> None:
    """`kubectl get job -o yaml` of a Job that was kept, as the next one's manifest."""
    earlier = ("--run-id", f"{name[-12:]}.1")
    assert launch("-j", name, *earlier, *sh("exit 3"), "--keep", "failed").code == 1
    kept = target.api.job(name)
    assert kept is not None
    metadata, pods = kept["metadata"], kept["spec"]["template"]["spec"]
    read = {part: metadata[part] for part in ("labels", "annotations")}
    assert RUN_ID in read["labels"]
    pods["containers"][0]["command"] = ["sh", "-c", FOREVER]
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{name}-2", **read},
        "spec": {"template": {"metadata": {"labels": read["labels"]}, "spec": pods}},
    }
    (tmp_path / "job.yaml").write_text(json.dumps(job))
    started = start("-y", str(tmp_path / "job.yaml"))
    started.until(b"up\n")
    killed = launch("--kill", *earlier)
    assert killed.code == 0
    assert "had ended already; left alone" in killed.text
    assert not any(is_leaving(each) for each in target.api.items("jobs"))
    assert RUN_ID not in (target.api.pods(f"{name}-2")[0]["metadata"].get("labels") or {})


def is_leaving(body: Json) -> bool:
    return "deletionTimestamp" in body["metadata"]


@embedded
def test_a_kill_whose_token_is_refused_ends_as_a_launch_does(
    target: EmbeddedTarget, launch: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for the whole --api-timeout, it ended with 6 as if the API were away."""
    monkeypatch.setattr("runjob.asking.LOGIN_PATIENCE", 0.5)
    refused = target.sandbox.inject(Fault(Refuse(401), verb="list", resource="jobs", times=None))
    try:
        killed = launch("--kill", "--run-id", "r.1")
    finally:
        refused.remove()
    assert (killed.code, killed.text) == (9, "")
    assert "the API does not accept our credentials" in killed.err
