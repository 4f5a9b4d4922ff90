"""Keep the import of the official client small: its packages are made lazy before first use.

`import kubernetes.client` loads 768 model modules and every API class: 0.3 s and 60 MB, of which a
launcher that runs on an agent a thousand times a day uses a dozen. Here its packages are put into
`sys.modules` without running their `__init__`, so that a submodule is imported when it is asked
for and not before; any other name is looked up by running the real `__init__` after all, so the
client stays whole for whoever imports it after us.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

PACKAGES = ("kubernetes", "kubernetes.client", "kubernetes.client.models", "kubernetes.config")

# What the client's own modules take from its packages by name, and the module that defines it.
HOMES = {
    ("kubernetes.client", "ApiClient"): "kubernetes.client.api_client",
    ("kubernetes.client", "Configuration"): "kubernetes.client.configuration",
}


class _LazyPackage(ModuleType):
    """A package whose `__init__` runs at the first look-up of a name that is no submodule."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        home = HOMES.get((self.__name__, name))
        if home is not None:
            return getattr(importlib.import_module(home), name)
        spec = self.__spec__
        if spec is None or spec.loader is None:
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]  # from here on it is as any other
        spec.loader.exec_module(self)
        return getattr(self, name)


def make_client_lazy() -> None:
    """Do nothing where somebody has imported the client already."""
    for name in PACKAGES:
        if name in sys.modules:
            continue
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        package = _LazyPackage(name)
        package.__spec__ = spec
        package.__file__ = spec.origin
        package.__loader__ = spec.loader
        package.__package__ = name
        package.__path__ = list(spec.submodule_search_locations or [])
        sys.modules[name] = package
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, package)
