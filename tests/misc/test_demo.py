"""The demo on embedded engines: as it should, with a failure on purpose, and broken off.

The first two run at the same time and of the same seed, so they also show that one demo does not
disturb another, and that a seed tells the same: only what the failed producer reads is lacking.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from misc import demo, glance

ROOT = Path(__file__).resolve().parents[2]
MARK = "DEMO_OF_A_TEST"
needs_fakesnow = pytest.mark.skipif(
    demo.why_not(sys.version_info[:2]) is not None, reason="fakesnow needs Python 3.11"
)
pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Shown:
    """What a demo came to: its code, what it said, its record, and what it left behind."""

    code: int
    text: str
    err: str
    record: Mapping[str, Any]
    page: Mapping[str, Any]
    left: list[str]

    @property
    def summary(self) -> list[str]:
        """The lines of the summary up to the jobs, which tell how long they took."""
        lines = self.text.splitlines()
        [first] = [number for number, line in enumerate(lines) if re.match(r"[\d,]+ posts  ", line)]
        [last] = [number for number, line in enumerate(lines) if line.startswith("jobs: ")]
        return lines[first:last]

    def posts(self, but: str) -> list[tuple[object, ...]]:
        """Return what is known and told of the posts on the report's map outside a quadrant."""
        names = [[key for key, _ in values] for values in self.page["dimensions"].values()]
        told = [
            (*(each[code] for each, code in zip(names, dot[2:6], strict=True)), *dot[7:])
            for dot in self.page["dots"]
        ]
        return sorted((post for post in told if post[0] != but), key=repr)


def started(top: Path, *options: str) -> tuple[subprocess.Popen[str], Path, str]:
    """Start a demo with temporary files of its own, and a mark on all its processes."""
    mark = secrets.token_hex(8)
    out, temporary = top / "an out", top / "a tmp"
    temporary.mkdir(parents=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "misc.demo", "--out", str(out), *options],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary), MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return process, out, mark


def left_by(mark: str, top: Path) -> list[str]:
    """Return the processes that still bear the mark, and the temporary files."""
    found = [str(path) for path in (top / "a tmp").iterdir()]
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={mark}".encode() in path.read_bytes():
                found.append((path.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def shown(top: Path, *options: str) -> Shown:
    process, out, mark = started(top, "--tweets", "400", "--seed", "3", *options)
    text, err = process.communicate()
    record, report = out / "record.json", out / "report.html"
    assert record.exists(), text + err
    told = json.loads(record.read_text(encoding="utf-8"))
    assert report.exists(), text + err
    data = re.search(r'id="data">(.*?)</script>', report.read_text(encoding="utf-8"))
    assert data
    return Shown(process.returncode, text, err, told, json.loads(data[1]), left_by(mark, top))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shown, Shown]:
    """Run two demos at the same time; the second fails on purpose."""
    with ThreadPoolExecutor(2) as pool:
        good = pool.submit(shown, tmp_path_factory.mktemp("good"))
        failed = pool.submit(shown, tmp_path_factory.mktemp("failed"), "--fail")
        return good.result(), failed.result()


@pytest.fixture(scope="module")
def good(both: tuple[Shown, Shown]) -> Shown:
    return both[0]


@pytest.fixture(scope="module")
def failed(both: tuple[Shown, Shown]) -> Shown:
    return both[1]


@needs_fakesnow
def test_the_story_ends_well_with_a_summary_and_a_report(good: Shown) -> None:
    assert good.code == 0, good.text + good.err
    assert {job["status"] for job in good.record["jobs"]} == {"ended OK"}
    said = "\n".join(good.summary)
    for each in ("customer", "household member", "prospect", "unknown"):
        assert re.search(rf"^  {each} .* [1-9][\d,]*$", said, re.M), said
    for each in ("calls to make", "offers to make", "households to join"):
        assert re.search(rf"^{each}: [1-9][\d,]*\n  \S.*: \".+\"?", said, re.M), said
    assert re.search(r"^data quality: .*geo 20,\d+ rows", said, re.M), said
    assert "  of X's 400: those with a place in Connecticut and words about money" in good.summary
    last = good.text.splitlines()[-2:]
    assert last[0].startswith("report: ")
    assert good.text.count("/report.html") == 2, "that of the command, and where it is"
    assert "{" not in good.text
    assert last[1].startswith("demo: ended as it should after ")
    assert len(good.text[good.text.index(good.summary[0]) :].splitlines()) <= 25


@needs_fakesnow
def test_the_address_file_comes_while_it_is_waited_for(good: Shown) -> None:
    [pull] = [job for job in good.record["jobs"] if job["name"] == "Geo-Pull"]
    assert pull["runs"][0]["ended"] - pull["runs"][0]["began"] > 2


@needs_fakesnow
def test_nothing_is_left_behind(good: Shown) -> None:
    assert good.left == []


@needs_fakesnow
def test_the_same_seed_tells_the_same(good: Shown, failed: Shown) -> None:
    assert len(failed.posts("ctse")) > 50
    assert failed.posts("ctse") == good.posts("ctse")


@needs_fakesnow
def test_a_failure_that_was_asked_for_is_diagnosed_and_kafka_is_stopped(failed: Shown) -> None:
    told = failed
    assert told.code == 0, told.text + told.err
    status = {job["name"]: job["status"] for job in told.record["jobs"]}
    assert {name for name in status if status[name] != "ended OK"} == {demo.FAILS}
    assert status["Kafka-Stop"] == "ended OK"
    assert told.record["folder_status"] == {"Customer360": "ended not OK"}
    summary = told.text[told.text.index("jobs: ") :]
    assert f"  {demo.FAILS}: Job controlm/bmctwitter-ctse cannot start" in summary
    assert 'secret "cust360-x-of-tomorrow" not found' in " ".join(summary.split())
    assert "Create what is missing" in summary
    assert "with Produce-CTSE failed, as was asked for" in summary
    # Where it happens, and in the end.
    assert " ".join(told.text.split()).count('secret "cust360-x-of-tomorrow" not found') == 2
    assert "Result: {" not in told.text
    assert told.left == []


@needs_fakesnow
def test_ctrl_c_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    out = tmp_path / "an out"
    out.mkdir()
    (out / "report.html").write_text("of an earlier demo")
    process, _, mark = started(tmp_path, "--tweets", "400")
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            if "Produce-CTNE: starts" in line:
                break
        process.send_signal(signal.SIGINT)
        text, err = process.communicate()
    assert process.returncode == 130
    assert text.splitlines()[-1] == (
        f"report: none was made; {out}/report.html is still that of an earlier demo"
    )
    assert (out / "report.html").read_text() == "of an earlier demo"
    assert "Produce-CTNE (broken off)" in text
    assert "ends what Kafka-Start left running" in text
    # Its own kill is nobody else's deletion.
    assert "somebody else" not in text
    assert err.splitlines()[-1] == "demo: interrupted; nothing of it runs any more"
    assert left_by(mark, tmp_path) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param(["--tweets", "0"], "'0' is no number from 1 to", id="none"),
        pytest.param(["--seed", "x"], "'x' is no number from", id="a word"),
        pytest.param(["--engines", "some"], "invalid choice: 'some'", id="engines"),
    ],
)
def test_bad_input_is_told_in_a_line(
    line: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        demo.main(line)
    assert ended.value.code == 2
    [error, usage] = capsys.readouterr().err.splitlines()
    assert error.startswith("demo: error: ")
    assert says in error
    assert usage == "make demo [SEED=1] [TWEETS=2000] [ENGINES=real] [FAIL=1]"


@needs_fakesnow
def test_a_folder_that_another_demo_writes_to_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with demo._alone(tmp_path, tmp_path / "record.json"):
        (tmp_path / "record.json").write_text("of the first")
        assert demo.main(["--out", str(tmp_path)]) == demo.BAD_INPUT
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"demo: error: --out {tmp_path}: another demo writes there")
    assert (tmp_path / "record.json").exists()


@needs_fakesnow
def test_a_file_in_the_place_of_the_folder_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").touch()
    assert demo.main(["--out", str(tmp_path / "out")]) == demo.BAD_INPUT
    assert capsys.readouterr().err == f"demo: error: --out {tmp_path}/out: File exists\n"


def test_an_older_python_is_told_what_to_do_instead() -> None:
    assert demo.why_not((3, 11)) is None
    assert "make hello" in str(demo.why_not((3, 10)))


@pytest.mark.parametrize(
    ("now", "until"),
    [("09:30:00", "09:00"), ("09:01:00", "09:00"), ("09:00:59", "08:00")],
)
def test_the_last_post_is_of_an_hour_that_x_finds(now: str, until: str) -> None:
    moment = datetime.fromisoformat(f"2026-03-01T{now}").replace(tzinfo=timezone.utc)
    options = argparse.Namespace(seed=1, tweets=2000, fail=False, out=Path("out"))
    line = demo.command(options, moment, demo.EMBEDDED)
    assert f"until=2026-03-01T{until}:00+00:00" in line
    assert "idle=7" in line


def test_only_the_failure_that_was_asked_for_is_none() -> None:
    def record(*failed: str) -> dict[str, Any]:
        names = ("A", demo.FAILS)
        status = {True: "ended not OK", False: "ended OK"}
        return {"jobs": [{"name": each, "status": status[each in failed]} for each in names]}

    assert demo.as_asked(record(), fail=False)
    assert demo.as_asked(record(demo.FAILS), fail=True)
    assert not demo.as_asked(record(), fail=True)
    assert not demo.as_asked(record("A", demo.FAILS), fail=True)
    assert not demo.as_asked(record("A"), fail=False)


def test_a_node_with_a_network_of_its_own_is_entered(tmp_path: Path) -> None:
    assert demo.inside(tmp_path / "kubeconfig") == ()
    (tmp_path / "cluster.json").write_text('{"network_namespace": "one"}')
    assert demo.inside(tmp_path / "kubeconfig") == ("ip", "netns", "exec", "one")


def test_an_empty_lake_is_told() -> None:
    [line] = glance.lake_lines(glance.Lake({}, [], {}, 0))
    assert line == "CUST360 is empty; run the producer and the consumer first"


def test_a_glance_cuts_what_is_long_and_counts_what_there_is() -> None:
    posts = {
        ("customer", "positive"): 1200,
        ("customer", "negative"): 3,
        ("prospect", "neutral"): 1,
    }
    example = glance.Example("offer", 7, "Ana Ash", "bonds", "so\nmany words " * 20)
    lines = list(glance.lake_lines(glance.Lake(posts, [example], {"geo": (5000, 2)}, 4)))
    assert lines[0].split() == ["1,204", "posts", "positive", "neutral", "negative", "all"]
    assert lines[1].split() == ["customer", "1,200", "0", "3", "1,203"]
    assert lines[5:9] == [
        "calls to make: 0",
        "offers to make: 7",
        lines[7],
        "households to join: 0",
    ]
    assert lines[7].startswith('  Ana Ash (bonds): "so many words so')
    assert len(lines[7]) == glance.WIDTH
    assert lines[-1] == "data quality: geo 5,000 rows, 2 rejected; 4 dead letters"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["made", "Verdict: it cannot.", "bye"], "it cannot.", id="the launcher"),
        pytest.param(["one", "no space"], "no space", id="another program"),
    ],
)  # fmt: skip
def test_a_failed_job_is_told_by_its_verdict(words: list[str], told: str) -> None:
    record = {
        "seconds": 12.3,
        "jobs": [
            {"name": "A", "status": "ended OK", "runs": [{}]},
            {"name": "B", "status": "ended not OK", "runs": [{"last_words": words}]},
        ],
    }
    assert list(glance.job_lines(record)) == [
        "jobs: 1 ended OK, 1 ended not OK, in 12 s",
        f"  B: {told}",
    ]
