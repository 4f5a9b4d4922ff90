"""`python -m application.synth FOLDER`."""

from __future__ import annotations

import sys

from application.synth.cli import main

if __name__ == "__main__":
    sys.exit(main())
