"""A glance at the lake: posts by category, and some of the actions with their why.

It asks the view CUST360 by the connector alone, as any other reader of the lake would.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

COUNTS = """
select CATEGORY, FEELING, count(*) from CUST360 group by CATEGORY, FEELING order by 1, 2
"""
ACTIONS = """
select a.KIND, coalesce(a.PRODUCT, ''), c.CUSTOMER, c.TEXT, a.WHY
from ACTIONS a join CUST360 c on c.TWEET_ID = a.TWEET_ID
where a.KIND <> 'none' and c.CUSTOMER is not null
qualify row_number() over (partition by a.KIND order by a.POSTED_AT desc) <= 2
order by a.KIND
"""


def main() -> int:
    """Print both."""
    argparse.ArgumentParser(prog="python -m misc.glance", description=__doc__).parse_args()
    if "SNOWFLAKE_ACCOUNT" not in os.environ:
        sys.exit(
            "glance: error: SNOWFLAKE_ACCOUNT is not set; misc.engines prints embedded settings"
        )
    import snowflake.connector

    variables = {name: os.environ.get(f"SNOWFLAKE_{name.upper()}") for name in (
        "account", "user", "password", "database", "schema", "host", "port", "protocol"
    )}  # fmt: skip
    given: dict[str, Any] = {name: value for name, value in variables.items() if value}
    with snowflake.connector.connect(**given) as connection, connection.cursor() as cursor:
        counts = cursor.execute(COUNTS).fetchall()
        for category, feeling, count in counts:
            print(f"{count:7,}  {category:17} {feeling}")
        for action, product, customer, text, why in cursor.execute(ACTIONS).fetchall():
            print(f'\n{action} {product}\n  {customer}: "{text}"\n  {why}')
        if not counts:
            print("glance: CUST360 is empty; run the producer and the consumer first")
    return 0


if __name__ == "__main__":
    sys.exit(main())
