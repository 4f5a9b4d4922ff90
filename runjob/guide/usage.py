"""The short helps: what `-h` prints, of a launch and of a subcommand."""

from __future__ import annotations

from runjob.flags import ASKING, FLAGS
from runjob.guide.tables import rows, spelling
from runjob.guide.text import plain, table
from runjob.subcommands import SUBCOMMANDS

# The options of a launch that people need, and what each means in a few words.
BRIEF = {
    "jobname": "name of the Job; alone, NAME.yaml is the manifest",
    "image": "container image",
    "commands": "command to run, a word each time",
    "envname": "environment variable, its value behind it: -v TEXT",
    "yaml": "manifest: a file, - or an https address",
    "param": "value of ${{NAME}} in the manifest",
    "namespace": "namespace (default: default)",
    "kubeconfig": "cluster to use, unless it is the one around us",
    "sandbox": "try it out on an embedded cluster",
    "dry-run": "print the manifest only: client or server",
    "keep": "leave the Job: never, failed or always",
    "result-file": "write the verdict as JSON",
}


def short() -> str:
    """Return what `-h` prints of a launch."""
    known = {flag.name: flag for flag in (*FLAGS, *ASKING)}
    brief = [(_short(spelling(known[name])), words) for name, words in BRIEF.items()]
    lines = [
        "usage: runJob.py -j NAME -i IMAGE [options]",
        "       runJob.py -y MANIFEST [-j NAME] [options]",
        "       runJob.py gc | show NAME | help [TOPIC] | completion SHELL",
        "",
        "Run one Kubernetes Job: create it, print its log, tell how it ended, remove it.",
        "",
        table(brief),
        "",
        f"Topics: runjob help; all {len(FLAGS)} options: runjob help options.",
        "How it can end: runjob help exit-codes; examples: runjob help recipes.",
    ]
    return "\n".join(lines)


def subcommand(name: str) -> str:
    """Return what `-h` prints behind a subcommand's name."""
    known = SUBCOMMANDS[name]
    return f"usage: runjob {known.line}\n\n{known.meaning}\n\n{plain([rows(known.flags)])}"


def _short(spelled: str) -> str:
    return spelled if spelled.startswith("-") and not spelled.startswith("--") else f"    {spelled}"
