"""Settings of the random tests: no time limits, the seed is printed, more cases by night.

A failure is printed when it happens: a run that is ended from outside has said by then what it found.
"""

from __future__ import annotations

import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

_common = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("day", _common, max_examples=100)
settings.register_profile("night", _common, max_examples=5_000)
settings.load_profile(os.environ.get("SEGUE_TEST_PROFILE", "day"))

# Whoever runs the tests in the background of a script lets them ignore SIGINT, and so every program they
# start: one that is to be interrupted would run on for ever. A handler here is the default there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Show what failed and how, at once; processes that run tests for another leave it to that one."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n{report.nodeid} ({report.when})\n{report.longreprtext}", file=sys.__stderr__, flush=True)
