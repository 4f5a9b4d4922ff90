"""Every wrong option, combination or manifest is one clear line, and nothing is asked of an API."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runjob import cli
from runjob.errors import Exit
from runjob.flags import FLAGS, Flag

pytestmark = pytest.mark.usefixtures("nowhere")


def refusal(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a line that must be refused; return its exit code and the one line that it prints."""
    code = cli.main(argv)
    out, err = capsys.readouterr()
    assert err.count("\n") == 1, err
    assert err.endswith("\n")
    assert err.startswith("runjob: error: ")
    assert "Traceback" not in err
    assert "Job created" not in out
    assert code not in (Exit.SUCCEEDED, Exit.NO_CLUSTER)
    return code, err


LONG = "a" * 300

# -- options -------------------------------------------------------------------------------------

HELLO = "-j hello -i busybox"
BAD_LINES = [
    # what is no option, or lacks its value
    "", "-j", "--jobname", "-x", "--nothing", "--=", "---", "hello", "-j hello world",
    "-j hello -i busybox extra", "-- -j hello", "--indexed=1", "--sandbox=yes", "--help=1",
    "--im=busybox", "--vol=x", "-j hello -i", "-bx", "-jhello -ibusybox -z",
    # what is no value
    *(f"{HELLO} -b {value}" for value in ("x", "-1", "1.5", "1e3", "9999999999", "0x1", "--")),
    *(f"{HELLO} -p {value}" for value in ("always", "latest", "Sometimes", "-e")),
    *(f"{HELLO} -r {value}" for value in ("Always", "never", "OnSuccess")),
    *(f"{HELLO} --completions {value}" for value in ("0", "x", "-1", "1.0")),
    *(f"{HELLO} --parallelism {value}" for value in ("0", "x", "-1")),
    *(f"{HELLO} --deadline {value}" for value in ("0", "x", "1w", "-5", "1.5h", "999999d")),
    *(f"{HELLO} --start-timeout {value}" for value in ("0", "soon")),
    *(f"{HELLO} --api-timeout {value}" for value in ("0s", "10 m", "m")),
    *(f"{HELLO} --requests {value}" for value in ("cpu", "=1", "cpu=", "cpu=1,", "a=1,a=2")),
    *(f"{HELLO} --limits {value}" for value in ("memory", ",", "memory=1Gi,memory=2Gi")),
    *(f"{HELLO} --node-selector {value}" for value in ("disk", "a=1,a=1")),
    *(f"{HELLO} --toleration {value}" for value in ("", "a=b=c", "a:Never", "*=x", ":NoSchedule")),
    *(f"{HELLO} --label {value}" for value in ("a", "=b")),
    *(f"{HELLO} --annotation {value}" for value in ("a", "=b")),
    *(f"{HELLO} --env-from {value}" for value in ("a", "secret/", "/a", "file/a", "Secret/a")),
    *(f"{HELLO} --set {value}" for value in ("a", "=1", "a..b=1", "[0]=1", "a[x]=1", "a.=1")),
    *(f"{HELLO} --set {value}" for value in ("spec.backoffLimit.x=1", "spec[0]=1", "a={", "a=*b")),
    *(f"{HELLO} --set {value}" for value in ("kind=Pod", "apiVersion=v1", "metadata=1")),
    *(f"{HELLO} --set {value}" for value in ("metadata.name=x", "metadata.namespace=x")),
    *(f"{HELLO} --set metadata.annotations={value}" for value in ("[1]", "x", "5")),
    *(f"{HELLO} --security {value}" for value in ("baseline", "none", "Restricted")),
    *(f"{HELLO} --dry-run {value}" for value in ("all", "true", "Client")),
    *(f"{HELLO} --keep {value}" for value in ("yes", "Always")),
    *(f"{HELLO} --prefix {value}" for value in ("yes", "pod")),
    *(f"{HELLO} --exit-code {value}" for value in ("job", "4", "Container")),
    *(f"{HELLO} --map-exit {value}" for value in ("4", "4=", "=0", "4=256", "4=0,", "-1=0")),
    # what is no name
    *(f"-i busybox -j {name}" for name in ("Hello", "a_b", "-a", "a-", "a..b", "a/b", LONG, ".")),
    *(f"{HELLO} -n {name}" for name in ("A", "a.b", "-n", "a/../b", "a" * 64, "a_b")),
    *(f"-i busybox --generate-name {name}" for name in ("A", "-a", "a" * 58, "a/")),
    # what does not go together
    "-i busybox", "-j hello", "-j none -i busybox", f"-j {LONG}", "-j ../../etc/passwd",
    "-j hello --generate-name run- -i busybox", f"{HELLO} --param a=1",
    f"{HELLO} -c claim", f"{HELLO} -H /srv", f"{HELLO} -t /data", f"{HELLO} -c a -H /b -t /c",
    f"{HELLO} -c claim -t data", f"{HELLO} -H srv -t /data", f"{HELLO} --indexed",
    f"{HELLO} -e A", f"{HELLO} -v 1", f"{HELLO} -e A -v 1 -e B", f"{HELLO} -e A=1 -v 2",
    f"{HELLO} --context prod", f"{HELLO} -p Latest --context prod",
    f"{HELLO} --sandbox --kubeconfig config", f"{HELLO} --sandbox --dry-run server",
    f"{HELLO} --result-file /no/such/folder/result.json", f"{HELLO} --result-file .",
    f"{HELLO} --run-id a/b", f"{HELLO} --print all", f"{HELLO} --query a=b",
    f"{HELLO} --token-file token", "-y hello.yaml --query a=b", "--form missing", "--form .",
    "--kill -j hello", "--kill --run-id a --sandbox -n default", "--kill --run-id a -n No",
    # addresses of manifests
    "-y http://localhost/job.yaml", "-y file:///etc/passwd", "-y https://",
    "-y https://localhost:0/job.yaml", "-y https://me:sesame@localhost/job.yaml",
    "-y https://localhost/job.yaml --token-file missing",
    # manifests that are not there
    "-y missing.yaml", "-y .", f"-y {LONG}", "-j hello -y missing/hello.yaml",
]  # fmt: skip


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: line[:60])
def test_a_wrong_line_is_refused(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    refusal(line.split(" ") if line else [], capsys)


EMPTY = [
    flag
    for flag in FLAGS
    if flag.metavar and flag.blank is ... and flag.name not in ("envvalue", "argument")
]


@pytest.mark.parametrize("flag", [pytest.param(flag, id=flag.name) for flag in EMPTY])
def test_an_option_with_an_empty_value_is_refused(
    flag: Flag, capsys: pytest.CaptureFixture[str]
) -> None:
    _, line = refusal(["-j", "hello", "-i", "busybox", f"--{flag.name}", ""], capsys)
    assert f"--{flag.name}" in line


@pytest.mark.parametrize(
    "flag", [pytest.param(flag, id=flag.name) for flag in FLAGS if flag.metavar]
)
def test_an_option_with_a_nul_byte_is_refused(
    flag: Flag, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal(["-j", "hello", "-i", "busybox", f"--{flag.name}", "a\0b"], capsys)


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["-j", "a\nb", "-i", "x"], id="a newline in the name"),
        pytest.param(["-j", "a", "-i", "x", "a\r\nb\x1b[31m"], id="control characters"),
        pytest.param(["-j", "\udcff", "-i", "x"], id="a name that is not UTF-8"),
        pytest.param(["-j", "a", "-i", "x", "-b", "é"], id="an accent"),
        pytest.param(["-j", " a", "-i", "x"], id="a blank before the name"),
        pytest.param(["-j", "a", "-i", "x", "-e", "A", "-v", "1", ""], id="a lone empty word"),
    ],
)
def test_odd_characters_stay_on_one_line(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    refusal(argv, capsys)


# -- manifests -----------------------------------------------------------------------------------

JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: hello}\nspec: {}\n"
SECRET = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: login}\n"
MANIFESTS = {
    "empty": "",
    "a comment": "# nothing\n",
    "null": "~",
    "no YAML": "kind: [",
    "a tab": "\tkind: Job",
    "a text": "hello",
    "a number": "5",
    "a sequence": "- a\n- b",
    "a web page": "<!DOCTYPE html>\n<html>404: not found</html>",
    "a control character": f"{JOB}x: \x07",
    "not UTF-8": "kind: \udcff",
    "UTF-16": "k\0i\0n\0d\0",
    "no kind": "apiVersion: batch/v1\nmetadata: {name: a}",
    "no apiVersion": "kind: Job\nmetadata: {name: a}",
    "kind is a number": "kind: 5\napiVersion: v1",
    "a Pod": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}",
    "a CronJob": "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}",
    "an old Job": JOB.replace("batch/v1", "batch/v1beta1"),
    "a Job of another group": JOB.replace("batch/v1", "v1"),
    "two Jobs": f"{JOB}---\n{JOB}",
    "a Deployment beside": f"{JOB}{SECRET}".replace("kind: Secret", "kind: Deployment"),
    "a Secret without a name": f"{JOB}---\napiVersion: v1\nkind: Secret\n",
    "a Secret with a path": f"{JOB}{SECRET}".replace("login", "../login"),
    "a Secret elsewhere": f"{JOB}{SECRET}".replace(
        "name: login", "name: login, namespace: other"
    ).replace("name: hello", "name: hello, namespace: ns"),
    "no name": "apiVersion: batch/v1\nkind: Job\n",
    "only a start of a name": JOB.replace("name:", "generateName:"),
    "a number for a name": JOB.replace("hello", "5"),
    "an empty name": JOB.replace("hello", "''"),
    "a name in capitals": JOB.replace("hello", "Hello"),
    "a path for a name": JOB.replace("hello", "a/../b"),
    "a path for a namespace": JOB.replace("hello", "hello, namespace: ../b"),
    "a number for a namespace": JOB.replace("hello", "hello, namespace: 5"),
    "metadata is text": JOB.replace("{name: hello}", "hello"),
    "metadata is a list": JOB.replace("{name: hello}", "[hello]"),
    "annotations are a list": JOB.replace("hello", "hello, annotations: [a]"),
    "labels are text": JOB.replace("hello", "hello, labels: a"),
    "a key twice": f"{JOB}spec: {{}}",
    "a key twice, inside": JOB.replace("{}", "{a: 1, a: 2}"),
    "an anchor that is not there": f"{JOB}x: *y",
    "an alias of itself": f"{JOB}x: &x [*x]",
    "nested too deeply": f"{JOB}x: {'[' * 500}",
    "braces without a dollar": f"{JOB}x: {{{{y}}}}",
    "a placeholder without a value": f"{JOB}x: ${{{{y}}}}",
    "a placeholder in a flow": f"{JOB}x: [${{{{y}}}}]",
    "a Python object": f"{JOB}x: !!python/object/apply:os.system [ls]",
    "bytes": f"{JOB}x: !!binary aGk=",
    "a set": f"{JOB}x: !!set {{a}}",
    "a text for an integer": f"{JOB}x: !!int a",
    "a List of a number": "kind: List\nitems: 5",
    "a List of numbers": "kind: List\nitems: [5]",
    "a List of nothing": "kind: List\napiVersion: v1\nitems: []",
}


def write(text: str) -> str:
    """Write a manifest into the current directory and return its name."""
    Path("job.yaml").write_bytes(text.encode(errors="surrogateescape"))
    return "job.yaml"


@pytest.mark.parametrize("text", MANIFESTS.values(), ids=MANIFESTS)
def test_a_wrong_manifest_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    refusal(["-y", write(text)], capsys)


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ("-j other", 16),
        ("-n other", 18),
        ("--param day=monday", 1),
        ("--param day", 1),
        ("--requests cpu=1", 1),
        ("--deadline 1m", 1),
        ("--indexed", 1),
        ("--set spec.a.b", 1),
        ("--set spec[0]=1", 1),
        ("--set metadata.name=other", 1),
    ],
)
def test_a_line_that_does_not_fit_its_manifest_is_refused(
    argv: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = JOB.replace("hello", "hello, namespace: ns")
    assert refusal(["-y", write(text), *argv.split()], capsys)[0] == code


@pytest.mark.parametrize("pair", list(combinations(["a=1", "a=2", "b=1"], 2)), ids="-".join)
def test_parameters_that_do_not_fit_are_refused(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [word for each in pair for word in ("--param", each)]
    refusal(["-y", write(f"{JOB}x: ${{{{a}}}}\ny: ${{{{c}}}}\n"), *argv], capsys)


def test_a_manifest_that_is_wrong_has_the_contracts_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert refusal(["-y", write("kind: Pod")], capsys)[0] == 5


words = st.one_of(
    st.sampled_from([f"--{name}" for flag in FLAGS for name in flag.names]),
    st.sampled_from([f"-{flag.short}" for flag in FLAGS if flag.short]),
    st.text(st.characters(codec="utf-8"), max_size=12),
)


@given(argv=st.lists(words, max_size=8))
@example(argv=["-j", "hello", "-i", "busybox", "--set", "spec.x=" + "[" * 1000])
@example(argv=["-j", "hello", "-i", "busybox", "--set", "spec.x=!!int a"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_line_ends_with_an_exit_code_and_no_traceback(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # Whatever is meant, it must not start the embedded cluster or read this process's stdin.
    argv = [word for word in argv if not word.startswith("--sa") and word != "-"]
    code = cli.main([*argv, "--dry-run=client"] if "--" not in argv else argv)
    _, err = capsys.readouterr()
    assert code in set(Exit)
    assert all(line.startswith("runjob: ") for line in err.split("\n") if line)
    assert err.count("runjob: error: ") == (code != 0)


def test_a_current_directory_that_was_removed_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    refusal(["-j", "hello"], capsys)


def test_outside_a_cluster_one_line_names_the_ways_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["-j", "hello", "-i", "busybox"]) == Exit.NO_CLUSTER
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("runjob: error: not inside a Kubernetes cluster")
    assert "--kubeconfig" in err
    assert "--sandbox" in err


@pytest.mark.parametrize(
    "line",
    [
        "gc", "show hello", "-j hello -i busybox --dry-run server", "--kill --run-id a -n default",
    ],
)  # fmt: skip
def test_a_sandbox_is_no_way_out_for_what_cannot_use_one(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(line.split()) == Exit.NO_CLUSTER
    told = "not inside a Kubernetes cluster: name one with --kubeconfig FILE"
    assert capsys.readouterr().err == f"runjob: error: {told}\n"


# -- a word that is none -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("foo", ""), ("", ""), ("hello.yaml", ""),
        ("shwo", " (did you mean show?)"), ("HELP", " (did you mean help?)"),
        ("complete", " (did you mean completion?)"), ("kill", " (did you mean --kill?)"),
        ("version", " (did you mean --version?)"),
    ],
)  # fmt: skip
def test_a_first_word_that_is_nothing_is_told_what_could_stand_there(
    word: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([word, "-j", "hello"]) == Exit.FAILED
    assert capsys.readouterr().err == (
        f"runjob: error: {word!r} is no option and no subcommand{meant}: a launch begins with an "
        "option, as -j NAME, and the subcommands are gc, list, show, help and completion\n"
    )


@pytest.mark.parametrize("text", [None, "", "[]", "a: [", "clusters: 5", "\0", "kind: Config"])
def test_a_kubeconfig_that_is_none_is_one_line(
    text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        Path("config").write_text(text)
    assert cli.main(["-j", "hello", "-i", "busybox", "--kubeconfig", "config"]) == 9
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("runjob: error: --kubeconfig config")


@pytest.mark.parametrize(("option", "text"), [("--help", "usage: runjob -j"), ("--version", "0.")])
def test_help_and_version_are_printed(
    option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([option]) == 0
    assert capsys.readouterr().out.startswith(text)
