"""`python -m pythonapp`."""

import sys

from pythonapp.cli import main

if __name__ == "__main__":
    sys.exit(main())
