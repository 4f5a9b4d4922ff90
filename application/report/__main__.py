"""Run the command as `python -m application.report`."""

import sys

from application.report.cli import main

sys.exit(main())
