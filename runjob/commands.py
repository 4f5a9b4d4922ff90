"""Word the commands that are printed for a person to run."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Words commands that reach the cluster of a launch, quoted for a shell.

    reach are the options that lead there, none in a cluster, by its ServiceAccount; launcher are
    the words that start the launcher.
    """

    reach: tuple[str, ...] = ()
    launcher: tuple[str, ...] = ("runjob",)

    def to(self, kubeconfig: str | None, context: str | None) -> Commands:
        """Return these commands for that cluster, from whatever folder they are run.

        As at a login, a context counts only within a kubeconfig that is named.
        """
        reach: tuple[str, ...] = ()
        if kubeconfig:
            path = os.path.abspath(os.path.expanduser(kubeconfig))
            reach = ("--kubeconfig", path)
            reach += ("--context", context) if context else ()
        return replace(self, reach=reach)

    def kubectl(self, namespace: str, *words: str) -> str:
        """Return a line for kubectl in that namespace."""
        return shlex.join(("kubectl", "-n", namespace, *self.reach, *words))

    def gc(self, namespace: str, *options: str) -> str:
        """Return the line that looks for what was left behind in that namespace."""
        return shlex.join((*self.launcher, "gc", *options, "-n", namespace, *self.reach))

    def show(self, namespace: str, name: str) -> str:
        """Return the line that tells all about a Job."""
        return shlex.join((*self.launcher, "show", name, "-n", namespace, *self.reach))


def started_by(script: str | None) -> tuple[str, ...]:
    """Return the words that start the launcher again; script is the file that was started."""
    return ("python3", os.path.abspath(script)) if script else ("runjob",)
