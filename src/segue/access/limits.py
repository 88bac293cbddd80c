"""How often: the generic cell rate algorithm, one number for each who asks.

The number is the moment at which everything admitted so far is paid off, at one request an interval. A
request is admitted if paying for it too would not lead further ahead than the burst::

        now          paid off                    now + burst × interval
    ─────┼──────────────┼──────────────┼──────────────┼─────►
                          one interval: admitted
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

from segue.domain.limits import METERS_MAX
from segue.domain.rate import Rate

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Verdict:
    """``remaining`` may come at once, the next after ``wait`` seconds; all are paid off after ``reset``."""

    admitted: bool
    rate: Rate
    remaining: int
    wait: float
    reset: float

    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What a client may know of its limit, in whole seconds."""
        rate = self.rate
        found = (
            (b"ratelimit-limit", b"%d" % rate.count),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % math.ceil(self.reset)),
            (b"ratelimit-policy", b"%d;w=%d;burst=%d" % (rate.count, rate.seconds, rate.burst)),
        )
        return (
            found if self.admitted else (*found, (b"x-ratelimit-reset", b"%d" % max(1, math.ceil(self.wait))))
        )


class Meters:
    """The state of everyone who asked lately: of bounded size, the longest silent is dropped first.

    Belongs to one thread.
    """

    def __init__(self, most: int = METERS_MAX) -> None:
        self._most = most
        self._paid_off: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._paid_off)

    def ask(self, who: str, rate: Rate, now: float) -> Verdict:
        """Whether one more may come; ``now`` in seconds of any clock that does not run backwards."""
        interval = rate.interval
        ahead = max(self._paid_off.get(who, now) - now, 0.0)
        room = rate.burst * interval - ahead
        if room + _ROUNDING < interval:
            return Verdict(False, rate, 0, interval - room, ahead)
        self._paid_off[who] = now + ahead + interval
        self._paid_off.move_to_end(who)
        if len(self._paid_off) > self._most:
            self._paid_off.popitem(last=False)
        return Verdict(True, rate, int(room / interval + _ROUNDING) - 1, 0.0, ahead + interval)
