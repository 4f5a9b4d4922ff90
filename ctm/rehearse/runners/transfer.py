"""File transfers from S3 to a local folder, with the watcher that waits for a file to come."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ctm.rehearse.profile import mapped
from ctm.rehearse.runners.watcher import DEFAULT_MINUTES
from ctm.rehearse.task import FAILED, Result, Task

S3, LOCAL = "ConnectionProfile:FileTransfer:S3", "ConnectionProfile:FileTransfer:Local"
PULLS = ("SrcToDest", "SrcToDestFileWatcher")
OPTIONS = (*PULLS, "FileWatcher")
LOOK_SECONDS = 1.0
_AGES = {"Sec": 1 / 60, "Min": 1, "Hour": 60, "Hours": 60, "Days": 1440}


@dataclass(frozen=True)
class Wish:
    """What one entry of FileTransfers asks for; age and patience are in minutes."""

    source: str
    destination: str
    option: str
    least: int = 0
    age: float = 0.0
    patience: float = 0.0
    variable: str | None = None
    everything: bool = True


def wish_of(entry: Mapping[str, Any]) -> Wish:
    """Read an entry; ValueError tells what cannot be done."""
    option = entry.get("TransferOption") or "SrcToDest"
    if option not in OPTIONS:
        raise ValueError(f"the TransferOption {option} cannot be rehearsed, only {OPTIONS}")
    watch = entry.get("FileWatcherOptions") or {}
    watched = option != "SrcToDest"
    minutes = watch.get("TimeLimitValue") if watch.get("TimeLimitPolicy") == "MinutesToWait" else 0
    age = re.fullmatch(r"(\d+)\s*([A-Za-z]+)", str(watch.get("MinFileAge") or "0Min"))
    if not age or age[2] not in _AGES:
        raise ValueError(f"MinFileAge {watch['MinFileAge']!r} is not as 3Min")
    return Wish(
        str(entry.get("Src", "")),
        str(entry.get("Dest", "")),
        option,
        int(watch.get("MinDetectedSizeInBytes") or 0),
        int(age[1]) * _AGES[age[2]],
        float(minutes or DEFAULT_MINUTES) if watched else 0.0,
        watch.get("AssignFileNameToVariable") or None,
        not watched or str(watch.get("TransferAllMatchingFiles", "")).lower() == "true",
    )


def transfer(task: Task) -> Result:
    """Do the transfers one after the other; the first that fails ends the job."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    environment = task.stage.environment
    values: dict[str, str] = {}
    try:
        client = boto3.client(
            "s3",
            region_name=environment.get("AWS_REGION"),
            endpoint_url=environment.get("AWS_ENDPOINT_URL_S3"),
            aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=environment.get("AWS_SESSION_TOKEN"),
        )
        for entry in task.properties["FileTransfers"]:
            wish = wish_of(entry)
            found = _awaited(client, wish, task)
            if not found:
                return FAILED
            for key in found if wish.option in PULLS else []:
                _pull(client, key, wish, task)
            if wish.variable:
                values[wish.variable.lstrip("%")] = found[0]
    except (BotoCoreError, ClientError, OSError, ValueError) as error:
        task.say(f"transfer: {' '.join(str(error).split())[:300]}")
        return FAILED
    return Result(0, values=values)


def _awaited(client: Any, wish: Wish, task: Task) -> list[str]:
    """Return the keys that match, waiting for them as long as the wish allows."""
    deadline = time.monotonic() + wish.patience * task.stage.minute
    bucket = str(task.properties.get("S3BucketName") or task.stage.environment.get("GEO_BUCKET"))
    pattern = wish.source.lstrip("/")
    while True:
        found = _listed(client, bucket, pattern, wish, task.stage.minute)
        if found:
            return found if wish.everything else found[:1]
        if time.monotonic() >= deadline:
            task.say(f"s3://{bucket}/{pattern}: no such file came")
            return []
        if task.stopped.wait(LOOK_SECONDS):
            return []


def _listed(client: Any, bucket: str, pattern: str, wish: Wish, minute: float) -> list[str]:
    prefix = re.split(r"[*?\[]", pattern)[0]
    now = datetime.now(timezone.utc)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    entries = [entry for page in pages for entry in page.get("Contents", [])]
    return [
        entry["Key"]
        for entry in sorted(entries, key=lambda each: each["LastModified"])
        if fnmatchcase(entry["Key"], pattern)
        and entry["Size"] >= wish.least
        and (now - entry["LastModified"]).total_seconds() >= wish.age * minute
    ]


def _pull(client: Any, key: str, wish: Wish, task: Task) -> None:
    """Copy an object to its place, whole or not at all."""
    bucket = str(task.properties.get("S3BucketName") or task.stage.environment.get("GEO_BUCKET"))
    place = Path(mapped(wish.destination, task.stage.paths))
    if wish.destination.endswith("/") or place.is_dir() or "*" in wish.source:
        place = place / key.rpartition("/")[2]
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.part")
    client.download_file(bucket, key, str(draft))
    os.replace(draft, place)
    task.say(f"s3://{bucket}/{key} to {place}: {place.stat().st_size} bytes")


def check(properties: Mapping[str, Any], profiles: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise ValueError unless every transfer is one that `transfer` can do."""
    ends = [str(profiles[properties[f"ConnectionProfile{end}"]]["Type"]) for end in ("Src", "Dest")]
    if not (ends[0].startswith(S3) and ends[1] == LOCAL):
        raise ValueError("only transfers from S3 to local files can be rehearsed")
    for entry in properties["FileTransfers"]:
        wish_of(entry)
