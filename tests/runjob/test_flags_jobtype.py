"""The command lines that the job type makes, with fields filled and empty."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runjob.flags import FLAGS, Flag
from runjob.options import JobOptions, Options
from tests.runjob.command_line import options

EMPTY = [
    pytest.param(flag, blank, id=f"{flag.name} {blank or 'empty'}")
    for flag in FLAGS
    for blank in ("", "none")
    if flag.blank is not ... and not (flag.collects and blank)
]


@pytest.mark.parametrize(("flag", "blank"), EMPTY)
def test_an_empty_field_of_the_job_type_is_one_not_given(flag: Flag, blank: str) -> None:
    pair = ["-v", ""] if flag.short == "e" else []
    job = JobOptions(pull_secret=None) if flag.short == "s" else JobOptions()
    found = options(f"-{flag.short}", blank, *pair)
    assert replace(found, given=frozenset()) == Options(job=job)


def test_none_may_be_a_word_of_a_command() -> None:
    assert options("-k", "none", "-a", "none").job == JobOptions(command=("none",), args=("none",))


EMPTY_JOB_TYPE = [
    "-j", "hello", "-i", "busybox", "-p", "", "-e", "", "-v", "", "-e", "", "-v", "", "-s", "",
    "-r", "", "-b", "", "-H", "none", "-m", "none", "-t", "none", "-c", "none",
]  # fmt: skip


def test_the_job_type_without_a_manifest_and_every_field_empty() -> None:
    assert options(*EMPTY_JOB_TYPE).job == JobOptions(image="busybox", pull_secret=None)


def test_the_job_type_with_every_field_filled() -> None:
    argv = (
        "-j hello -i busybox -p Latest -e A -v 1 -e B -v 2 -s regcred -r OnFailure -b 2 -H /srv "
        "-m work -t /data -c none"
    )
    assert options(*argv.split()).job == JobOptions(
        image="busybox",
        env=(("A", "1"), ("B", "2")),
        restart_policy="OnFailure",
        backoff_limit=2,
        host_path="/srv",
        volume_name="work",
        mount_path="/data",
    )


def test_the_job_type_with_a_manifest() -> None:
    found = options("-j", "hello", "-y", "/srv/jobs/hello.yaml")
    assert (found.job_name, found.manifest) == ("hello", "/srv/jobs/hello.yaml")
    assert found.given == {"jobname", "yaml"}


def test_the_published_call_is_read() -> None:
    argv = "-j mytest-job2 -n controlm -b 0 -s regcred -i joegoldberg/controlm:appimage -p Never"
    found = options(*argv.split(), "-e", "LOOPCTR", "-v", "10", "-e", "STIME", "-v", "5")
    assert found.job.env == (("LOOPCTR", "10"), ("STIME", "5"))
    assert (found.job_name, found.namespace, found.job.pull_policy) == (
        "mytest-job2",
        "controlm",
        "Never",
    )


@pytest.mark.parametrize("option", ["-p", "--image_pull_policy", "--imagepullpolicy"])
def test_latest_is_read_as_always_with_a_note(option: str) -> None:
    found = options(option, "Latest")
    assert found.job.pull_policy == "Always"
    assert found.notes == ("-p Latest is no Kubernetes value and is read as Always",)
