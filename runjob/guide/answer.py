"""Answer `runjob help` and `runjob completion`."""

from __future__ import annotations

import json
import re

from runjob.errors import UsageError
from runjob.flags import ASKING, FLAGS, Flag
from runjob.guide.tables import rows
from runjob.guide.text import plain, table
from runjob.guide.topics import RAW, TOPICS

# The options of a launch, by each name and by their letters.
OPTIONS = {name: flag for flag in (*FLAGS, *ASKING) for name in (flag.short, *flag.names) if name}
# Other words for a topic, each as somebody may look for it.
ALIASES = {"lost": "gc", "names": "adoption", "identity": "adoption", "sidecars": "pods"}


def text(subcommand: str, word: str, name: str = "runjob") -> str:
    """Return what a subcommand prints when it is asked for word; raises UsageError.

    name is the one that the launcher was started by.
    """
    return _completion(word) if subcommand == "completion" else _help(word, name)


def _help(topic: str, name: str) -> str:
    about = {**{name: each.about for name, each in TOPICS.items()}, **RAW}
    if not topic:
        called = "runjob stands for your way to call it: python3 runJob.py, ./runjob.pyz …"
        return f"{name} help TOPIC, about\n\n{table(about.items())}\n\n{called}"
    if topic == "schema":
        from runjob.guide.schema import RESULT

        return json.dumps(RESULT, indent=2)
    if topic == "man":
        from runjob.guide.manual import page

        return page()
    topic = ALIASES.get(topic, topic)
    if topic in TOPICS:
        return plain(TOPICS[topic].blocks)
    if topic.lstrip("-") in OPTIONS:
        return _option(OPTIONS[topic.lstrip("-")])
    dashed = topic.startswith("-")
    raise _unknown(topic, [f"--{each}" for each in OPTIONS] if dashed else list(about))


def _option(flag: Flag) -> str:
    """Tell about one option, and which topics tell more."""
    spelled = rf"`(?:-\w, )?--{flag.name}\b" + (rf"|`-{flag.short}\b" if flag.short else "")
    more = [
        name
        for name, topic in TOPICS.items()
        if name == flag.name or re.search(spelled, topic.text)
    ]
    told = plain([rows([flag])])
    return told + f"\n\nMore: {'; '.join(f'runjob help {name}' for name in more)}" * bool(more)


def _completion(shell: str) -> str:
    from runjob.guide.shells import SHELLS

    if shell not in SHELLS:
        raise UsageError(f"no completion for {shell!r:.80}: there is {', '.join(SHELLS)}")
    return SHELLS[shell]()


def _unknown(word: str, known: list[str]) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(word, known, 1, 0.5) or [each for each in known if word in each][:1]
    meant = f" (did you mean {near[0]}?)" if near else ""
    return UsageError(f"no topic {word!r:.80}{meant}: runjob help lists them")
