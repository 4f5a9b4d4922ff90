"""A connection leads where the login says, and through the proxy that it names."""

from __future__ import annotations

import pytest

from runjob.connections import route_to
from runjob.errors import NoClusterError
from runjob.login import Access


def access(host: str, proxy: str | None = None) -> Access:
    return Access(host=host, headers=dict, proxy=proxy)


@pytest.mark.parametrize(
    ("address", "host", "port", "path"),
    [
        pytest.param("https://10.0.0.1:6443", "10.0.0.1", 6443, "", id="host and port"),
        pytest.param("https://api.example", "api.example", 443, "", id="https"),
        pytest.param("http://api.example", "api.example", 80, "", id="http"),
        pytest.param("https://[::1]:6443", "::1", 6443, "", id="IPv6"),
        pytest.param("https://host/k8s/one", "host", 443, "/k8s/one", id="a path"),
    ],
)
def test_a_route_is_read_from_an_address(address: str, host: str, port: int, path: str) -> None:
    route = route_to(access(address))
    assert (route.host, route.port, route.path) == (host, port, path)
    assert (route.tls is None) == address.startswith("http:")
    connection = route.connection()
    assert (connection.host, connection.port) == (host, port)


@pytest.mark.parametrize(
    "address", ["", "host:6443", "ftp://host", "https://host:0", "https://h:p"]
)
def test_what_is_no_address_leads_nowhere(address: str) -> None:
    with pytest.raises(NoClusterError, match="is no address such as https"):
        route_to(access(address))


@pytest.mark.parametrize(
    ("proxy", "at"),
    [
        pytest.param("http://proxy:8080", ("proxy", 8080), id="an address"),
        pytest.param("proxy:8080", ("proxy", 8080), id="host and port"),
        pytest.param("http://proxy", ("proxy", 3128), id="no port"),
    ],
)
def test_a_proxy_is_spoken_to_in_the_hosts_place(proxy: str, at: tuple[str, int]) -> None:
    connection = route_to(access("https://10.0.0.1:6443", proxy)).connection()
    assert (connection.host, connection.port) == at


@pytest.mark.parametrize("proxy", ["http://user:secret@proxy:port", "http://:8080", "proxy:0"])
def test_a_proxy_that_is_no_address_is_refused_before_anything_is_asked(proxy: str) -> None:
    with pytest.raises(NoClusterError, match="HTTPS_PROXY") as caught:
        route_to(access("https://10.0.0.1:6443", proxy))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("s3cr3t\n", id="the line end of a YAML block"),
        pytest.param("one\ns3cr3t", id="two lines"),
        pytest.param("s3cr3t\r", id="a file of Windows"),
        pytest.param("s3cr3t\u00e9", id="no ASCII"),
        pytest.param("s3cr3t\0", id="a control character"),
    ],
)
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(token: str) -> None:
    """The standard library's error has it in full."""
    letting = Access(
        host="https://10.0.0.1:6443", headers=lambda: {"Authorization": f"Bearer {token}"}
    )
    with pytest.raises(NoClusterError, match="must be one line of ASCII") as caught:
        route_to(letting).headers()
    assert "s3cr3t" not in str(caught.value)


def test_the_headers_are_those_of_the_login() -> None:
    given = {"Authorization": "Bearer abc.def-ghi"}
    assert route_to(Access(host="https://10.0.0.1:6443", headers=lambda: given)).headers() == given
