"""The warehouse stores a post once, insists where that helps and says plainly where it does not."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector.errors import (
    DatabaseError,
    HttpError,
    InternalServerError,
    OperationalError,
    ProgrammingError,
)

from application.errors import BadInputError, RefusedError, UnreachableError
from application.settings import SnowflakeSettings, snowflake_settings
from application.warehouse import Warehouse, heals, login, why
from misc.engines import snowflake
from misc.engines.trouble import Trouble
from tests.application.conftest import Lake
from tests.application.messages import decision, fields


def stored(lake: Lake) -> list[str]:
    return [row[0] for row in lake.warehouse.run("select TWEET_ID from TWEETS order by TWEET_ID")]


def test_a_post_is_stored_whole(lake: Lake) -> None:
    text = "it's \"quoted\" \\ 'n' ? %s :1 \u2028 \U0001f600 ñ \x01;--"
    lake.warehouse.merge([decision(1, text=text)])
    [(raw, result, origin, posted_at)] = lake.warehouse.run(
        "select RAW, RESULT, ORIGIN, POSTED_AT from TWEETS"
    )
    assert json.loads(raw) == fields(1, text=text)
    assert json.loads(result) == {
        "category": "prospect",
        "confidence": 0.5,
        "distance_m": 12.5,
        "address_id": "a1",
        "customer_id": None,
        "household_id": None,
        "kin": ["c2"],
        "evidence": "near",
        "feeling": "positive",
        "score": 0.7,
        "topics": ["moving", "praise"],
        "actions": [
            {
                "kind": "offer",
                "subject": "c1",
                "product": "bonds",
                "why": "because",
                "cap_days": 30,
            }
        ],
    }
    assert json.loads(origin) == {
        "topic": "tweets",
        "partition": 1,
        "offset": 1,
        "published_at": None,
    }
    assert posted_at == datetime(2026, 3, 1, 12, 30)


def test_a_post_that_comes_again_or_twice_is_stored_once_as_it_came_first(lake: Lake) -> None:
    lake.warehouse.merge([decision(1, "first"), decision(2), decision(1, "second")])
    lake.warehouse.merge([decision(number, "third") for number in (1, 2, 3)])
    lake.warehouse.merge([])
    assert stored(lake) == ["1", "2", "3"]
    assert lake.warehouse.run("select WHY from DECIDED where TWEET_ID = '1'") == [("first",)]


def test_a_large_batch_is_stored_by_one_statement(lake: Lake) -> None:
    with snowflake.troubled(lake.environment) as trouble, connected(trouble) as warehouse:
        warehouse.merge([decision(number) for number in range(700)])
        assert trouble.ran["MERGE"] == 1
    assert len(stored(lake)) == 700


class Connected:
    """A warehouse behind trouble."""

    def __init__(self, trouble: Trouble, budget: float) -> None:
        self._warehouse = Warehouse(snowflake_settings(trouble.settings), budget)

    def __enter__(self) -> Warehouse:
        return self._warehouse

    def __exit__(self, *_: object) -> None:
        self._warehouse.__exit__()


def connected(trouble: Trouble, budget: float = 60) -> Connected:
    return Connected(trouble, budget)


@pytest.fixture
def trouble(lake: Lake) -> Iterator[Trouble]:
    with snowflake.troubled(lake.environment) as running:
        yield running


def test_a_merge_whose_answer_was_lost_runs_again_and_changes_nothing(
    lake: Lake, trouble: Trouble
) -> None:
    with connected(trouble) as warehouse:
        trouble.lose_answer(matching="merge")
        warehouse.merge([decision(1), decision(2)])
    assert trouble.ran["MERGE"] == 2
    assert stored(lake) == ["1", "2"]


@pytest.mark.parametrize("fault", ["unavailable", "cut"])
def test_a_fault_that_heals_is_outlasted(lake: Lake, trouble: Trouble, fault: str) -> None:
    with connected(trouble) as warehouse:
        getattr(trouble, fault)(matching="merge")
        warehouse.merge([decision(1)])
    assert trouble.ordered == 0
    assert stored(lake) == ["1"]


def test_a_warehouse_that_is_gone_is_given_up_after_the_budget(trouble: Trouble) -> None:
    with connected(trouble, budget=1) as warehouse:
        trouble.down()
        with pytest.raises(UnreachableError, match="no answer within 1 s"):
            warehouse.merge([decision(1)])


@pytest.mark.embedded_snowflake
def test_a_session_that_ended_is_begun_anew(tmp_path: Path) -> None:
    with snowflake.embedded(tmp_path, password="p") as first:
        warehouse = Warehouse(snowflake_settings(first), budget=30)
        warehouse.run("create table KEPT (N int)")
    port = int(first["SNOWFLAKE_PORT"])
    with snowflake.embedded(tmp_path, port=port, password="p"), warehouse:
        assert warehouse.run("select count(*) from KEPT") == [(0,)]


def test_values_are_bound_and_columns_come_also_without_rows(lake: Lake) -> None:
    assert lake.warehouse.run("select ?, ?", (1, "it's")) == [(1, "it's")]
    table = lake.warehouse.arrow("select TWEET_ID, LOADED_AT from TWEETS where false")
    assert table.column_names == ["TWEET_ID", "LOADED_AT"]
    assert table.num_rows == 0


def test_a_file_is_put_into_a_stage(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "two words.csv"
    file.write_text("1\n")
    lake.warehouse.put(file, "GEO_FILES")
    lake.warehouse.put(file, "GEO_FILES")
    [row] = lake.warehouse.run("list @GEO_FILES")
    assert "two words.csv" in row[0]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        pytest.param("select * from NOWHERE", "python -m application.lake", id="missing table"),
        pytest.param("selec 1", "selec 1", id="no SQL"),
    ],
)
def test_what_no_later_try_helps_is_refused_at_once(lake: Lake, sql: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told) as refusal:
        lake.warehouse.run(sql)
    assert "\n" not in str(refusal.value)


def test_a_wrong_password_is_refused_and_not_told(lake: Lake) -> None:
    settings = dataclasses.replace(lake.settings, password="wr0ng")
    with pytest.raises(RefusedError, match="check SNOWFLAKE_USER") as refusal:
        Warehouse(settings)
    assert "wr0ng" not in str(refusal.value)


def test_a_closed_port_is_given_up_after_the_budget(lake: Lake) -> None:
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1\), logging in: no answer"):
        Warehouse(dataclasses.replace(lake.settings, port=1), budget=1)


@pytest.mark.parametrize("content", [None, "no key"])
def test_a_key_that_cannot_be_used_is_told(lake: Lake, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "key.p8"
    if content:
        file.write_text(content)
    settings = dataclasses.replace(lake.settings, password=None, private_key_file=str(file))
    with pytest.raises(BadInputError, match=r"SNOWFLAKE_PRIVATE_KEY_FILE .*key\.p8"):
        Warehouse(settings)


def test_a_key_with_a_passphrase_signs_the_login(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "key.p8"
    file.write_bytes(
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"open"),
        )
    )
    settings = dataclasses.replace(
        lake.settings, password=None, private_key_file=str(file), private_key_passphrase="open"
    )
    # The embedded warehouse knows passwords only: that it was asked shows that the key was read.
    with pytest.raises(RefusedError, match="Incorrect username or password"):
        Warehouse(settings)
    with pytest.raises(BadInputError, match="PASSPHRASE must open it"):
        Warehouse(dataclasses.replace(settings, private_key_passphrase="shut"))


@pytest.mark.parametrize(
    ("way", "authenticator"),
    [
        pytest.param({"private_key_file": "k"}, "SNOWFLAKE_JWT", id="key pair"),
        pytest.param({"token": "t"}, "OAUTH", id="OAuth"),
        pytest.param({"password": "p"}, None, id="password"),
    ],
)
def test_each_way_to_log_in_has_its_authenticator(
    way: dict[str, str], authenticator: str | None
) -> None:
    settings = SnowflakeSettings("org-name", "LOADER", warehouse="W", role="R", **way)  # type: ignore[arg-type] # mypy takes the values for any field's
    asked = login(settings)
    assert asked.get("authenticator") == authenticator
    assert (asked["warehouse"], asked["role"]) == ("W", "R")
    assert "host" not in asked


@pytest.mark.parametrize(
    ("error", "healing"),
    [
        pytest.param(ProgrammingError("x", 2003), False, id="missing table"),
        pytest.param(ProgrammingError("x", 1003), False, id="no SQL"),
        pytest.param(ProgrammingError("x", 3001), False, id="no right"),
        pytest.param(ProgrammingError("x", 606), False, id="no warehouse chosen"),
        pytest.param(DatabaseError("x", 390100), False, id="wrong password"),
        pytest.param(DatabaseError("x", 390144), False, id="unknown key"),
        pytest.param(ProgrammingError("x", 390114), True, id="session expired"),
        pytest.param(ProgrammingError("x", 625), True, id="table locked for too long"),
        pytest.param(OperationalError("x", 250001), True, id="no connection"),
        pytest.param(OperationalError("x", 250003), True, id="no answer"),
        pytest.param(InternalServerError(errno=503), True, id="503"),
        pytest.param(HttpError(msg="x", errno=290401), True, id="401, the session is unknown"),
        pytest.param(HttpError(msg="x", errno=290404), False, id="404"),
    ],
)
def test_errors_heal_or_they_do_not(error: DatabaseError, healing: bool) -> None:
    assert heals(error) is healing


def test_a_refusal_says_what_to_do() -> None:
    told = why(ProgrammingError("Object 'TWEETS' does not exist.\nor not authorized.", 2003))
    assert told.endswith("or grant the role its use")
    assert "\n" not in told
