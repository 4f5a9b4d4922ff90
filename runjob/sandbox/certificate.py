"""An authority, and the certificates that it signs for servers on this machine and their clients.

P-256 and ECDSA as in FIPS 186-5, encoded as in RFC 5280 and RFC 5915. The arithmetic is not
hardened against timing: the keys live as long as one sandbox and guard nothing but it.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

Point = tuple[int, int] | None

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
A = P - 3
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G: Point = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

EC_PUBLIC_KEY = (1, 2, 840, 10045, 2, 1)
PRIME256V1 = (1, 2, 840, 10045, 3, 1, 7)
ECDSA_SHA256 = (1, 2, 840, 10045, 4, 3, 2)
COMMON_NAME = (2, 5, 4, 3)
SERVER_AUTH = (1, 3, 6, 1, 5, 5, 7, 3, 1)
CLIENT_AUTH = (1, 3, 6, 1, 5, 5, 7, 3, 2)
SUBJECT_KEY_ID, KEY_USAGE, ALT_NAME, CONSTRAINTS, AUTHORITY_KEY_ID, EXTENDED_USAGE = (
    (2, 5, 29, last) for last in (14, 15, 17, 19, 35, 37)
)
AUTHORITY = "runjob-sandbox-ca"
BACKDATE = 3600
LIFETIME = 30 * 86400


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, both PEM, and its serial number."""

    certificate: str
    key: str
    serial: int


class Authority:
    """Signs with a key of its own; whoever trusts its certificate (PEM) trusts what it signed."""

    def __init__(self) -> None:
        self._secret, self._public = _new_key()
        # keyCertSign: it signs certificates, and nothing else.
        extensions = (
            _extension(CONSTRAINTS, _sequence(_tagged(0x01, b"\xff")), critical=True),
            _extension(KEY_USAGE, _tagged(0x03, b"\x02\x04"), critical=True),
        )
        self.certificate, _ = self._signed(AUTHORITY, self._public, extensions)

    def server(self, names: Iterable[str] = ("localhost", "127.0.0.1")) -> Certificate:
        """Make a key and a certificate for a server of those names and addresses."""
        alternatives = _extension(ALT_NAME, _sequence(*map(_alternative, names)))
        return self._issue("runjob-sandbox", SERVER_AUTH, alternatives)

    def client(self, user: str) -> Certificate:
        """Make a key and a certificate by which a server knows that user."""
        return self._issue(user, CLIENT_AUTH)

    def _issue(self, name: str, usage: tuple[int, ...], *more: bytes) -> Certificate:
        secret, public = _new_key()
        # digitalSignature: it signs handshakes.
        extensions = (
            _extension(KEY_USAGE, _tagged(0x03, b"\x07\x80"), critical=True),
            _extension(EXTENDED_USAGE, _sequence(_oid(usage))),
            *more,
        )
        certificate, serial = self._signed(name, public, extensions)
        key = _sequence(
            _integer(1),
            _tagged(0x04, secret.to_bytes(32, "big")),
            _tagged(0xA0, _oid(PRIME256V1)),
            _tagged(0xA1, _bits(public)),
        )
        return Certificate(certificate, _pem("EC PRIVATE KEY", key), serial)

    def _signed(self, name: str, public: bytes, extensions: tuple[bytes, ...]) -> tuple[str, int]:
        """Return a certificate for the next 30 days, and its serial number."""
        now, serial = time.time(), secrets.randbits(127) | 1
        body = _sequence(
            _tagged(0xA0, _integer(2)),
            _integer(serial),
            _sequence(_oid(ECDSA_SHA256)),
            _name(AUTHORITY),
            _sequence(_time(now - BACKDATE), _time(now + LIFETIME)),
            _name(name),
            _sequence(_sequence(_oid(EC_PUBLIC_KEY), _oid(PRIME256V1)), _bits(public)),
            _tagged(
                0xA3,
                _sequence(
                    *extensions,
                    _extension(SUBJECT_KEY_ID, _tagged(0x04, _identifier(public))),
                    _extension(
                        AUTHORITY_KEY_ID, _sequence(_tagged(0x80, _identifier(self._public)))
                    ),
                ),
            ),
        )
        signature = _bits(_sign(self._secret, body))
        return _pem(
            "CERTIFICATE", _sequence(body, _sequence(_oid(ECDSA_SHA256)), signature)
        ), serial


def _new_key() -> tuple[int, bytes]:
    secret = secrets.randbelow(N - 1) + 1
    return secret, _point_bytes(multiply(secret, G))


def _identifier(public: bytes) -> bytes:
    return hashlib.sha1(public, usedforsecurity=False).digest()


def _name(common: str) -> bytes:
    return _sequence(_tagged(0x31, _sequence(_oid(COMMON_NAME), _text(common))))


def _sign(secret: int, message: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    while True:
        nonce = secrets.randbelow(N - 1) + 1
        point = multiply(nonce, G)
        r = (point[0] if point else 0) % N
        s = pow(nonce, -1, N) * (digest + r * secret) % N
        if r and s:
            return _sequence(_integer(r), _integer(s))


def add(first: Point, second: Point) -> Point:
    """Add two points of the curve; None is the point at infinity."""
    if first is None or second is None:
        return first or second
    (x1, y1), (x2, y2) = first, second
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    if first == second:
        slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def multiply(factor: int, point: Point) -> Point:
    """Add a point to itself that many times."""
    result: Point = None
    while factor:
        if factor & 1:
            result = add(result, point)
        point = add(point, point)
        factor >>= 1
    return result


def _point_bytes(point: Point) -> bytes:
    x, y = point or (0, 0)
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _integer(value: int) -> bytes:
    return _tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _tagged(0x03, b"\x00" + content)


def _text(value: str) -> bytes:
    return _tagged(0x0C, value.encode())


def _time(seconds: float) -> bytes:
    return _tagged(0x17, time.strftime("%y%m%d%H%M%SZ", time.gmtime(seconds)).encode())


def _oid(arcs: tuple[int, ...]) -> bytes:
    content = bytearray((arcs[0] * 40 + arcs[1],))
    for arc in arcs[2:]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        content.extend(reversed(groups))
    return _tagged(0x06, bytes(content))


def _extension(oid: tuple[int, ...], value: bytes, critical: bool = False) -> bytes:
    flag = _tagged(0x01, b"\xff") if critical else b""
    return _sequence(_oid(oid), flag, _tagged(0x04, value))


def _alternative(name: str) -> bytes:
    try:
        return _tagged(0x87, ipaddress.ip_address(name).packed)
    except ValueError:
        return _tagged(0x82, name.encode())


def _pem(label: str, content: bytes) -> str:
    text = base64.encodebytes(content).decode()
    lines = "".join(text.split())
    wrapped = "\n".join(lines[i : i + 64] for i in range(0, len(lines), 64))
    return f"-----BEGIN {label}-----\n{wrapped}\n-----END {label}-----\n"
