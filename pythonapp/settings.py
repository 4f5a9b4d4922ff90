"""The settings of one quadrant, from the text of its YAML file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from pythonapp.errors import BadInputError

MAX_CHARACTERS = 100_000  # written by hand: what is larger is a mistake or an attack
RULE_LIMITS = (1024, 512)  # characters that X takes in a rule, by the account's access

# What X's operator lang: knows (docs.x.com, "Build a rule").
_LANGUAGES = (
    "am ar bg bn bo bs ca ckb cs cy da de dv el en es et eu fi fr gu hi hi-Latn hr ht hu hy in is "
    "it iw ja ka km kn ko lo lt lv ml mr my ne nl no or pa pl ps pt ro ru sd si sk sl sq sr sv ta "
    "te th tl tr ug uk ur vi zh-CN zh-TW"
)
LANGUAGES = frozenset(_LANGUAGES.split())
SECRETS = frozenset(
    {"consumer_key", "consumer_secret", "access_token", "access_token_secret", "bearer_token"}
    | {"X_BEARER_TOKEN", "KAFKA_PASSWORD", "password", "sasl.password"}
)
_SIDES = ("bottomLongitude", "bottomLatitude", "topLongitude", "topLatitude")
_KEYS = (*_SIDES, "track", "languages", "KafkaTopic", "source", "quadrant", "reach")
_WORD_LIMIT = 100


@dataclass(frozen=True)
class Box:
    """A rectangle on the globe, in degrees (WGS 84)."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lon: float, lat: float) -> bool:
        return self.west <= lon <= self.east and self.south <= lat <= self.north


@dataclass(frozen=True)
class Stream:
    """The filtered stream. backfill_minutes is for the accounts that X grants it.

    catch_up searches a minute after each connect for what came since the last post; each post that
    is read twice is paid twice.
    """

    name = "stream"
    backfill_minutes: int = 0
    catch_up: bool = False
    rule_limit: int = 1024


@dataclass(frozen=True)
class Search:
    """Recent search, every so many seconds; the shorter limit is what every account has.

    every None is as often as X's limit lets all quadrants search.
    """

    name = "search"
    every: float | None = None
    rule_limit: int = 512


@dataclass(frozen=True)
class Replay:
    """JSON Lines from a file, plain or .gz, "-" for standard input; rate is posts a second.

    rate 0 is as fast as the broker takes them.
    """

    name = "replay"
    file: str
    rate: float = 0.0


Source = Stream | Search | Replay


@dataclass(frozen=True)
class Settings:
    """What one quadrant asks for; topic is None where the environment names it.

    reach is in miles: places up to twice as large that lie across an edge are asked for too.
    """

    quadrant: str
    box: Box
    track: tuple[str, ...]
    languages: tuple[str, ...]
    topic: str | None
    source: Source
    reach: float = 4.0


def parse(text: str, name: str) -> Settings:
    """Read a quadrant's YAML; name is its file's, for the messages and, without folder and
    extension, the quadrant's where the key `quadrant` does not say otherwise.

    Raises BadInputError, one line for the first mistake of each kind.
    """  # noqa: D205 - one sentence of three lines
    return _Reader(name, text).settings()


def source_from(name: str, options: Mapping[str, object] | None = None) -> Source:
    """Make a source by its name, as the command line names it. Raises BadInputError."""
    return _source({"kind": name, **(options or {})}, "--source")


class _Reader:
    """One file; every message names it and, where it can, the line."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines: dict[str, int] = {}
        self._found = self._mapping(text)

    def settings(self) -> Settings:
        self._check_keys()
        box = self._box()
        track = self._words("track", self._found["track"])
        languages = self._words("languages", self._found.get("languages", ["en", "es", "fr"]))
        for word in track:
            self._check_word(word)
        for language in languages:
            if language not in LANGUAGES:
                near = _near(language, LANGUAGES)
                raise self._bad("languages", f"X knows no language {language!r}{near}")
        topic = self._found.get("KafkaTopic")
        if topic is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", str(topic)):
            raise self._bad("KafkaTopic", f"{topic!r} is no name of a topic")
        source = self._found.get("source", "stream")
        chosen = {"kind": source} if isinstance(source, str) else source
        return Settings(
            quadrant=self._quadrant(),
            box=box,
            track=tuple(dict.fromkeys(track)),
            languages=tuple(dict.fromkeys(languages)),
            topic=None if topic is None else str(topic),
            source=_source(chosen, self._at("source")),
            reach=self._reach(),
        )

    def _mapping(self, text: str) -> dict[str, Any]:
        if len(text) > MAX_CHARACTERS:
            raise BadInputError(f"{self._name}: larger than {MAX_CHARACTERS:,} characters")
        try:
            loader = yaml.SafeLoader(text)
            root = loader.get_single_node()
            if not isinstance(root, yaml.MappingNode):
                raise BadInputError(
                    f"{self._name}: no `key: value` lines; it needs {', '.join(_SIDES)}, track"
                )
            self._check_twice(root)
            self._lines = {key.value: key.start_mark.line + 1 for key, _ in root.value}
            return {str(key): value for key, value in loader.construct_document(root).items()}
        except yaml.YAMLError as error:
            raise self._broken(error) from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            # What an explicit tag (!!int x) makes of a text that does not fit it, and the like.
            raise BadInputError(f"{self._name}: a value cannot be read ({error})") from error

    def _broken(self, error: yaml.YAMLError) -> BadInputError:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        return BadInputError(f"{self._name}{where}: no YAML: {' '.join(str(problem).split())}")

    def _check_twice(self, node: yaml.Node) -> None:
        if not isinstance(node, yaml.MappingNode):
            return
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise BadInputError(f"{self._name}, line {line}: {key.value!r} stands twice")
            seen.add(key.value)
            self._check_twice(value)

    def _check_keys(self) -> None:
        for key in self._found:
            if key in SECRETS:
                raise self._bad(
                    key,
                    "a secret does not belong into a YAML file; remove it, and set the variable "
                    "X_BEARER_TOKEN or mount x_bearer_token.secret (the app's bearer token)",
                )
        for key in self._found:
            if key not in _KEYS:
                form = _form(key, self._found)
                problem = f"belongs under source: {form}" if form else None
                raise self._bad(key, problem or f"unknown key{_near(key, _KEYS)}")
        if missing := [key for key in (*_SIDES, "track") if self._found.get(key) is None]:
            raise BadInputError(f"{self._name}: {', '.join(missing)} missing")

    def _box(self) -> Box:
        west, south, east, north = (self._degrees(key) for key in _SIDES)
        if west >= east:
            raise self._bad(
                "topLongitude", f"{east} is not east of bottomLongitude {west}; swap them?"
            )
        if south >= north:
            raise self._bad(
                "topLatitude", f"{north} is not north of bottomLatitude {south}; swap them?"
            )
        return Box(west, south, east, north)

    def _degrees(self, key: str) -> float:
        value = self._found[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._bad(key, f"{value!r} is no number of degrees")
        limit = 180 if key.endswith("Longitude") else 90
        if not -limit <= value <= limit:
            raise self._bad(key, f"{value} is outside the world (-{limit} to {limit})")
        return round(float(value), 6)  # 11 cm; more would only lengthen the rules

    def _reach(self) -> float:
        reach = self._found.get("reach", 4.0)
        if problem := _number(0, 10)(reach):
            raise self._bad("reach", f"{reach!r} {problem}; it is in miles")
        return float(reach)

    def _words(self, key: str, value: object) -> list[str]:
        if isinstance(value, str):
            value = value.split(",")
        if not isinstance(value, list):
            raise self._bad(key, f"{value!r} is no list of words")
        for word in value:
            if word is None:
                raise self._bad(key, "an empty entry; write a hashtag in quotes: '#stocks'")
            if not isinstance(word, str):
                raise self._bad(key, f"{word!r} is no text; write it in quotes")
        words = [" ".join(word.split()) for word in value]
        if not words or not all(words):
            raise self._bad(key, "empty; it needs at least one word, and no empty ones")
        return words

    def _check_word(self, word: str) -> None:
        if len(word) > _WORD_LIMIT:
            raise self._bad("track", f"{word[:30]!r}… is longer than {_WORD_LIMIT} characters")
        if '"' in word or not word.isprintable():
            raise self._bad("track", f"{word!r}: quotes and control characters are X's own")
        if not any(letter.isalnum() for letter in word):
            raise self._bad("track", f"{word!r} holds no letter and no digit")

    def _quadrant(self) -> str:
        stem = re.split(r"[/\\]", self._name)[-1].partition(".")[0].lower()
        quadrant = self._found.get("quadrant", stem)
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", str(quadrant)):
            raise self._bad(
                "quadrant",
                f"{quadrant!r} is no name of a quadrant: lower case letters, digits and -, at "
                "most 31; without the key it is the file's name",
            )
        return str(quadrant)

    def _at(self, key: str) -> str:
        line = self._lines.get(key)
        return f"{self._name}{f', line {line}' if line else ''}: {key}"

    def _bad(self, key: str, problem: str) -> BadInputError:
        return BadInputError(f"{self._at(key)}: {problem}")


def _near(word: str, known: Sequence[str] | frozenset[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


# -- sources ---------------------------------------------------------------------------------------


def _source(options: object, where: str) -> Source:
    if not isinstance(options, Mapping) or not isinstance(options.get("kind"), str):
        raise BadInputError(
            f"{where}: write stream, search or replay, or its options with `kind: search` first"
        )
    given = dict(options)
    kind = given.pop("kind")
    if kind not in _OPTIONS:
        raise BadInputError(f"{where}: {kind!r} is none of {', '.join(_OPTIONS)}")
    checks = _OPTIONS[kind]
    for key, value in given.items():
        if key not in checks:
            raise BadInputError(
                f"{where}: {kind} has no option {key!r}{_near(str(key), [*checks])}"
            )
        if problem := checks[key](value):
            raise BadInputError(f"{where}: {key}: {value!r} {problem}")
    if kind == "replay":
        if "file" not in given:
            raise BadInputError(f"{where}: replay needs its file: the option file, or --file")
        return Replay(file=given["file"], rate=float(given.get("rate", 0)))
    if kind == "search":
        every = given.get("every")
        return Search(None if every is None else float(every), given.get("rule_limit", 512))
    return Stream(**given)


def _form(key: str, found: Mapping[str, object]) -> str | None:
    """Return the line in which an option of a source is right; None for what is none."""
    value, source = found[key], found.get("source")
    kinds = [kind for kind, options in _OPTIONS.items() if key in (kind, *options)]
    if not kinds:
        return None
    kind = source if isinstance(source, str) and source in kinds else kinds[0]
    given = {key: value} if key != kind else dict(value) if isinstance(value, dict) else {}
    # Nothing that is not known is repeated: it might be a secret.
    right = {
        name: each
        for name, each in given.items()
        if name in _OPTIONS[kind] and isinstance(each, str | int | float)
    }
    text = yaml.safe_dump(
        {"kind": kind, **right}, default_flow_style=True, sort_keys=False, width=MAX_CHARACTERS
    )
    return f"write `source: {text.strip():.200}`"


def _number(low: float, high: float) -> Any:
    def check(value: object) -> str | None:
        number = not isinstance(value, bool) and isinstance(value, int | float)
        right = number and low <= value <= high  # type: ignore[operator] # it is a number
        return None if right else f"is no number from {low:g} to {high:g}"

    return check


def _one_of(*known: object) -> Any:
    def check(value: object) -> str | None:
        right = any(
            value is each or (value == each and type(value) is type(each)) for each in known
        )
        return None if right else f"is none of {', '.join(map(str, known))}"

    return check


def _text(value: object) -> str | None:
    return None if isinstance(value, str) and value.strip() else "is no text"


_OPTIONS: dict[str, dict[str, Any]] = {
    "stream": {
        "backfill_minutes": _one_of(0, 1, 2, 3, 4, 5),
        "catch_up": _one_of(True, False),
        "rule_limit": _one_of(*RULE_LIMITS),
    },
    "search": {"every": _number(1, 86_400), "rule_limit": _one_of(*RULE_LIMITS)},
    "replay": {"file": _text, "rate": _number(0, 1_000_000)},
}
