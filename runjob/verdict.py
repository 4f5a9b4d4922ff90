"""Sum up how a launch went."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from runjob.diagnosis import Failure, failures, is_main, main_container_code, warnings
from runjob.endings import Ending
from runjob.errors import Exit
from runjob.observed import Picture, PodView
from runjob.waiting import with_absent_secret


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The truth about one launch.

    exit_code is what the process returns; ending tells why in words; running, succeeded and failed
    count pods. queued_seconds is the time until a node took the first pod, pulling_seconds from
    there to the first start of a main container (image pull and set-up), running_seconds from there
    to the last end of one; None where it never came to that. container_code is the main container's
    exit code, None when it did not end; mapped_from is the one that --map-exit turned into
    exit_code, None when it turned none. lost are the lines that tell, behind the log, which logs
    were given up.
    """

    job: str
    namespace: str
    exit_code: int
    ending: Ending
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    attempts: int = 0
    queued_seconds: float | None = None
    pulling_seconds: float | None = None
    running_seconds: float | None = None
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    pods: tuple[PodView, ...] = ()
    left_behind: str = ""
    container_code: int | None = None
    mapped_from: int | None = None
    lost: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        first, *more = [
            part.rstrip(".")
            for part in (self.ending.text, self.ending.hint, self._mapping, self.left_behind)
            if part
        ]
        return ". ".join([first, *(part[:1].upper() + part[1:] for part in more)]) + "."

    @property
    def _mapping(self) -> str:
        if self.mapped_from is None:
            return ""
        return f"exit code {self.mapped_from} is mapped to {self.exit_code} by --map-exit"


def exit_code(
    ending: Ending,
    picture: Picture,
    container: bool,
    mapped: tuple[tuple[int, int], ...],
    main: str | None = None,
) -> int:
    """Return the process's exit code: the ending's, or what --exit-code and --map-exit make of it.

    Only an end that the Job came to by its containers is theirs to tell: after a signal, a
    deletion or a Job that never started the ending's own code stands.
    """
    if not container or ending.code not in (Exit.SUCCEEDED, Exit.FAILED):
        return int(ending.code)
    code = _container_code(ending, picture, main)
    if code is None or (code == 0 and ending.code is Exit.FAILED):
        # The container succeeded and the Job did not: no code of it says so.
        return int(ending.code)
    return dict(mapped).get(code, code)


_GAPS = "parts of the log that could not be read, each told of where it is missing"


def verdict(
    label: str,
    ending: Ending,
    picture: Picture | None,
    *,
    judged: Picture | None = None,
    container: bool = False,
    mapped: tuple[tuple[int, int], ...] = (),
    main: str | None = None,
    left_behind: str = "",
    gaps: int = 0,
    lost: tuple[str, ...] = (),
) -> Verdict:
    """Sum up one launch; picture is None when no Job was made.

    judged is the picture on which the ending was decided: what failed after it, as we removed the
    Job, is no failure of the Job's.
    """
    namespace, _, name = label.partition("/")
    if picture is None:
        return Verdict(
            job=name,
            namespace=namespace,
            exit_code=int(ending.code),
            ending=ending,
            left_behind=left_behind,
        )
    judged = judged or picture
    code = exit_code(ending, judged, container, mapped, main)
    unmapped = exit_code(ending, judged, container, (), main)
    # A pull can be judged before its events are known.
    ending = replace(ending, text=with_absent_secret(ending.text, picture.events.values()))
    pods = tuple(picture.pods.values())
    queued, pulling, running = _seconds(picture, main)
    return Verdict(
        job=name,
        namespace=namespace,
        exit_code=code,
        ending=ending,
        running=picture.job.active,
        succeeded=picture.job.succeeded,
        failed=picture.job.failed,
        attempts=len(pods) + sum(view.restarts for pod in pods for view in pod.containers),
        queued_seconds=queued,
        pulling_seconds=pulling,
        running_seconds=running,
        failures=failures(judged),
        warnings=(*warnings(picture), *([f"{_GAPS}: {gaps}"] if gaps else [])),
        pods=pods,
        left_behind=left_behind,
        container_code=_container_code(ending, judged, main),
        mapped_from=unmapped if unmapped != code else None,
        lost=lost,
    )


def _container_code(ending: Ending, picture: Picture, main: str | None) -> int | None:
    # A Job that completed did so by a container's 0, whatever earlier attempts ended with.
    return 0 if ending.code is Exit.SUCCEEDED else main_container_code(picture, main)


def _seconds(picture: Picture, main: str | None) -> tuple[float | None, float | None, float | None]:
    """Return how long it was queued, pulled and ran."""
    pods = picture.pods.values()
    scheduled = min((at for pod in pods if (at := _scheduled(pod))), default=None)
    runs = [
        end
        for pod in pods
        for view in pod.containers
        for end in (view.last, view.terminated)
        if end and is_main(view, main)
    ]
    begun = [end.started for end in runs if end.started] + [
        view.running
        for pod in pods
        for view in pod.containers
        if view.running and is_main(view, main)
    ]
    started = min(begun, default=None)
    finished = max((end.finished for end in runs if end.finished), default=None)
    return (
        _between(picture.job.created, scheduled),
        _between(scheduled, started),
        _between(started, finished),
    )


def _scheduled(pod: PodView) -> datetime | None:
    condition = pod.condition("PodScheduled")
    return condition.since if condition else None


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max((end - start).total_seconds(), 0.0)
