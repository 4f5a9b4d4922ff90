"""Tell why a launch waits: once per change, and when it waits long enough to matter."""

from __future__ import annotations

from runjob.disruptions import is_replaced, to_replace
from runjob.observed import Picture
from runjob.sidecars import held_by_the_rest
from runjob.waiting import causes

# Seconds after which it is told, once, that a container has ended and others run on.
HELD = 30.0


class Explainer:
    """Remembers what waits since when, and what was told.

    explain are the seconds before a wait is worth a line, usual before one is that every Job passes
    through, events before what waits is worth a watch of its events. decides tells that a main
    container is named, with which sidecars keep no Job alive.
    """

    def __init__(
        self, explain: float, usual: float, events: float, *, decides: bool = False
    ) -> None:
        self._explain = explain
        self._usual = usual
        self._events = events
        self._since: dict[str, float] = {}
        self._young = False  # whether something waits that may come to be worth a watch
        self._told: dict[str, str] = {}
        self._pending: dict[str, float] = {}
        self._disrupted: dict[str, float] = {}
        self._replaced: set[str] = set()
        self._held: dict[tuple[str, str], float] = {}
        self._held_told: set[str] = set()
        self._decides = decides

    @property
    def is_waiting(self) -> bool:
        """Whether something is untold that may become worth a line by time alone."""
        return bool(self._pending or self._disrupted or self._young or self._held)

    def pause(self) -> None:
        """Explain nothing more of what waits now."""
        self._pending, self._disrupted, self._since, self._young = {}, {}, {}, False
        self._held = {}

    def lines(self, picture: Picture, now: float) -> tuple[list[str], list[str]]:
        """Return what is worth a line now, and the uids of what waits long ("" is the Job)."""
        told = self._disruptions(picture, now) + self._sidecars(picture, now)
        waits = causes(picture)
        self._since = {uid: self._since.get(uid, now) for uid in waits}
        long = [uid for uid, since in self._since.items() if now - since >= self._events]
        self._young = len(long) < len(self._since)
        self._pending = {
            uid: self._pending.get(uid, now)
            for uid, why in waits.items()
            if self._told.get(uid) != why.text
        }
        for uid, since in list(self._pending.items()):
            why = waits[uid]
            if now - since >= (self._usual if why.usual else self._explain):
                del self._pending[uid]
                self._told[uid] = why.text
                pod = picture.pods.get(uid)
                told.append(f"waiting: {f'pod {pod.name}: ' if pod else ''}{why.text}")
        return told, long

    def _disruptions(self, picture: Picture, now: float) -> list[str]:
        """Wait a moment where the Job may fail by it, and then nothing replaces the pod."""
        found = to_replace(picture)
        self._disrupted = {
            uid: self._disrupted.get(uid, now) for uid in found if uid not in self._replaced
        }
        due = [
            uid
            for uid, since in self._disrupted.items()
            if now - since >= self._explain or is_replaced(picture, uid)
        ]
        for uid in due:
            del self._disrupted[uid]
            self._replaced.add(uid)
        return [
            f"pod {picture.pods[uid].name} {found[uid]}: waiting for its replacement" for uid in due
        ]

    def _sidecars(self, picture: Picture, now: float) -> list[str]:
        """Tell what may keep the Job alive for ever: of one pod, the others are like it."""
        if self._decides:
            return []
        found = {
            (each.pod.uid, each.main.name): each
            for each in held_by_the_rest(picture)
            if each.main.name not in self._held_told
        }
        self._held = {which: self._held.get(which, now) for which in found}
        for which, since in self._held.items():
            if now - since >= HELD:
                each, others = found[which], ", ".join(found[which].others)
                self._held_told.add(each.main.name)
                self._held = {}
                run, keep = ("run", "keep") if len(each.others) > 1 else ("runs", "keeps")
                return [
                    f"pod {each.pod.name}: {each.main.name} ended with {each.end.exit_code}, "
                    f"{others} {run} on and {keep} the Job alive; where that is a sidecar: "
                    f"--main-container {each.main.name}"
                ]
        return []
