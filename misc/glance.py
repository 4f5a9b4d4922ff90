"""A glance at the lake: posts by category, and some of the actions with their why.

It asks the view CUST360 by the connector alone, as any other reader of the lake would.
"""

from __future__ import annotations

import os
import sys
from typing import Any

COUNTS = """
select CATEGORY, FEELING, count(*) from CUST360 group by CATEGORY, FEELING order by 1, 2
"""
ACTIONS = """
select ACTION, coalesce(PRODUCT, ''), CUSTOMER, TEXT, WHY from CUST360
where ACTION <> 'none' and CUSTOMER is not null
qualify row_number() over (partition by ACTION order by POSTED_AT desc) <= 2
order by ACTION
"""


def main() -> int:
    """Print both."""
    import snowflake.connector

    variables = {name: os.environ.get(f"SNOWFLAKE_{name.upper()}") for name in (
        "account", "user", "password", "database", "schema", "host", "port", "protocol"
    )}  # fmt: skip
    given: dict[str, Any] = {name: value for name, value in variables.items() if value}
    with snowflake.connector.connect(**given) as connection, connection.cursor() as cursor:
        for category, feeling, count in cursor.execute(COUNTS).fetchall():
            print(f"{count:7,}  {category:17} {feeling}")
        for action, product, customer, text, why in cursor.execute(ACTIONS).fetchall():
            print(f'\n{action} {product}\n  {customer}: "{text}"\n  {why}')
    return 0


if __name__ == "__main__":
    sys.exit(main())
