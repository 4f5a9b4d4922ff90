"""The profile of a rehearsal: a small YAML file that says by what each engine is played."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from ctm.rehearse.errors import ProfileError

DEFAULT = Path(__file__).with_name("embedded.yaml")
# Where the profile's paths and commands start: the checkout.
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Profile:
    """What a rehearsal has in place of servers, agents and connection profiles.

    engines says of each of kafka, snowflake, s3 and x: `embedded` for that of `misc.engines`, and
    `environment`, the default, for that whose settings the environment holds; `jobs` for a Kafka
    that is embedded too, but up only between the jobs that start and stop it, by the commands
    KAFKA_START and KAFKA_STOP. cluster: `embedded`, `environment` for that of KUBECONFIG, or
    `namespace` for a namespace there that is made for the rehearsal and removed after it.

    posts are how many the embedded X has, or the file that holds them, and searches what it lets
    all producers ask in 15 minutes. minute is how many seconds a minute lasts that a job is
    told to pause (reruns, watchers). definitions are further files, as connection profiles;
    job_types are .ctmai files. paths are folders as an agent knows them, and what they are here;
    images what the embedded cluster runs for an image. config_maps and secrets are made in the
    embedded cluster or the namespace, of the settings named, as a shell's patterns;
    service_accounts too. pools are sizes; events are there from the start; jobs are properties to
    replace, by a pattern of job names.

    Commands: prepare run before the engines start, before run before the first job, meanwhile run
    beside the jobs, and after run when all have ended and the record is written, while the engines
    are still up; what those say is shown. {root}, {work}, {launcher} and, for after, {out} in a
    text are the checkout, a folder of this rehearsal, the folder of runJob.py, and that of --out;
    set are further names of that kind, with values that --set replaces.
    """

    engines: Mapping[str, str] = field(default_factory=dict)
    cluster: str = "environment"
    posts: int | str = 200
    searches: int = 450
    minute: float = 60.0
    namespace: str = "controlm"
    definitions: tuple[str, ...] = ()
    job_types: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    meanwhile: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    images: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    config_maps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    service_accounts: tuple[str, ...] = ()
    pools: Mapping[str, int] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    jobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read(texts: Mapping[str, str], given: Mapping[str, str] | None = None) -> Profile:
    """Read a profile from its files' texts by name; ProfileError, in one line, where it is none.

    A later file replaces what an earlier one says, in mappings name by name. given are values for
    names that the profile itself has under `set`.
    """
    merged: dict[str, Any] = {}
    where: dict[str, str] = {}
    for name, text in texts.items():
        for key, value in _mapping(text, name).items():
            merged[key] = _merged(merged.get(key), value)
            where[key] = f"{name}: {key}"
    words = _each(_text)(merged.pop("set", {}), where.get("set", ""))
    if unknown := sorted(set(given or {}) - set(words)):
        known = f"only {', '.join(words)}" if words else "nothing"
        raise ProfileError(f"--set {unknown[0]}: the profile has {known} to set")
    words |= given or {}
    return Profile(
        **{key: _READERS[key](_worded(told, words), where[key]) for key, told in merged.items()}
    )


def _merged(before: Any, value: Any) -> Any:
    if isinstance(before, dict) and isinstance(value, dict):
        return {**before, **{key: _merged(before.get(key), each) for key, each in value.items()}}
    return value


def _mapping(text: str, name: str) -> dict[str, Any]:
    try:
        told = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ProfileError(f"{name}{line}: not YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(told, dict):
        raise ProfileError(f"{name}: a profile is a mapping such as `minute: 60`")
    known = {*_READERS, "set"}
    if unknown := sorted(str(each) for each in set(told) - known):
        raise ProfileError(f"{name}: there is no {unknown[0]}; it knows {', '.join(sorted(known))}")
    return told


def filled(text: str, words: Mapping[str, str]) -> str:
    """Replace each {word} in a text by its value."""
    for word, value in words.items():
        text = text.replace("{" + word + "}", value)
    return text


def _worded(told: Any, words: Mapping[str, str]) -> Any:
    """Fill every text of a value, however deep it lies."""
    if isinstance(told, str):
        return filled(told, words)
    if isinstance(told, list):
        return [_worded(each, words) for each in told]
    if isinstance(told, dict):
        return {name: _worded(each, words) for name, each in told.items()}
    return told


def mapped(text: str, paths: Mapping[str, str]) -> str:
    """Replace folders as an agent knows them by what they are here, the longest name first."""
    for folder in sorted(paths, key=len, reverse=True):
        known = re.escape(folder.rstrip("/"))
        here = paths[folder].rstrip("/")
        # As a function, since in a template a backslash would have a meaning.
        text = re.sub(rf"(?<![\w.\-/]){known}(?=[/\s\"';:]|$)", partial(_constant, here), text)
    return text


def _constant(text: str, _found: re.Match[str]) -> str:
    return text


def _choice(told: Any, where: str) -> str:
    if told not in ("embedded", "environment", "namespace"):
        raise ProfileError(f"{where} is {told!r}, and must be embedded, environment or namespace")
    return str(told)


def _engines(told: Any, where: str) -> dict[str, str]:
    by_whom = ("embedded", "environment")
    known = {"kafka": (*by_whom, "jobs"), "snowflake": by_whom, "s3": by_whom, "x": by_whom}
    if not isinstance(told, dict):
        raise ProfileError(f"{where} must be a mapping such as `s3: embedded`")
    for name, by in told.items():
        if by not in known.get(name, ()):
            raise ProfileError(f"{where}: {name}: {by} is none; it knows {', '.join(known)}")
    return told


def _number(told: Any, where: str) -> int:
    if not isinstance(told, int) or isinstance(told, bool) or not 0 < told < 10_000_000:
        raise ProfileError(f"{where} is {told!r}, and must be a whole number above 0")
    return told


def _posts(told: Any, where: str) -> int | str:
    return told if isinstance(told, str) and told else _number(told, where)


def _seconds(told: Any, where: str) -> float:
    if not isinstance(told, (int, float)) or isinstance(told, bool) or not 0 <= told <= 3600:
        raise ProfileError(f"{where} is {told!r}, and must be seconds")
    return float(told)


def _text(told: Any, where: str) -> str:
    if not isinstance(told, (str, int, float)) or isinstance(told, bool):
        raise ProfileError(f"{where} is {told!r:.60}, and must be text")
    return str(told)


def _texts(told: Any, where: str) -> tuple[str, ...]:
    if not isinstance(told, list):
        raise ProfileError(f"{where} must be a list")
    return tuple(_text(each, where) for each in told)


def _words(told: Any, where: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(_text(told, where)))
    except ValueError as error:
        raise ProfileError(f"{where}: {error}") from error


def _properties(told: Any, where: str) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise ProfileError(f"{where} must be a mapping of properties")
    return told


def _each(reader: Callable[[Any, str], Any]) -> Callable[[Any, str], dict[str, Any]]:
    def read_all(told: Any, where: str) -> dict[str, Any]:
        if not isinstance(told, dict):
            raise ProfileError(f"{where} must be a mapping")
        return {str(name): reader(value, f"{where}.{name}") for name, value in told.items()}

    return read_all


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "engines": _engines,
    "cluster": _choice,
    "posts": _posts,
    "searches": _number,
    "minute": _seconds,
    "namespace": _text,
    "definitions": _texts,
    "job_types": _texts,
    "paths": _each(_text),
    "environment": _each(_text),
    "prepare": _texts,
    "before": _texts,
    "meanwhile": _texts,
    "after": _texts,
    "images": _each(_words),
    "config_maps": _each(_texts),
    "secrets": _each(_texts),
    "service_accounts": _texts,
    "pools": _each(_number),
    "events": _texts,
    "jobs": _each(_properties),
}
