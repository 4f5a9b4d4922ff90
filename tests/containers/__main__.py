"""Build the images of the pipeline: `python -m tests.containers [--node]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

import yaml

from tests.cluster import node
from tests.cluster.errors import ClusterError, last_lines
from tests.cluster.layout import Layout, layout_from
from tests.containers.buildah import built
from tests.containers.recipes import CHECKOUT, CONSUMER, PRODUCER, RECIPES


def main() -> int:
    """Build what is not built yet, print each image's size and name; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.containers", description=__doc__)
    parser.add_argument("--node", action="store_true",
        help="give the node of make cluster those that k8s/jobs names, by these names")  # fmt: skip
    on_node = parser.parse_args().node
    layout = layout_from(os.environ)
    try:
        if os.geteuid() != 0:
            raise ClusterError("only root may unpack an image; run this as root")
        if on_node:
            for name in _given(layout):
                print(f"on the node: {name}")
        else:
            for recipe in RECIPES:
                image = built(layout, recipe)
                print(f"{image.file.stat().st_size / 1e6:7.0f} MB  {image.name}")
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.log is not None:
            print(last_lines(error.log), file=sys.stderr)
        return 1
    return 0


def _given(layout: Layout) -> Iterator[str]:
    """Give the node the images of the Jobs as they are now, and yield their names."""
    if not node.is_up(layout):
        raise ClusterError("the node is not up; make cluster brings it up")
    manifests = [yaml.safe_load(path.read_text()) for path in (CHECKOUT / "k8s/jobs").glob("*-*")]
    specs = [each["spec"]["template"]["spec"] for each in manifests]
    named = {container["image"] for spec in specs for container in spec["containers"]}
    for recipe in (PRODUCER, CONSUMER):
        image = built(layout, recipe)
        if not node.has_image(layout, image.name):
            node.import_image(layout, image.file)
        [name] = [each for each in named if each.rpartition(":")[0] == recipe.repository]
        node.tag_image(layout, image.name, name)
        yield name


if __name__ == "__main__":
    sys.exit(main())
