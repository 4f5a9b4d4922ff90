"""Start the launcher out of its archive, where this file is called `__main__.py`."""

import os
import sys

# Read by any Python, so that an old one is refused in plain words.
if sys.version_info < (3, 10):
    sys.exit("runjob: error: Python 3.10 or newer is needed, this is " + sys.version.split()[0])

from runjob.process import start

if __name__ == "__main__":
    # Manifests are looked for beside the archive, as beside runJob.py.
    start(script=os.path.dirname(__file__))
