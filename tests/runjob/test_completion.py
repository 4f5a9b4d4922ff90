"""The completion scripts offer in each shell what the launcher understands."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from runjob import cli
from runjob.errors import Exit
from runjob.flags import ASKING, FLAGS
from runjob.guide.answer import text
from runjob.guide.lines import COMMANDS, SHELLS, names_file, spellings
from runjob.guide.shells import SHELLS as SCRIPTS
from runjob.guide.topics import RAW, TOPICS
from runjob.subcommands import SUBCOMMANDS
from tests.runjob.programs import program

Complete = Callable[[str], set[str]]


def bash(line: str, script: Path, cwd: Path) -> set[str]:
    """Return what bash offers at the end of a line."""
    words = line.split(" ")
    code = (
        f"source {shlex.quote(str(script))}\n"
        f"COMP_WORDS=({' '.join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1}\n"
        "complete -p runJob.py runjob.pyz > complete || exit 9\n"
        '_runjob; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        [program("bash"), "--norc", "-u", "-c", code], cwd=cwd, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split("\n")) - {""}


def fish(line: str, script: Path, cwd: Path) -> set[str]:
    """Return what fish offers at the end of a line."""
    code = f"source {shlex.quote(str(script))}; complete -C {shlex.quote(line)}"
    done = subprocess.run(
        [program("fish"), "--no-config", "-c", code], cwd=cwd, capture_output=True, text=True,
        check=False, env={**os.environ, "HOME": str(cwd)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return {found.partition("\t")[0] for found in done.stdout.split("\n")} - {""}


ZSHRC = """
autoload -Uz compinit; compinit -u -D
{load}
PROMPT= RPROMPT= PROMPT_EOL_MARK=
setopt no_beep
zstyle ':completion:*' list-prompt ''
LISTMAX=1000
show() {{ print -rn -- "$BUFFER" > line; exit }}
zle -N show
bindkey -e
bindkey '^I' complete-word
bindkey '^X' show
print READY
"""


def zsh(line: str, script: Path, cwd: Path) -> set[str]:
    """Return the line that zsh makes of a line when Tab is pressed."""
    load = f"source {shlex.quote(str(script))}"
    if script.name == "_runjob":  # a file in $fpath, that zsh loads itself
        load = f"fpath=({shlex.quote(str(script.parent))} $fpath); compinit -u -D"
    (cwd / ".zshrc").write_text(ZSHRC.format(load=load))
    terminal, side = pty.openpty()
    env = {"ZDOTDIR": str(cwd), "TERM": "dumb", "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        [program("zsh"), "-d", "-i"], cwd=cwd, env=env, stdin=side, stdout=side, stderr=side,
        start_new_session=True,
    ):  # fmt: skip
        os.close(side)
        said = b""
        while b"READY" not in said:
            said += os.read(terminal, 4096)
        os.write(terminal, f"{line}\t\x18".encode())
        with suppress(OSError):  # the terminal of a process that has ended
            while os.read(terminal, 4096):
                pass
    os.close(terminal)
    return {(cwd / "line").read_text()}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def script(shell: str, tmp_path: Path) -> Path:
    """Lay out a shell's script, and a folder to complete files in."""
    for name in ("job one.yaml", "other.txt"):
        (tmp_path / name).write_text("")
    path = tmp_path / f"script.{shell}"
    path.write_text(text("completion", shell))
    return path


def offers(shell: str, line: str, script: Path) -> set[str]:
    return {"bash": bash, "fish": fish, "zsh": zsh}[shell](line, script, script.parent)


# What is typed, what is offered, and the line that zsh makes of it.
LINES = [
    ("runjob --ke", {"--keep"}, "runjob --keep="),
    ("runjob -j gc --ke", {"--keep"}, "runjob -j gc --keep="),
    ("runJob.py --sand", {"--sandbox"}, "runJob.py --sandbox "),
    ("runjob.pyz --sand", {"--sandbox"}, "runjob.pyz --sandbox "),
    ("runjob --keep fai", {"failed"}, "runjob --keep failed "),
    ("runjob --dry-run s", {"server"}, "runjob --dry-run server "),
    ("runjob -p I", {"IfNotPresent"}, "runjob -p IfNotPresent "),
    ("runjob --imagepullpolicy Ne", {"Never"}, "runjob --imagepullpolicy Never "),
    ("runjob -r O", {"OnFailure"}, "runjob -r OnFailure "),
    ("runjob --prefix au", {"auto"}, "runjob --prefix auto "),
    ("runjob -k a -k b --print r", {"result"}, "runjob -k a -k b --print result "),
    ("runjob -y o", {"other.txt"}, "runjob -y other.txt "),
    ("runjob --kubeconfig o", {"other.txt"}, "runjob --kubeconfig other.txt "),
    ("runjob -j o", set(), "runjob -j o"),
    ("runjob g", {"gc"}, "runjob gc "),
    ("runjob gc --del", {"--delete"}, "runjob gc --delete "),
    ("runjob gc --lo", {"--lost"}, "runjob gc --lost "),
    ("runjob gc --all", {"--all-makers", "--all-namespaces"}, "runjob gc --all-"),
    ("runjob list --all", {"--all-namespaces"}, "runjob list --all-namespaces "),
    ("runjob li", {"list"}, "runjob list "),
    ("runjob -j a --on-lost k", {"keep", "kill"}, "runjob -j a --on-lost k"),
    ("runjob gc --kubec", {"--kubeconfig"}, "runjob gc --kubeconfig="),
    ("runjob gc --im", set(), "runjob gc --im"),
    ("runjob show hello --names", {"--namespace"}, "runjob show hello --namespace="),
    ("runjob help exit", {"exit-codes"}, "runjob help exit-codes "),
    ("runjob completion z", {"zsh"}, "runjob completion zsh "),
]  # fmt: skip


@pytest.mark.parametrize(("line", "found", "made"), LINES, ids=[line for line, _, _ in LINES])
def test_a_line_is_completed(
    line: str, found: set[str], made: str, shell: str, script: Path
) -> None:
    assert offers(shell, line, script) == ({made} if shell == "zsh" else found)


@pytest.mark.parametrize("name", ["bash", "fish"])
def test_every_option_is_offered(name: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(text("completion", name))
    flags = (*FLAGS, *ASKING)
    long = {f"--{each}" for flag in flags for each in flag.names}
    assert offers(name, "runjob -j x --", script) == long
    short = {f"-{flag.short}" for flag in flags if flag.short}
    assert offers(name, "runjob -j x -", script) - long == short


@pytest.mark.parametrize("name", ["bash", "fish"])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("runjob ", set(SUBCOMMANDS)),
        ("runjob help ", {*TOPICS, *RAW}),
        ("runjob completion ", set(SHELLS)),
        ("runjob --keep ", {"never", "failed", "always"}),
        ("runjob -p ", {"Always", "IfNotPresent", "Never"}),
        ("runjob -n ", set()),
    ],
)
def test_every_word_is_offered(name: str, line: str, words: set[str], tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(text("completion", name))
    assert offers(name, line, script) == words


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("runjob --keep = fa", {"failed"}),
        ("runjob --keep =", {"never", "failed", "always"}),
        ("runjob --yaml = job", {"job one.yaml"}),
    ],
)
def test_bash_completes_a_value_behind_an_equals_sign(
    line: str, found: set[str], tmp_path: Path
) -> None:
    (tmp_path / "job one.yaml").write_text("")
    script = tmp_path / "script.bash"
    script.write_text(text("completion", "bash"))
    assert bash(line, script, tmp_path) == found


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("runjob --keep=fa", "runjob --keep=failed "),
        ("runjob -y job", "runjob -y job\\ one.yaml "),
        ("runjob -pI", "runjob -pIfNotPresent "),
    ],
)
def test_zsh_loads_the_script_from_its_path(line: str, made: str, tmp_path: Path) -> None:
    (tmp_path / "job one.yaml").write_text("")
    folder = tmp_path / "functions"
    folder.mkdir()
    (folder / "_runjob").write_text(text("completion", "zsh"))
    assert zsh(line, folder / "_runjob", tmp_path) == {made}


@pytest.mark.parametrize("name", SHELLS)
def test_each_script_knows_every_spelling_and_choice(name: str) -> None:
    told = text("completion", name)
    for flag in (*FLAGS, *ASKING):
        for spelling in spellings(flag):
            form = spelling.lstrip("-") if name == "fish" else spelling
            assert form in told
        assert " ".join(flag.choices) in told
    assert all(command in told for command in COMMANDS)


def test_files_are_offered_where_a_value_is_one_of_this_machine() -> None:
    found = {flag.name for flag in FLAGS if names_file(flag)}
    assert found == {"yaml", "token-file", "kubeconfig", "result-file", "form"}


def test_the_shells_are_those_that_there_are_scripts_for() -> None:
    assert tuple(SCRIPTS) == SHELLS
    assert "|".join(SHELLS) in SUBCOMMANDS["completion"].line


@pytest.mark.parametrize("name", SHELLS)
def test_the_command_prints_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", name]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == (f"{text('completion', name)}\n", "")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "completion takes the name of a shell: completion bash, zsh or fish"),
        (["bash", "zsh"], "completion takes the name of a shell: completion bash, zsh or fish"),
        (["basch"], "no completion for 'basch': there is bash, zsh, fish"),
        (["tcsh"], "no completion for 'tcsh': there is bash, zsh, fish"),
    ],
)
def test_a_shell_that_is_none_is_one_line(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["completion", *argv]) == int(Exit.FAILED)
    assert capsys.readouterr().err == f"runjob: error: {words}\n"
