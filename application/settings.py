"""The settings of the application: from the environment, secrets also from mounted files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from application.errors import BadInputError

# Where Kubernetes mounts the Secret whose keys are files: `snowflake_password.secret` and so on.
SECRETS_FOLDER = "/etc/runjob/secrets"


@dataclass(frozen=True)
class SnowflakeSettings:
    """Where the data lake is and how to log in there.

    Exactly one of private_key_file (key pair), token (OAuth) and password is set. host, port and
    protocol are set for an embedded warehouse only: an account needs none of them.
    """

    account: str
    user: str
    database: str = "CUST360"
    schema: str = "PUBLIC"
    warehouse: str | None = None
    role: str | None = None
    private_key_file: str | None = None
    private_key_passphrase: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    protocol: str | None = None


@dataclass(frozen=True)
class KafkaSettings:
    """Where the broker is; properties are librdkafka's own, by their names, without secrets."""

    bootstrap_servers: str
    topic: str = "tweets"
    dead_letter_topic: str = "tweets-dead-letters"
    group: str = "KafkaSnowflake"
    properties: Mapping[str, str] = field(default_factory=dict)
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def secret(name: str, environment: Mapping[str, str]) -> str | None:
    """Return a secret, None where there is none.

    SNOWFLAKE_PASSWORD is looked for in the variable SNOWFLAKE_PASSWORD, then in the file that
    SNOWFLAKE_PASSWORD_FILE names, then in `snowflake_password.secret` in the folder that
    SECRETS names. White space around it does not count. A named file must be readable.
    """
    if value := environment.get(name, "").strip():
        return value
    if named := environment.get(f"{name}_FILE"):
        return _read(Path(named), f"{name}_FILE")
    mounted = Path(environment.get("SECRETS", SECRETS_FOLDER)) / f"{name.lower()}.secret"
    return _read(mounted, "SECRETS") if mounted.exists() else None


def snowflake_settings(environment: Mapping[str, str]) -> SnowflakeSettings:
    """Read the SNOWFLAKE_ variables; raise BadInputError where one is missing or too many are."""
    key = environment.get("SNOWFLAKE_PRIVATE_KEY_FILE") or None
    token = secret("SNOWFLAKE_TOKEN", environment)
    password = secret("SNOWFLAKE_PASSWORD", environment)
    given = [each for each in (key, token, password) if each]
    if len(given) != 1:
        raise BadInputError(
            "Snowflake needs exactly one login: SNOWFLAKE_PRIVATE_KEY_FILE (a key pair), "
            f"SNOWFLAKE_TOKEN (OAuth) or SNOWFLAKE_PASSWORD; {len(given)} are set"
        )
    return SnowflakeSettings(
        account=_needed("SNOWFLAKE_ACCOUNT", environment),
        user=_needed("SNOWFLAKE_USER", environment),
        database=environment.get("SNOWFLAKE_DATABASE") or "CUST360",
        schema=environment.get("SNOWFLAKE_SCHEMA") or "PUBLIC",
        warehouse=environment.get("SNOWFLAKE_WAREHOUSE") or None,
        role=environment.get("SNOWFLAKE_ROLE") or None,
        private_key_file=key,
        private_key_passphrase=secret("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", environment),
        token=token,
        password=password,
        host=environment.get("SNOWFLAKE_HOST") or None,
        port=_port(environment),
        protocol=environment.get("SNOWFLAKE_PROTOCOL") or None,
    )


def kafka_settings(environment: Mapping[str, str]) -> KafkaSettings:
    """Read the KAFKA_ variables.

    KAFKA_PROPERTIES holds librdkafka properties as `name=value` pairs with blanks between them,
    such as `security.protocol=SASL_SSL sasl.mechanism=PLAIN group.protocol=consumer`.
    """
    pairs = [pair.partition("=") for pair in environment.get("KAFKA_PROPERTIES", "").split()]
    if wrong := [name for name, equals, _ in pairs if not (name and equals)]:
        raise BadInputError(f"KAFKA_PROPERTIES: {wrong[0]!r} is no name=value pair")
    properties = {name: value for name, _, value in pairs}
    if hidden := [name for name in properties if "password" in name or "secret" in name]:
        raise BadInputError(
            f"KAFKA_PROPERTIES: {hidden[0]} is a secret; set KAFKA_PASSWORD or mount "
            "kafka_password.secret"
        )
    return KafkaSettings(
        bootstrap_servers=_needed("KAFKA_BOOTSTRAP_SERVERS", environment),
        topic=environment.get("KAFKA_TOPIC") or "tweets",
        dead_letter_topic=environment.get("KAFKA_DEAD_LETTER_TOPIC") or "tweets-dead-letters",
        group=environment.get("KAFKA_GROUP") or "KafkaSnowflake",
        properties=properties,
        username=environment.get("KAFKA_USERNAME") or None,
        password=secret("KAFKA_PASSWORD", environment),
    )


def _needed(name: str, environment: Mapping[str, str]) -> str:
    if value := environment.get(name, "").strip():
        return value
    raise BadInputError(f"{name} is not set; `python -m misc.engines` prints embedded ones to try")


def _port(environment: Mapping[str, str]) -> int | None:
    text = environment.get("SNOWFLAKE_PORT", "")
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise BadInputError(f"SNOWFLAKE_PORT: {text!r} is no port")
    return int(text)


def _read(path: Path, named_by: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise BadInputError(f"{named_by}: {path} cannot be read ({reason})") from error
