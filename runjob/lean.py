"""Keep imports small: packages that are large and hardly used are made lazy before first use.

`import kubernetes.client` loads 768 model modules and every API class: 0.3 s and 60 MB, of which a
launcher that runs on an agent a thousand times a day uses a dozen. Here such packages are put into
`sys.modules` without running their `__init__`, so that a submodule is imported when it is asked
for and not before; any other name is looked up by running the real `__init__` after all, so the
packages stay whole for whoever imports them after us.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any

PACKAGES = (
    "kubernetes",
    "kubernetes.client",
    "kubernetes.client.models",
    "kubernetes.config",
    # Its models name it, and use it only when they are given no settings of their own.
    "kubernetes.client.configuration",
    # The client asks it for the number of processors, and for nothing else that we use.
    "multiprocessing",
    # For logging in by OpenID Connect out of a kubeconfig, which brings the whole of `requests`.
    "oauthlib",
    "oauthlib.oauth2",
    "requests_oauthlib",
    # The client's transport; ours is the standard library's.
    "urllib3",
)

# What the client's own modules take from these packages by name, and the module that defines it.
HOMES = {
    ("kubernetes.client", "Configuration"): "kubernetes.client.configuration",
    ("multiprocessing", "cpu_count"): "os",
}

# What the client's own modules import for uses that are not ours, or rare: a stand-in will do.
DEFERRED = {
    ("kubernetes.client", "ApiClient"),
    ("kubernetes.client.configuration", "Configuration"),
    ("requests_oauthlib", "OAuth2Session"),
}


class _StandIn:
    """Takes the place of a class, which is looked up when it is first used."""

    def __init__(self, package: str, name: str) -> None:
        self._home = package, name

    def _real(self) -> Any:
        package, name = self._home
        return getattr(sys.modules[package], name)

    def __call__(self, *args: Any, **more: Any) -> Any:
        return self._real()(*args, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)


class _LazyPackage(ModuleType):
    """A package whose `__init__` runs at the first look-up of a name that has no other home."""

    def load(self) -> None:
        """Become an ordinary package."""
        self.__class__ = ModuleType  # type: ignore[assignment]  # no longer lazy
        spec = self.__spec__
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(self)

    def __getattr__(self, name: str) -> Any:
        if name in ("__all__", "__version__"):
            self.load()
            return getattr(self, name)
        if name.startswith("__"):
            raise AttributeError(name)
        if _deferring and (self.__name__, name) in DEFERRED:
            return _StandIn(self.__name__, name)
        home = HOMES.get((self.__name__, name))
        if home is not None:
            return getattr(importlib.import_module(home), name)
        is_package = "__path__" in vars(self)
        if is_package and importlib.util.find_spec(f"{self.__name__}.{name}"):
            return importlib.import_module(f"{self.__name__}.{name}")
        self.load()
        return getattr(self, name)


# Holds an entry while `import_lightly` runs; the import system has no other way to hand it down.
_deferring: list[str] = []
# Whoever imports from the packages holds it: launches in threads must get no other one's stand-in.
importing = threading.RLock()


def import_lightly(module: str) -> ModuleType:
    """Import a module of the client, with stand-ins for what is DEFERRED."""
    with importing:
        make_client_lazy()
        _deferring.append(module)
        try:
            return importlib.import_module(module)
        finally:
            _deferring.remove(module)


def make_client_lazy() -> None:
    """Make the packages lazy, those that nobody has imported yet.

    Raises ModuleNotFoundError where the client is not installed.
    """
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
        if spec.submodule_search_locations is not None:
            package.__path__ = list(spec.submodule_search_locations)
        sys.modules[name] = package
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, package)
