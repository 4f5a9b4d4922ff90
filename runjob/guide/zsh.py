"""The completion script of zsh."""

from __future__ import annotations

import re

from runjob.flags import Flag
from runjob.guide.lines import COMMANDS, Line, launch, names_file, spellings, subcommands

_SCRIPT = """\
#compdef {commands}
# Completion of runjob for zsh, made by: runjob completion zsh

_runjob() {{
    if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then
        local -a names=(
{names}
        )
        _describe -t commands subcommand names
        return
    fi
    if (( CURRENT > 2 )); then
        case $words[2] in
{subcommands}
        esac
    fi
    _arguments -s \\
{launch}
}}

# In a file of $fpath this is the function's body; sourced, it makes the function known.
if [[ $funcstack[1] == _runjob ]]; then
    _runjob "$@"
else
    compdef _runjob {commands}
fi
"""


def script() -> str:
    """Return it."""
    lines = list(subcommands())
    return _SCRIPT.format(
        commands=" ".join(COMMANDS),
        names="\n".join(f"            {_quoted(f'{line.name}:{line.meaning}')}" for line in lines),
        subcommands="\n".join(
            f"        {line.name})\n"
            "            shift words; (( CURRENT-- ))\n"
            f"            _arguments -s \\\n{_specs(line, 16)}\n"
            "            return ;;"
            for line in lines
        ),
        launch=_specs(launch(), 8),
    )


def _specs(line: Line, indent: int) -> str:
    specs = [_spec(flag) for flag in line.flags]
    if line.operand:
        words = f"({' '.join(line.words)})" if line.words else " "
        specs.append(_quoted(f"1:{line.operand}:{words}"))
    return " \\\n".join(" " * indent + spec for spec in specs)


def _spec(flag: Flag) -> str:
    """Describe an option as _arguments wants it, all its spellings in one."""
    known = spellings(flag)
    before = "*" if flag.collects else f"({' '.join(known)})"
    explained = re.sub(r"([\\\[\]])", r"\\\1", flag.help)
    after = f"[{explained}]" + (f":{flag.metavar}:{_action(flag)}" if flag.metavar else "")
    ways = [each + _joint(each) for each in known] if flag.metavar else list(known)
    together = "{" + ",".join(ways) + "}" if len(ways) > 1 else ways[0]
    return f"{_quoted(before)}{together}{_quoted(after)}"


def _joint(option: str) -> str:
    return "=" if option.startswith("--") else "+"


def _action(flag: Flag) -> str:
    if flag.choices:
        return f"({' '.join(flag.choices)})"
    return "_files" if names_file(flag) else " "


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"
