"""What a launch costs on a real cluster, against kubectl and the official client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from runjob.cluster import Cluster
from runjob.login import login
from runjob.observed import job_view
from runjob.options import Connection
from runjob.request import JOB
from tests.bench.measure import LAUNCHER, Cost, launcher, run, typical
from tests.bench.table import Row, say

HERE = Path(__file__).parent
ROUNDS = 9
LINES = 300_000


@dataclass(frozen=True)
class Bench:
    """Where to measure: kubectl's command, the kubeconfig, and how to count requests there."""

    kubeconfig: str
    kubectl: str
    requests: Callable[[float], int] | None

    def kubectl_command(self, *words: str) -> list[str]:
        return [self.kubectl, "--kubeconfig", self.kubeconfig, "-n", "controlm", *words]


def bench_here() -> Bench:
    """Return the bench that the environment names."""
    kubeconfig = os.environ["KUBECONFIG"]
    facts = Path(kubeconfig).parent / "cluster.json"
    if not facts.is_file():
        return Bench(kubeconfig, "kubectl", None)
    from tests.cluster.controls import request_count

    return Bench(
        kubeconfig,
        json.loads(facts.read_text())["kubectl"],
        lambda since: request_count("runjob/", since=since),
    )


def one_line_jobs(bench: Bench) -> list[Row]:
    """Compare a Job that prints one line with what else could run it, in turns."""
    kubectl: list[Cost] = []
    ours: list[Cost] = []
    whole: list[Cost] = []
    script: list[Cost] = []
    env = {**os.environ, "KUBECONFIG": bench.kubeconfig}
    say("one-line Jobs: kubectl, the launcher, the client whole, a kubectl script")
    for number in range(ROUNDS):
        name = f"bench-{os.getpid()}-{number}"
        kubectl.append(run(bench.kubectl_command("get", "jobs")))
        ours.append(
            run(launcher(name, bench.kubeconfig, "-k", "echo", "-k", "hello"), mark=b"Job created")
        )
        whole.append(
            run(
                [sys.executable, str(HERE / "whole_client.py"), bench.kubeconfig, f"{name}-w"],
                mark=b"Job created",
            )
        )
        if number < 3:
            shell = ["sh", str(HERE / "kubectl_script.sh"), bench.kubectl, f"{name}-s"]
            script.append(run(shell, mark=b"Job created", env=env))
    one, job, all_of_it, shell_cost = (typical(costs) for costs in (kubectl, ours, whole, script))
    # The ratio of each round, since the machine's own pace changes between rounds.
    ratio = median(a.created / b.wall for a, b in zip(ours, kubectl, strict=True))
    return [
        Row("until the create returned", f"{job.created * 1000:.0f} ms",
            f"kubectl get jobs {one.wall * 1000:.0f} ms, client whole "
            f"{all_of_it.created * 1000:.0f} ms",
            f"2 kubectl commands, is {ratio:.2f}", ratio <= 2),
        Row("CPU of the whole launch", f"{job.cpu:.2f} s",
            f"kubectl script {shell_cost.cpu:.2f} s, client whole, create only "
            f"{all_of_it.cpu:.2f} s", "0.2 s", job.cpu <= 0.2),
        Row("peak memory", f"{job.memory:.0f} MB",
            f"kubectl {one.memory:.0f} MB, client whole {all_of_it.memory:.0f} MB", "40 MB",
            job.memory <= 40),
        Row("wall of the whole launch", f"{job.wall:.1f} s",
            f"kubectl script {shell_cost.wall:.1f} s", "", True),
    ]  # fmt: skip


def requests_of_a_job(bench: Bench) -> list[Row]:
    """Count the requests of a Job that prints one line."""
    if bench.requests is None:
        return []
    say("requests of a one-line Job")
    since = time.time()
    name = f"bench-{os.getpid()}-r"
    run(launcher(name, bench.kubeconfig, "-k", "echo", "-k", "hello"))
    count = bench.requests(since)
    return [Row("requests of a one-line Job", str(count), "", "7", count <= 7)]


def silent_job(bench: Bench, requests: Callable[[float], int]) -> list[Row]:
    """Count what a Job asks for from its 15th to its 315th second, while it says nothing."""
    name = f"bench-{os.getpid()}-silent"
    command = launcher(name, bench.kubeconfig, "-k", "sleep", "-k", "400")
    started = time.time()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    say("requests of a Job that runs in silence, for 315 s")
    time.sleep(315)
    count = requests(started + 15)
    process.terminate()
    process.wait(60)
    return [Row("requests in 5 silent minutes", str(count), "", "1", count <= 1)]


def exits(bench: Bench) -> list[Row]:
    """Measure from the moment a watch tells of the Job's end to the end of the process."""
    say("how soon after the Job's end the launcher ends")
    cluster = Cluster(login(Connection(kubeconfig=bench.kubeconfig)))
    gaps = []
    for number in range(5):
        name = f"bench-{os.getpid()}-e{number}"
        seen: list[float] = []

        def watch(name: str = name, seen: list[float] = seen) -> None:
            query = {"fieldSelector": f"metadata.name={name}"}
            for change in cluster.watch(JOB, "controlm", query, "0"):
                if change.type != "BOOKMARK" and job_view(change.body).condition("Complete"):
                    seen.append(time.perf_counter())
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        run(launcher(name, bench.kubeconfig, "-k", "echo", "-k", "hello"))
        end = time.perf_counter()
        watcher.join(10)
        gaps.append(end - seen[0])
    gap = median(gaps)
    return [Row("exit after the Job's condition", f"{gap:.2f} s", "", "0.5 s", gap <= 0.5)]


def log_throughput(bench: Bench) -> list[Row]:
    """Compare reading one large log with `kubectl logs -f` of the same pod."""
    say(f"reading a log of {LINES:,} lines")
    name = f"bench-{os.getpid()}-log"
    words = f"i=0; yes 0123456789012345678901234567890123456789 | head -n {LINES}; sleep 2"
    subprocess.run(
        launcher(name, bench.kubeconfig, "-k", "sh", "-k", "-c", "-k", words, "--keep", "always"),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    get = bench.kubectl_command(
        "get", "pods", "-l", f"job-name={name}", "-o", "jsonpath={.items[0].metadata.name}"
    )
    pod = subprocess.run(get, check=True, capture_output=True, text=True).stdout
    read = [sys.executable, "-m", "tests.bench.read_log", bench.kubeconfig, pod]
    ours, theirs, peaks = [], [], []
    for _ in range(9):
        cost = run(read)
        ours.append(cost.wall)
        peaks.append(cost.memory)
        theirs.append(run(bench.kubectl_command("logs", "-f", pod)).wall)
    subprocess.run(
        bench.kubectl_command("delete", "job", name, "--wait=false"),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    ratio = median(b / a for a, b in zip(ours, theirs, strict=True))
    return [
        Row("log throughput", f"{LINES / median(ours) / 1000:.0f},000 lines/s",
            f"kubectl logs -f {LINES / median(theirs) / 1000:.0f},000 lines/s",
            f"1 x kubectl, is {ratio:.2f}", ratio >= 1),
        Row("memory while reading it", f"{median(peaks):.0f} MB", "", "40 MB",
            median(peaks) <= 40),
    ]  # fmt: skip


def launches() -> list[Row]:
    """Measure everything but silence."""
    bench = bench_here()
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", str(Path(LAUNCHER).parent)], check=False
    )
    return [*one_line_jobs(bench), *requests_of_a_job(bench), *exits(bench), *log_throughput(bench)]


def silence() -> list[Row]:
    """Count what a silent Job asks for; nothing else may launch meanwhile."""
    bench = bench_here()
    return [] if bench.requests is None else silent_job(bench, bench.requests)
