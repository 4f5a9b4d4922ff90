"""Logs as the API gives them."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable

import pytest

from .talk import CORE, JOBS, PODS, Json, Talk, phase_is, shell, waits_for

Fresh = Callable[[], str]


def logged(talk: Talk, name: str, script: str) -> str:
    """Run a script to its end; return the name of the pod."""
    talk.job(shell(name, script))
    pod = talk.pod(name, phase_is("Succeeded", "Failed"))
    return str(pod["metadata"]["name"])


def test_both_streams_are_merged_as_they_come(talk: Talk, fresh: Fresh) -> None:
    script = "for i in 1 2 3; do echo out $i; echo err $i >&2; done"
    text = talk.log(logged(talk, fresh(), script)).decode()
    assert text == "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"


@pytest.mark.parametrize(
    "printed",
    [
        pytest.param(rb"\377\376\n", id="no UTF-8"),
        pytest.param(rb"last line", id="no newline at the end"),
        pytest.param(rb"\n\n\n", id="empty lines"),
        pytest.param(rb"a\000b\r\n", id="controls"),
        pytest.param(rb"", id="nothing"),
    ],
)
def test_a_log_is_bytes(talk: Talk, fresh: Fresh, printed: bytes) -> None:
    name = logged(talk, fresh(), f"printf '{printed.decode()}'")
    assert talk.log(name) == printed.decode("unicode_escape").encode("latin-1")


def test_a_long_log_is_complete(talk: Talk, fresh: Fresh) -> None:
    name = logged(talk, fresh(), "seq 200000")
    wanted = "".join(f"{number}\n" for number in range(1, 200_001)).encode()
    assert talk.log(name) == wanted
    assert talk.log(name, follow="true") == wanted
    assert talk.log(name, tailLines=1) == b"200000\n"
    assert talk.log(name, limitBytes=1000) == wanted[:1000]
    stamped = talk.log(name, timestamps="true").splitlines(keepends=True)
    assert b"".join(line[31:] for line in stamped) == wanted
    assert all(first < second for first, second in itertools.pairwise(stamped))


def test_a_follower_sees_each_line_when_it_comes(
    talk: Talk, fresh: Fresh, tmp_path: object
) -> None:
    name = fresh()
    script = f"echo one; until [ -e {tmp_path}/go ]; do sleep 0.02; done; echo two; printf end"
    talk.job(shell(name, script))
    pod = talk.pod(name, phase_is("Running"))
    with talk.open("GET", f"{PODS}/{pod['metadata']['name']}/log", follow="true") as log:
        assert log.readline() == b"one\n"
        with open(f"{tmp_path}/go", "w"):
            pass
        assert log.read() == b"two\nend"
    assert talk.pod(name)["status"]["phase"] in ("Running", "Succeeded")


def test_a_time_is_honoured_to_the_second(talk: Talk, fresh: Fresh) -> None:
    name = logged(talk, fresh(), "echo early")
    stamp = talk.log(name, timestamps="true")[:19].decode()
    assert talk.log(name, sinceTime=f"{stamp}.999999999Z") == b"early\n"
    moment = datetime.datetime.fromisoformat(stamp) + datetime.timedelta(seconds=1)
    assert talk.log(name, sinceTime=f"{moment.isoformat()}Z") == b""
    assert talk.log(name, sinceSeconds=3600) == b"early\n"


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ({"sinceTime": "yesterday"}, 400, 'parsing time "yesterday"'),
        ({"tailLines": "x"}, 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        (
            {"tailLines": -1},
            422,
            "is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0",
        ),
        ({"limitBytes": 0}, 422, "must be greater than 0"),
        ({"sinceSeconds": 0}, 422, "must be greater than 0"),
        (
            {"sinceSeconds": 1, "sinceTime": "2020-01-01T00:00:00Z"},
            422,
            "at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
        ({"container": "nosuch"}, 400, "container nosuch is not valid for pod"),
        ({"previous": "true"}, 400, 'previous terminated container "main" in pod'),
    ],
)
def test_a_wrong_question_is_refused(
    talk: Talk, fresh: Fresh, query: Json, status: int, text: str
) -> None:
    name = logged(talk, fresh(), "true")
    answer = talk.call("GET", f"{PODS}/{name}/log", **query)
    assert answer.status == status
    assert text in answer.message


def test_a_pod_of_several_containers_wants_one_named(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    body = shell(name, "true")
    spec = body["spec"]["template"]["spec"]
    spec["containers"].append({**spec["containers"][0], "name": "other"})
    spec["initContainers"] = [{**spec["containers"][0], "name": "first"}]
    talk.job(body)
    own = talk.pod(name, phase_is("Succeeded"))["metadata"]["name"]
    answer = talk.call("GET", f"{PODS}/{own}/log")
    assert answer.message == (
        f"a container name must be specified for pod {own}, choose one of: [first main other]"
    )
    assert talk.log(own, container="other") == b""


@pytest.mark.parametrize(
    ("image", "reason", "why"),
    [
        ("slow:1", "ContainerCreating", "ContainerCreating"),
        ("nosuch:1", "ErrImagePull", "image can't be pulled"),
        ("nosuch:1", "ImagePullBackOff", "trying and failing to pull image"),
    ],
)
def test_a_container_that_waits_has_no_log_yet(
    talk: Talk, fresh: Fresh, image: str, reason: str, why: str
) -> None:
    name = fresh()
    body = shell(name, "true", container={"image": image})
    talk.job(body)

    def asked(pod: Json) -> bool:
        if not waits_for(reason)(pod):
            return False
        answer = talk.call("GET", f"{PODS}/{pod['metadata']['name']}/log")
        text = f'container "main" in pod "{pod["metadata"]["name"]}" is waiting to start: '
        assert answer.status == 400
        assert answer.message.startswith(text)
        return answer.message == text + why

    pod = talk.pod(name, asked)
    talk.call("DELETE", f"{JOBS}/{name}", propagationPolicy="Background")
    talk.gone(PODS, pod["metadata"]["name"])


def test_the_log_goes_with_its_pod(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    own = logged(talk, name, "echo x")
    folder = talk.sandbox.ca_file.parent / "logs"
    uid = talk.get(f"{PODS}/{own}")["metadata"]["uid"]
    assert list((folder / uid).iterdir())
    talk.call("DELETE", f"{JOBS}/{name}", propagationPolicy="Background")
    talk.gone(PODS, own)
    answer = talk.call("GET", f"{PODS}/{own}/log")
    assert (answer.status, answer.message) == (404, f'pods "{own}" not found')
    # The next answer comes after the clean-up, which follows the last write.
    talk.get(f"{CORE}/events")
    assert not (folder / uid).exists() or not list((folder / uid).iterdir())
