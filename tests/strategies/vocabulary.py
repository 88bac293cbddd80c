"""The few words that random conditions and random histories share, so that they meet often."""

from __future__ import annotations

from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from segue.domain.time import DAY, HOUR, MINUTE, SECOND, parse_instant

T = TypeVar("T")

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
SESSION_GAPS_MS = (30 * MINUTE, 30 * MINUTE, SECOND, DAY)

_start = parse_instant("2026-03-27T22:59:30Z")
assert _start is not None
START_MS: int = _start
"""Two days before clocks change in Europe."""

USERS = ("ann", "bob", "zoë 'q\" %_")
VISITORS = ("a1", "a2", "a3")
GROUPS = ("acme", "globex")
LISTS = ("press", "vip")
SEGMENTS = ("alpha", "beta", "delta", "gamma", "omega")
EVENTS = ("Viewed", "Bought", 'It\'s "100%" _ü_')
OFTEN_EVENTS = (*["Viewed"] * 4, *["Bought"] * 2, EVENTS[2])
OFTEN_USERS = (*["ann"] * 5, *["bob"] * 2, USERS[2])
ODD_PATH = ("we.ird \"k\\%'", "*")
PATHS: tuple[tuple[str, ...], ...] = (
    *[("n",)] * 6,
    *[("s",)] * 2,
    *[("v",)] * 2,
    ("t",),
    ("o", "n"),
    ("o", "s"),
    ODD_PATH,
)
"""Mostly numbers at ``n``, texts at ``s``, anything at ``v``, times at ``t``; often the same few."""

LENGTHS_MS = (1, SECOND, 30 * MINUTE, HOUR, DAY, 2 * DAY, 7 * DAY)
"""Windows, steps between events and thresholds come from the same few lengths, so that edges meet."""

NUMBERS: tuple[int | float, ...] = (0, 1, 2, 3, -1, 0.5, 2.5, 1e-6, 0.1, 9e12, -9e12, 123456.789012)
TEXTS = (
    "x",
    "X",
    "1",
    "2.5",
    "",
    "shoes",
    "sho",
    "es",
    "50%_off",
    "ünï",
    "İ😀",
    "it's",
    'a"b\\c',
    " 1 ",
    "true",
)
MOMENTS = (
    "2026-03-28",
    "2026-03-29",
    "2026-03-29T02:30:00",
    "2026-03-28T23:00:00Z",
    "2026-03-29T01:30:00.001+02:00",
    "2026-04-01",
    "2026-10-25T02:30",
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, "1.0", " 2.5\n", "1e0", "01", "1.", "+1", "0x1", "1e400", "NaN", "-0", -0.0, 1.0),
    *(9e12 + 1, 1e300, 10**18, 10**400, 0.0000005, 0.0000015, 2.0000005),
    *([], ["x"], ["1", 1, None, True], [[1]], {}, {"n": 1}, {"n": "2.5", "s": "x"}),
    *("2026-02-30", "2026-3-1 1:00 Z", "20260301", "1_000", "\u0661", "\u00a01", "9999-12-31T23:59:59+99:99"),
)

zones = st.sampled_from(ZONES).map(ZoneInfo)


@st.composite
def weighted(draw: st.DrawFn, *choices: tuple[int, st.SearchStrategy[T]]) -> T:
    """One of several strategies, each as often as its weight says (``one_of`` drops repetitions)."""
    indices = [index for index, (weight, _) in enumerate(choices) for _ in range(weight)]
    return draw(choices[draw(st.sampled_from(indices))][1])


_usual_lengths = st.sampled_from((1, SECOND, 30 * MINUTE, *[HOUR] * 2, *[DAY] * 3, 2 * DAY, *[7 * DAY] * 3))
lengths = weighted(
    (2, _usual_lengths),
    (1, st.builds(lambda ms, off: max(1, ms + off), _usual_lengths, st.sampled_from((-1, 1)))),
)
moments_text = st.sampled_from(MOMENTS)
some_numbers = st.one_of(
    st.integers(-1, 3), st.sampled_from(NUMBERS), st.sampled_from(("1", " 2.5\n", "1e0"))
)
json_values = st.one_of(
    st.sampled_from(NUMBERS),
    st.sampled_from(TEXTS),
    moments_text,
    st.sampled_from(ODD_VALUES),
    st.integers(-4, 4),
)
