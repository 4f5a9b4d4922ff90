"""Start the consumer from its folder, whatever that folder is called and wherever it lies."""

import importlib.util
import os
import sys
import types


def _load() -> types.ModuleType:
    """Make the package beside this file known as `application`, and return its command."""
    here = os.path.dirname(os.path.realpath(__file__))
    # The script's folder comes first on the path; a module of ours must not stand in for another.
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    spec = importlib.util.spec_from_file_location(
        "application", os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["application"] = package
    spec.loader.exec_module(package)
    import application.cli

    return application.cli


def _refuse(reason: str) -> None:
    sys.stderr.write("KafkaSnowflake: error: " + reason + "\n")
    sys.exit(2)


if __name__ == "__main__":
    if sys.version_info < (3, 10):  # noqa: UP036 -- an old Python is to be told so in plain words
        _refuse("Python 3.10 or newer is needed, this is " + sys.version.split()[0])
    try:
        sys.exit(_load().main())
    except ModuleNotFoundError as error:
        missing = (error.name or "application").partition(".")[0]
        if missing == "application":
            raise
        _refuse(
            "the Python package "
            + repr(missing)
            + " is missing for "
            + sys.executable
            + "; install it: python3 -m pip install -r application/requirements.txt"
        )
