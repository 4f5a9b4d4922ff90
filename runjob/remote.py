"""Fetch a manifest from an https address."""

from __future__ import annotations

import queue
import re
import ssl
import threading
from http.client import HTTPException
from typing import IO, Any
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit

from runjob.errors import LaunchError, ManifestError, UsageError
from runjob.options import Pairs
from runjob.plan import shown
from runjob.request import MAX_SIZE
from runjob.version import VERSION

# Bytes.
MAX_TOKEN = 1 << 16
# Seconds for the whole of it, and for each byte.
TIMEOUT = 30.0
READ_TIMEOUT = 10.0


def fetch(
    address: str, query: Pairs = (), token_file: str | None = None, timeout: float = TIMEOUT
) -> str:
    """Return the text at an https address, asked for with query and the token in token_file.

    A redirect is not followed: the token is for this address alone. The machine's certificates
    count, or those of SSL_CERT_FILE, and its https_proxy. Raises UsageError or ManifestError in one
    line, without the query or the token.
    """
    named = shown(address)
    _check(address, named)
    wanted = request.Request(_with_query(address, query), headers=_HEADERS)
    if token_file is not None:
        wanted.add_unredirected_header("Authorization", f"Bearer {_token(token_file)}")
    # In a thread, since a server that sends a byte now and then would never run into a time-out.
    answer: queue.SimpleQueue[bytes | LaunchError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(_ask(wanted, named))
        except LaunchError as error:
            answer.put(error)

    threading.Thread(target=ask, name="fetch", daemon=True).start()
    try:
        found = answer.get(timeout=timeout)
    except queue.Empty:
        raise ManifestError(f"{named}: the answer was not whole after {timeout:.0f} s") from None
    if isinstance(found, LaunchError):
        raise found
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{named} is not UTF-8 at byte {error.start}") from error


_HEADERS = {"User-Agent": f"runjob/{VERSION}", "Accept": "application/yaml, text/yaml, */*"}


def _check(address: str, named: str) -> None:
    try:
        parts = urlsplit(address)
        good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"[^\x21-\x7e]", address):
        raise UsageError(f"-y {named!r:.200} is no address such as https://host/job.yaml")
    if parts.scheme.lower() != "https":
        raise UsageError(f"-y {named}: a manifest is fetched by https only")
    if "@" in parts.netloc:
        raise UsageError(f"-y {named}: no user or password in an address; use --token-file")


def _with_query(address: str, query: Pairs) -> str:
    address = address.partition("#")[0]
    if not query:
        return address
    return address + ("&" if "?" in address else "?") + urlencode(query)


def _token(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            token = file.read(MAX_TOKEN).strip()
    except OSError as error:
        raise UsageError(f"--token-file {path}: {error.strerror}") from error
    except ValueError:
        token = ""
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise UsageError(f"--token-file {path} holds no token: one word of ASCII is expected")
    return token


class _NoRedirect(request.HTTPRedirectHandler):
    """Takes a redirect for the error that it is here."""

    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Follow none."""


def _ask(wanted: request.Request, named: str) -> bytes:
    try:
        context = ssl.create_default_context()
        opener = request.build_opener(request.HTTPSHandler(context=context), _NoRedirect)
        with opener.open(wanted, timeout=READ_TIMEOUT) as answer:
            data: bytes = answer.read(MAX_SIZE + 1)
            cut = bool(answer.length)  # read says nothing of what it missed
    except HTTPError as error:
        error.close()
        raise ManifestError(f"{named} cannot be fetched: {_refusal(error.code)}") from None
    except (HTTPException, OSError, ValueError) as error:
        raise ManifestError(f"{named} cannot be fetched: {_words(error)}") from None
    if len(data) > MAX_SIZE:
        raise ManifestError(f"{named} is larger than {MAX_SIZE >> 20} MiB, so it is no manifest")
    if cut:
        raise ManifestError(f"{named} cannot be fetched: the connection broke before its end")
    return data


def _refusal(code: int) -> str:
    if 300 <= code < 400:
        return f"it answers {code}, a redirect, which is not followed; name the last address"
    token = "; is --token-file right?"
    # Hosts of repositories hide what a caller may not see.
    missing = "; mend the address or --query; some hosts answer so without a --token-file"
    hints = {401: token, 403: token, 404: missing}
    return f"it answers {code}{hints.get(code, '')}"


def _words(error: Exception) -> str:
    """Say what went wrong, never with what was sent."""
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({reason.verify_message}); SSL_CERT_FILE can name "
            "the authority's"
        )
    if isinstance(reason, TimeoutError):
        return f"no answer within {READ_TIMEOUT:.0f} s"
    if isinstance(reason, OSError):
        return reason.strerror or type(reason).__name__
    return type(reason).__name__
