"""The sandbox as a whole, and as a server."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import runjob.sandbox
from runjob.sandbox import Fault, Image, Sandbox
from runjob.sandbox.__main__ import image, main, options

from .talk import JOBS, PODS, Talk, job, phase_is, shell

Fresh = Callable[[], str]


def processes_with(text: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


def test_nothing_is_left_behind(fresh: Fresh) -> None:
    before = set(threading.enumerate())
    with Sandbox() as sandbox:
        talk = Talk(sandbox)
        folder = sandbox.ca_file.parent
        talk.job(shell(fresh(), f"sleep 61 & echo {folder}; sleep 62"))
        talk.until(PODS, phase_is("Running"))
        assert processes_with(str(folder))
        assert set(threading.enumerate()) > before
    assert not folder.exists()
    assert not processes_with(str(folder))
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionError):
        talk.call("GET", JOBS)


def test_the_private_files_are_private() -> None:
    with Sandbox() as sandbox:
        assert sandbox.kubeconfig.stat().st_mode & 0o777 == 0o600
        assert sandbox.kubeconfig.parent.stat().st_mode & 0o777 == 0o700
        assert not list(sandbox.kubeconfig.parent.glob("*.key"))


def test_it_runs_in_a_thread_of_a_thread_and_leaves_signals_alone() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    outcomes: list[int] = []

    def story() -> None:
        with Sandbox() as sandbox:
            outcomes.append(Talk(sandbox).call("GET", JOBS).status)

    thread = threading.Thread(target=story)
    thread.start()
    thread.join(20)
    assert outcomes == [200]
    assert before == {number: signal.getsignal(number) for number in before}


def test_a_port_that_is_taken_is_reported_and_cleaned_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sandbox = Sandbox(port=taken.getsockname()[1])
        with pytest.raises(OSError, match="address already in use"):
            sandbox.start()
        assert not sandbox.ca_file.exists()


def test_the_files_of_a_service_account_are_written(tmp_path: Path) -> None:
    with Sandbox(namespace="default") as sandbox:
        sandbox.namespace_files(tmp_path / "one")
        sandbox.namespace_files(tmp_path / "two", "controlm")
        assert (tmp_path / "one" / "token").read_text() == sandbox.token
        assert (tmp_path / "one" / "ca.crt").read_bytes() == sandbox.ca_file.read_bytes()
        assert (tmp_path / "one" / "namespace").read_text() == "default"
        assert (tmp_path / "two" / "namespace").read_text() == "controlm"


def test_requests_are_logged(sandbox: Sandbox, talk: Talk) -> None:
    before = len(sandbox.requests)
    talk.call("GET", PODS, labelSelector="a=b")
    (served,) = sandbox.requests[before:]
    assert (served.method, served.path, served.status) == ("GET", PODS, 200)
    assert served.query == "labelSelector=a%3Db"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/version", 200), ("/healthz", 200), ("/livez", 200), ("/api", 200), ("/apis", 200),
        ("/api/v1", 200), ("/apis/batch", 200), ("/apis/batch/v1", 200), ("/openapi/v3", 200),
        ("/openapi/v3/api/v1", 200), ("/openapi/v3/apis/batch/v1", 200), ("/metrics", 404),
    ],
)  # fmt: skip
def test_clients_can_ask_about_the_server(talk: Talk, path: str, status: int) -> None:
    assert talk.call("GET", path).status == status


def raw(sandbox: Sandbox, data: bytes) -> bytes:
    context = ssl.create_default_context(cafile=str(sandbox.ca_file))
    with (
        socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        wrapped.sendall(data)
        received = b""
        while data := wrapped.recv(65536):
            received += data
        return received


def test_bodies_may_come_in_chunks(sandbox: Sandbox, fresh: Fresh) -> None:
    body = json.dumps(job(fresh(), "true")).encode()
    head = (
        f"POST {JOBS}?dryRun=All HTTP/1.1\r\nHost: x\r\nAuthorization: bearer {sandbox.token}\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    ).encode()
    chunks = b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:5], len(body) - 5, body[5:])
    assert raw(sandbox, head + chunks).startswith(b"HTTP/1.1 201 Created\r\n")


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        b"x" * 70_000,
    ],
)
def test_what_is_no_request_ends_the_connection(sandbox: Sandbox, data: bytes) -> None:
    assert raw(sandbox, data) == b""


def test_a_connection_serves_one_request_after_the_other(sandbox: Sandbox) -> None:
    head = f"GET /version HTTP/1.1\r\nAuthorization: Bearer {sandbox.token}\r\n"
    last = f"{head}Connection: close\r\n\r\n"
    assert raw(sandbox, f"{head}\r\n{last}".encode()).count(b"HTTP/1.1 200 OK") == 2


def test_the_package_loads_its_parts_when_they_are_asked_for() -> None:
    names = {Fault.__name__, Image.__name__, Sandbox.__name__}
    assert names == set(runjob.sandbox.__all__)
    with pytest.raises(AttributeError, match="nosuch"):
        _ = runjob.sandbox.nosuch


def test_importing_the_package_is_light() -> None:
    script = (
        "import sys, runjob.sandbox; "
        "print(sorted({'ssl', 'asyncio', 'json', 'runjob.sandbox.embedded'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"[]\n"


def server(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "runjob.sandbox", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_says_where_it_is_and_cleans_up(tmp_path: Path, number: int) -> None:
    path = tmp_path / "config"
    with server("--kubeconfig", str(path), "--image", "mine:1=echo 'a b'") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"export KUBECONFIG={path}\n"
        assert "for trying out and testing only" in process.stdout.readline()
        assert path.stat().st_mode & 0o777 == 0o600
        assert json.loads(path.read_text())["current-context"] == "sandbox"
        process.send_signal(number)
        assert process.wait(20) == 0
    assert not path.exists()


def test_the_server_serves_until_it_is_told_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    def end() -> None:
        while not capsys_has_config():
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    seen: list[str] = []

    def capsys_has_config() -> bool:
        seen.append(capsys.readouterr().out)
        return "testing only" in "".join(seen)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    thread = threading.Thread(target=end)
    thread.start()
    try:
        assert main([]) == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    thread.join(10)
    kubeconfig = Path("".join(seen).split("KUBECONFIG=")[1].split("\n")[0])
    assert not kubeconfig.exists()


def test_a_server_that_cannot_start_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    for number, handler in before.items():
        signal.signal(number, handler)
    assert "The sandbox could not start: " in capsys.readouterr().err


def test_an_image_on_the_command_line_has_a_name_and_a_command() -> None:
    assert image("mine:1=echo 'a b'") == Image("mine:1", ("echo", "a b"))


@pytest.mark.parametrize("text", ["mine", "Bad Name=x", "mine:1='open"])
def test_another_image_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(["--image", text])
    assert text in capsys.readouterr().err


def test_help_says_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        options(["-h"])
    assert caught.value.code == 0
    assert "For trying out and testing only" in capsys.readouterr().out


def served(sandbox: Sandbox, authority: bytes, client: Path | None = None) -> int | str:
    """Return the answer's status for a client without a token, or that none came.

    A server may send an alert where it refuses a certificate, or only hang up.
    """
    context = ssl.create_default_context(cadata=authority.decode())
    if client is not None:
        context.load_cert_chain(client / "client.crt", client / "client.key")
    connection = http.client.HTTPSConnection("127.0.0.1", sandbox.port, timeout=10, context=context)
    try:
        connection.request("GET", JOBS)
        return connection.getresponse().status
    except (ssl.SSLError, ConnectionError):
        return "no connection"
    finally:
        connection.close()


def test_certificates_are_renewed_and_with_another_authority_none_of_the_old_ones_count(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    with Sandbox() as sandbox:
        first = sandbox.ca_file.read_bytes()
        for folder in (old, new):
            folder.mkdir()
            sandbox.client_files(folder)
        assert [served(sandbox, first, each) for each in (None, old, new)] == [401, 401, 200]
        before = ssl.get_server_certificate(("127.0.0.1", sandbox.port))
        sandbox.renew_certificate()
        assert ssl.get_server_certificate(("127.0.0.1", sandbox.port)) != before
        assert served(sandbox, first, new) == 200
        sandbox.rotate_authority()
        second = sandbox.ca_file.read_bytes()
        assert served(sandbox, first) == "no connection"
        assert served(sandbox, second) == 401
        assert served(sandbox, second, new) == "no connection"
        sandbox.client_files(new)
        assert served(sandbox, second, new) == 200
