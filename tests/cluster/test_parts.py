"""The parts of the test cluster that can be tested without one."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import pytest

from tests.cluster import build, controls, dns, nodelogs, oci, registry
from tests.cluster.layout import Layout, layout_from
from tests.cluster.programs import CONTAINERD, KUBERNETES
from tests.cluster.services import services

_NO_SUCH_NAME = 3


def query(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)


@pytest.mark.parametrize("name", ["kubernetes.default.svc", "KUBERNETES.default.svc.cluster.local"])
def test_the_name_of_the_api_server_has_its_address(name: str) -> None:
    reply = dns.reply(query(name), dns.names_of("10.96.0.1"))
    assert reply[:2] == b"\0\7"
    assert reply.endswith(bytes([10, 96, 0, 1]))


def test_the_api_server_has_no_other_kind_of_address() -> None:
    reply = dns.reply(query("kubernetes.default.svc", kind=28), dns.names_of("10.96.0.1"))
    assert (reply[3] & 15, reply[6:8]) == (0, b"\0\0")


def test_no_other_name_exists() -> None:
    reply = dns.reply(query("registry.invalid"), dns.names_of("10.96.0.1"))
    assert reply[3] & 15 == _NO_SUCH_NAME


def test_the_same_image_has_the_same_bytes() -> None:
    image = oci.Image("docker.io/library/x:1", ("sh",), files={"etc/b": b"b", "bin/a": b"a"})
    assert oci.pack(image) == oci.pack(image)


def test_a_layer_holds_files_links_and_folders(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr" / "found").write_bytes(b"found")
    image = oci.Image("x", (), files={"etc/b": b"b"}, links={"bin/l": "b"}, folders=(tmp_path,))
    largest = max(oci.pack(image).blobs.values(), key=len)
    with tarfile.open(fileobj=io.BytesIO(largest)) as layer:
        kinds = {entry.name: entry.type for entry in layer}
    assert kinds["etc/b"] == kinds["usr/found"] == tarfile.REGTYPE
    assert (kinds["usr"], kinds["bin/l"]) == (tarfile.DIRTYPE, tarfile.SYMTYPE)


@pytest.mark.parametrize(
    ("name", "kind", "seconds"),
    [
        pytest.param("slow", "slow", 20.0, id="slow for the usual time"),
        pytest.param("flaky-3", "flaky", 3.0, id="flaky for a chosen time"),
        pytest.param("flaky-3", "slow", None, id="not slow"),
        pytest.param("busybox", "slow", None, id="of no kind"),
    ],
)
def test_a_repository_s_name_tells_its_time(name: str, kind: str, seconds: float | None) -> None:
    assert registry.seconds_of(name, kind) == seconds


def test_programs_get_the_names_that_the_daemons_are_started_by(tmp_path: Path) -> None:
    built = {name for source in (KUBERNETES, CONTAINERD) for name, _ in source.programs}
    started = {Path(service.command[0]) for service in services(Layout(tmp_path)).values()}
    ours = {path.name for path in started if path.parent == Layout(tmp_path).programs}
    assert ours <= built


@pytest.mark.parametrize(
    ("package", "name"),
    [("k8s.io/kubernetes/cmd/kubelet", "kubelet"), ("go.etcd.io/etcd/server/v3", "server")],
)
def test_go_names_a_program_by_its_folder(package: str, name: str) -> None:
    assert build.built_as(package) == name


def test_the_cache_is_where_the_environment_says(tmp_path: Path) -> None:
    other = {"XDG_CACHE_HOME": "/elsewhere"}
    assert layout_from({"RUNJOB_CACHE": str(tmp_path), **other}).cache == tmp_path
    assert layout_from(other).cache == Path("/elsewhere/runjob")


def test_a_log_s_parts_are_put_together(tmp_path: Path) -> None:
    log = tmp_path / "0.log"
    log.write_bytes(b"t stdout P one \nt stdout F line\nt stderr F \xff\nt stdout P end\n")
    assert controls.pod_log_bytes(log) == b"one line\n\xff\nend"


def told(kind: str, state: dict[str, object]) -> dict[str, object]:
    status = {"containerStatuses": [{"state": state}]} if state else {}
    return {
        "type": kind,
        "object": {"metadata": {"namespace": "n", "name": "p"}, "status": status},
    }


_STARTED = {"startedAt": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("changes", "started", "over"),
    [
        pytest.param([told("ADDED", {})], False, False, id="pending"),
        pytest.param([told("MODIFIED", {"running": _STARTED})], True, False, id="running"),
        pytest.param([told("MODIFIED", {"terminated": _STARTED})], True, True, id="ended unseen"),
        pytest.param(
            [told("ADDED", {"running": _STARTED}), told("DELETED", {"running": _STARTED})],
            True,
            True,
            id="deleted while it ran",
        ),
    ],
)
def test_a_fake_pod_s_log_begins_and_ends_with_its_container(
    changes: list[dict[str, object]], started: bool, over: bool
) -> None:
    pods = nodelogs.Pods()
    pod = pods.named("n", "p")
    for change in changes:
        pods.take(change)
    assert (pod.started.is_set(), pod.over.is_set()) == (started, over)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        pytest.param({}, b"a line of p\n", id="plain"),
        pytest.param({"timestamps": ["true"]}, b"2026-01-02T03:04:05Z a line of p\n", id="stamped"),
        pytest.param({"sinceTime": ["2026-01-02T03:04:05Z"]}, b"a line of p\n", id="since then"),
        pytest.param({"sinceTime": ["2026-01-02T03:04:06Z"]}, b"", id="since later"),
    ],
)
def test_a_fake_pod_s_log_is_one_line(query: dict[str, list[str]], text: bytes) -> None:
    assert nodelogs.text_of("p", "2026-01-02T03:04:05Z", query) == text
