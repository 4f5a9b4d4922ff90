"""What a profile has done beside the jobs, and how profiles and names to set come together."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from ctm.rehearse import namespace, profile
from ctm.rehearse.errors import ProfileError
from tests.ctm.rehearsing import ROOT, command, rehearsed, written

# What each says into {work}/story, in its order.
STORY = """\
minute: 0
prepare: ["echo prepare > {work}/story; echo se''cretly"]
before: ["echo before >> {work}/story"]
after: ["cat {work}/story {out}/record.json", "echo and {out}"]
paths: {/agent: "{work}"}
"""


def test_commands_run_before_and_after_the_jobs_and_the_last_ones_are_heard(tmp_path: Path) -> None:
    told = rehearsed(tmp_path, profile=STORY, A=command("echo job >> /agent/story"))
    assert told.code == 0, told.err
    lines = told.out.splitlines()
    story = [each for each in lines if each in ("prepare", "before", "job")]
    assert story == ["prepare", "before", "job"]
    assert '  "version": 1,' in lines
    assert lines[-1] == f"and {tmp_path / 'out'}"
    assert "secretly" not in told.out + told.err
    assert "rehearse: before: echo before >> …/story" in lines


def test_commands_reach_folders_with_a_blank_in_their_names(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    told = rehearsed(tmp_path / "a b", profile=STORY, A=command("true"))
    assert told.code == 0, told.err
    assert told.out.splitlines()[-1] == f"and {tmp_path}/a b/out"


def test_what_is_prepared_is_there_before_the_engines_are(tmp_path: Path) -> None:
    told = rehearsed(
        tmp_path,
        profile="posts: '{work}/posts'\nengines: {x: embedded}\nprepare: ['touch {work}/post']",
        A=command("true"),
    )
    assert told.code == 2
    assert told.err.startswith("rehearse: error: posts: /")
    assert told.err.endswith("/posts: there is no such file\n")


def test_what_runs_beside_the_jobs_ends_with_them(tmp_path: Path) -> None:
    mark, left = tmp_path / "mark", tmp_path / "left"
    told = rehearsed(
        tmp_path,
        profile="minute: 1\nmeanwhile:\n"
        f"  - trap 'echo ended > {left}; exit' TERM; touch {mark}; sleep 1000 & wait",
        A={"Type": "Job:FileWatcher:Create", "Path": str(mark), "SearchInterval": "1"},
    )
    assert told.code == 0, told.err
    assert left.read_text() == "ended\n"
    assert "meanwhile" not in told.out


def test_what_fails_beside_the_jobs_is_told(tmp_path: Path) -> None:
    told = rehearsed(
        tmp_path,
        profile="meanwhile: ['echo no bucket; exit 3']",
        A=command(f"touch {tmp_path}/a"),
        B={"Type": "Job:FileWatcher:Create", "Path": f"{tmp_path}/a", "SearchInterval": "1"},
    )
    said = "rehearse: meanwhile: echo no bucket; exit 3: it ended with 3: no bucket"
    assert said in told.out.splitlines()


@pytest.mark.parametrize(
    ("when", "code"), [("prepare", 2), ("before", 2), ("after", 1)]
)  # fmt: skip
def test_the_first_failure_is_told_in_a_line(tmp_path: Path, when: str, code: int) -> None:
    mark = tmp_path / "mark"
    told = rehearsed(
        tmp_path,
        profile=f"{when}: ['echo one; echo no luck; exit 4', 'touch {tmp_path}/next']",
        A=command(f"touch {mark}"),
    )
    assert told.code == code
    line = "echo one; echo no luck; exit 4: it ended with 4: no luck"
    assert told.err.splitlines()[-1] == f"rehearse: error: {when}: {line}"
    assert mark.exists() == (when == "after")
    # A summary is worth reading where the page before it could not be made.
    assert (tmp_path / "next").exists() == (when == "after")


KUBECONFIG = """\
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
users: [{name: u, user: {}}]
"""


@pytest.mark.parametrize(
    ("kubeconfig", "says"),
    [
        pytest.param(None, "cluster: namespace: KUBECONFIG names no cluster", id="none"),
        pytest.param("[", "cannot be reached", id="no kubeconfig"),
        pytest.param(KUBECONFIG, "cannot be reached: ", id="nobody there"),
    ],
)
def test_a_cluster_that_a_namespace_cannot_be_made_in_is_told(
    tmp_path: Path, kubeconfig: str | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    if kubeconfig:
        (tmp_path / "kubeconfig").write_text(kubeconfig)
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    told = rehearsed(tmp_path, profile="cluster: namespace", A=command("true"))
    assert told.code == 2
    [line] = told.err.splitlines()
    assert line.startswith("rehearse: error: ")
    assert says in line


class Api:
    """A cluster in which a namespace is deleted, or not."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def delete_namespace(self, _name: str, **_: object) -> None:
        pass

    def read_namespace(self, _name: str, **_: object) -> None:
        if self._error:
            raise self._error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        pytest.param(ApiException(404), None, id="gone"),
        pytest.param(ApiException(403, "Forbidden"), "Forbidden", id="refused"),
        pytest.param(HTTPError("no\nroute"), "no route", id="no answer"),
        pytest.param(None, "it did not end within 0 s", id="too slow"),
    ],
)
def test_a_namespace_that_is_left_is_told(
    error: Exception | None, says: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(namespace, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(namespace, "GONE_SECONDS", 0.02)
    assert namespace._left(Api(error), "demo") == says


def test_what_goes_into_the_folder_of_out_needs_one(tmp_path: Path) -> None:
    line = written(tmp_path, "after: ['ls {out}']", A=command("true"))
    line = line[: line.index("--out")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "needs --out FOLDER" in done.stderr


def test_a_second_profile_changes_the_first(tmp_path: Path) -> None:
    second = tmp_path / "second.yaml"
    second.write_text("environment: {B: two}\nset: {what: tea}")
    told = rehearsed(
        tmp_path, "--profile", str(second), "--set", "who=you",
        profile="environment: {A: '{who} {what}', B: one}\nset: {who: me, what: water}",
        Say=command("echo $A $B"),
    )  # fmt: skip
    assert told.log("Say") == "you tea two\n"


def test_names_to_set_are_filled_in_wherever_a_text_is() -> None:
    read = profile.read(
        {"p": "set: {idle: 5}\njobs: {'C-*': {Variables: [{IDLE: '{idle}', WORK: '{work}'}]}}"},
        {"idle": "7"},
    )
    assert read.jobs == {"C-*": {"Variables": [{"IDLE": "7", "WORK": "{work}"}]}}


@pytest.mark.parametrize(
    ("text", "given", "says"),
    [
        pytest.param("minute: 1", {"a": "1"}, "--set a: the profile has nothing to set", id="none"),
        pytest.param("set: {b: 1}", {"a": "1"}, "--set a: the profile has only b to set", id="one"),
        pytest.param("set: [b]", {}, "p: set must be a mapping", id="a list"),
        pytest.param("posts: 0", {}, "p: posts is 0, and must be a whole number", id="no posts"),
    ],
)
def test_what_cannot_be_set_is_told(text: str, given: dict[str, str], says: str) -> None:
    with pytest.raises(ProfileError, match=says):
        profile.read({"p": text}, given)


def test_a_word_to_set_has_a_value(tmp_path: Path) -> None:
    told = rehearsed(tmp_path, "--set", "seed", A=command("true"))
    assert (told.code, told.err) == (2, "rehearse: error: --set seed: it must be NAME=VALUE\n")


def test_what_follows_the_jobs_tells_of_failed_ones_and_the_summary_does_not(
    tmp_path: Path,
) -> None:
    told = rehearsed(tmp_path, profile="after: ['echo done']", A=command("echo no luck; exit 4"))
    assert told.out.count("no luck") == 1
    assert "rehearse: A ended not OK (code 4)" in told.out.splitlines()


def test_the_shipped_profiles_fit_together() -> None:
    folder = ROOT / "ctm" / "rehearse"
    names = ("embedded", "demo", "demo-real", "demo-fail")
    texts = {name: (folder / f"{name}.yaml").read_text() for name in names}
    read = profile.read(texts, {"namespace": "mine"})
    assert read.engines == {**dict.fromkeys(("snowflake", "s3", "x"), "embedded"),
                            "kafka": "environment"}  # fmt: skip
    assert (read.cluster, read.namespace) == ("namespace", "mine")
    # A shell leaves a blank in a folder's name alone.
    for name in ("KAFKA_START", "KAFKA_STOP"):
        words = subprocess.run(
            ["/bin/sh", "-c", read.environment[name].replace("python3", "printf '%s\\n'", 1)],
            env={"DEMO_KAFKA_FOLDER": "/a b/kafka"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        assert "/a b/kafka" in words
    # Each adds to what the others say of the same jobs.
    producers = read.jobs["Produce-*"]
    assert producers["AI-Namespace"] == "mine"
    assert producers["Variables"] == [{"LIMIT": 10000000}, {"IDLE": 1}]
    assert read.jobs["Consume-[1-4]"] == {"Variables": [{"IDLE": "5"}]}
    assert list(read.jobs)[-1] == "Produce-CTSE"
