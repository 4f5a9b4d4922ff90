"""What a preflight asks, what comes back, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from runjob.errors import Exit
from runjob.existing import Fate
from runjob.request import Body, JobRequest


@dataclass(frozen=True)
class Right:
    """Ask whether we may do this in the namespace; resource may have a part: pods/log."""

    verb: str
    group: str
    resource: str

    def __str__(self) -> str:
        return f"the right to {self.verb} {self.resource}"


@dataclass(frozen=True)
class Object:
    """Ask what an object of the namespace is like now; a PriorityClass is one of the cluster."""

    api_version: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Listing:
    """Ask which objects of a kind there are in the namespace."""

    kind: str
    plural: str

    def __str__(self) -> str:
        return f"{self.kind}s"


@dataclass(frozen=True)
class Trial:
    """Ask by a dry run whether the API would take this object of the request."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"a dry run of {self.kind} {self.name}"


Question = Right | Object | Listing | Trial


@dataclass(frozen=True)
class Answer:
    """What came back: a body, or the status and words of a refusal; status 0 is no answer.

    The body of a Right is whether it is ours, that of a Listing a list of objects. Of a Secret's
    only the keys are ever told.
    """

    body: Any = field(default=None, repr=False)
    status: int = 200
    reason: str = ""
    message: str = ""

    @property
    def missing(self) -> bool:
        """Whether the object is not there."""
        return self.status == 404

    @property
    def unknown(self) -> bool:
        """Whether it is not told: for want of rights, of an answer, or of such a kind."""
        return self.status not in (200, 404)


UNANSWERED = Answer(status=0, message="no answer in time")


@dataclass(frozen=True)
class Facts:
    """All that is known before the judgement; a question that is not in answers was not asked.

    fate is what would become of the Job that stands there, None where there is none, or where a
    launch would make its own beside it.
    """

    request: JobRequest
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    fate: Fate | None = None

    @property
    def refused(self) -> Exit:
        """The exit code with which a launch ends that the API refuses."""
        return Exit.MANIFEST if self.request.source == "manifest" else Exit.REFUSED

    def object(self, kind: str, name: str) -> Answer | None:
        """Return what is known of an object, by its kind and name; None when nothing was asked."""
        found = (
            answer
            for question, answer in self.answers.items()
            if isinstance(question, Object) and (question.kind, question.name) == (kind, name)
        )
        return next(found, None)

    def brought(self, kind: str, name: str) -> Body | None:
        """Return the object of that kind and name that the manifest brings along."""
        return next(
            (
                body
                for body in self.request.prerequisites
                if (body["kind"], body["metadata"]["name"]) == (kind, name)
            ),
            None,
        )


@dataclass(frozen=True)
class Finding:
    """Something that stands in the way, or may; code is what a launch would end with."""

    severity: Literal["error", "warning"]
    text: str
    hint: str = ""
    code: Exit = Exit.REFUSED

    @property
    def line(self) -> str:
        return f"{self.severity}: {self.text}" + (f"; {self.hint}" if self.hint else "")


def error(code: Exit, text: str, hint: str = "") -> Finding:
    """Return a finding that a launch would fail on."""
    return Finding("error", text, hint, code)


def warning(text: str, hint: str = "") -> Finding:
    """Return a finding that a launch may survive."""
    return Finding("warning", text, hint)
