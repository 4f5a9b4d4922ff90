"""The pipeline's nine Jobs, written from one template: `python -m misc.manifests`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

K8S = Path(__file__).resolve().parents[1] / "k8s"
REPOSITORY = "docker.io/runjob"
TAG = "0.1.0"
QUADRANTS = ("ctne", "ctnw", "ctse", "ctsw")
CONSUMERS = 5


@dataclass(frozen=True)
class Program:
    """An image, the engine whose secrets it may see, and what its pod needs."""

    image: str
    engine: str
    cpu: str
    memory: str
    memory_limit: str


@dataclass(frozen=True)
class Job:
    """One manifest: the Job's name, which is the file's too, and what differs from the others."""

    name: str
    program: Program
    env: Mapping[str, str] = field(default_factory=dict)


PRODUCER = Program("producer", "x", "100m", "128Mi", "512Mi")
CONSUMER = Program("consumer", "snowflake", "250m", "512Mi", "2Gi")
JOBS = (
    *(Job(f"bmctwitter-{each}", PRODUCER, {"BTCONF": f"{each}.yaml"}) for each in QUADRANTS),
    *(Job(f"kafkasnowflake-{number}", CONSUMER) for number in range(1, CONSUMERS + 1)),
)


def manifest(template: str, job: Job, repository: str, tag: str) -> str:
    """Fill the template in; raises KeyError for a placeholder that has no value."""
    values = {
        "NAME": job.name,
        "PROGRAM": job.program.image,
        "IMAGE": f"{repository}/{job.program.image}:{tag}",
        "ENGINE": job.program.engine,
        "ENV": json.dumps([{"name": name, "value": value} for name, value in job.env.items()]),
        "CPU": job.program.cpu,
        "MEMORY": job.program.memory,
        "MEMORY_LIMIT": job.program.memory_limit,
    }
    filled = re.sub(r"\$\{\{(\w+)\}\}", lambda found: values[found[1]], template)
    return f"# Made by `python -m misc.manifests` from job-template.yaml.\n{filled}"


def main(arguments: Sequence[str]) -> int:
    """Write the manifests."""
    parser = argparse.ArgumentParser(prog="manifests", description=__doc__)
    parser.add_argument("--repository", default=REPOSITORY, help="of the images (%(default)s)")
    parser.add_argument("--tag", default=TAG, help="of the images (%(default)s)")
    parser.add_argument("--folder", type=Path, default=K8S / "jobs", help="to write to (k8s/jobs)")
    options = parser.parse_args(arguments)
    template = (K8S / "job-template.yaml").read_text(encoding="utf-8")
    try:
        for job in JOBS:
            text = manifest(template, job, options.repository, options.tag)
            (options.folder / f"{job.name}.yaml").write_text(text, encoding="utf-8")
    except OSError as error:
        print(f"manifests: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
