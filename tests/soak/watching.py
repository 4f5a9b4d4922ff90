"""What really happened: the logs on the node, and the objects in the cluster."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import urllib3

from runjob.login import Access
from tests.cluster import controls
from tests.contract.api import ROOTS, Json

_LOOK = 0.1


class Truth:
    """Keeps the node's log files of one namespace, beyond the life of their pods.

    It links to each file once it is there: what is written later comes by itself, and what the
    kubelet removes stays. The folder must be on the node's own disk.
    """

    def __init__(self, namespace: str, folder: Path) -> None:
        self._prefix = f"{namespace}_"
        self._folder = folder
        self._logs = controls.here().pod_logs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        folder.mkdir()
        self._thread.start()

    def files(self, job: str) -> list[Path]:
        """Return the logs of a Job's containers: a file for each run."""
        return sorted(self._folder.glob(f"{job}-*"))

    def texts(self, job: str) -> Iterator[bytes]:
        """Yield what each container of a Job wrote, a text for each run."""
        for file in self.files(job):
            yield controls.pod_log_bytes(file)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _collect(self) -> None:
        while not self._stop.wait(_LOOK):
            with suppress(OSError):  # a folder that goes while we look
                self._look()

    def _look(self) -> None:
        for pod in os.scandir(self._logs):
            if not pod.name.startswith(self._prefix):
                continue
            with suppress(OSError):
                for file in Path(pod.path).glob("*/*.log"):
                    name = pod.name.removeprefix(self._prefix)
                    kept = self._folder / f"{name}_{file.parent.name}_{file.name}"
                    if not kept.exists():
                        os.link(file, kept)


class Eye:
    """Watches Jobs and pods of a namespace as the administrator; every change is written down."""

    def __init__(self, access: Access, namespace: str, folder: Path) -> None:
        self._host, self._namespace = access.host, namespace
        self._pool = urllib3.PoolManager(
            ca_certs=access.ca_file, cert_file=access.cert_file, key_file=access.key_file
        )
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], dict[str, Json]] = {}
        for plural in ("jobs", "pods"):
            # Not waited for at the end: it may hang in a read.
            threading.Thread(
                target=self._watch, args=(plural, folder / f"{plural}.log"), daemon=True
            ).start()

    def jobs(self, name: str) -> list[Json]:
        """Return the last that was seen of every Job that had this name."""
        return self._last("jobs", name)

    def pods(self, job: str) -> list[Json]:
        """Return the last that was seen of every pod of a Job."""
        return self._last("pods", job)

    def _last(self, plural: str, job: str) -> list[Json]:
        with self._lock:
            return list(self._seen.get((plural, job), {}).values())

    def close(self) -> None:
        self._stop.set()

    def _watch(self, plural: str, file: Path) -> None:
        path = f"{self._host}{ROOTS.get(plural, '/api/v1')}/namespaces/{self._namespace}/{plural}"
        version = ""
        with file.open("w", encoding="utf-8", buffering=1) as book:
            while not self._stop.is_set():
                try:
                    if not version:
                        version = self._list(path, plural, book)
                    version = self._follow(path, version, plural, book)
                except (urllib3.exceptions.HTTPError, OSError, ValueError, KeyError):
                    self._stop.wait(0.2)

    def _list(self, path: str, plural: str, book: TextIO) -> str:
        answer = json.loads(self._pool.request("GET", path, timeout=20, retries=False).data)
        for body in answer["items"]:
            self._note(plural, "LISTED", body, book)
        return str(answer["metadata"]["resourceVersion"])

    def _follow(self, path: str, version: str, plural: str, book: TextIO) -> str:
        """Watch until the stream ends; return the version to go on from, none to list again."""
        fields = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        stream = self._pool.request(
            "GET", path, fields=fields, preload_content=False, timeout=120, retries=False
        )
        try:
            if stream.status != 200:
                return "" if stream.status == 410 else version
            for line in stream:
                step = json.loads(line)
                if step["type"] == "ERROR":
                    return ""
                version = step["object"]["metadata"]["resourceVersion"]
                if step["type"] != "BOOKMARK":
                    self._note(plural, step["type"], step["object"], book)
        except (urllib3.exceptions.HTTPError, OSError):
            self._stop.wait(0.2)
        finally:
            stream.close()
        return version

    def _note(self, plural: str, what: str, body: Json, book: TextIO) -> None:
        metadata = body["metadata"]
        job = metadata["name"]
        if plural == "pods":
            job = (metadata.get("labels") or {}).get("job-name", "")
        with self._lock:
            self._seen.setdefault((plural, job), {})[metadata["uid"]] = body
        told = {
            "name": metadata["name"],
            "uid": metadata["uid"],
            "deleted": metadata.get("deletionTimestamp"),
            "annotations": metadata.get("annotations"),
            "status": body.get("status"),
        }
        book.write(f"{time.time():.3f} {what} {json.dumps(told)}\n")
