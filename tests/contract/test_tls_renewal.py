"""Certificates that are replaced while a Job runs: the server's, its authority's, the client's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from runjob import api, connections
from runjob.errors import NoClusterError
from runjob.login import Access, Login, login
from runjob.options import Connection
from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Refuse, Reset
from tests.contract.launches import Launcher, Run, sh, wait_until
from tests.contract.targets import wants_real

pytestmark = pytest.mark.skipif(wants_real(), reason="only the embedded cluster breaks on demand")

# More often than a launcher reads its files that tries once or twice.
IN_VAIN = 4
# How a folder names the embedded cluster's authority: by the hash of its subject.
HASHED = "c3b9e05b.0"
LOG = b"".join(b"%d\n" % number for number in range(1, 601))


class Play:
    """A launch with files of its own that lead to the API: they stay until the test replaces them.

    They lie as in a pod: token and ca.crt; beside them lie kubeconfigs that name them.
    """

    def __init__(self, sandbox: Sandbox, folder: Path, launch: Launcher, name: str) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self._launch = launch
        self._name = name
        self._reads = 0
        self.replace_all()
        token = {"tokenFile": str(folder / "token")}
        self._write("names-files", token)
        self._write("names-no-authority", token, authority=False)
        client = {
            "client-certificate": str(folder / "client.crt"),
            "client-key": str(folder / "client.key"),
        }
        self._write("client", client)

    def _write(self, kubeconfig: str, user: dict[str, str], *, authority: bool = True) -> None:
        here = {"server": self.sandbox.url}
        if authority:
            here["certificate-authority"] = str(self.folder / "ca.crt")
        body = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": here}],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "current-context": "here",
        }
        (self.folder / kubeconfig).write_text(json.dumps(body))

    def replace_all(self) -> None:
        """Write the token and the authority that count now, beside and into a kubeconfig."""
        self.sandbox.namespace_files(self.folder)
        shutil.copy(self.sandbox.kubeconfig, self.folder / "holds-data")

    def login(self, asked: Connection) -> Login:
        """Log in as the launcher does, and count how often it reads its files."""
        read = login(asked, str(self.folder))

        def counted() -> Access:
            self._reads += 1
            return read()

        return counted

    def read_in_vain(self) -> None:
        """Wait until the launcher has read its files so often more, which did not help."""
        enough = self._reads + IN_VAIN
        wait_until(lambda: self._reads >= enough, "files that are read in vain")

    def run(self, kubeconfig: str, mishap: Callable[[], object]) -> Run:
        """Launch, and have the mishap in the middle of the log; no kubeconfig means in a pod."""
        over = self.folder / "over"

        def meanwhile() -> None:
            wait_until(
                lambda: any(each.path.endswith("/log") for each in self.sandbox.requests), "its log"
            )
            mishap()
            over.touch()

        script = f"seq 1 300; until [ -e {over} ]; do sleep 0.05; done; seq 301 600"
        return self.start(kubeconfig, script, meanwhile)

    def start(
        self, kubeconfig: str, script: str, meanwhile: Callable[[], object] | None = None
    ) -> Run:
        """Launch, with something meanwhile."""
        where = ("--kubeconfig", str(self.folder / kubeconfig)) if kubeconfig else ()
        self._launch.common = ("-n", "controlm", "--api-timeout", "60", *where)
        return self._launch("-j", self._name, *sh(script), meanwhile=meanwhile)


@pytest.fixture
def play(
    launch: Launcher, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Play]:
    with Sandbox() as sandbox:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(sandbox.port))
        made = Play(sandbox, tmp_path / "account", launch, name)
        monkeypatch.setattr(api, "login", made.login)
        yield made


by_a_token = pytest.mark.parametrize(
    "kubeconfig",
    [
        pytest.param("", id="in a pod"),
        pytest.param("names-files", id="by files that a kubeconfig names"),
        pytest.param("holds-data", id="by a kubeconfig that holds all"),
    ],
)


@by_a_token
def test_another_certificate_of_the_same_authority_is_not_even_told_of(
    play: Play, kubeconfig: str
) -> None:
    """A launcher that pins the certificate that it saw first never comes back."""
    run = play.run(kubeconfig, play.sandbox.renew_certificate)
    assert (run.code, run.log) == (0, LOG)
    assert "not trusted" not in run.err


@by_a_token
def test_another_authority_is_believed_as_soon_as_its_file_lies_there(
    play: Play, kubeconfig: str
) -> None:
    """A launcher that loads its authority once, or gives up at it, never comes back."""

    def rotate() -> None:
        play.sandbox.rotate_authority()
        play.read_in_vain()
        play.replace_all()

    run = play.run(kubeconfig, rotate)
    assert (run.code, run.log) == (0, LOG)


def test_in_a_pod_the_token_may_be_replaced_after_the_authority(play: Play) -> None:
    """A launcher that takes the new authority's first 401 for the last word ends too early."""

    def rotate() -> None:
        play.sandbox.rotate_authority()
        play.sandbox.rotate_token()
        play.read_in_vain()
        shutil.copy(play.sandbox.ca_file, play.folder)
        play.read_in_vain()
        play.replace_all()

    run = play.run("", rotate)
    assert (run.code, run.log) == (0, LOG)
    assert any(each.status == 401 for each in play.sandbox.requests)


@pytest.mark.parametrize("authority", [False, True], ids=["answered 401", "no handshake"])
def test_a_client_certificate_that_is_refused_is_read_anew(play: Play, authority: bool) -> None:
    """Its two files are replaced one after the other, so that for a while they do not fit.

    A server may refuse a certificate by hanging up: a launcher that blames the network never reads
    the new one.
    """
    new = play.folder.with_name("new")
    new.mkdir()
    play.sandbox.client_files(play.folder)

    def replace() -> None:
        if authority:
            play.sandbox.rotate_authority()
            play.sandbox.namespace_files(play.folder)
        play.sandbox.client_files(new)
        play.sandbox.renew_certificate()
        play.read_in_vain()
        shutil.copy(new / "client.crt", play.folder)
        play.read_in_vain()
        shutil.copy(new / "client.key", play.folder)

    run = play.run("client", replace)
    assert (run.code, run.log) == (0, LOG)


def test_a_create_whose_answer_is_lost_is_in_doubt_though_the_certificate_cannot_be_read_anew(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launcher that tells of its files alone ends with 9, and leaves the Job that it made."""
    play.sandbox.client_files(play.folder)
    play.sandbox.inject(Fault(Reset(done=True), verb="create", resource="jobs", times=1))

    def torn(asked: Connection) -> Login:
        read, reads = play.login(asked), count()

        def access() -> Access:
            if next(reads) == 1:
                raise NoClusterError("a certificate and its key do not fit")
            return read()

        return access

    monkeypatch.setattr(api, "login", torn)
    run = play.run("client", lambda: None)
    assert (run.code, run.log) == (0, LOG)


Acts = dict[int, Callable[[], object]]


@pytest.fixture
def before_opening(monkeypatch: pytest.MonkeyPatch) -> Acts:
    """Do something before a connection of that number is opened."""
    acts: Acts = {}
    real, numbers = connections.opened, count(1)

    def opened(*args: Any) -> Any:
        acts.pop(next(numbers), lambda: None)()
        return real(*args)

    monkeypatch.setattr("runjob.cluster.opened", opened)
    return acts


@by_a_token
def test_another_authority_whose_file_lies_there_is_believed_before_a_job_stands(
    play: Play, kubeconfig: str, before_opening: Acts
) -> None:
    """A launcher that has read its files before an absence of the API ends with 9 after it."""

    def rotate() -> None:
        play.sandbox.rotate_authority()
        play.replace_all()

    before_opening[1] = rotate
    run = play.start(kubeconfig, "echo up")
    assert (run.code, run.log) == (0, b"up\n")


@by_a_token
def test_the_file_of_another_authority_is_waited_for_where_one_was_trusted(
    play: Play, kubeconfig: str, before_opening: Acts
) -> None:
    """A launcher that takes the first word for the last ends with 9 before its Job stands."""
    play.sandbox.inject(Fault(Refuse(503), verb="create", resource="jobs", times=1))
    before_opening[2] = play.sandbox.rotate_authority
    before_opening[4] = play.replace_all
    run = play.start(kubeconfig, "echo up")
    assert (run.code, run.log) == (0, b"up\n")
    assert not before_opening


@by_a_token
def test_an_authority_that_is_wrong_from_the_start_ends_the_launch_at_once(
    play: Play, kubeconfig: str, before_opening: Acts
) -> None:
    """A launcher that hopes for another file keeps a scheduler waiting for a wrong one."""
    play.sandbox.rotate_authority()
    before_opening[2] = play.replace_all
    run = play.start(kubeconfig, "echo up")
    assert run.code == 9
    assert "its certificate is not trusted" in run.text
    assert before_opening


@pytest.mark.parametrize("wrong", [False, True], ids=["the right one", "a wrong one"])
def test_an_authority_in_a_folder_of_them_is_believed_or_ends_the_launch_at_once(
    play: Play, monkeypatch: pytest.MonkeyPatch, before_opening: Acts, wrong: bool
) -> None:
    """A folder tells only those that a handshake asked for: each look seems to find others."""
    folder = play.folder / "certs"
    folder.mkdir()

    def trust() -> None:
        shutil.copy(play.sandbox.ca_file, folder / HASHED)

    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "none"))
    trust()
    if wrong:
        play.sandbox.rotate_authority()
        before_opening[2] = trust
    run = play.start("names-no-authority", "echo up")
    assert run.code == (9 if wrong else 0)
    assert ("its certificate is not trusted" in run.text) is bool(before_opening) is wrong
