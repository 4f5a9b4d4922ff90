"""The certificate, as TLS libraries judge it."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from runjob.sandbox.certificate import G, N, add, make_certificate, multiply


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    made = make_certificate()
    (folder / "ca").write_text(made.certificate)
    (folder / "key").write_text(made.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "ca", folder / "key")
    client = ssl.create_default_context(cafile=str(folder / "ca"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    return server, client


def handshake(folder: Path, name: str) -> str | None:
    server, client = contexts(folder)
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(there, server_side=True).close()
        except ssl.SSLError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=name) as wrapped:
            return wrapped.version()
    finally:
        here.close()
        thread.join(10)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_strict_client_accepts_the_certificate_for_this_machine(
    tmp_path: Path, name: str
) -> None:
    assert handshake(tmp_path, name) == "TLSv1.3"


def test_a_client_refuses_it_for_another_name(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(tmp_path, "example.org")


def test_two_certificates_have_nothing_in_common() -> None:
    first, second = make_certificate(), make_certificate()
    assert first.key != second.key
    assert first.certificate != second.certificate


def test_the_group_has_the_order_that_the_standard_gives() -> None:
    assert multiply(N, G) is None
    assert multiply(N + 1, G) == G


def test_addition_obeys_the_laws_of_a_group() -> None:
    double, triple = multiply(2, G), multiply(3, G)
    assert add(G, None) == G
    assert add(None, G) == G
    assert add(double, G) == add(G, double) == triple
    assert add(G, multiply(N - 1, G)) is None
