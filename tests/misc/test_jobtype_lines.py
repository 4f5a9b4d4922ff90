"""What a form holds arrives in the launcher, through a shell, as it was typed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from misc.jobtype import expand, load
from misc.jobtype_source import BUILT, END, MARK
from runjob import form
from runjob.errors import UsageError
from runjob.flags import parse
from runjob.options import Options

JOB_TYPE = load(BUILT)
SHELLS = [
    pytest.param(line, id=line[0])
    for line in (["dash"], ["bash"], ["busybox", "sh"])
    if shutil.which(line[0])
]

# Stands where the shell finds python3: prints the words that it was given, and the form.
STUB = '#!/bin/sh\nprintf \'%s\\n\' "$@" >"$OUT/words"\ncat >"$OUT/form"\n'


class Agent:
    """Runs command lines as an agent does, with a launcher that only keeps what it is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.profile = {"AI-CLIPath": "/opt/run job/", "AI-YamlPath": "/opt/manifests"}
        python = folder / "python3"
        python.write_text(STUB)
        python.chmod(0o755)

    def run(self, shell: list[str], line: str) -> tuple[list[str], str]:
        """Run a line; return the launcher's words and the form that it read."""
        env = {"PATH": f"{self.folder}:{os.environ['PATH']}", "OUT": str(self.folder)}
        # From a file, for a line may be longer than what fits into an argument.
        script = self.folder / "line"
        script.write_bytes(line.encode())
        done = subprocess.run(
            [*shell, str(script)], env=env, cwd=self.folder, capture_output=True, timeout=60
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        words = (self.folder / "words").read_text().splitlines()
        return words, (self.folder / "form").read_bytes().decode()

    def expand(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Return the commands for a form, given by the names of its fields."""
        keys = {each.name: each.key for each in JOB_TYPE.form}
        found = expand(JOB_TYPE, {keys[name]: text for name, text in values.items()}, self.profile)
        return found.execute, found.kill


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Agent:
    return Agent(tmp_path_factory.mktemp("agent"))


NASTY = [
    "", " ", "  two  blanks ", "'", '"', "it's \"both\"", "$HOME", "${HOME}", "$(id)", "`id`",
    "\\", "\\\\", "a\\\nb", "; touch x", "&& x", "| x", "> x", "#x", "!x", "*", "~", "\n", "\n\n",
    "a\nb\n", "\r\n", "\t", "-e", "--", "none", "%s%%ORDERID", "naïve", "日本語", "🚀", "\x1b[1m",
    f"{MARK} jobname=x", f"x{MARK} jobname=", f"{MARK}", END, f"x {END}", f"{END} x", "<<'X'", "^é",
]  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    st.lists(st.sampled_from(NASTY), max_size=4).map("".join),
)
FREE = [
    each.name
    for each in JOB_TYPE.form
    if each.kind == "textbox" and each.name not in ("RestartPolicy", "BackoffLimit")
]


# Where a line begins like the document's end and goes on beyond ASCII, dash 0.5.12 drops a byte.
DASH = re.compile(
    "(?:" + "|".join(re.escape(END[:at]) for at in range(1, len(END) + 1)) + r")[^\x00-\x7f]"
)


def misread(text: str) -> bool:
    """Tell whether a text has a line like the form's own, or one that dash cannot read."""
    _, *lines = text.split("\n")
    return (
        END in lines
        or any(line.startswith(f"{MARK} ") for line in lines)
        or any(DASH.match(line) for line in lines)
    )


FORMS = st.dictionaries(st.sampled_from(FREE), TEXT.filter(lambda text: not misread(text)))


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=60)
@given(values=FORMS)
@example(values=dict.fromkeys(FREE, ""))
@example(values=dict.fromkeys(FREE, "'\"$HOME\\\n;"))
def test_every_field_arrives_as_it_was_typed(
    agent: Agent, shell: list[str], values: dict[str, str]
) -> None:
    execute, kill = agent.expand(values)
    words, handed = agent.run(shell, execute)
    assert words[0] == "/opt/run job//runJob.py"
    assert isinstance(parse(words[1:]), Options)
    fields = form.read(handed)
    assert fields.keys() == form.FIELDS
    for each in JOB_TYPE.form:
        assert fields[each.name] == values.get(each.name, each.default)
    same = [line.partition("<<")[2] for line in (execute, kill)]
    assert same[0] == same[1], "a kill knows its run by the same form"


WORDS = st.lists(TEXT.filter(bool), max_size=4)
NAMES = st.text(st.characters(exclude_characters="\0=", exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=120)
@given(
    scalars=st.fixed_dictionaries(
        {}, optional={name: TEXT for name in (*form.OPTIONS, "jobname", "namespace")
                      if name not in ("ImagePullPolicy", "RestartPolicy", "BackoffLimit")}
    ),
    command=WORDS,
    arguments=st.lists(TEXT, max_size=4),
    pairs=st.lists(st.tuples(NAMES, TEXT), max_size=6),
    limits=st.booleans(),
)  # fmt: skip
def test_the_launchers_own_parser_gives_the_same_values_back(
    agent: Agent,
    scalars: dict[str, str],
    command: list[str],
    arguments: list[str],
    pairs: list[tuple[str, str]],
    limits: bool,
) -> None:
    values = {**scalars, "command": shlex.join(command), "arguments": shlex.join(arguments)}
    for number, (name, text) in enumerate(pairs, 1):
        values |= {f"evar{number}": name, f"eval{number}": text}
    values["more"] = "--limits 'memory=1 Gi'" if limits else ""
    if any(map(misread, values.values())):
        return
    _, handed = agent.run(["sh"], agent.expand(values)[0])
    options = parse(form.words(handed))
    assert isinstance(options, Options)

    def wanted(name: str, default: str = "") -> str | None:
        text = scalars.get(name, default)
        return None if text in ("", "none") else text

    job = options.job
    assert (options.job_name, options.namespace) == (wanted("jobname"), wanted("namespace"))
    assert (job.image, job.pull_secret) == (
        wanted("imagename"),
        wanted("ImagePullSecret", "regcred"),
    )
    assert (job.volume_name, job.claim) == (wanted("VolName"), wanted("PVCLAIM"))
    assert (job.host_path, job.mount_path) == (wanted("HostPath"), wanted("ConPath"))
    assert job.command == tuple(command)
    assert job.args == tuple(arguments)
    assert job.env == tuple(pairs)
    assert job.limits == ((("memory", "1 Gi"),) if limits else ())
    assert (job.pull_policy, job.restart_policy, job.backoff_limit) == ("Always", "Never", 0)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "value",
    [
        f"x\n{END}\ntouch broken-out",
        f"x\n{END}\n{MARK} end=\n",
        f"\n{MARK} namespace=elsewhere",
        f"x\n{MARK} namespace=elsewhere",
        f"x\n{MARK} end=\n{END}\ntouch broken-out\ncat <<'{END}'\n{MARK} jobname=",
        f"x\n{MARK} made_up=y",
    ],
)
def test_a_value_that_looks_like_the_form_itself_is_refused_and_runs_nothing(
    agent: Agent, shell: list[str], value: str
) -> None:
    words, handed = agent.run(shell, agent.expand({"jobname": "x", "eval1": value})[0])
    assert "--form" in words
    with pytest.raises(UsageError, match="the form"):
        form.words(handed)
    assert not (agent.folder / "broken-out").exists()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("start", ["^", END[:5], END])
def test_a_byte_that_a_shell_loses_is_noticed(agent: Agent, shell: list[str], start: str) -> None:
    value = f"first line\n{start}é"
    line, _ = agent.expand({"eval1": value})
    try:
        _, handed = agent.run(shell, line)
    except UnicodeDecodeError:
        assert shell == ["dash"], "the launcher refuses what is no UTF-8"
    else:
        assert form.read(handed)["eval1"] == value
