"""Which commands of the pages other tests run, and which can be run nowhere here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Elsewhere:
    """A command, exactly as it stands, and what runs it: `file::test`, or a file that others run.

    words are what command and target share; of `make` its recipe counts. A test holds both to it.
    """

    command: str
    target: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Nowhere:
    """A command that begins so, and why nothing here can run it; its files and options are read."""

    start: str
    reason: str


# Blocks that another test reads from its page and runs, by page and a command in them.
READ_BY = {
    (
        "pipeline.md",
        "python -m application.geo_load",
    ): "tests/pipeline/test_documents.py::test_the_steps_by_hand_work",
}

ELSEWHERE = (
    Elsewhere("make hello", ".ci/run", ("make hello",)),
    Elsewhere("make demo", ".ci/run", ("make demo",)),
    Elsewhere("make test", ".ci/run", ("make test",)),
    Elsewhere("make dist", ".ci/run", ("make dist",)),
    Elsewhere(
        "(cd dist && sha256sum --check SHA256SUMS)",
        "tests/release/test_release.py::test_the_sums_are_those_of_all_files",
        ("sha256", "SUMS"),
    ),
    Elsewhere(
        'python3 dist/runjob.pyz -j hello -i busybox:1 -k echo -k "hello world" --sandbox',
        "tests/release/test_release.py::test_it_needs_nothing_but_python",
        ("busybox:1", "hello world", "--sandbox"),
    ),
    Elsewhere(
        "python3 -m venv there",
        "tests/release/test_release.py::test_the_installed_launcher_runs_a_job",
        ("venv",),
    ),
    Elsewhere(
        "there/bin/pip install dist/runjob-*.whl",
        "tests/release/test_release.py::test_the_installed_launcher_runs_a_job",
        ("pip", "install", ".whl"),
    ),
    Elsewhere(
        "there/bin/runjob --version",
        "tests/release/test_release.py::test_the_installed_launcher_runs_a_job",
        ("runjob", "--version"),
    ),
    Elsewhere(
        "make pipeline",
        "tests/pipeline/test_documents.py::test_the_try_out_ends_with_actions",
        ("misc/pipeline.sh",),
    ),
    Elsewhere(
        "make rehearse",
        "tests/ctm/test_rehearse_cust360.py::test_every_post_that_a_producer_delivered_is_in_the_lake",
        ("ctm/cust360.json", "--out"),
    ),
    Elsewhere(
        "python -m misc.jobtype build",
        "tests/misc/test_jobtype.py::test_build_writes_both_files_and_names_them",
        ("build",),
    ),
    Elsewhere(
        "ctm/kafka.sh start",
        "tests/ctm/test_scripts.py::test_kafka_is_started_and_stopped_by_the_commands_of_the_environment",
        ("kafka.sh", "start"),
    ),
    Elsewhere(
        "ctm/kafka.sh stop",
        "tests/ctm/test_scripts.py::test_kafka_is_started_and_stopped_by_the_commands_of_the_environment",
        ("kafka.sh", "stop"),
    ),
    Elsewhere(
        "kubectl apply -f k8s/runjob.yaml",
        "tests/cluster/access.py",
        ("apply", "runjob.yaml"),
    ),
    Elsewhere(
        "kubectl apply -k k8s/overlays/daemonset",
        "tests/e2e/test_overlays.py::test_the_api_server_takes_an_overlay_without_a_warning",
        ("apply", "-k", "overlay"),
    ),
    Elsewhere(
        "kubectl apply -k k8s/overlays/statefulset",
        "tests/e2e/test_overlays.py::test_the_api_server_takes_an_overlay_without_a_warning",
        ("apply", "-k", "overlay"),
    ),
)

NOWHERE = (
    Nowhere("ctm ", "no Control-M server is at hand"),
    Nowhere("docker ", "no Docker engine runs here, and the base image is the vendor's"),
    Nowhere("kafka-topics.sh ", "a tool of the broker's host; the code knows its topics"),
    Nowhere("kubectl ", "it means a cluster of the reader's"),
    Nowhere("runjob -y https://", "it means a host of the reader's"),
)
