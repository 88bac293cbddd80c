"""How often one may ask: never more than the rate allows, never less, in memory that is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.access.limits import Meters
from segue.domain.rate import Rate, parse_rate

RATES = st.builds(Rate, st.integers(1, 500), st.sampled_from([1, 60]), st.integers(1, 50))
GAPS_MS = st.lists(st.integers(0, 2_000), max_size=200)

Ask = Callable[[float], bool]


def metered(rate: Rate) -> Ask:
    meters = Meters()
    return lambda now: meters.ask("somebody", rate, now).admitted


class Bucket:
    """The meaning, said plainly: a bucket of tokens that fills steadily, one taken for each request."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.tokens = Fraction(rate.burst)
        self.at = Fraction(0)

    def ask(self, now: Fraction) -> bool:
        gained = (now - self.at) * self.rate.count / self.rate.seconds
        self.tokens, self.at = min(self.tokens + gained, Fraction(self.rate.burst)), now
        if self.tokens + Fraction(1, 10**6) < 1:
            return False
        self.tokens -= 1
        return True


@given(RATES, GAPS_MS)
def test_it_admits_what_a_bucket_of_tokens_admits(rate: Rate, gaps: list[int]) -> None:
    ask, bucket, now = metered(rate), Bucket(rate), 0
    for gap in gaps:
        now += gap
        assert ask(now / 1_000) == bucket.ask(Fraction(now, 1_000))


def most_in_any_window(moments: list[float], seconds: float) -> int:
    return max((sum(start <= each < start + seconds for each in moments) for start in moments), default=0)


def greedy(ask: Ask, rate: int, seconds: int) -> list[float]:
    """When requests were admitted of a client that asks ten times as often as it may."""
    times = (step / (rate * 10) for step in range(rate * 10 * seconds))
    return [now for now in times if ask(now)]


@pytest.mark.parametrize("count", [20, 100, 333])
def test_a_greedy_client_gets_its_rate_within_five_percent(count: int) -> None:
    rate = parse_rate(f"{count}/s")
    assert rate is not None
    admitted = greedy(metered(rate), count, 20)
    assert most_in_any_window(admitted, 10) <= count * 10 * 1.05
    assert len([each for each in admitted if 5 <= each < 15]) >= count * 10 * 0.95


def test_counting_by_the_clock_would_not_do() -> None:
    """The control: a counter that starts anew every ten seconds lets far more through around its turn."""
    seen: dict[int, int] = {}

    def by_the_clock(now: float) -> bool:
        turn = int(now // 10)
        seen[turn] = seen.get(turn, 0) + 1
        return seen[turn] <= 100 * 10

    admitted = greedy(lambda now: now >= 9 and by_the_clock(now), 100, 12)
    assert most_in_any_window(admitted, 3) > 100 * 3 * 1.05


@given(RATES, st.integers(1, 100))
def test_whoever_waits_as_long_as_told_is_admitted(rate: Rate, asked: int) -> None:
    meters = Meters()
    for _ in range(asked):
        last = meters.ask("somebody", rate, 5.0)
    after = meters.ask("somebody", rate, 5.0 + last.wait)
    assert last.admitted or after.admitted


@given(RATES, GAPS_MS)
def test_what_remains_may_come_at_once(rate: Rate, gaps: list[int]) -> None:
    meters, now = Meters(), 0
    for gap in gaps:
        now += gap
        verdict = meters.ask("somebody", rate, now / 1_000)
    if gaps:
        more = [meters.ask("somebody", rate, now / 1_000).admitted for _ in range(verdict.remaining + 1)]
        assert more == [True] * verdict.remaining + [False]


def test_a_refusal_changes_nothing_for_whoever_goes_on_asking() -> None:
    meters, rate = Meters(), Rate(1, 1, 1)
    assert meters.ask("somebody", rate, 0.0).admitted
    waits = [meters.ask("somebody", rate, step / 100).wait for step in range(100)]
    assert waits == sorted(waits, reverse=True)
    assert meters.ask("somebody", rate, 1.0).admitted


def test_one_does_not_pay_for_another() -> None:
    meters, rate = Meters(), Rate(1, 60, 1)
    assert meters.ask("noisy", rate, 0.0).admitted
    assert not meters.ask("noisy", rate, 0.0).admitted
    assert meters.ask("quiet", rate, 0.0).admitted


def test_a_million_askers_take_no_more_room_than_there_is() -> None:
    meters, rate = Meters(most=1_000), Rate(10, 1, 2)
    for number in range(1_000_000):
        meters.ask(str(number), rate, number / 1_000)
    assert len(meters) == 1_000


def test_the_longest_silent_one_is_forgotten_first() -> None:
    meters, rate = Meters(most=2), Rate(1, 60, 1)
    for who in ("old", "middle", "middle", "old", "old"):
        meters.ask(who, rate, 0.0)
    meters.ask("new", rate, 0.0)
    assert not meters.ask("middle", rate, 0.0).admitted
    assert meters.ask("old", rate, 0.0).admitted


def test_headers_are_whole_seconds() -> None:
    meters, rate = Meters(), Rate(3, 60, 2)
    verdicts = [meters.ask("somebody", rate, 0.0) for _ in range(3)]
    said = [dict(each.headers()) for each in verdicts]
    assert [each[b"ratelimit-remaining"] for each in said] == [b"1", b"0", b"0"]
    assert [each[b"ratelimit-reset"] for each in said] == [b"20", b"40", b"40"]
    assert said[0][b"ratelimit-policy"] == b"3;w=60;burst=2"
    assert [each.get(b"x-ratelimit-reset") for each in said] == [None, None, b"20"]


def spellings(texts: Iterable[str]) -> list[str | None]:
    return [None if (found := parse_rate(text)) is None else str(found) for text in texts]


def test_how_rates_are_written() -> None:
    assert spellings(["5", "5/s", "6000/m", " 7/h "]) == ["5/s", "5/s", "6000/m", "7/h"]
    assert (
        spellings(["0", "0/s", "-1", "1.5/s", "5/d", "5/", "", "1e9", "٥/s", "9999999999/s"]) == [None] * 10
    )
