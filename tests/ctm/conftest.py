"""What the tests of the lint share: the vendor's metadata is read once, for it takes seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctm.lint import Agent
from ctm.lint.vendor import Catalogue, catalogue
from misc.jobtype import JobType, load

MANIFEST = """\
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}, namespace: reports}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: main, image: example/{name}}}]
"""
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def vendor() -> Catalogue:
    """Return what Control-M takes."""
    return catalogue()


@pytest.fixture(scope="session")
def run_k_job() -> JobType:
    """Return our own job type."""
    return load(PROJECT / "misc" / "runKjob.ctmai")


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Agent:
    """Return an agent that has the files which clean.json names."""
    root = tmp_path_factory.mktemp("agent")
    files = {
        "manifests": ["sum.yaml", "print.yaml"],
        "scripts": ["load.sh", "count.sql", "runJob.py"],
    }
    for folder, names in files.items():
        (root / folder).mkdir()
        for name in names:
            (root / folder / name).write_text(MANIFEST.format(name=name.partition(".")[0]))
    folders = {f"/opt/{folder}/": root / folder for folder in files}
    return Agent({**folders, "/opt/runjob/": root / "scripts"})
