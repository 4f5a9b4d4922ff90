"""The story of an agent: it registers, is kept registered, and leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from misc.agent.credentials import Credentials, credentials, identity
from misc.agent.errors import AgentError
from misc.agent.marks import Marks
from misc.agent.settings import Settings
from misc.agent.volume import keep_on_volume

# Seconds between two looks at the credentials, and looks between two pings.
LOOK = 2.0
PING = 30
# So many pings in vain, and the agent's processes are started again.
MUTE = 3

Tell = Callable[[str], None]


class Stop(Protocol):
    """Tells whether the agent is asked to end."""

    asked: bool

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it is asked."""


class Control(Protocol):
    """What the story needs of Control-M; each may raise AgentError."""

    def log_in(self, credentials: Credentials) -> None: ...
    def knows_agent(self) -> bool: ...
    def set_up(self) -> None: ...
    def join(self) -> None: ...
    def leave(self) -> None: ...
    def remove(self) -> None: ...
    def answers(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Agent:
    """One agent; `tell` gets a line for what a reader of the pod's log should know."""

    def __init__(self, settings: Settings, control: Control, marks: Marks, tell: Tell) -> None:
        self._settings = settings
        self._control = control
        self._marks = marks
        self._tell = tell

    def live(self, stop: Stop) -> None:
        """Register, however long that takes, and stay so until asked to stop; then leave.

        Once another process took the agent out, it stays so: an end would have it started anew.
        """
        self._marks.begin()
        keep_on_volume(self._settings.home, self._settings.volume)
        looks = unheard = 0
        pauses = _pauses()
        while not stop.asked:
            pause = LOOK
            if self._marks.has("leaving"):
                pass
            elif not self._is_registered():
                try:
                    self.register()
                    pauses = _pauses()
                except AgentError as error:
                    pause = next(pauses)
                    self._tell(f"not registered: {error}; next try in {pause:.0f} s")
            elif (looks := looks + 1) % PING == 0:
                unheard = self._kept(unheard)
            self._marks.beat()
            stop.wait(pause)
        self.leave()

    def register(self) -> None:
        """Log in as the files say now, and see to it that the server has the agent."""
        with self._marks.alone():
            if self._marks.has("leaving"):
                return
            self._marks.unset("registered")
            seen = identity(self._settings.secrets)
            self._control.log_in(credentials(self._settings.secrets))
            set_up = self._settings.volume / "set-up"
            where = f"{self._settings.alias} at {self._settings.server}"
            if set_up.exists() and self._control.knows_agent():
                self._tell(f"{where} is known")
                if not self._control.answers():
                    self._control.start()
                    self._tell(f"{self._settings.alias} is started")
            else:
                self._control.set_up()
                set_up.write_text("")
                self._tell(f"{where} is set up")
            self._control.join()
            self._tell(f"{self._settings.alias} is in host group {self._settings.host_group}")
            self._marks.set("login", seen)
            self._marks.set("registered")

    def leave(self) -> None:
        """Take the agent out of Control-M, or only stop it where it comes back; once, if twice.

        It comes back by its settings, or since a probe ends this container and not the pod.

        Raises AgentError when Control-M may still list it.
        """
        self._marks.set("leaving")
        with self._marks.alone():
            if self._marks.has("left"):
                return
            self._marks.unset("registered")
            refusals = self._attempt(*self._last_steps())
            if refusals:
                raise AgentError("; ".join(refusals))
            self._marks.set("left")
            gone = "is no longer in Control-M" if self._leaves() else "is stopped"
            self._tell(f"{self._settings.alias} {gone}")

    def before_stop(self) -> None:
        """Leave, as the pod's preStop hook; but a container that hangs is started anew, and stays.

        The kubelet calls the hook before it ends a pod, and also after a liveness probe's no.
        """
        if self._marks.is_alive():
            self.leave()
        else:
            self._marks.set("hung")
            self._tell(f"{self._settings.alias} hangs, and stays in Control-M")

    def _last_steps(self) -> Iterator[Callable[[], None]]:
        if self._leaves():
            if self._marks.text("login") != identity(self._settings.secrets):
                yield lambda: self._control.log_in(credentials(self._settings.secrets))
            yield self._control.leave
            yield self._control.remove
            yield lambda: (self._settings.volume / "set-up").unlink(missing_ok=True)
        yield self._control.stop

    def _attempt(self, *steps: Callable[[], None]) -> list[str]:
        """Try every step, whatever became of those before; return the complaints."""
        complaints = []
        for step in steps:
            try:
                step()
            except AgentError as error:
                complaints.append(str(error))
        return complaints

    def _is_registered(self) -> bool:
        """Tell whether the agent is registered, and by the credentials that are there now."""
        current = self._marks.text("login") == identity(self._settings.secrets)
        return current and self._marks.has("registered")

    def _leaves(self) -> bool:
        return self._settings.leaves and not self._marks.has("hung")

    def _kept(self, unheard: int) -> int:
        """Ping; return how often in a row it was in vain."""
        if self._control.answers():
            return 0
        unheard += 1
        self._tell(f"the server does not answer the agent ({unheard} in a row)")
        if unheard % MUTE == 0:
            complaints = self._attempt(self._control.stop, self._control.start)
            self._tell("; ".join(["the agent is started again", *complaints]))
        return unheard


def _pauses() -> Iterator[float]:
    pause = LOOK
    while True:
        yield pause
        pause = min(pause * 2, 60.0)
