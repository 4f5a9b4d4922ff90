"""The vendor's own job type, as the alternative that we document, makes the same Job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ctm.definition import load as load_definition
from misc.jobtype import expand, load
from misc.jobtype_source import BUILT
from runjob import form
from runjob.flags import parse
from runjob.options import Options
from runjob.plan import RUN_ID, plan

PATH = Path(__file__).parents[2] / "ctm" / "vendor-kubernetes.json"
FOUND = load_definition(PATH.read_text(), PATH.name)
FOLDER = FOUND["Kubernetes2Ways"]


def launched(name: str) -> Options:
    """Read what the launcher is asked for by a job of our type."""
    profile = {"AI-CLIPath": "/opt/runjob", "AI-YamlPath": "/opt/manifests"}
    line = expand(load(BUILT), FOLDER[name], profile).execute
    _, _, handed_over = line.partition("\n")
    options = parse(form.words(handed_over.rsplit("\n", 2)[0] + "\n"))
    assert isinstance(options, Options)
    return options


def test_a_job_that_is_described_in_its_definition_is_the_same() -> None:
    options = launched("One-RunKJob")
    request, _ = plan(options, lambda name: name, lambda path: path)
    ours: Any = request.job
    labels = ours["metadata"].pop("labels")
    assert labels.keys() == {RUN_ID}
    assert ours == yaml.safe_load(FOLDER["One-Vendor"]["Job Spec Yaml"])


def test_a_job_that_is_fetched_comes_from_the_same_address() -> None:
    options = launched("Two-RunKJob")
    job = FOLDER["Two-Vendor"]
    profile = FOUND[job["ConnectionProfile"]]
    assert options.manifest == profile["Spec Endpoint URL"] + job["Spec Request Path"]
    assert [dict([pair]) for pair in options.query] == job["Spec Request Parameters"]
    assert options.namespace == profile["Namespace"]
