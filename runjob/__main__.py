"""`python3 -m runjob`."""

import sys

from runjob.cli import main

if __name__ == "__main__":
    sys.exit(main())
