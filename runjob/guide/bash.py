"""The completion script of bash, 3.2 and newer."""

from __future__ import annotations

from runjob.guide.lines import COMMANDS, Line, launch, names_file, spellings, subcommands

_SCRIPT = """\
# Completion of runjob for bash, made by: runjob completion bash

_runjob_offer() {{
    local found
    while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen "$@" -- "$cur")
}}

_runjob_files() {{
    compopt -o filenames 2>/dev/null
    _runjob_offer -f
}}

_runjob() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev= sub=
    COMPREPLY=()
    (( COMP_CWORD > 0 )) && prev=${{COMP_WORDS[COMP_CWORD - 1]}}
    (( COMP_CWORD > 1 )) && sub=${{COMP_WORDS[1]}}
    # bash divides --keep=failed into three words.
    if [[ $cur == '=' ]]; then
        cur=
    elif [[ $prev == '=' ]] && (( COMP_CWORD > 1 )); then
        prev=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    case $sub in
{subcommands}
    *)
{launch}
        if (( COMP_CWORD == 1 )) && [[ $cur != -* ]]; then
            _runjob_offer -W '{names}'
            return
        fi
{options}
        ;;
    esac
}}

complete -F _runjob {commands}
"""


def script() -> str:
    """Return it."""
    lines = list(subcommands())
    return _SCRIPT.format(
        subcommands="\n".join(
            f"    {line.name})\n{_values(line)}\n{_options(line)}\n        ;;" for line in lines
        ),
        launch=_values(launch()),
        options=_options(launch()),
        names=" ".join(line.name for line in lines),
        commands=" ".join(COMMANDS),
    )


def _values(line: Line) -> str:
    """Offer the values of the option before the cursor, or nothing where it takes any."""
    offers: dict[str, list[str]] = {}
    for flag in line.flags:
        if flag.metavar is not None:
            offer = "_runjob_files; " if names_file(flag) else ""
            if flag.choices:
                offer = f"_runjob_offer -W '{' '.join(flag.choices)}'; "
            offers.setdefault(offer, []).extend(spellings(flag))
    cases = [f"        {'|'.join(options)}) {offer}return ;;" for offer, options in offers.items()]
    return "\n".join(("        case $prev in", *cases, "        esac")) if cases else "        :"


def _options(line: Line) -> str:
    options = " ".join(each for flag in line.flags for each in spellings(flag))
    if not line.words:
        return f"        _runjob_offer -W '{options}'"
    return (
        f"        if [[ $cur == -* ]]; then _runjob_offer -W '{options}'\n"
        f"        elif (( COMP_CWORD == 2 )); then _runjob_offer -W '{' '.join(line.words)}'\n"
        "        fi"
    )
