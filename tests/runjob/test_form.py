"""The job type's form becomes a command line."""

from __future__ import annotations

import pytest

from runjob.errors import UsageError
from runjob.flags import parse
from runjob.form import END, MARK, read, run_id, words
from runjob.options import JobOptions, Options
from tests.runjob.forms import handed


def options(**values: str) -> Options:
    found = parse(words(handed(**values)))
    assert isinstance(found, Options)
    return found


def test_an_empty_form_has_every_option_at_its_default_and_shifts_none() -> None:
    found = options()
    assert (found.job_name, found.namespace, found.manifest) == (None, None, None)
    assert found.job == options(ImagePullPolicy="Always", RestartPolicy="Never").job
    assert found.job.env == ()
    assert found.job.pull_secret is None


@pytest.mark.parametrize(
    ("folder", "name", "path"),
    [
        ("/opt/manifests", "a.yaml", "/opt/manifests/a.yaml"),
        ("/opt/manifests/", "a.yaml", "/opt/manifests/a.yaml"),
        ("/opt/manifests/", "/srv/a.yaml", "/srv/a.yaml"),
        ("", "a.yaml", "a.yaml"),
        ("/opt/manifests/", "https://host/a.yaml", "https://host/a.yaml"),
    ],
)
def test_a_manifest_is_a_file_of_the_folder_or_an_address(
    folder: str, name: str, path: str
) -> None:
    assert options(YamlPath=folder, YAML=name).manifest == path


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"/opt/manifests/a.yaml"}, "/opt/manifests/a.yaml"),
        ({"/opt/manifests/a.yaml", "/a.yaml"}, "/a.yaml"),
        (set[str](), "/a.yaml"),
    ],
)
@pytest.mark.parametrize("folder", ["/opt/manifests", "/opt/manifests/"])
def test_a_name_with_a_slash_before_it_is_found_where_the_first_runkjob_found_it(
    folder: str, files: set[str], path: str
) -> None:
    found = words(handed(YamlPath=folder, YAML="/a.yaml"), files.__contains__)
    assert found[found.index("-y") + 1] == path


@pytest.mark.parametrize("name", ["", "none"])
def test_without_a_manifest_the_container_fields_count(name: str) -> None:
    found = options(YamlPath="/opt/", YAML=name, imagename="busybox", BackoffLimit="2")
    assert (found.manifest, found.job.image, found.job.backoff_limit) == (None, "busybox", 2)


def test_words_and_pairs_keep_their_order() -> None:
    found = options(
        command="sh -c 'echo $A'", arguments="a '' 'b c'", evar1="A", eval1="1", evar3="B"
    ).job
    assert found.command == ("sh", "-c", "echo $A")
    assert found.args == ("a", "", "b c")
    assert found.env == (("A", "1"), ("B", ""))


def test_with_a_manifest_they_do_not() -> None:
    found = options(
        YAML="https://host/a.yaml", imagename="busybox", command="echo", arguments="a",
        ImagePullSecret="regcred", evar1="A", eval1="1", params="DAY=monday 'NAME=two words'",
        query="ref=main", tokenfile="/etc/token", more="--keep failed",
    )  # fmt: skip
    assert found.job == JobOptions()
    assert found.given == {"yaml", "param", "query", "token-file", "keep", "run-id"}
    assert found.params == (("DAY", "monday"), ("NAME", "two words"))
    assert found.query == (("ref", "main"),)
    assert found.token_file == "/etc/token"
    assert found.run.keep == "failed"


@pytest.mark.parametrize(
    ("field", "text", "words_"),
    [
        ("command", "echo 'a", "the form's Command cannot be split into words: No closing"),
        ("command", "sh -c ''", "the form's Command has an empty word"),
        ("more", '"', "the form's More Options cannot be split"),
        ("arguments", "\\", "the form's Arguments cannot be split"),
    ],
)
def test_words_that_no_shell_would_read_are_refused(field: str, text: str, words_: str) -> None:
    with pytest.raises(UsageError, match=words_):
        words(handed(**{field: text}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello\n",
        handed().removesuffix(f"{MARK} {END}=\n"),
        handed() + "more\n",
        "x\n" + handed(),
        handed(evar1=f"\n{MARK} jobname="),
        handed(evar1=f"\n{MARK} invented="),
        handed().replace(f"{MARK} more=\n", ""),
    ],
)
def test_a_form_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the form"):
        read(text)


def test_a_run_is_known_by_its_names_and_its_identity() -> None:
    first = run_id(handed(jobname="a", identity="0001 1"))
    assert first == run_id(handed(jobname="a", identity="0001 1", eval1="resolved anew"))
    assert first != run_id(handed(jobname="a", identity="0001 2"))
    assert first != run_id(handed(jobname="b", identity="0001 1"))
    assert first != run_id(handed(jobname="a", namespace="b", identity="0001 1"))


@pytest.mark.parametrize("identity", ["", " ", "%%ORDERID %%RUNCOUNT"])
def test_without_an_identity_it_is_known_by_the_whole_form(identity: str) -> None:
    first = run_id(handed(jobname="a", identity=identity))
    assert first != run_id(handed(jobname="a", identity=identity, eval1="x"))
    assert options(jobname="a", identity=identity).run_id == first
