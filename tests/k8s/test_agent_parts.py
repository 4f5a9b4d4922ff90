"""The agent's parts: what it decides, reads and keeps, without a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from misc.agent.control import mentions
from misc.agent.credentials import Credentials, credentials, identity
from misc.agent.errors import AgentError, SettingsError
from misc.agent.life import PING, Agent
from misc.agent.marks import Marks
from misc.agent.settings import settings
from misc.agent.volume import FOLDERS, keep_on_volume
from tests.containers.recipes import CHECKOUT
from tests.k8s.agent_folder import ALIAS, FIRST, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.make()
    return made


class Deaf:
    """A Control-M that takes every call, and answers no ping."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def log_in(self, credentials: Credentials) -> None:
        self.asked.append(f"log in at {credentials.endpoint}")

    def knows_agent(self) -> bool:
        return True

    def set_up(self) -> None:
        self.asked.append("set up")

    def join(self) -> None:
        self.asked.append("join")

    def leave(self) -> None:
        self.asked.append("leave")

    def remove(self) -> None:
        self.asked.append("remove")

    def answers(self) -> bool:
        return False

    def start(self) -> None:
        self.asked.append("start")

    def stop(self) -> None:
        self.asked.append("stop")


class Looks:
    """Asks for the end after so many looks."""

    def __init__(self, number: int) -> None:
        self._left = number
        self.asked = False

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self._left -= 1
        self.asked = self._left <= 0


def live(folder: Folder, control: Deaf, looks: int, told: list[str]) -> None:
    """Live so many looks long."""
    given = settings(folder.environment)
    Agent(given, control, Marks(given.run), told.append).live(Looks(looks))


def test_an_agent_that_hears_nothing_is_started_again_after_the_third_ping(folder: Folder) -> None:
    control = Deaf()
    told: list[str] = []
    live(folder, control, 3 * PING + 2, told)
    assert [line for line in told if "does not answer" in line] == [
        f"the server does not answer the agent ({number} in a row)" for number in (1, 2, 3)
    ]
    assert "the agent is started again" in told
    assert control.asked == [
        f"log in at {FIRST['endpoint']}", "set up", "join", "stop", "start",
        "leave", "remove", "stop",
    ]  # fmt: skip


def test_pauses_between_tries_grow_to_a_minute(folder: Folder) -> None:
    class Away(Deaf):
        def log_in(self, credentials: Credentials) -> None:
            raise AgentError(f"{credentials.endpoint} gave no answer in time")

    told: list[str] = []
    with pytest.raises(AgentError, match="no answer in time"):
        live(folder, Away(), 8, told)
    assert [line.rpartition("in ")[2] for line in told] == [
        f"{seconds} s" for seconds in (2, 4, 8, 16, 32, 60, 60, 60)
    ]


def test_a_container_that_hangs_stays_in_control_m(folder: Folder) -> None:
    """The hook runs after a liveness probe's no as well; SIGTERM follows it."""
    control = Deaf()
    given = settings(folder.environment)
    marks = Marks(given.run)
    marks.begin()
    os.utime(given.run / "alive", (0, 0))
    agent = Agent(given, control, marks, lambda _: None)
    agent.before_stop()
    assert control.asked == []
    agent.leave()
    assert control.asked == ["stop"]


ORPHAN = """
import os, sys
from misc.agent.first import FirstProcess
orphan = os.fork()
if orphan == 0:
    os._exit(0)
first = FirstProcess()
try:
    while True:
        os.kill(orphan, 0)
        first.wait(0.01)
except ProcessLookupError:
    sys.exit(0)
"""


def test_the_first_process_buries_what_others_left() -> None:
    """An ended process that nobody collects can still be signalled; a buried one cannot."""
    subprocess.run([sys.executable, "-c", ORPHAN], cwd=CHECKOUT, check=True, timeout=60)


# The first process of a container: its jobs are a shell that ends at SIGTERM after its last words,
# as a launcher does, and one that was left to us; or, told so, one that hears nothing.
CONTAINER = """
import subprocess, sys
from misc.agent.first import FirstProcess
job = "trap 'sleep 0.3; echo removed; exit' TERM; echo begun; while :; do sleep 0.1; done"
deaf = "trap '' TERM; echo begun; while :; do sleep 0.1; done"
first = FirstProcess()
if sys.argv[1] == "deaf":
    shell = subprocess.Popen(["sh", "-c", deaf], stdout=subprocess.PIPE)
    assert shell.stdout.readline() == b"begun\\n"
    print(first.end_the_others(0.5))
else:
    shell = subprocess.Popen(["sh", "-c", f"({job}) & exit"], stdout=subprocess.PIPE)
    assert shell.stdout.readline() == b"begun\\n"
    shell.wait()
    print(first.end_the_others(60.0), shell.stdout.read().decode().strip())
"""


# A process namespace of one's own, which a machine may refuse to give.
ALONE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")


@pytest.mark.parametrize(("job", "told"), [("launcher", "True removed\n"), ("deaf", "False\n")])
def test_the_first_process_ends_the_others_and_waits_for_them(job: str, told: str) -> None:
    tried = subprocess.run([*ALONE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0 and os.environ.get("CI") != "true":
        pytest.skip(tried.stderr)
    ended = subprocess.run(
        [*ALONE, sys.executable, "-c", CONTAINER, job],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.stdout, ended.returncode) == (told, 0), ended.stderr


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param('{"agents": [{"nodeid": "node1:7006"}]}', True, id="as documented"),
        pytest.param('["node1:7006"]', True, id="a plain list"),
        pytest.param('[{"host": {"name": "node1:7006"}}]', True, id="deeper"),
        pytest.param('{"agents": [{"nodeid": "node1:70061"}]}', False, id="a longer name"),
        pytest.param('{"node1:7006": "gone"}', False, id="a key"),
        pytest.param('{"agents": []}', False, id="nobody"),
        pytest.param("no agent node1:7006", False, id="no JSON"),
    ],
)
def test_an_answer_mentions_an_agent_by_a_whole_value(answer: str, expected: bool) -> None:
    assert mentions(answer, ALIAS) == expected


def test_credentials_tell_nothing_of_themselves(folder: Folder) -> None:
    read = credentials(folder.top / "secrets")
    assert read.words == (FIRST["username"], FIRST["password"])
    assert FIRST["password"] not in repr(read)
    assert FIRST["password"] not in identity(folder.top / "secrets")


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        pytest.param({"token": "t"}, "must hold the Automation API's address", id="no endpoint"),
        pytest.param({"endpoint": "http://ctm:8443", "token": "t"}, "https://", id="not https"),
        pytest.param({"endpoint": "https://ctm", "token": ""}, "must hold token", id="empty"),
        pytest.param({"endpoint": "https://ctm", "token": "a b"}, "one word", id="two words"),
        pytest.param({"endpoint": "https://ctm", "username": "u"}, "and password", id="half"),
    ],
)
def test_credentials_that_are_none_are_told_without_their_contents(
    tmp_path: Path, files: dict[str, str], complaint: str
) -> None:
    for name, text in files.items():
        (tmp_path / f"{name}.secret").write_text(text)
    with pytest.raises(SettingsError) as refusal:
        credentials(tmp_path)
    assert complaint in str(refusal.value)
    assert "a b" not in str(refusal.value)


def test_what_lies_on_the_volume_is_the_truth(tmp_path: Path) -> None:
    home, volume = tmp_path / "ctm", tmp_path / "volume"
    for name in FOLDERS[:3]:
        (home / name).mkdir(parents=True)
        (home / name / "file").write_text("shipped")
    keep_on_volume(home, volume)
    (home / FOLDERS[0] / "file").write_text("changed")
    keep_on_volume(home, volume)
    assert (volume / FOLDERS[0] / "file").read_text() == "changed"
    assert (volume / FOLDERS[1] / "file").read_text() == "shipped"
    assert all((home / name).resolve() == (volume / name).resolve() for name in FOLDERS)


def test_a_copy_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    home, volume = tmp_path / "ctm", tmp_path / "volume"
    (home / "data").mkdir(parents=True)
    (home / "data" / "CONFIG.dat").write_text("whole")
    (volume / "data.part").mkdir(parents=True)
    (volume / "data.part" / "CONFIG.dat").write_text("ha")
    keep_on_volume(home, volume)
    assert (volume / "data" / "CONFIG.dat").read_text() == "whole"
    assert not (volume / "data.part").exists()
