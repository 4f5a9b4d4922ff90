"""A manifest is fetched by https, whole and from the very address, or not at all."""

from __future__ import annotations

import os
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runjob import cli, remote
from runjob.errors import Exit, LaunchError, ManifestError, UsageError
from runjob.flags import parse
from runjob.options import Options
from runjob.plan import in_effect, plan, shown
from runjob.remote import fetch
from runjob.request import MAX_SIZE, JobRequest
from runjob.sandbox.certificate import Authority

JOB = b"""\
apiVersion: batch/v1
kind: Job
metadata: {name: fetched}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "busybox:1", command: [echo, "${{DAY}}"]}]
"""


@dataclass
class Web:
    """A web server on this machine: what it answers, and what it was asked."""

    address: str
    authority: Path
    answer: Callable[[BaseHTTPRequestHandler], None]
    asked: list[tuple[str, str | None]] = field(default_factory=list)


def give(
    body: bytes, status: int = 200, *, length: int | None = None, location: str = ""
) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        if location:
            request.send_header("Location", location)
        request.end_headers()
        request.wfile.write(body)

    return answer


@contextmanager
def serving(folder: Path) -> Iterator[Web]:
    authority = Authority()
    made = authority.server()
    trusted, certificate, key = (folder / name for name in ("ca.pem", "web.pem", "web.key"))
    trusted.write_text(authority.certificate)
    certificate.write_text(made.certificate)
    key.write_text(made.key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, self.headers.get("Authorization")))
            found.answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing: a client that hangs up is a part of the play."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found = Web(f"https://127.0.0.1:{server.server_port}", trusted, give(JOB))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with serving(tmp_path) as found:
        monkeypatch.setenv("SSL_CERT_FILE", str(found.authority))
        yield found


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("sesame\n")
    return path


def test_a_manifest_comes_with_its_parameters_and_its_token(web: Web, token: Path) -> None:
    text = fetch(f"{web.address}/job.yaml", (("ref", "a b&c"), ("x", "")), str(token))
    assert text.encode() == JOB
    assert web.asked == [("/job.yaml?ref=a+b%26c&x=", "Bearer sesame")]


@pytest.mark.parametrize(
    ("path", "query", "asked"),
    [("/a?b=1", (("c", "2"),), "/a?b=1&c=2"), ("/a?b=1", (), "/a?b=1"), ("/a#x", (), "/a")],
)
def test_parameters_join_those_of_the_address(
    web: Web, path: str, query: tuple[tuple[str, str], ...], asked: str
) -> None:
    fetch(web.address + path, query)
    assert web.asked == [(asked, None)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(web: Web, token: Path, status: int) -> None:
    web.answer = give(b"", status, location=f"{web.address}/elsewhere")
    with pytest.raises(ManifestError, match=f"answers {status}, a redirect"):
        fetch(f"{web.address}/job.yaml", (), str(token))
    assert [path for path, _ in web.asked] == ["/job.yaml"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "--token-file"),
        (403, "--token-file"),
        (404, "mend the address or --query"),
        (500, "500"),
    ],
)
def test_a_refusal_is_told(web: Web, status: int, words: str) -> None:
    web.answer = give(b"secret words of the server", status)
    with pytest.raises(ManifestError, match=words) as caught:
        fetch(f"{web.address}/job.yaml")
    assert "secret" not in str(caught.value)


def test_the_largest_manifest_is_taken(web: Web) -> None:
    web.answer = give(b"x" * MAX_SIZE)
    assert len(fetch(f"{web.address}/job.yaml")) == MAX_SIZE


def test_a_larger_one_is_not(web: Web) -> None:
    web.answer = give(b"x" * (MAX_SIZE + 1))
    with pytest.raises(ManifestError, match="larger than 1 MiB"):
        fetch(f"{web.address}/job.yaml")


def test_what_never_ends_is_left_at_the_bound(web: Web) -> None:
    def flood(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"x" * 65536)

    web.answer = flood
    with pytest.raises(ManifestError, match="larger than 1 MiB"):
        fetch(f"{web.address}/job.yaml")


def test_a_server_that_dawdles_is_not_waited_for(web: Web) -> None:
    enough = threading.Event()

    def dawdle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not enough.wait(0.05):
            request.wfile.write(b"#")

    web.answer = dawdle
    with pytest.raises(ManifestError, match="not whole after"):
        fetch(f"{web.address}/job.yaml", timeout=0.5)
    enough.set()


def test_an_answer_that_is_no_text_is_refused(web: Web) -> None:
    web.answer = give(b"a: \xff")
    with pytest.raises(ManifestError, match="not UTF-8 at byte 3"):
        fetch(f"{web.address}/job.yaml")


def test_a_body_that_is_cut_is_refused(web: Web) -> None:
    web.answer = give(b"a: 1\n", length=100)
    with pytest.raises(ManifestError, match="cannot be fetched: the connection broke"):
        fetch(f"{web.address}/job.yaml")


def test_a_certificate_that_nobody_vouches_for_is_refused(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ManifestError, match="certificate is not trusted"):
        fetch(f"{web.address}/job.yaml")
    assert web.asked == []


def test_nobody_there_is_told() -> None:
    with pytest.raises(ManifestError, match="cannot be fetched: "):
        fetch("https://127.0.0.1:9/job.yaml")


def test_a_server_that_is_mute_is_not_waited_for(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    enough = threading.Event()
    monkeypatch.setattr(remote, "READ_TIMEOUT", 0.2)
    web.answer = lambda _: (enough.wait(60), None)[1]
    with pytest.raises(ManifestError, match="cannot be fetched: no answer within"):
        fetch(f"{web.address}/job.yaml")
    enough.set()


def test_a_server_that_speaks_no_http_is_told_without_its_words(web: Web) -> None:
    def babble(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"sesame\r\n\r\n")

    web.answer = babble
    with pytest.raises(ManifestError, match="cannot be fetched: BadStatusLine") as caught:
        fetch(f"{web.address}/job.yaml")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1/job.yaml?key=sesame", "by https only"),
        ("ftp://127.0.0.1/job.yaml", "by https only"),
        ("https:///job.yaml", "no address"),
        ("https://127.0.0.1:x/job.yaml", "no address"),
        ("https://127.0.0.1/job yaml", "no address"),
        ("https://127.0.0.1/jöb.yaml?key=sesame", "no address"),
        ("https://me:sesame@127.0.0.1/job.yaml", "no user or password"),
    ],
)
def test_an_address_that_will_not_do_is_refused(address: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        fetch(address)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "two words", "ünicode", None])
def test_a_token_file_without_a_token_is_refused(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match="--token-file") as caught:
        fetch("https://127.0.0.1:9/job.yaml", (), str(path))
    assert not content or content not in str(caught.value)


@pytest.mark.parametrize("status", [200, 403])
def test_no_secret_is_in_what_a_launch_prints(
    web: Web, token: Path, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    web.answer = give(JOB, status)
    code = cli.main(
        ["-y", f"{web.address}/job.yaml?signature=sesame", "--query", "password=sesame",
         "--token-file", str(token), "--param", "DAY=monday", "--dry-run", "client"]
    )  # fmt: skip
    out, err = capsys.readouterr()
    assert "sesame" not in out + err
    assert code == (Exit.SUCCEEDED if status == 200 else Exit.MANIFEST)
    assert ("monday" in out) is (status == 200)
    assert len(err.splitlines()) == (0 if status == 200 else 1)


@pytest.mark.parametrize("name", ["password", "ref", "sig"])
def test_the_options_in_effect_tell_no_value_that_is_sent_for_a_manifest(name: str) -> None:
    line = ["-y", "https://me:ses/ame@host/job.yaml?key=sesame", "--query", f"{name}=sesame"]
    options = parse([*line, "--param", "DAY=monday"])
    assert isinstance(options, Options)
    told = in_effect(JobRequest("hello", "here", {}, (), "manifest"), options)
    assert told == (
        "Options in effect: jobname=hello namespace=here manifest=https://****@host/job.yaml "
        f"DAY=monday {name}=****"
    )


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://me:ses/ame@host/x", "https://****@host/x"),
        ("https://me:sesame@host:8443/x", "https://****@host:8443/x"),
        ("https://me:ses?ame@host/x", "https://****"),
        ("https://me:ses#ame@host/x", "https://****"),
        ("https://host/x?mail=sesame@host", "https://host/x"),
        ("https://host:8443/x", "https://host:8443/x"),
        ("https://host:8443", "https://host:8443"),
        ("https://[::1]:8443/a:b", "https://[::1]:8443/a:b"),
        ("https://host/a:b", "https://host/a:b"),
    ],
)
def test_a_password_in_an_address_is_never_shown(address: str, told: str) -> None:
    assert shown(address) == told
    if "****" in told:
        with pytest.raises(UsageError) as caught:
            fetch(address)
        assert not re.search("ses|ame@", str(caught.value))


def test_a_query_that_is_no_pair_is_refused_unseen() -> None:
    with pytest.raises(UsageError, match="--query takes NAME=VALUE") as caught:
        parse(["--query", "sesame"])
    assert "sesame" not in str(caught.value)


def test_an_address_is_told_without_its_query(web: Web) -> None:
    web.answer = give(b"- no object\n")
    options = parse(["-y", f"{web.address}/job.yaml?signature=sesame"])
    assert isinstance(options, Options)
    with pytest.raises(LaunchError) as caught:
        plan(options, lambda name: name, fetch)
    assert re.match(rf"{re.escape(web.address)}/job\.yaml, line 1: ", str(caught.value))
