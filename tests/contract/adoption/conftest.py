"""The folder in which a launch leaves word for the next one of its run."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def kept(tmp_path: Path) -> tuple[str, str]:
    """Return the options that name a folder for positions."""
    return "--state-dir", str(tmp_path / "state")
