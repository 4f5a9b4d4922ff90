"""The embedded lake and bucket for the loaders' tests: one of each for all, emptied for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from unittest import mock

import boto3
import pytest

from application.bucket import Bucket
from application.lake import apply
from application.settings import snowflake_settings
from application.warehouse import Warehouse
from misc.engines import s3, snowflake
from tests.application.loading import BUCKET, Engines

TABLES = ("ADDRESSES", "CUSTOMERS", "PORTFOLIOS", "HOUSEHOLDS", "LOADS", "REJECTS", "GEO_STAGE")


@pytest.fixture(scope="session")
def shared_engines() -> Iterator[Engines]:
    with ExitStack() as stack:
        settings = stack.enter_context(snowflake.embedded())
        settings = {**settings, **stack.enter_context(s3.embedded())}
        lake = stack.enter_context(Warehouse(snowflake_settings(settings)))
        apply(lake)
        yield Engines(lake, settings)


@pytest.fixture
def engines(shared_engines: Engines) -> Engines:
    for table in TABLES:
        shared_engines.lake.run(f"delete from {table}")
    return shared_engines


@pytest.fixture(scope="session")
def s3_itself(shared_engines: Engines) -> Iterator[Any]:
    settings = shared_engines.settings
    client = boto3.client(
        "s3",
        endpoint_url=settings["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        region_name=settings["AWS_REGION"],
    )
    yield client
    client.close()


@pytest.fixture
def store(s3_itself: Any) -> Any:
    """S3, as those see it who put files there."""
    for entry in s3_itself.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3_itself.delete_object(Bucket=BUCKET, Key=entry["Key"])
    return s3_itself


@pytest.fixture(scope="session")
def bucket(shared_engines: Engines) -> Bucket:
    with mock.patch.dict(os.environ, shared_engines.settings):
        return Bucket(BUCKET)
