"""What the producer is told by its environment: where X and the broker are, and the secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pythonapp.errors import BadInputError

# Where Kubernetes mounts the Secret whose keys are files: `x_bearer_token.secret` and so on.
SECRETS_FOLDER = "/etc/runjob/secrets"


@dataclass(frozen=True)
class KafkaSettings:
    """Where the broker is; properties are librdkafka's own, by their names, without secrets.

    topic is None where the YAML files name theirs.
    """

    bootstrap_servers: str
    topic: str | None = None
    dead_letter_topic: str = "tweets-dead-letters"
    properties: Mapping[str, str] = field(default_factory=dict)
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class XSettings:
    """Where X is, and the app's bearer token."""

    bearer_token: str = field(repr=False)
    url: str = "https://api.x.com"


def secret(name: str, environment: Mapping[str, str]) -> str | None:
    """Return a secret, None where there is none.

    X_BEARER_TOKEN is looked for in the variable X_BEARER_TOKEN, then in the file that
    X_BEARER_TOKEN_FILE names, then in `x_bearer_token.secret` in the folder that SECRETS names.
    White space around it does not count. A named file must be readable.
    """
    if value := environment.get(name, "").strip():
        return value
    if named := environment.get(f"{name}_FILE"):
        return _read(Path(named), f"{name}_FILE")
    mounted = Path(environment.get("SECRETS", SECRETS_FOLDER)) / f"{name.lower()}.secret"
    return _read(mounted, "SECRETS") if mounted.exists() else None


def kafka_settings(environment: Mapping[str, str]) -> KafkaSettings:
    """Read the KAFKA_ variables.

    KAFKA_PROPERTIES holds librdkafka properties as `name=value` pairs with blanks between them,
    such as `security.protocol=SASL_SSL sasl.mechanism=PLAIN`.
    """
    servers = environment.get("KAFKA_BOOTSTRAP_SERVERS", "").strip()
    if not servers:
        raise BadInputError(
            "KAFKA_BOOTSTRAP_SERVERS is not set; `python -m misc.engines` prints embedded "
            "engines to try"
        )
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
        bootstrap_servers=servers,
        topic=environment.get("KAFKA_TOPIC") or None,
        dead_letter_topic=environment.get("KAFKA_DEAD_LETTER_TOPIC") or "tweets-dead-letters",
        properties=properties,
        username=environment.get("KAFKA_USERNAME") or None,
        password=secret("KAFKA_PASSWORD", environment),
    )


def x_settings(environment: Mapping[str, str]) -> XSettings:
    """Read the X_ variables."""
    token = secret("X_BEARER_TOKEN", environment)
    if not token:
        raise BadInputError(
            "X_BEARER_TOKEN is not set; set it, name a file in X_BEARER_TOKEN_FILE or mount "
            "x_bearer_token.secret; `python -m misc.engines` prints embedded engines to try"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise BadInputError("X_BEARER_TOKEN holds blanks or line ends within; it is one word")
    url = (environment.get("X_API_URL") or "https://api.x.com").rstrip("/")
    if "@" in url:
        raise BadInputError(
            "X_API_URL holds an @, so perhaps a password (it is not repeated here); write an "
            "address such as https://api.x.com"
        )
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
        raise BadInputError(f"X_API_URL: {url!r} is no address such as https://api.x.com")
    return XSettings(bearer_token=token, url=url)


def _read(path: Path, named_by: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise BadInputError(f"{named_by}: {path} cannot be read ({reason})") from error
