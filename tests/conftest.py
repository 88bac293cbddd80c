"""Settings of the random tests: no time limits, the seed is printed, more cases by night."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_common = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("day", _common, max_examples=100)
settings.register_profile("night", _common, max_examples=5_000)
settings.load_profile(os.environ.get("SEGUE_TEST_PROFILE", "day"))
