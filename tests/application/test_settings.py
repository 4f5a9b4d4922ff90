"""Settings come from the environment, secrets also from files; what is wrong is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from application.errors import BadInputError
from application.properties import for_consumer, for_producer
from application.settings import kafka_settings, secret, snowflake_settings

ACCOUNT = {"SNOWFLAKE_ACCOUNT": "org-name", "SNOWFLAKE_USER": "LOADER"}
BROKER = {"KAFKA_BOOTSTRAP_SERVERS": "broker:9092"}


def test_a_secret_is_a_variable_or_a_file_that_one_names_or_a_mounted_file(tmp_path: Path) -> None:
    named, mounted = tmp_path / "named", tmp_path / "kafka_password.secret"
    named.write_text("two\n")
    mounted.write_text("three\n")
    folder = {"SECRETS": str(tmp_path)}
    file = {"KAFKA_PASSWORD_FILE": str(named)}
    assert secret("KAFKA_PASSWORD", {"KAFKA_PASSWORD": "one"} | file | folder) == "one"
    assert secret("KAFKA_PASSWORD", file | folder) == "two"
    assert secret("KAFKA_PASSWORD", folder) == "three"
    assert secret("KAFKA_PASSWORD", {"SECRETS": str(tmp_path / "none")}) is None


def test_a_secret_shows_in_no_representation() -> None:
    settings = snowflake_settings(ACCOUNT | {"SNOWFLAKE_PASSWORD": "s3cret"})
    kafka = kafka_settings(BROKER | {"KAFKA_USERNAME": "u", "KAFKA_PASSWORD": "s3cret"})
    assert "s3cret" not in repr(settings) + repr(kafka)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        pytest.param(ACCOUNT, "0 are set", id="no login"),
        pytest.param(
            ACCOUNT | {"SNOWFLAKE_PASSWORD": "p", "SNOWFLAKE_TOKEN": "t"}, "2 are set", id="two"
        ),
        pytest.param({"SNOWFLAKE_PASSWORD": "p"}, "SNOWFLAKE_ACCOUNT is not set", id="no account"),
        pytest.param(
            ACCOUNT | {"SNOWFLAKE_PASSWORD": "p", "SNOWFLAKE_PORT": "x"}, "no port", id="port"
        ),
        pytest.param(
            ACCOUNT | {"SNOWFLAKE_PASSWORD_FILE": "/nowhere"}, "cannot be read", id="no file"
        ),
    ],
)
def test_a_wrong_snowflake_setting_is_told(environment: dict[str, str], told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        snowflake_settings(environment)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        pytest.param({}, "KAFKA_BOOTSTRAP_SERVERS is not set", id="no broker"),
        pytest.param(BROKER | {"KAFKA_PROPERTIES": "acks"}, "no name=value pair", id="no pair"),
        pytest.param(BROKER | {"KAFKA_PROPERTIES": "sasl.password=x"}, "is a secret", id="secret"),
    ],
)
def test_a_wrong_kafka_setting_is_told(environment: dict[str, str], told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        kafka_settings(environment)


def test_properties_go_to_the_client_that_knows_them() -> None:
    environment = BROKER | {"KAFKA_PROPERTIES": "group.protocol=consumer socket.timeout.ms=5000"}
    settings = kafka_settings(environment)
    reading, writing = for_consumer(settings), for_producer(settings, 5)
    assert reading["group.protocol"] == "consumer"
    assert reading["enable.auto.commit"] == "false"
    assert "group.protocol" not in writing
    assert writing["acks"] == "all"
    assert reading["socket.timeout.ms"] == writing["socket.timeout.ms"] == "5000"


def test_a_username_means_a_login_over_tls_unless_it_is_told_otherwise() -> None:
    login = BROKER | {"KAFKA_USERNAME": "u", "KAFKA_PASSWORD": "p"}
    assert for_consumer(kafka_settings(login))["security.protocol"] == "SASL_SSL"
    told = kafka_settings(login | {"KAFKA_PROPERTIES": "security.protocol=SASL_PLAINTEXT"})
    assert for_consumer(told)["security.protocol"] == "SASL_PLAINTEXT"


@pytest.mark.parametrize("pair", ["enable.auto.commit=true", "acks=1", "auto.offset.reset=latest"])
def test_what_the_guarantee_stands_on_is_not_a_setting(pair: str) -> None:
    with pytest.raises(BadInputError, match="posts would be lost"):
        for_consumer(kafka_settings(BROKER | {"KAFKA_PROPERTIES": pair}))
