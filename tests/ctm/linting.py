"""What the lint finds in a definition, as its tests ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ctm.definition import read
from ctm.lint import Agent, Finding, lint
from ctm.lint.vendor import Catalogue
from misc.jobtype import JobType

PROJECT = Path(__file__).parents[2]


def check(
    content: dict[str, Any], vendor: Catalogue, *job_types: JobType, agent: Agent | None = None
) -> list[Finding]:
    definition = read(json.dumps(content, indent=1), "x.json")
    return lint([definition], vendor, job_types, agent or Agent({}))
