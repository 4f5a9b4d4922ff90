"""The job type's form, as it is handed to the launcher."""

from __future__ import annotations

from runjob.form import END, FIELDS, MARK


def handed(**values: str) -> str:
    fields = {**dict.fromkeys(sorted(FIELDS), ""), **values}
    return "".join(f"{MARK} {name}={text}\n" for name, text in fields.items()) + f"{MARK} {END}=\n"
