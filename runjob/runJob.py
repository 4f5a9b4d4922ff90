"""Start the launcher from its folder, whatever that folder is called and wherever it lies."""

import importlib.util
import os
import sys


def _load():
    """Make the package beside this file known as `runjob`, and return what starts it."""
    here = os.path.dirname(os.path.realpath(__file__))
    # The script's folder comes first on the path; a module of ours must not stand in for another.
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    spec = importlib.util.spec_from_file_location(
        "runjob", os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["runjob"] = package
    spec.loader.exec_module(package)
    from runjob.process import start

    return start


def _missing(name):
    return (
        f"runjob: error: the Python package {name!r} is missing for {sys.executable}; "
        "install it: python3 -m pip install 'kubernetes>=36,<37' PyYAML"
    )


if __name__ == "__main__":
    if sys.version_info < (3, 10):
        sys.exit("runjob: error: Python 3.10 or newer is needed, this is " + sys.version.split()[0])
    try:
        _load()(script=__file__)
    except ModuleNotFoundError as error:
        if error.name not in ("kubernetes", "yaml"):
            raise
        sys.exit(_missing(error.name))
