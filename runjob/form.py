"""Read the form of the runKjob job type, as its command hands it over, into options.

misc/runKjob.yaml tells how it comes here: each field's value stands between two markers, whatever
it holds.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Callable

from runjob.errors import UsageError

MARK = "@runKjob"
END = "end"

_MARKER = re.compile(rf"^{MARK} (\w+)=", re.M)

# Fields that are one option each, when no manifest says what the Job is made of.
OPTIONS = {
    "imagename": "-i",
    "ImagePullPolicy": "-p",
    "ImagePullSecret": "-s",
    "RestartPolicy": "-r",
    "BackoffLimit": "-b",
    "VolName": "-m",
    "PVCLAIM": "-c",
    "HostPath": "-H",
    "ConPath": "-t",
}
PAIRS = tuple((f"evar{number}", f"eval{number}") for number in range(1, 7))
IDENTIFYING = ("jobname", "namespace", "YamlPath", "YAML", "identity")
FIELDS = frozenset(
    (*IDENTIFYING, "params", "query", "tokenfile", "more", "command", "arguments", *OPTIONS,
     *(name for pair in PAIRS for name in pair))
)  # fmt: skip


def words(text: str, is_file: Callable[[str], bool] = os.path.isfile) -> list[str]:
    """Return the command line that the form stands for; is_file tells of a path whether it is one.

    An empty field is an empty value, never a missing word. Raises UsageError for a form that is
    cut, or that a value has broken by a line like a marker.
    """
    fields = read(text)
    field = fields.__getitem__
    line = ["--run-id", run_id(text), "-j", field("jobname"), "-n", field("namespace")]
    if field("YAML") not in ("", "none"):
        line += ["-y", _manifest(field("YamlPath"), field("YAML"), is_file)]
        line += [word for each in _split(fields, "params") for word in ("--param", each)]
        line += [word for each in _split(fields, "query") for word in ("--query", each)]
        line += ["--token-file", field("tokenfile")] if field("tokenfile") else []
    else:
        line += [word for name, option in OPTIONS.items() for word in (option, field(name))]
        for word in _split(fields, "command"):
            if not word:
                raise UsageError("the form's Command has an empty word: move it to Arguments")
            line += ["-k", word]
        line += [word for each in _split(fields, "arguments") for word in ("--argument", each)]
        for name, value in PAIRS:
            if field(name) or field(value):
                line += ["-e", field(name), "-v", field(value)]
    return line + _split(fields, "more")


def read(text: str) -> dict[str, str]:
    """Return the fields of a form by their names in the job type."""
    before, *parts = _MARKER.split(text)
    names, values = parts[::2], parts[1::2]
    if before or not names or names[-1] != END or values[-1] != "\n":
        raise UsageError(
            f"the form is cut: it must begin with {MARK} NAME= and end with {MARK} {END}=; "
            "does a field hold a line of the job type's own?"
        )
    # A value may close the form and hold an end of its own: what stood behind it is missing then.
    missing = sorted(FIELDS.difference(names))
    if missing:
        raise UsageError(
            f"the form lacks {missing[0]}: is the job type of this launcher's version, or does a "
            "field hold a line of the job type's own?"
        )
    strange = [name for name in names[:-1] if name not in FIELDS]
    twice = [name for at, name in enumerate(names) if name in names[:at]]
    if strange or twice:
        raise UsageError(
            f"the form has {'an unknown' if strange else 'a second'} field "
            f"{(strange or twice)[0]!r:.80}: does a field hold a line that begins with {MARK}?"
        )
    return {name: value[:-1] for name, value in zip(names[:-1], values[:-1], strict=True)}


def run_id(text: str) -> str:
    """Return the identity of the run that this form belongs to.

    It follows from the names and the Run Identity field, which the scheduler fills anew for each
    run; where that is empty, or a variable in it was left as it was (%%), from the whole form.
    """
    fields = read(text)
    identity = fields["identity"]
    parts = [fields[name] for name in IDENTIFYING]
    known = "\0".join(parts) if identity.strip() and "%%" not in identity else text
    return hashlib.sha256(known.encode(errors="surrogatepass")).hexdigest()[:32]


def _manifest(folder: str, name: str, is_file: Callable[[str], bool]) -> str:
    if "://" in name:
        return name
    path = os.path.join(folder, name)
    # The first runKjob put both together, whatever the name began with.
    joined = os.path.join(folder, name.lstrip("/"))
    return joined if not is_file(path) and is_file(joined) else path


_LABELS = {
    "params": "Manifest Parameters",
    "query": "Manifest Query",
    "more": "More Options",
    "command": "Command",
    "arguments": "Arguments",
}


def _split(fields: dict[str, str], name: str) -> list[str]:
    """Split a field into words, as a shell splits and quotes them."""
    try:
        return shlex.split(fields[name])
    except ValueError as error:
        raise UsageError(f"the form's {_LABELS[name]} cannot be split into words: {error}") from (
            error
        )
