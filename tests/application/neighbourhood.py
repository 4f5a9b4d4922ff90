"""A few addresses, customers and posts, in the columns that the index is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from application.addresses import Index, index
from application.records import Author, Place, Point, Post

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Address:
    id: str
    lon: float | None
    lat: float | None
    key: str


@dataclass(frozen=True)
class Client:
    """A row of CUSTOMERS."""

    id: str
    first: str = "Robert"
    last: str = "Smith"
    key: str = ""
    handle: str | None = None
    household: str | None = None
    city: str = "Manchester"


def key(number: int, unit: str = "", street: str = "MAPLE ST", city: str = "MANCHESTER") -> str:
    return f"{number}|{street}|{unit}|{city}|06040"


def tables(
    addresses: Sequence[Address],
    clients: Sequence[Client] = (),
    products: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Any, Any, Any]:
    """Return ADDRESSES, CUSTOMERS and PORTFOLIOS as the lake would give them."""
    text, number, truth = pa.string(), pa.float64(), pa.bool_()
    owned = [(who, kind) for who, kinds in (products or {}).items() for kind in kinds]

    def column(values: Sequence[Any], kind: Any) -> Any:
        return pa.array(values, type=kind)

    return (
        pa.table(
            {
                "ADDRESS_ID": column([each.id for each in addresses], text),
                "LON": column([each.lon for each in addresses], number),
                "LAT": column([each.lat for each in addresses], number),
                "ADDRESS_KEY": column([each.key for each in addresses], text),
            }
        ),
        pa.table(
            {
                "CUSTOMER_ID": column([each.id for each in clients], text),
                "FIRST_NAME": column([each.first for each in clients], text),
                "LAST_NAME": column([each.last for each in clients], text),
                "HANDLE": column([each.handle for each in clients], text),
                "CITY": column([each.city for each in clients], text),
                "ADDRESS_KEY": column([each.key for each in clients], text),
                "HOUSEHOLD_ID": column([each.household for each in clients], text),
                "CONTACT_CONSENT": column([True for _ in clients], truth),
                "MARKETING_CONSENT": column([False for _ in clients], truth),
            }
        ),
        pa.table(
            {
                "CUSTOMER_ID": column([who for who, _ in owned], text),
                "PRODUCT": column([kind for _, kind in owned], text),
            }
        ),
    )


def town(
    addresses: Sequence[Address],
    clients: Sequence[Client] = (),
    products: Mapping[str, Sequence[str]] | None = None,
) -> Index:
    return index(*tables(addresses, clients, products))


def post(
    name: str = "",
    position: Point | Place | None = None,
    username: str = "x9",
    location: str = "",
) -> Post:
    author = Author("7", username, name, location)
    return Post("1", "markets", "en", NOON, author, position, "ctne")
