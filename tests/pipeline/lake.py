"""What a test asks of the lake by itself."""

from __future__ import annotations

import os
from collections.abc import Mapping

from application import lake
from application.settings import snowflake_settings
from application.warehouse import Warehouse
from misc.engines import sample
from tests.pipeline.account import Shown

_ADDRESS = """
insert into ADDRESSES (ADDRESS_ID, LON, LAT, NUMBER, STREET, UNIT, CITY, REGION, POSTCODE,
    ADDRESS_KEY, LOADED_AT) values (?, ?, ?, ?, ?, '', ?, 'CT', '06001', ?, sysdate())
"""
_CUSTOMER = """
insert into CUSTOMERS (CUSTOMER_ID, FIRST_NAME, LAST_NAME, HANDLE, NUMBER, STREET, UNIT, CITY,
    REGION, POSTCODE, ADDRESS_KEY, HOUSEHOLD_ID, CONTACT_CONSENT, MARKETING_CONSENT, UPDATED_AT)
    values (?, ?, ?, ?, ?, ?, '', ?, 'CT', '06001', ?, ?, true, true, sysdate())
"""


def opened(settings: Mapping[str, str]) -> Warehouse:
    return Warehouse(snowflake_settings({**os.environ, **settings}))


def fill(warehouse: Warehouse) -> None:
    """Create the lake, with one customer of every name that a sample's authors have."""
    lake.apply(warehouse)
    for number, first in enumerate(sample.FIRST_NAMES):
        last = sample.LAST_NAMES[number % len(sample.LAST_NAMES)]
        town, lon, lat, _ = sample.TOWNS[number % len(sample.TOWNS)]
        key = f"{number}|MAIN ST||{town.upper()}|06001"
        place = (str(number), "Main Street", town)
        warehouse.run(_ADDRESS, (f"a{number}", lon, lat, *place, key))
        warehouse.run(
            _CUSTOMER, (f"c{number}", first, last, f"{first}{last}7", *place, key, f"h{number}")
        )


def unlock(warehouse: Warehouse) -> None:
    """Take the key from TWEETS: Snowflake does not enforce it, the embedded warehouse does."""
    warehouse.run("create or replace table TWEETS as select * from TWEETS")


def rows(warehouse: Warehouse) -> list[str]:
    """Return the ids of all posts in the lake, one a row."""
    return [each for (each,) in warehouse.run("select TWEET_ID from TWEETS")]


def count(warehouse: Warehouse) -> int:
    [(number,)] = warehouse.run("select count(*) from TWEETS")
    return int(number)


def dead_letters(warehouse: Warehouse) -> set[tuple[int, str]]:
    """Return the offset and the reason of each dead letter; AssertionError where one is twice."""
    rows = warehouse.run("select KAFKA_OFFSET, REASON from DEAD_LETTERS")
    found = {(int(offset), reason) for offset, reason in rows}
    assert len(found) == len(rows)
    return found


def actions(warehouse: Warehouse) -> list[Shown]:
    columns = "TWEET_ID, RANK, KIND, SUBJECT, PRODUCT, coalesce(CAP_DAYS, 0), POSTED_AT"
    return [Shown(*each) for each in warehouse.run(f"select {columns} from ACTIONS")]
