"""An embedded one-node Kubernetes, for trying out and for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .embedded import Sandbox
    from .faults import Fault
    from .images import Image

__all__ = ["Fault", "Image", "Sandbox"]

_HOMES = {"Fault": "faults", "Image": "images", "Sandbox": "embedded"}


def __getattr__(name: str) -> object:
    """Load a part when it is first asked for: importing the package must stay cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
