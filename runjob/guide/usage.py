"""The short helps: what `-h` prints, of a launch and of a subcommand."""

from __future__ import annotations

import os
import re

from runjob.flags import ASKING, FLAGS
from runjob.guide.tables import rows, spelling
from runjob.guide.text import plain, table, wrapped
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


def called(path: str) -> str:
    """Return the name that was typed to start the launcher, path being what Python made of it.

    `python3 -m runjob`, and a name that would not fit into a line of help, are `runjob`.
    """
    name = os.path.basename(path)
    return name if name != "__main__.py" and re.fullmatch(r"\w[\w.+-]{,19}", name) else "runjob"


def short(name: str = "runjob") -> str:
    """Return what `-h` prints of a launch that was started by that name."""
    known = {flag.name: flag for flag in (*FLAGS, *ASKING)}
    brief = [(_short(spelling(known[each])), words) for each, words in BRIEF.items()]
    lines = [
        f"usage: {name} -j NAME -i IMAGE [options]",
        f"       {name} -y MANIFEST [-j NAME] [options]",
        f"       {name} gc | list | show NAME | help | completion SHELL",
        "",
        "Run one Kubernetes Job: create it, print its log, tell how it ended, remove it.",
        "",
        table(brief),
        "",
        wrapped(f"Topics: {name} help; all {len(FLAGS)} options: {name} help options."),
        wrapped(f"How it can end: {name} help exit-codes; examples: {name} help recipes."),
    ]
    return "\n".join(lines)


def subcommand(which: str, name: str = "runjob") -> str:
    """Return what `-h` prints behind a subcommand of the launcher of that name."""
    known = SUBCOMMANDS[which]
    return f"usage: {name} {known.line}\n\n{known.meaning}\n\n{plain([rows(known.flags)])}"


def _short(spelled: str) -> str:
    return spelled if spelled.startswith("-") and not spelled.startswith("--") else f"    {spelled}"
