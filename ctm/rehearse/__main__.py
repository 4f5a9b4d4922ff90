"""Run the command as `python -m ctm.rehearse`."""

import sys

from ctm.rehearse.cli import main

sys.exit(main())
