"""What can go wrong with an agent, each with its exit code."""

from __future__ import annotations


class AgentError(Exception):
    """The agent cannot be registered or removed; its text is one line without a secret."""

    code = 4


class SettingsError(AgentError):
    """A setting or a file of the credentials is missing or wrong."""

    code = 2
