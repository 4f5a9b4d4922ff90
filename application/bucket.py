"""The bucket of the geo files, and the only module that speaks to S3."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, BinaryIO
from urllib.parse import unquote_plus

import boto3
from botocore import exceptions as failures
from botocore.config import Config

from application.errors import ApplicationError, BadInputError, RefusedError, UnreachableError

PATTERN = "Geo*.dat"
CHUNK = 1 << 20
_ADVICE = {
    "NoSuchBucket": "create it, or set GEO_BUCKET",
    "AccessDenied": "grant s3:ListBucket and s3:GetObject on it",
    "403": "grant s3:ListBucket and s3:GetObject on it",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "renew the AWS credentials",
}


@dataclass(frozen=True)
class GeoFile:
    """One version of one file: key and etag are its identity."""

    key: str
    etag: str
    size: int
    modified: datetime


class ChangedError(ApplicationError):
    """A file is not any more what was listed: another version of it will be."""


class Bucket:
    """One bucket; credentials, region and endpoint are found as boto3 finds them."""

    def __init__(self, name: str, prefix: str = "") -> None:
        self._name = name
        self._prefix = prefix
        with self._plainly("logging in"):
            self._client: Any = boto3.client(
                "s3",
                config=Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard"}),
            )

    def address(self, key: str) -> str:
        return f"s3://{self._name}/{key}"

    def files(self) -> list[GeoFile]:
        """List what is there under the prefix and called Geo*.dat, the oldest first."""
        found = []
        with self._plainly("listing"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._name, Prefix=self._prefix, EncodingType="url"
            )
            for page in pages:
                for entry in page.get("Contents", []):
                    # Asked for by hand, boto3 leaves the keys as they came: url-encoded.
                    key = unquote_plus(entry["Key"])
                    if fnmatchcase(key.rpartition("/")[2], PATTERN):
                        etag = entry["ETag"].strip('"')
                        found.append(GeoFile(key, etag, entry["Size"], entry["LastModified"]))
        return sorted(found, key=lambda file: (file.modified, file.key))

    def download(self, file: GeoFile, into: BinaryIO, tell: Callable[[int], object]) -> None:
        """Copy that very version, telling the bytes so far; raise ChangedError if it is gone."""
        done = 0
        with self._plainly(f"reading {file.key}"):
            answer = self._client.get_object(Bucket=self._name, Key=file.key, IfMatch=file.etag)
            for chunk in answer["Body"].iter_chunks(CHUNK):
                into.write(chunk)
                done += len(chunk)
                tell(done)

    @contextlib.contextmanager
    def _plainly(self, what: str) -> Iterator[None]:
        where = f"S3 bucket {self._name}, {what}"
        try:
            yield
        except (
            failures.NoCredentialsError,
            failures.PartialCredentialsError,
            failures.NoRegionError,
        ) as error:
            raise BadInputError(
                f"{where}: {_one_line(error)}; set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                "AWS_REGION, or give the pod a role"
            ) from error
        except failures.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in ("NoSuchKey", "PreconditionFailed", "404", "412"):
                raise ChangedError(f"{where}: it was changed or removed meanwhile") from error
            advice = _ADVICE.get(code)
            raise RefusedError(
                f"{where}: {_one_line(error)}" + (f"; {advice}" if advice else "")
            ) from error
        except (failures.ConnectionError, failures.HTTPClientError) as error:
            raise UnreachableError(
                f"{where}: {_one_line(error)}; check the network and AWS_ENDPOINT_URL_S3"
            ) from error
        except (failures.BotoCoreError, ValueError) as error:
            raise BadInputError(f"{where}: {_one_line(error)}; check the AWS_ settings") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
