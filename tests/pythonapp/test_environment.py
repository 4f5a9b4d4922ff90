"""What the environment says is read once, and its secrets are not repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from pythonapp.environment import kafka_settings, secret, x_settings
from pythonapp.errors import BadInputError

KAFKA = {"KAFKA_BOOTSTRAP_SERVERS": "broker:9092"}


def test_a_secret_comes_from_the_variable_the_file_or_the_folder(tmp_path: Path) -> None:
    (tmp_path / "x_bearer_token.secret").write_text("mounted\n", encoding="utf-8")
    (tmp_path / "other").write_text(" named ", encoding="utf-8")
    folder = {"SECRETS": str(tmp_path)}
    named = {"X_BEARER_TOKEN_FILE": str(tmp_path / "other"), **folder}
    assert secret("X_BEARER_TOKEN", {"X_BEARER_TOKEN": "given", **named}) == "given"
    assert secret("X_BEARER_TOKEN", named) == "named"
    assert secret("X_BEARER_TOKEN", folder) == "mounted"
    assert secret("KAFKA_PASSWORD", folder) is None


def test_kafka_is_read_with_its_properties() -> None:
    read = kafka_settings(
        {
            **KAFKA,
            "KAFKA_PROPERTIES": "security.protocol=SASL_SSL sasl.mechanism=PLAIN",
            "KAFKA_USERNAME": "user",
            "KAFKA_PASSWORD": "hidden",
        }
    )
    assert read.properties == {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}
    assert (read.topic, read.dead_letter_topic) == (None, "tweets-dead-letters")
    assert "hidden" not in repr(read)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "KAFKA_BOOTSTRAP_SERVERS is not set"),
        ({**KAFKA, "KAFKA_PROPERTIES": "acks"}, "'acks' is no name=value pair"),
        ({**KAFKA, "KAFKA_PROPERTIES": "sasl.password=x1y2"}, "sasl.password is a secret"),
        ({**KAFKA, "KAFKA_PASSWORD_FILE": "/nowhere"}, "KAFKA_PASSWORD_FILE: /nowhere cannot be"),
    ],
)
def test_a_mistake_is_one_line(environment: dict[str, str], words: str) -> None:
    with pytest.raises(BadInputError, match=words) as told:
        kafka_settings(environment)
    assert "x1y2" not in str(told.value)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "X_BEARER_TOKEN is not set"),
        ({"X_BEARER_TOKEN": "two words"}, "holds blanks or line ends"),
        ({"X_BEARER_TOKEN": "a", "X_API_URL": "api.x.com"}, "is no address"),
    ],
)
def test_x_needs_its_token_and_an_address(environment: dict[str, str], words: str) -> None:
    with pytest.raises(BadInputError, match=words) as told:
        x_settings({"SECRETS": "/nowhere", **environment})
    assert "two words" not in str(told.value)


def test_an_address_with_a_password_is_not_repeated() -> None:
    with pytest.raises(BadInputError, match="holds an @") as told:
        x_settings({"X_BEARER_TOKEN": "a", "X_API_URL": "https://user:s3cr3t@api.x.com"})
    assert "s3cr3t" not in str(told.value)


def test_x_is_at_its_own_address_unless_told_otherwise() -> None:
    assert x_settings({"X_BEARER_TOKEN": "a"}).url == "https://api.x.com"
    local = x_settings({"X_BEARER_TOKEN": "a", "X_API_URL": "http://127.0.0.1:80/"})
    assert local.url == "http://127.0.0.1:80"
    assert "'a'" not in repr(local)
