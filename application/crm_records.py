"""The rows of a CRM as the lake has them, or why one is not taken: pure decisions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from application.postal import address_key

PRODUCTS = frozenset({"brokerage", "retirement", "college", "bonds", "insurance", "managed"})
LONGEST_FIELD = 200  # characters
_LARGEST_BALANCE = Decimal(10) ** 12
_YEARS = (1900, 2200)
_TRUE = frozenset({"1", "true", "t", "yes", "y"})
_FALSE = frozenset({"0", "false", "f", "no", "n", ""})

Row = Mapping[str, Any]
_Day = TypeVar("_Day", bound=date)


class BadRowError(Exception):
    """Why one row is not taken, in words."""


@dataclass(frozen=True)
class Kind:
    """One of the three tables or views of a CRM, and its table in the lake.

    columns are read from the CRM, by these names; into are written to the lake; both start with
    the key. record turns a row into the lake's values, by their names in lower case.
    """

    source: str
    target: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    into: tuple[str, ...]
    record: Callable[[Row], dict[str, Any]] = field(repr=False)


def identity(kind: Kind, row: Row) -> dict[str, str]:
    """Return the key of a row as the lake has it; raise BadRowError."""
    key = {name: _text(row, name, needed=True) for name in kind.key}
    if "product" in key:
        key["product"] = key["product"].lower()
    return key


def checked(kind: Kind, row: Row) -> dict[str, Any]:
    """Return the lake's values of a row, without those that are empty; raise BadRowError.

    Times are UTC; deleted tells that the row is to go.
    """
    values: dict[str, Any] = identity(kind, row)
    values["updated_at"] = stamp(_time(row["updated_at"]))
    values["deleted"] = _flag(row, "deleted")
    if not values["deleted"]:  # what is to go need not be right
        values.update(kind.record(row))
    return {name: value for name, value in values.items() if value is not None and value != ""}


def stamp(time: datetime) -> str:
    """Write a time as the lake reads it; in this form, texts sort as their times do."""
    return time.isoformat(sep=" ", timespec="microseconds")


def _customer(row: Row) -> dict[str, Any]:
    parts = [_text(row, name) for name in ("number", "street", "unit", "city", "postcode")]
    key = address_key(*parts)
    texts = ("handle", "email", "phone", "number", "street", "unit", "city", "region")
    return {
        "first_name": _text(row, "first_name", needed=True),
        "last_name": _text(row, "last_name", needed=True),
        **{name: _text(row, name) for name in texts},
        "handle": _text(row, "handle").lstrip("@"),
        "postcode": key.rpartition("|")[2],
        "address_key": key if parts[1] else None,
        "household_id": _text(row, "household_id"),
        # No word of consent is none.
        "contact_consent": _flag(row, "contact_consent"),
        "marketing_consent": _flag(row, "marketing_consent"),
    }


def _portfolio(row: Row) -> dict[str, Any]:
    product = _text(row, "product")
    if product.lower() not in PRODUCTS:
        raise BadRowError(f"product {product[:30]!r} is none of {', '.join(sorted(PRODUCTS))}")
    return {
        "balance": _amount(row["balance"]),
        "opened_on": _day(row["opened_on"]),
    }


def _household(row: Row) -> dict[str, Any]:
    return {"name": _text(row, "name", needed=True), "advisor": _text(row, "advisor")}


HOUSEHOLDS = Kind(
    source="households",
    target="HOUSEHOLDS",
    key=("household_id",),
    columns=("household_id", "name", "advisor", "updated_at", "deleted"),
    into=("household_id", "name", "advisor", "updated_at"),
    record=_household,
)
_PERSON = ("customer_id", "first_name", "last_name", "handle", "email", "phone", "number", "street",
           "unit", "city", "region", "postcode")  # fmt: skip
_CONSENTS = ("household_id", "contact_consent", "marketing_consent", "updated_at")
CUSTOMERS = Kind(
    source="customers",
    target="CUSTOMERS",
    key=("customer_id",),
    columns=(*_PERSON, *_CONSENTS, "deleted"),
    into=(*_PERSON, "address_key", *_CONSENTS),
    record=_customer,
)
_PORTFOLIO = ("customer_id", "product", "balance", "opened_on", "updated_at")
PORTFOLIOS = Kind(
    source="portfolios",
    target="PORTFOLIOS",
    key=("customer_id", "product"),
    columns=(*_PORTFOLIO, "deleted"),
    into=_PORTFOLIO,
    record=_portfolio,
)
# Customers last: who is deleted takes along the portfolios that the same run has just brought.
KINDS = (HOUSEHOLDS, PORTFOLIOS, CUSTOMERS)


def _text(row: Row, name: str, *, needed: bool = False) -> str:
    value = row[name]
    text = "" if value is None else " ".join(str(value).replace("\0", " ").split())
    if needed and not text:
        raise BadRowError(f"{name} is empty")
    if len(text) > LONGEST_FIELD:
        raise BadRowError(f"{name} has more than {LONGEST_FIELD} characters")
    return text


def _flag(row: Row, name: str) -> bool:
    text = _text(row, name).lower()
    if text not in _TRUE | _FALSE:
        raise BadRowError(f"{name} {text[:30]!r} is neither true nor false")
    return text in _TRUE


def _time(value: object) -> datetime:
    """Read a time; one without a zone is UTC."""
    if value is None:
        raise BadRowError("updated_at is empty")
    try:
        # Python 3.10 reads no Z.
        time = value if isinstance(value, datetime) else _iso(str(value))
        if time.tzinfo is not None:
            time = time.astimezone(timezone.utc).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise BadRowError(f"updated_at {str(value)[:30]!r} is no ISO time") from error
    return _in_range("updated_at", time)


def _iso(text: str) -> datetime:
    text = text.strip()
    return datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith(("Z", "z")) else text)


def _day(value: object) -> str | None:
    if value is None or value == "":
        return None
    try:
        day = value if isinstance(value, date) else _iso(str(value))
    except ValueError as error:
        raise BadRowError(f"opened_on {str(value)[:30]!r} is no ISO date") from error
    return _in_range("opened_on", day).isoformat()[:10]


def _in_range(name: str, day: _Day) -> _Day:
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise BadRowError(f"{name} {day} is not between the years {_YEARS[0]} and {_YEARS[1]}")
    return day


def _amount(value: object) -> str | None:
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise BadRowError(f"balance {str(value)[:30]!r} is no number") from error
    if not (math.isfinite(amount) and abs(amount) < _LARGEST_BALANCE):
        raise BadRowError(f"balance {str(value)[:30]!r} is no amount of less than 10^12")
    return f"{amount:.2f}"
