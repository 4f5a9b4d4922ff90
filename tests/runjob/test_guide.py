"""The help is short, its topics are deep, and both say what the tables say."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob import cli, remote
from runjob.errors import MEANINGS, Exit, UsageError
from runjob.flags import ASKING, FLAGS, parse
from runjob.guide import tables
from runjob.guide.answer import ALIASES, text
from runjob.guide.text import Code, Heading, Prose, Rows, blocks, markdown, plain
from runjob.guide.topics import RAW, TOPICS
from runjob.guide.usage import BRIEF, called, short, subcommand
from runjob.kill import APPEARANCE
from runjob.options import Options
from runjob.request import MAX_SIZE, PREREQUISITES
from runjob.sandbox.images import KNOWN
from runjob.scene import Patience
from runjob.subcommands import SUBCOMMANDS
from runjob.subcommands import read as read_subcommand

PACKAGE = Path(cli.__file__).parent
NAMES = {
    *(name for flag in (*FLAGS, *ASKING) for name in flag.names),
    *(name for known in SUBCOMMANDS.values() for flag in known.flags for name in flag.names),
}
LETTERS = {
    *(flag.short for flag in (*FLAGS, *ASKING) if flag.short),
    *(flag.short for known in SUBCOMMANDS.values() for flag in known.flags if flag.short),
}


# -- the short help ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["runjob", "runJob.py", "runjob.pyz", "runjob-of-2026-01.py"])
def test_the_short_help_fits_a_screen_of_24_lines_and_80_columns(name: str) -> None:
    assert called(name) == name
    lines = short(name).splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    for each in SUBCOMMANDS:
        assert max(map(len, subcommand(each, name).splitlines())) <= 80


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/opt/bin/runjob", "runjob"),
        ("ctmDocker/runJob.py", "runJob.py"),
        ("./runjob.pyz", "runjob.pyz"),
        ("/opt/runjob/__main__.py", "runjob"),
        ("-c", "runjob"),
        ("", "runjob"),
        ("a" * 21, "runjob"),
        ("a\nb", "runjob"),
    ],
)
def test_the_launcher_goes_by_the_name_that_was_typed(path: str, name: str) -> None:
    assert called(path) == name


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--help"], "usage: {} -j NAME -i IMAGE [options]\n"),
        (["-h"], "       {} gc | list | show NAME | help | completion SHELL\n"),
        (["-h"], "Topics: {} help; "),
        (["gc", "-h"], "usage: {} gc [--delete] [options]\n"),
        (["show", "--help"], "usage: {} show NAME [options]\n"),
        (["help", "-h"], "usage: {} help [TOPIC]\n"),
        (["help"], "{} help TOPIC, about\n"),
    ],
)
@pytest.mark.parametrize("path", ["/opt/bin/runjob", "runJob.py", "./runjob.pyz"])
def test_every_help_says_that_name(
    line: list[str],
    words: str,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", [path, *line])
    assert cli.main() == 0
    assert words.format(path.rpartition("/")[2]) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("way", "name"), [([str(PACKAGE / "runJob.py")], "runJob.py"), (["-m", "runjob"], "runjob")]
)
def test_the_help_names_the_way_that_the_launcher_was_started(way: list[str], name: str) -> None:
    done = subprocess.run(
        [sys.executable, *way, "--help"], cwd=PACKAGE.parent, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout == f"{short(name)}\n"


def test_the_short_help_leads_on() -> None:
    for words in ("runjob help;", "runjob help options", "runjob help exit-codes", *SUBCOMMANDS):
        assert words in short()
    assert f"all {len(FLAGS)} options" in short()


def test_the_short_help_shows_options_as_the_table_has_them() -> None:
    known = {flag.name: flag for flag in FLAGS}
    assert BRIEF.keys() <= known.keys()
    for name in BRIEF:
        assert f"{tables.spelling(known[name])} " in short()


@pytest.mark.parametrize("argv", [["-h"], ["--help"]])
def test_help_is_asked_for_as_ever(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 0
    assert capsys.readouterr().out == f"{short()}\n"


# -- topics --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        *(["-h"], ["--version"], ["help"], ["gc", "-h"], ["help", "man"]),
        ["-j", "x", "-i", "x", "--dry-run", "client"],
    ],
)
def test_a_text_that_cannot_be_written_is_a_failure(
    line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A completion script on a full disk, say."""
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=full))
        assert cli.main(line) == int(Exit.FAILED)


def test_a_reader_that_has_seen_enough_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb", buffering=0) as gone:
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=gone))
        assert cli.main(["help", "options"]) == 0


def test_without_a_topic_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help"]) == 0
    told = capsys.readouterr().out
    assert re.findall(r"(?m)^  ([a-z-]+)  ", told) == [*TOPICS, *RAW]
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.parametrize("topic", [*TOPICS, *RAW])
def test_each_topic_has_a_text(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help", topic]) == 0
    told = capsys.readouterr()
    assert told.out == f"{text('help', topic)}\n"
    assert told.err == ""
    assert len(told.out) > 200


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_fits_80_columns_unless_a_line_is_to_be_copied(topic: str) -> None:
    for line in text("help", topic).splitlines():
        assert len(line) <= 80 or line.startswith("    "), line


@pytest.mark.parametrize(
    ("word", "meant"),
    [("exit-cods", "exit-codes"), ("optoins", "options"), ("man-page", "man"), ("wait", "waiting")],
)
def test_a_topic_that_is_none_is_one_line_with_what_may_be_meant(
    word: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["help", word]) == int(Exit.FAILED)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        f"runjob: error: no topic '{word}' (did you mean {meant}?): runjob help lists them\n"
    )


@pytest.mark.parametrize(
    ("word", "told"),
    [
        pytest.param("--if-exists", "  --if-exists WHAT  what becomes", id="long"),
        pytest.param("if-exists", "  --if-exists WHAT  what becomes", id="without dashes"),
        pytest.param("-k", "  -k, --commands WORD  command to run", id="short"),
        pytest.param("--kill", "  --kill  end the Job", id="of a topic's name"),
        pytest.param("--version", "  --version  the version", id="a text"),
    ],
)
def test_an_option_is_told_of_too(word: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help", word]) == 0
    assert capsys.readouterr().out.startswith(told)


def test_an_option_names_the_topics_that_tell_more() -> None:
    assert text("help", "--if-exists").endswith("\n\nMore: runjob help adoption")
    assert "More: " not in text("help", "--version")
    assert "runjob help kill" in text("help", "--kill")


def test_an_option_that_is_none_is_told_what_may_be_meant() -> None:
    with pytest.raises(UsageError, match=r"^no topic '--hartbeat' \(did you mean --heartbeat\?\)"):
        text("help", "--hartbeat")


@pytest.mark.parametrize("word", ALIASES)
def test_another_word_for_a_topic_finds_it(word: str) -> None:
    assert word not in {*TOPICS, *RAW}
    assert text("help", word) == text("help", ALIASES[word])


def test_what_is_like_no_topic_is_not_guessed() -> None:
    with pytest.raises(UsageError, match=r"^no topic 'qqq': runjob help lists them$"):
        text("help", "qqq")


def test_the_options_are_all_there_with_their_meaning() -> None:
    told = " ".join(text("help", "options").split())
    for flag in (*FLAGS, *ASKING):
        assert f"{tables.spelling(flag)} {tables.meaning(flag)}" in told
    assert sum(len(flags) for flags in tables.grouped().values()) == len(FLAGS) + len(ASKING)


def test_the_exit_codes_are_all_there() -> None:
    told = " ".join(text("help", "exit-codes").split())
    for code, meaning in MEANINGS.items():
        assert f"{code.value} {meaning}" in told


@pytest.mark.parametrize("name", ["gc", "list", "show"])
def test_a_subcommands_topic_has_its_own_options(name: str) -> None:
    told = " ".join(text("help", name).split())
    for flag in SUBCOMMANDS[name].flags:
        assert f"{tables.spelling(flag)} {flag.help}" in told


def prose() -> dict[str, str]:
    """Return what is written of each topic, without what comes of a table."""
    return {**{name: topic.text for name, topic in TOPICS.items()}, "short": short()}


@pytest.mark.parametrize("topic", prose())
def test_options_named_in_prose_exist(topic: str) -> None:
    written = re.sub(r"kubectl .*|cascade=\w+", "", prose()[topic])
    assert set(re.findall(r"(?<![\w-])--([a-z][\w-]*)", written)) <= NAMES
    ours = re.sub(r"man -l -|-m runjob.sandbox", "", written)
    assert set(re.findall(r"(?<![\w$/-])-([A-Za-z])\b", ours)) <= LETTERS


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_named_in_prose_exist(topic: str) -> None:
    named = re.findall(r"runjob help ([a-z-]+)", TOPICS[topic].text)
    assert set(named) <= {*TOPICS, *RAW}


COMMANDS = [
    line
    for topic in TOPICS.values()
    for block in topic.blocks
    if isinstance(block, Code)
    for line in block.lines
    if line.startswith("runjob ")
]


@pytest.mark.parametrize(
    "line", [line for line in COMMANDS if line.split()[1] not in ("completion", "help")]
)
def test_a_line_of_a_topic_is_one_that_is_understood(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    if words[0] in SUBCOMMANDS:
        assert read_subcommand(words[0], words[1:])
    else:
        assert isinstance(parse(words), Options)


def test_the_closing_lines_are_told_in_their_order() -> None:
    starts = ["Failed:", "Event:", "Container exit code:", "Result:", "Pods Statuses:",
              "Job Completion status:", "Verdict:"]  # fmt: skip
    told = text("help", "output")
    places = [told.index(f"\n  {start}") for start in starts]
    assert places == sorted(places)


def test_each_ending_of_a_wait_is_an_exit_code() -> None:
    codes = {int(number) for number in re.findall(r"\((\d+)\)|\b(1\d)\b", TOPICS["waiting"].text)
             for number in number if number}  # fmt: skip
    assert codes <= set(Exit)
    assert {10, 11, 12, 13, 17} <= codes


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("kill", f"for {APPEARANCE:.0f} seconds"),
        ("kill", f"for {APPEARANCE + remote.TIMEOUT:.0f}"),
        ("signals", f"grace period and {Patience().removal:.0f} seconds more"),
        ("manifests", f"at most {MAX_SIZE >> 20} MiB, within {remote.TIMEOUT:.0f} seconds"),
        ("manifests", ": " + ", ".join(kind.name for kind in PREREQUISITES.values()) + "."),
        ("sandbox", " and ".join(", ".join(each.name for each in KNOWN).rsplit(", ", 1))),
    ],
)
def test_what_prose_counts_is_as_the_code_has_it(topic: str, words: str) -> None:
    assert words in " ".join(TOPICS[topic].text.split())


# -- how the texts are read and set --------------------------------------------------------------


def test_a_text_is_read_in_blocks() -> None:
    read = blocks(
        "# Title\n\none\ntwo\n\n    as is\n\n`a` :: first\n    and more\nb :: second\n\n@table",
        {"table": lambda: [Rows((("x", "y"),))]},
    )
    assert read == (
        Heading("Title"),
        Prose("one two"),
        Code(("as is",)),
        Rows((("`a`", "first and more"), ("b", "second"))),
        Rows((("x", "y"),)),
    )


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,40}", fullmatch=True),
                          st.text("ab ", max_size=300))))  # fmt: skip
def test_a_table_holds_all_its_words_in_80_columns(rows: list[tuple[str, str]]) -> None:
    told = plain([Rows(tuple(rows))])
    assert told.split() == " ".join(" ".join(row) for row in rows).split() or any(
        len(word) > 40 for _, meaning in rows for word in meaning.split()
    )
    assert all(len(line) <= 80 or max(map(len, line.split())) > 40 for line in told.split("\n"))


def test_blocks_become_markdown() -> None:
    told = markdown([Heading("A"), Prose("see `b`"), Code(("c d",)), Rows((("`x|y`", "p|q"),))])
    assert told == (
        "## A\n\nsee `b`\n\n```text\nc d\n```\n\n| | |\n|---|---|\n| `x\\|y` | p\\|q |\n"
    )


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_subcommand_has_rows_for_a_document(name: str) -> None:
    known = SUBCOMMANDS[name]
    rows = tables.subcommand_rows(name).splitlines()
    assert len(rows) == len(known.flags)
    for row, flag in zip(rows, known.flags, strict=True):
        assert f"`--{flag.name}`" in row
        assert flag.help in row
    line = known.line.replace("|", r"\|")
    assert f"| `runjob {line}` | {known.meaning} |\n" in tables.subcommands_rows()


@pytest.mark.parametrize("row", [*tables.option_rows().splitlines(),
                                 *tables.subcommands_rows().splitlines()])  # fmt: skip
def test_a_row_has_the_cells_of_its_table(row: str) -> None:
    cells = re.split(r"(?<!\\)\|", row)
    assert (cells[0], cells[-1]) == ("", "")
    assert len(cells) in (4, 5)


# -- what it costs -------------------------------------------------------------------------------


def test_a_launch_loads_nothing_of_the_guide() -> None:
    code = (
        "import sys; from runjob import cli\n"
        "cli.main(['-j', 'x', '-i', 'x', '--dry-run', 'client'])\n"
        "import runjob.api, runjob.launcher\n"
        "sys.exit(' '.join(name for name in sys.modules\n"
        "    if name.startswith('runjob.guide') or name in ('textwrap', 'difflib')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "\n"), done.stderr
