"""The table of fields, and where it comes from."""

from __future__ import annotations

import pytest

from runjob.sandbox import schema_source
from runjob.sandbox.schema import SCALARS, types


def test_the_table_is_what_the_official_models_say(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kubernetes")
    assert schema_source.collect() == types()
    place = f"{tmp_path}/schema_source.py"
    monkeypatch.setattr(schema_source, "__file__", place)
    schema_source.main()
    with open(f"{tmp_path}/schema.json", encoding="utf-8") as written:
        assert "JobSpec" in written.read()


def test_every_type_that_a_field_names_is_in_the_table() -> None:
    table = types()
    for fields in table.values():
        for kind in fields.values():
            plain = kind.lstrip("[{")
            assert plain in table or plain in SCALARS, kind
