"""One page about the lake that needs nothing else: `python -m application.report`."""
