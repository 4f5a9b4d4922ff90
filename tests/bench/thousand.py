"""A thousand launches from one machine, up to 200 at a time, whose pods cost nothing.

THOUSAND is their number, AT_ONCE how many run at the same time, RUNS_FOR the seconds that a pod
runs: each for half as long to one and a half times as long. The pods run on kwok's nodes. After
AT_MOST seconds no more are launched.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from runjob.cluster import Cluster
from runjob.errors import ApiError
from runjob.login import login
from runjob.observed import job_view
from runjob.options import Connection
from runjob.request import JOB
from tests.bench.launcher import HERE, Bench, bench_here
from tests.bench.measure import LAUNCHER
from tests.bench.table import Row, say
from tests.bench.wave import Launch, Wave, run, run_in_one
from tests.cluster import controls, scale

NAMESPACE = "controlm"
LABEL = "bench"
LIMIT_MB = 20  # of a launcher
LIMIT_REQUESTS = 8  # of a Job: a busy cluster has some wait so long that their events are read


def thousand() -> list[Row]:
    """Measure the launcher."""
    bench, number, at_once, seconds = _prepared()
    with tempfile.TemporaryDirectory() as folder:
        return _ours(bench, _launches("thousand", number, seconds), at_once, Path(folder))


def together() -> list[Row]:
    """Measure a fifth as many in one process: a bound for what sharing could save."""
    bench, number, at_once, seconds = _prepared()
    return _together(bench, _launches("together", max(number // 5, 1), seconds), at_once)


def script() -> list[Row]:
    """Measure a fifth as many by a script of kubectl commands."""
    bench, number, at_once, seconds = _prepared()
    launches = _launches("script", max(number // 5, 1), seconds)
    with tempfile.TemporaryDirectory() as folder:
        return _script(bench, launches, at_once, Path(folder))


def _prepared() -> tuple[Bench, int, int, int]:
    """Start kwok; return the bench, how many launches, how many at once, and a pod's seconds."""
    # A time limit of whoever runs this shall leave nothing behind either.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    layout = controls.here()
    # The rights of an agent, and its way to log in.
    os.environ["KUBECONFIG"] = str(layout.launcher_kubeconfig)
    numbers = _setting("THOUSAND", 1000), _setting("AT_ONCE", 200), _setting("RUNS_FOR", 30)
    scale.start_kwok(layout)
    return (bench_here(), *numbers)


def _setting(name: str, usual: int) -> int:
    given = os.environ.get(name) or str(usual)
    if not given.isdecimal() or not int(given):
        raise SystemExit(f"bench: {name}={given}: a number from 1 on is wanted")
    return int(given)


def _at_most() -> int:
    return _setting("AT_MOST", 3600)


def _launches(word: str, number: int, seconds: int) -> list[Launch]:
    """Invent the launches, the same ones each time but for their names."""
    dice = random.Random(word)
    return [
        Launch(f"{word}-{os.getpid()}-{each}", max(round(seconds * dice.uniform(0.5, 1.5)), 1))
        for each in range(number)
    ]


# -- what is measured ------------------------------------------------------------------------------


def _ours(bench: Bench, launches: Sequence[Launch], at_once: int, folder: Path) -> list[Row]:
    say(f"{len(launches)} launches, {at_once} at a time")

    def command(launch: Launch) -> list[str]:
        return [sys.executable, LAUNCHER, *_flags(bench, launch)]

    subprocess.run([sys.executable, "-m", "compileall", "-q", Path(LAUNCHER).parent], check=False)
    since, before = time.time(), _daemons()
    with _watched(bench, launches) as news:
        wave = run(launches, command, ours_is_wrong, at_once, folder, _at_most())
    after = _daemons()
    done = len(wave.ended)
    requests = controls.requests("runjob/", since=since)
    left = _left(bench, launches)
    for each in wave.wrong[:5]:
        say(f"{each.launch.name}: {each.wrong}")
    return [
        *_rows("", wave, news),
        Row("requests a Job, TLS connections too", f"{len(requests) / done:.1f}", "",
            str(LIMIT_REQUESTS), len(requests) / done <= LIMIT_REQUESTS),
        Row("CPU a Job, of others", _shares(before, after, done), "", "", True),
        Row("failed, or printed anything wrong", str(len(wave.wrong)), f"of {done}", "0",
            not wave.wrong),
        Row("Jobs left behind", str(left), "", "0", left == 0),
    ]  # fmt: skip


def _together(bench: Bench, launches: Sequence[Launch], at_once: int) -> list[Row]:
    say(f"{len(launches)} launches in one process, {at_once} at a time")
    with _watched(bench, launches) as news:
        wave = run_in_one(launches, lambda launch: _flags(bench, launch), ours_is_wrong, at_once)
    return [*_rows("in one process: ", wave, news),
            Row("in one process: failed", str(len(wave.wrong)), "", "", True)]  # fmt: skip


def _flags(bench: Bench, launch: Launch) -> list[str]:
    key, taint = next(iter(scale.SELECTOR.items())), scale.TOLERATION
    return [
        *("--kubeconfig", bench.kubeconfig, "-n", NAMESPACE, "-j", launch.name),
        *("-i", "busybox:1", "-p", "IfNotPresent", "-s", "none"),
        *("--node-selector", "=".join(key), "--label", _label(launch)),
        *("--toleration", f"{taint['key']}:{taint['effect']}"),
        *("--annotation", f"{scale.RUNS_FOR}={launch.seconds}s", "-k", "echo", "-k", "hello"),
    ]


def _script(bench: Bench, launches: Sequence[Launch], at_once: int, folder: Path) -> list[Row]:
    say(f"{len(launches)} Jobs by a kubectl script, {at_once} at a time")

    def command(launch: Launch) -> list[str]:
        path = folder / f"{launch.name}.json"
        path.write_text(json.dumps(_manifest(launch)))
        return ["sh", str(HERE / "kubectl_script.sh"), bench.kubectl, launch.name, str(path)]

    with _watched(bench, launches) as news:
        wave = run(launches, command, is_wrong, at_once, folder, _at_most())
    return [*_rows("kubectl script: ", wave, news),
            Row("kubectl script: failed", str(len(wave.wrong)), "", "", True)]  # fmt: skip


def _rows(who: str, wave: Wave, news: News) -> list[Row]:
    gaps = [
        each.ended - news.complete[each.launch.name]
        for each in wave.ended
        if each.launch.name in news.complete
    ]
    starts = [
        news.created[each.launch.name] - each.began
        for each in wave.ended
        if each.launch.name in news.created
    ]
    each = wave.megabytes / max(wave.holders, 1)
    ours = not who
    return [
        Row(f"{who}PSS a launch, of {wave.holders} at once", f"{each:.1f} MB",
            f"all {wave.megabytes / 1024:.1f} GB", f"{LIMIT_MB} MB" if ours else "",
            each <= LIMIT_MB or not ours),
        Row(f"{who}CPU a launch", f"{wave.cpu:.2f} s", "", "", True),
        Row(f"{who}until the Job stood, median and 99th percentile", _spread(starts), "", "", True),
        Row(f"{who}end of the Job to end of the launch, the same", _spread(gaps), "", "", True),
        Row(f"{who}Jobs a minute", f"{wave.a_minute:.0f}", "", "", True),
    ]  # fmt: skip


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "unknown"
    return f"{median(seconds):.2f} s, {quantiles(seconds, n=100, method='inclusive')[98]:.2f} s"


def _label(launch: Launch) -> str:
    return f"{LABEL}={launch.name.rpartition('-')[0]}"


def _manifest(launch: Launch) -> dict[str, object]:
    name, value = _label(launch).split("=")
    runs = {"annotations": {scale.RUNS_FOR: f"{launch.seconds}s"}}
    container = {"name": "main", "image": "busybox:1", "command": ["echo", "hello"]}
    pod = {
        "restartPolicy": "Never",
        "nodeSelector": scale.SELECTOR,
        "tolerations": [scale.TOLERATION],
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": launch.name, "namespace": NAMESPACE, "labels": {name: value}},
        "spec": {"backoffLimit": 0, "template": {"metadata": runs, "spec": pod}},
    }


def is_wrong(launch: Launch, code: int, said: str) -> str:
    """Say in words what is wrong: the one line of the pod must come once; "" when nothing is."""
    lines = [line for line in said.splitlines() if "a line of" in line]
    if code:
        return f"exit code {code}"
    if len(lines) != 1 or not re.fullmatch(rf"a line of {launch.name}-[a-z0-9]{{5}}", lines[0]):
        return f"its log is {lines}"
    return ""


def ours_is_wrong(launch: Launch, code: int, said: str) -> str:
    """Say the same of our launcher, which prints a status line besides."""
    statuses = said.splitlines().count("Job Completion status: 0")
    return is_wrong(launch, code, said) or ("" if statuses == 1 else f"{statuses} status lines")


# -- what the cluster tells ------------------------------------------------------------------------


class News:
    """When a watch told that each Job stood and that it was complete, by time.monotonic()."""

    def __init__(self) -> None:
        self.created: dict[str, float] = {}
        self.complete: dict[str, float] = {}


@contextmanager
def _watched(bench: Bench, launches: Sequence[Launch]) -> Iterator[News]:
    """Watch the launches' Jobs meanwhile."""
    news = News()
    cluster = Cluster(login(Connection(kubeconfig=bench.kubeconfig)), "bench")
    query = {"labelSelector": _label(launches[0])}
    _, version = cluster.list(JOB, NAMESPACE, query)

    def watch() -> None:
        _hurry()
        for change in cluster.watch(JOB, NAMESPACE, query, version):
            now = time.monotonic()
            if change.type == "BOOKMARK":
                continue
            job = job_view(change.body)
            name = change.body["metadata"]["name"]
            if change.type == "ADDED":
                news.created[name] = now
            elif job.condition("Complete"):
                news.complete.setdefault(name, now)

    threading.Thread(target=watch, daemon=True).start()
    yield news


def _hurry() -> None:
    """Put this thread first, where that is allowed: it shall see the Jobs' ends as they come."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -15)
    except PermissionError:
        say("without root the watch may lag, and the delays look shorter than they are")


def _left(bench: Bench, launches: Sequence[Launch]) -> int:
    """Count the Jobs that are there although their launches have ended."""
    cluster = Cluster(login(Connection(kubeconfig=bench.kubeconfig)), "bench")
    for _ in range(20):
        jobs, _ = cluster.list(JOB, NAMESPACE, {"labelSelector": _label(launches[0])})
        if not jobs:
            return 0
        time.sleep(0.5)
    for job in jobs:
        try:
            cluster.delete(job, NAMESPACE, job["metadata"]["uid"])
        except ApiError as error:
            say(f"{job['metadata']['name']} stays: {error}")
    return len(jobs)


def _daemons() -> dict[str, float]:
    """Return the CPU seconds that each of the cluster's daemons has taken so far."""
    pids = json.loads(controls.here().description.read_text())["pids"]
    ticks = os.sysconf("SC_CLK_TCK")
    taken = {}
    for name, pid in pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        taken[name] = (int(fields[11]) + int(fields[12])) / ticks
    return taken


def _shares(before: Mapping[str, float], after: Mapping[str, float], jobs: int) -> str:
    """Tell who took most for each Job."""
    taken = {name: (after[name] - before.get(name, 0.0)) / jobs for name in after}
    most = sorted(taken, key=lambda name: -taken[name])[:5]
    return ", ".join(f"{name} {taken[name]:.3f} s" for name in most)
