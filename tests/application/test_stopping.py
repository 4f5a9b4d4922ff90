"""SIGTERM is heard while an engine is away: it gets some seconds more, no whole budget."""

from __future__ import annotations

import threading

import pytest

from application.errors import UnreachableError
from application.settings import KafkaSettings, snowflake_settings
from application.source import Source
from application.stopping import Patience
from application.warehouse import Warehouse
from misc.engines import snowflake
from tests.application.conftest import Lake
from tests.engines.waiting import free_port


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.stopping.GRACE", 0.5)


def test_patience_is_the_budget_until_the_run_is_to_end() -> None:
    asked = threading.Event()
    patience = Patience(600, asked.is_set)
    assert 590 < patience.left() <= 600
    asked.set()
    assert patience.left() <= 0.5


def test_patience_is_never_longer_for_an_end() -> None:
    assert Patience(0.1, lambda: True).left() <= 0.1


@pytest.mark.parametrize("how", ["refuses", "is silent"])
def test_a_lake_that_is_away_is_given_up_soon_once_the_run_is_to_end(lake: Lake, how: str) -> None:
    asked = threading.Event()
    with snowflake.troubled(lake.environment) as trouble:
        settings = snowflake_settings(trouble.settings)
        with Warehouse(settings, 600, asked.is_set) as warehouse:
            if how == "refuses":
                trouble.down()
            else:
                trouble.delay(60, matching="select 1")
            threading.Timer(0.5, asked.set).start()
            with pytest.raises(UnreachableError, match=r"select 1: no answer within \d+ s"):
                warehouse.run("select 1")


def test_a_broker_that_is_away_is_given_up_soon_once_the_run_is_to_end() -> None:
    source = Source(KafkaSettings(f"127.0.0.1:{free_port()}"), 600, lambda: True)
    with pytest.raises(UnreachableError, match="looking for topic tweets: no answer"):
        source.open(lambda _: None, lambda _: None)
