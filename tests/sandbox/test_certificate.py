"""The certificates, as TLS libraries judge them."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from runjob.sandbox.certificate import Authority, Certificate, G, N, add, multiply


def files(folder: Path, made: Certificate) -> tuple[Path, Path]:
    certificate, key = folder / f"{made.serial}.crt", folder / f"{made.serial}.key"
    certificate.write_text(made.certificate)
    key.write_text(made.key)
    return certificate, key


def contexts(folder: Path, authority: Authority) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server and a client of that authority need."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*files(folder, authority.server()))
    server.load_verify_locations(cadata=authority.certificate)
    server.verify_mode = ssl.CERT_OPTIONAL
    client = ssl.create_default_context(cadata=authority.certificate)
    for each in (server, client):
        each.verify_flags |= ssl.VERIFY_X509_STRICT
    return server, client


def handshake(
    server: ssl.SSLContext, client: ssl.SSLContext, name: str = "localhost"
) -> tuple[str | None, list[object]]:
    """Return the protocol, and what the server knows of the client or why it refused it."""
    here, there = socket.socketpair()
    seen: list[object] = []

    def serve() -> None:
        with there:
            try:
                with server.wrap_socket(there, server_side=True) as wrapped:
                    seen.append(wrapped.getpeercert())
            except ssl.SSLError as error:
                seen.append(error.reason)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=name) as wrapped:
            return wrapped.version(), seen
    finally:
        here.close()
        thread.join(10)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_strict_client_accepts_the_certificate_for_this_machine(
    tmp_path: Path, name: str
) -> None:
    assert handshake(*contexts(tmp_path, Authority()), name) == ("TLSv1.3", [None])


def test_a_client_refuses_it_for_another_name(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(*contexts(tmp_path, Authority()), "example.org")


def test_a_client_refuses_what_another_authority_signed(tmp_path: Path) -> None:
    server, _ = contexts(tmp_path, Authority())
    _, client = contexts(tmp_path, Authority())
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self.signed certificate"):
        handshake(server, client)


def test_a_strict_server_knows_a_client_by_its_certificate(tmp_path: Path) -> None:
    authority = Authority()
    made = authority.client("ann")
    server, client = contexts(tmp_path, authority)
    client.load_cert_chain(*files(tmp_path, made))
    _, (seen,) = handshake(server, client)
    assert isinstance(seen, dict)
    assert seen["subject"] == ((("commonName", "ann"),),)
    assert int(seen["serialNumber"], 16) == made.serial


def test_a_server_refuses_a_client_of_another_authority(tmp_path: Path) -> None:
    server, client = contexts(tmp_path, Authority())
    client.load_cert_chain(*files(tmp_path, Authority().client("eve")))
    _, seen = handshake(server, client)
    assert seen == ["CERTIFICATE_VERIFY_FAILED"]


def test_two_certificates_have_nothing_in_common() -> None:
    authority = Authority()
    first, second = authority.server(), authority.server()
    assert first.key != second.key
    assert first.certificate != second.certificate
    assert first.serial != second.serial


def test_the_group_has_the_order_that_the_standard_gives() -> None:
    assert multiply(N, G) is None
    assert multiply(N + 1, G) == G


def test_addition_obeys_the_laws_of_a_group() -> None:
    double, triple = multiply(2, G), multiply(3, G)
    assert add(G, None) == G
    assert add(None, G) == G
    assert add(double, G) == add(G, double) == triple
    assert add(G, multiply(N - 1, G)) is None
