"""Read one container's log as the launcher does, and throw it away."""

from __future__ import annotations

import sys
from pathlib import Path

from runjob.cluster import Cluster
from runjob.console import Console
from runjob.login import login
from runjob.logs import LogCursor
from runjob.options import Connection


def main(kubeconfig: str, pod: str) -> None:
    """Read the log of the pod's container main in the namespace controlm to its end."""
    cluster = Cluster(login(Connection(kubeconfig=kubeconfig)))
    cursor = LogCursor()
    with Path("/dev/null").open("wb") as nowhere:
        console = Console(nowhere, None)
        for chunk in cluster.log("controlm", pod, "main", since=cursor.resume(), follow=True):
            console.log(cursor.feed(chunk))
        console.log(cursor.finish())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
