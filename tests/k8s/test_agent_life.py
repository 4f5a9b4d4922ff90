"""The agent's start and end as processes, with the vendor's commands recorded."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from misc.agent import control
from misc.agent.errors import AgentError
from misc.agent.settings import settings
from tests.contract.launches import wait_until
from tests.k8s.agent_folder import ALIAS, FIRST, GROUP, Folder, Started, started

Start = Callable[..., Started]
IN01 = "IN01"
REGISTERED = {"agents": [ALIAS], "groups": {GROUP: [ALIAS]}}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.make()
    return made


@pytest.fixture
def start(folder: Folder) -> Iterator[Start]:
    with ExitStack() as running:
        begun = contextmanager(started)

        def begin(**settings: str) -> Started:
            name = f"log-{len(list(folder.top.glob('log-*')))}"
            return running.enter_context(begun(folder, name, settings))

        yield begin


def known(folder: Folder) -> dict[str, object]:
    server = folder.server()
    return {"agents": server["agents"], "groups": server["groups"]}


def ready(folder: Folder) -> bool:
    return folder.run("ready").returncode == 0


def test_it_registers_in_the_vendor_s_order_and_leaves_at_sigterm(
    folder: Folder, start: Start
) -> None:
    agent = start()
    agent.told("in host group")
    agent.until(lambda: ready(folder), "ready")
    assert folder.run("alive").returncode == 0
    assert known(folder) == REGISTERED
    connection = next(call[-1] for call in folder.calls() if "agent::setup" in call)
    assert json.loads(Path(connection).read_text()) == {"connectionInitiator": "AgentToServer"}
    assert agent.end() == 0
    assert known(folder) == {"agents": [], "groups": {}}
    assert not ready(folder)
    assert folder.calls() == [
        ["ctm", "env", "delete", "controlm"],
        ["ctm", "env", "add", "controlm", *FIRST.values()],
        ["ctm", "env", "set", "controlm"],
        ["ctm", "provision", "agent::setup", IN01, ALIAS, "7006", "-f", connection],
        ["ctm", "config", "server:hostgroup:agent::add", IN01, GROUP, ALIAS],
        ["ctm", "config", "server:hostgroup:agent::delete", IN01, GROUP, ALIAS],
        ["ctm", "config", "server:agent::delete", IN01, ALIAS],
        ["shut-ag", "-u", "controlm", "-p", "ALL"],
    ]


def test_changed_credentials_are_used_at_once(folder: Folder, start: Start) -> None:
    agent = start()
    agent.told("in host group")
    folder.mount({**FIRST, "password": "second-secret"})
    agent.told("is known\n")
    agent.until(lambda: ready(folder), "ready again")
    added = [call for call in folder.calls() if call[:3] == ["ctm", "env", "add"]]
    assert [call[-1] for call in added] == ["first-secret", "second-secret"]
    assert known(folder) == REGISTERED
    assert [call for call in folder.calls() if "agent::setup" in call][1:] == []


def test_no_secret_is_told_even_where_the_client_tells_it(folder: Folder, start: Start) -> None:
    (folder.top / "bin" / "ctm").write_text('#!/bin/sh\necho "wrong: $*" >&2\nexit 1\n')
    agent = start()
    agent.told("next try")
    assert "ctm env add controlm" in agent.text
    assert "***" in agent.text
    assert FIRST["password"] not in agent.text
    assert FIRST["username"] not in agent.text


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_secret_that_the_client_quotes_as_json_is_not_told(
    folder: Folder, start: Start, ascii_only: bool
) -> None:
    password = 'pa"s\\wört'
    folder.mount({**FIRST, "password": password})
    quoted = json.dumps({"given": password}, ensure_ascii=ascii_only)
    (folder.top / "answer").write_text(quoted)
    command(folder, "ctm", f'cat "{folder.top / "answer"}" >&2\nexit 1')
    agent = start()
    agent.told("next try")
    assert '{"given": "***"}' in agent.text
    assert "wört" not in agent.text


def test_a_token_goes_before_a_user(folder: Folder, start: Start) -> None:
    folder.mount({"endpoint": FIRST["endpoint"], "token": "a:token", "username": "emuser"})
    start().told("in host group")
    (added,) = (call for call in folder.calls() if call[:3] == ["ctm", "env", "add"])
    assert added[4:] == [FIRST["endpoint"], "a:token"]


def test_a_restarted_container_finds_its_agent_and_starts_it(folder: Folder, start: Start) -> None:
    agent = start()
    agent.told("in host group")
    (folder.top / "ctm" / "data" / "CONFIG.dat").write_text("as set up")
    agent.process.kill()
    agent.process.wait()
    server = folder.server()
    (folder.top / "server" / "server.json").write_text(json.dumps({**server, "running": False}))
    again = start()
    again.told("in host group")
    assert known(folder) == REGISTERED
    assert [call for call in folder.calls() if "agent::setup" in call][1:] == []
    assert ["start-ag", "-u", "controlm", "-p", "ALL"] in folder.calls()
    assert (folder.top / "volume" / "data" / "CONFIG.dat").read_text() == "as set up"


def test_an_agent_whose_volume_is_new_is_set_up_though_the_server_knows_it(
    folder: Folder, start: Start
) -> None:
    (folder.top / "server" / "server.json").write_text(
        json.dumps({**REGISTERED, "environments": {}, "running": False})
    )
    start().told("is set up")
    assert known(folder) == REGISTERED


def test_a_server_that_refuses_is_asked_again_until_it_does_not(
    folder: Folder, start: Start
) -> None:
    folder.trouble("HTTP 503")
    agent = start()
    agent.told("next try in 2 s")
    assert "HTTP 503" in agent.text
    assert folder.run("alive").returncode == 0
    assert not ready(folder)
    folder.trouble(None)
    agent.told("in host group")


def test_a_missing_file_is_named_and_waited_for(folder: Folder, start: Start) -> None:
    folder.mount({"endpoint": FIRST["endpoint"]})
    agent = start()
    agent.told("must hold token.secret, or username.secret and password.secret")
    folder.mount(FIRST)
    agent.told("in host group")


def test_a_secret_whose_keys_have_other_names_is_told(folder: Folder, start: Start) -> None:
    shutil.rmtree(folder.top / "secrets")
    (folder.top / "secrets").mkdir()
    (folder.top / "secrets" / "endpoint").write_text(FIRST["endpoint"])
    start().told("endpoint.secret must hold the Automation API's address")


@pytest.fixture
def ending(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> control.ControlM:
    """Return the way to the stand-in's commands in a pod that is to end at once."""
    monkeypatch.setenv("PATH", folder.environment["PATH"])
    monkeypatch.setenv("STAND_IN", folder.environment["STAND_IN"])
    monkeypatch.setattr(control, "ENDING_SECONDS", 0.0)
    beat = folder.top / "beat"
    return control.ControlM(settings(folder.environment), beat.touch, lambda: True)


def test_a_command_that_hangs_is_cut_off_once_the_pod_is_to_end(
    folder: Folder, ending: control.ControlM
) -> None:
    """The pod's grace is bounded, and so is the set-up that runs when it begins."""
    (folder.top / "server" / "hang").touch()
    with pytest.raises(AgentError, match=r"agent::setup IN01 .* gave no answer in time"):
        ending.set_up()
    assert (folder.top / "beat").exists()


def command(folder: Folder, name: str, script: str) -> None:
    (folder.top / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")


def test_a_command_has_ended_though_a_daemon_of_its_holds_its_output(
    folder: Folder, ending: control.ControlM
) -> None:
    """As start-ag leaves the agent's processes."""
    command(folder, "start-ag", 'sleep 600 &\necho $! >"$STAND_IN/daemon"')
    ending.start()
    os.kill(int((folder.top / "server" / "daemon").read_text()), signal.SIGKILL)


def test_all_of_a_command_that_hangs_is_killed(folder: Folder, ending: control.ControlM) -> None:
    held = folder.top / "held"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    command(folder, "start-ag", f'exec 3>"{held}"\nsleep 600 &\nwait')
    try:
        with pytest.raises(AgentError, match=r"start-ag .* gave no answer in time"):
            ending.start()
        # Where somebody still held it, this would be a BlockingIOError.
        wait_until(lambda: is_free(reader), "nobody who holds it")
    finally:
        os.close(reader)


def is_free(reader: int) -> bool:
    try:
        return os.read(reader, 1) == b""
    except BlockingIOError:
        return False


def test_pre_stop_and_sigterm_decommission_once(folder: Folder, start: Start) -> None:
    agent = start()
    agent.told("in host group")
    assert folder.run("pre-stop").returncode == 0
    assert known(folder) == {"agents": [], "groups": {}}
    assert agent.end() == 0
    assert sum("server:agent::delete" in call for call in folder.calls()) == 1
    assert folder.run("decommission").returncode == 0


def test_an_agent_that_was_removed_for_good_stays_up_and_does_not_come_back(
    folder: Folder, start: Start
) -> None:
    """If its process ended, the kubelet would start it again, and it would register."""
    agent = start(AGENT_ON_STOP="keep")
    agent.told("in host group")
    assert folder.run("decommission", AGENT_ON_STOP="decommission").returncode == 0
    calls = folder.calls()
    for _ in range(2):
        (folder.top / "run" / "alive").unlink()
        agent.until(lambda: folder.run("alive").returncode == 0, "another beat")
    assert agent.process.poll() is None
    assert not ready(folder)
    assert agent.end() == 0
    assert folder.calls() == calls
    assert known(folder) == {"agents": [], "groups": {}}


def test_what_the_server_has_forgotten_is_decommissioned_all_the_same(folder: Folder) -> None:
    assert folder.run("decommission").returncode == 0


def test_a_decommission_that_fails_says_so_and_tries_every_step(
    folder: Folder, start: Start
) -> None:
    start().told("in host group")
    folder.trouble("HTTP 503")
    ended = folder.run("decommission")
    assert ended.returncode == 4
    assert ended.stderr.startswith("agent: error: ctm config")
    assert "HTTP 503" in ended.stderr
    assert [call[2] for call in folder.calls() if "agent::delete" in str(call)] == [
        "server:hostgroup:agent::delete", "server:agent::delete",
    ]  # fmt: skip
    folder.trouble(None)
    assert folder.run("decommission").returncode == 0
    assert known(folder) == {"agents": [], "groups": {}}


def test_an_agent_that_comes_back_is_stopped_and_stays_known(folder: Folder, start: Start) -> None:
    agent = start(AGENT_ON_STOP="keep")
    agent.told("in host group")
    assert agent.end() == 0
    assert known(folder) == REGISTERED
    assert folder.calls()[-1] == ["shut-ag", "-u", "controlm", "-p", "ALL"]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        pytest.param({"CTM_SERVER": ""}, "CTM_SERVER is ''", id="no server"),
        pytest.param({"CTM_HOSTGROUP": "a b"}, "CTM_HOSTGROUP is 'a b'", id="a blank"),
        pytest.param({"AGENT_HOST": "-f"}, "AGENT_HOST is '-f'", id="an option"),
        pytest.param({"AGENT_PORT": "80"}, "AGENT_PORT is '80'", id="a low port"),
        pytest.param({"AGENT_HOST": "n" * 81}, "86 characters long", id="too long a name"),
        pytest.param({"AGENT_ON_STOP": "no"}, "decommission or keep", id="another word"),
        pytest.param({"AGENT_RUN": "/proc/x"}, "cannot be used", id="no folder to write to"),
    ],
)
def test_a_wrong_setting_is_one_line(
    folder: Folder, changed: dict[str, str], complaint: str
) -> None:
    ended = folder.run("start", **changed)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("agent: error: ")
    assert complaint in line
    assert folder.calls() == []


def test_an_image_without_control_m_says_so(folder: Folder, start: Start) -> None:
    (folder.top / "bin" / "ctm").unlink()
    start().told("ctm cannot be run (No such file or directory): is Control-M's agent")
