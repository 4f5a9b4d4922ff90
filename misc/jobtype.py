"""The job types of Application Integrator: read one, expand its commands, judge what they return.

A .ctmai file is one line: base64 of gzip of JSON, `{"app": {…}, "WSDLS": {}}`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INPUTS = ("textbox", "password", "select", "checkbox")
PREFIX = "AI-"

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


class JobTypeError(Exception):
    """A job type, or a job or connection profile of it, cannot be used as it is written."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One field of the job's form or of the connection profile.

    kind is one of INPUTS; options are (display name, value) pairs of a select; excluded are
    characters that a value must not hold; group is form or con.
    """

    name: str
    label: str
    kind: str
    group: str
    options: tuple[tuple[str, str], ...] = ()
    default: str = ""
    when_empty: str = ""
    mandatory: bool = False
    excluded: str = ""

    @property
    def key(self) -> str:
        """The property's name in a job's JSON."""
        return PREFIX + self.label


@dataclass(frozen=True)
class Output:
    """A runtime parameter: the whole line of the output that starts with, or contains, words."""

    name: str
    where: str
    words: str


@dataclass(frozen=True, kw_only=True)
class JobType:
    """A job type; execute and kill are its commands, with {{name}} for each parameter.

    executes and kills hold a command each where the job type has one, several where it has more;
    statuses say of return codes whether the job ended OK with them.
    """

    name: str
    display_name: str
    form: tuple[Parameter, ...]
    profile: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    executes: tuple[str, ...]
    kills: tuple[str, ...]
    statuses: tuple[tuple[int, bool], ...]

    @property
    def type(self) -> str:
        """The Type of its jobs in JSON."""
        return f"Job:ApplicationIntegrator:{self.display_name}"


@dataclass(frozen=True)
class Commands:
    """What an agent hands to a shell for one job; kill is empty where the job type has none."""

    execute: str
    kill: str


@dataclass(frozen=True)
class Outcome:
    """How a job ended: OK or not, and the runtime parameters that its output gave."""

    ok: bool
    values: Mapping[str, str]


def decode(text: str) -> dict[str, Any]:
    """Return the JSON object in a .ctmai's text; raises JobTypeError."""
    try:
        packed = base64.b64decode("".join(text.split()), validate=True)
        found = json.loads(zlib.decompress(packed, 31))
    except (binascii.Error, zlib.error, ValueError) as error:
        raise JobTypeError(f"not base64 of gzip of JSON ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("app"), dict):
        raise JobTypeError("the JSON has no object named app")
    return found


def encode(document: Mapping[str, Any]) -> str:
    """Return a .ctmai's text, the same bytes from every Python."""
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(_gzip(data)).decode() + "\n"


def _gzip(data: bytes) -> bytes:
    """Pack as RFC 1952 and RFC 1951 say, mtime 0, in stored blocks.

    Compressed, the bytes would depend on the version of zlib, which differs between Pythons.
    """
    blocks = [data[at : at + 0xFFFF] for at in range(0, len(data), 0xFFFF)] or [b""]
    packed = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"]
    for number, block in enumerate(blocks, 1):
        size = len(block).to_bytes(2, "little")
        last = bytes([number == len(blocks)])
        packed += [last, size, bytes(byte ^ 0xFF for byte in size), block]
    packed += [zlib.crc32(data).to_bytes(4, "little"), len(data).to_bytes(4, "little")]
    return b"".join(packed)


def load(path: Path) -> JobType:
    """Read a .ctmai file; raises JobTypeError with the file and what is wrong."""
    try:
        return interpret(decode(path.read_text(encoding="ascii"))["app"])
    except OSError as error:
        raise JobTypeError(f"{path}: {error.strerror}") from error
    except (JobTypeError, UnicodeDecodeError) as error:
        raise JobTypeError(f"{path} is no job type of Application Integrator: {error}") from error
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise JobTypeError(
            f"{path} is no job type of Application Integrator: {error!r} where its parts are read"
        ) from error


def interpret(app: Mapping[str, Any]) -> JobType:
    """Make a job type of the object named app."""
    kind = app["executionTypes"][0]
    commands = [
        command
        for op in kind["ops"]
        if op["type"] == "execute"
        for command in op["cmds"]
        if command.get("type") == "CLI" and command.get("txt")
    ]
    execs = [command for command in commands if command["cmdType"] == "Exec"]
    fields = [each for each in kind["params"] if not each.get("isDummy")]
    return JobType(
        name=app["name"],
        display_name=app["displayName"],
        form=_fields(fields, "form"),
        profile=_fields(fields, "con"),
        outputs=tuple(found for command in execs for found in _outputs(command)),
        executes=tuple(command["txt"] for command in execs),
        kills=tuple(command["txt"] for command in commands if command["cmdType"] == "Kill"),
        statuses=tuple(
            (int(rule["rcValue"]), str(rule["jobStatus"]) == "1")
            for command in execs
            for rule in command.get("rcRules") or ()
            if rule["rcOperator"] == "eq"
        ),
    )


def _fields(fields: Sequence[Mapping[str, Any]], group: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            name=each["name"],
            label=each["label"],
            kind=each["type"],
            group=group,
            options=tuple((one["name"], one["value"]) for one in each.get("options") or ()),
            default=each.get("defaultValue") or "",
            when_empty=each.get("when_value_empty") or "",
            mandatory=bool(each.get("isMandatory")),
            excluded=each.get("excludedChars") or "",
        )
        for each in fields
        if each["group"] == group and each["type"] in INPUTS
    )


def _outputs(command: Mapping[str, Any]) -> list[Output]:
    return [
        Output(action["extHandleData"]["extractData"]["keepParamName"], rule["onOption"],
               rule["onOptionVal"])
        for rule in command.get("extractInfo") or ()
        for action in rule["doSection"]
        if action["doOption"] == "extract"
        and action["extHandleData"]["extOption"] == "wholeLine"
    ]  # fmt: skip


def expand(job_type: JobType, form: Mapping[str, str], profile: Mapping[str, str]) -> Commands:
    """Return the commands of a job: its form and connection profile as the JSON writes them.

    Keys are `AI-` and a label; other keys are not ours and are passed over. What is absent has its
    default. Raises JobTypeError, in one line, for a property that the job type does not have and
    for a value that its field does not take.
    """
    if len(job_type.executes) != 1 or len(job_type.kills) > 1:
        raise JobTypeError(f"{job_type.display_name} has several commands; one can be expanded")
    values = {
        **_values(job_type.form, form, "the job"),
        **_values(job_type.profile, profile, "the connection profile"),
    }

    def filled(text: str) -> str:
        missing = sorted(set(_PLACEHOLDER.findall(text)) - values.keys())
        if missing:
            raise JobTypeError(f"{job_type.display_name} has no parameter {missing[0]}")
        return _PLACEHOLDER.sub(lambda match: values[match[1]], text)

    return Commands(filled(job_type.executes[0]), filled("".join(job_type.kills)))


def _values(
    parameters: tuple[Parameter, ...], given: Mapping[str, str], whose: str
) -> dict[str, str]:
    known = {parameter.key for parameter in parameters}
    strange = sorted(key for key in given if key.startswith(PREFIX) and key not in known)
    if strange:
        raise JobTypeError(f"{whose} has the property {strange[0]!r}, which no field is called")
    return {each.name: _value(each, given.get(each.key), whose) for each in parameters}


def _value(parameter: Parameter, given: str | None, whose: str) -> str:
    text = parameter.default if given is None else given
    if not isinstance(text, str):
        raise JobTypeError(f"{whose}: {parameter.key!r} takes text, not {text!r:.80}")
    if parameter.kind == "select" and given is not None:
        names = dict(parameter.options)
        if text not in names:
            raise JobTypeError(
                f"{whose}: {parameter.key!r} takes {' or '.join(names)}, not {text!r:.80}"
            )
        text = names[text]
    if parameter.mandatory and not text:
        raise JobTypeError(f"{whose} lacks {parameter.key!r}")
    bad = sorted(set(parameter.excluded) & set(text))
    if bad:
        raise JobTypeError(f"{whose}: {parameter.key!r} must not hold {bad[0]}")
    return text or parameter.when_empty


def verdict_of(job_type: JobType, output: str, code: int) -> Outcome:
    """Judge a run of the execute command by its output and its return code.

    A rule for the code decides, without one 0 is OK. Where several lines match, the last counts:
    the launcher's own lines come after everything that a container printed.
    """
    ok = dict(job_type.statuses).get(code, code == 0)
    values = {}
    for rule in job_type.outputs:
        for line in output.splitlines():
            if line.startswith(rule.words) if rule.where == "start" else rule.words in line:
                values[rule.name] = line
    return Outcome(ok, values)


def main(argv: Sequence[str] | None = None) -> int:
    """Build the .ctmai files, or show one."""
    from misc.jobtype_source import build, show

    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words == ["build"]:
            for path in build():
                print(path)
        elif len(words) == 2 and words[0] == "show":
            print(show(Path(words[1])), end="")
        else:
            print("usage: python -m misc.jobtype build | show FILE", file=sys.stderr)
            return 2
    except JobTypeError as error:
        print(f"jobtype: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
