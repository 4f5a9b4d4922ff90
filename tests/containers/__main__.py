"""Build the images of the pipeline: `python -m tests.containers`."""

from __future__ import annotations

import os
import sys

from tests.cluster.errors import ClusterError, last_lines
from tests.cluster.layout import layout_from
from tests.containers.buildah import built
from tests.containers.recipes import RECIPES


def main() -> int:
    """Build what is not built yet, print each image's size and name; return the exit code."""
    layout = layout_from(os.environ)
    try:
        if os.geteuid() != 0:
            raise ClusterError("only root may unpack an image; run this as root")
        for recipe in RECIPES:
            image = built(layout, recipe)
            print(f"{image.file.stat().st_size / 1e6:7.0f} MB  {image.name}")
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.log is not None:
            print(last_lines(error.log), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
