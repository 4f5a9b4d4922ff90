"""Geo files in a bucket, as tests write and load them."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from application.ticker import Ticker
from tests.application.loading import BUCKET

HEADER = "LON,LAT,NUMBER,STREET,UNIT,CITY,DISTRICT,REGION,POSTCODE,ID,HASH"
NOON = datetime(2026, 11, 25, 12)


def row(identity: str, number: int = 12, street: str = "Main Street") -> str:
    return f"-72.52,41.77,{number},{street},,Manchester,Hartford,CT,06040,,{identity}"


def put(store: Any, key: str, *lines: str) -> None:
    store.put_object(Bucket=BUCKET, Key=key, Body="\n".join(lines).encode())


def quiet() -> Ticker:
    return Ticker("geo_load", io.StringIO())


def never() -> bool:
    return False
