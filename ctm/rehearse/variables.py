"""Control-M's variables in a job's properties: %%NAME, with those that the server gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_NAME = re.compile(r"%%(\$?[A-Za-z_\\@][\w\\@]*)")


def given(job: str, number: int, at: datetime) -> dict[str, str]:
    """Return what the server tells every job: its name, its run's number, the order date."""
    return {
        "JOBNAME": job,
        "RUNCOUNT": str(number),
        "ORDERID": f"{number:05}",
        "ODATE": f"{at:%y%m%d}",
        "$ODATE": f"{at:%Y%m%d}",
        "DATE": f"{at:%y%m%d}",
        "$DATE": f"{at:%Y%m%d}",
        "TIME": f"{at:%H%M%S}",
    }


def expanded(value: Any, variables: Mapping[str, str]) -> Any:
    """Replace %%NAME in all texts of a value; an unknown name stays as it stands."""
    if isinstance(value, str):
        return _NAME.sub(lambda found: variables.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {name: expanded(each, variables) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [expanded(each, variables) for each in value]
    return value
