"""Start the producer from its folder, whatever that folder is called and wherever it lies."""

from __future__ import annotations

import importlib.util
import os
import sys


def _load() -> None:
    """Make the package beside this file known as `pythonapp`."""
    here = os.path.dirname(os.path.realpath(__file__))
    # The script's folder comes first on the path; a module of ours must not stand in for another.
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    spec = importlib.util.spec_from_file_location(
        "pythonapp", os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["pythonapp"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    _load()
    try:
        from pythonapp.cli import main

        sys.exit(main())
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pythonapp"):
            raise
        print(
            f"bmctwitter: error: the Python package {error.name!r} is missing for "
            f"{sys.executable}; install it: python3 -m pip install 'runjob[pipeline]'",
            file=sys.stderr,
        )
        sys.exit(2)
