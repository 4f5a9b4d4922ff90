"""What of which wheel goes into the one-file launcher."""

from __future__ import annotations

import marshal
import re
import sys
from collections.abc import Iterable, Mapping
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import PurePosixPath

from misc.release.archives import Entry

START = b"#!/usr/bin/env python3\n"

# The client's other half, which is for asyncio and the only one to need aiohttp and its extensions.
LEFT_OUT = ("kubernetes/aio/",)
# Speedups for one Python and one processor; PyYAML does without (`_yaml` is their old name).
_NATIVE = (".so", ".pyd")
_NATIVE_ONLY = ("_yaml/",)
# Tests: the client's stand beside its modules, those of others in folders of their own.
_TESTS = "tests"
_TEST = re.compile(r"test_\w+\.py|\w+_test\.py")
# What pip would need of a package; its name, version and licence stay.
_INSTALLING = ("RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "zip-safe")
# Loaded whole or not at all, and hardly ever: to compile these doubles the archive.
_RARE = ("kubernetes/client/api/",)

# Later ones write references to what else in this process holds the same string:
# https://github.com/python/cpython/issues/78274
_NO_REFERENCES = 2


def chosen(wheel: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what of a wheel's files is bundled."""
    return {name: data for name, data in wheel.items() if _wanted(PurePosixPath(name), name)}


def _wanted(path: PurePosixPath, name: str) -> bool:
    if path.parts[0].endswith(".dist-info"):
        return path.name not in _INSTALLING
    if path.parts[0].endswith(".data") or path.suffix in _NATIVE:
        return False
    if _TESTS in path.parts or (path.parts[0] == "kubernetes" and _TEST.fullmatch(path.name)):
        return False
    return not name.startswith((*LEFT_OUT, *_NATIVE_ONLY))


def launcher(wheel: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what of our own wheel is bundled: the launcher, its embedded cluster, its licence."""
    found = {
        name: data
        for name, data in chosen(wheel).items()
        if name.startswith("runjob/") or PurePosixPath(name).parts[0].endswith(".dist-info")
    }
    del found["runjob/runJob.py"]  # it starts a folder; an archive starts by its __main__.py
    return found


def archive(parts: Iterable[Mapping[str, bytes]], start: bytes) -> dict[str, Entry]:
    """Put the parts together, each module as source and compiled for this Python.

    zipimport takes the compiled one where the Python is of the same version, else the source:
    https://docs.python.org/3/library/zipimport.html
    """
    whole = {"__main__.py": Entry(start)}
    for part in parts:
        for name, data in part.items():
            whole[name] = Entry(data)
            if name.endswith(".py") and not name.startswith(_RARE):
                whole[f"{name}c"] = Entry(compiled(name, data))
    return whole


def compiled(name: str, source: bytes) -> bytes:
    """Compile a module to bytes that no clock went into: https://peps.python.org/pep-0552/."""
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    unchecked = (0b01).to_bytes(4, "little")
    return MAGIC_NUMBER + unchecked + source_hash(source) + marshal.dumps(code, _NO_REFERENCES)


def python() -> str:
    """Name the Python that `compiled` compiles for."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
