"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Nothing is timed here, on whatever machine: speed lives in tests/bench.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
