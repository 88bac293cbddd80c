"""Random histories: what senders really send, as neutral steps.

A step is one of::

    ("event", {... a Segment-style JSON event, with receivedAt ...})
    ("list", list name, user id, whether on it)
    ("override", user id, segment, True | False | None, until in ms or None)
    ("prediction", user id, "score" | "cluster", model, value or None)
    ("replacement", user id, "score" | "cluster", model, value or None, until in ms or None)

``receivedAt`` rarely falls back. A repeated ``messageId`` comes within seven days of its first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from segue.domain.time import DAY, HOUR, MINUTE, SECOND, format_instant
from tests.strategies.vocabulary import (
    GROUPS,
    LENGTHS_MS,
    LISTS,
    ODD_PATH,
    OFTEN_EVENTS,
    OFTEN_USERS,
    START_MS,
    TEXTS,
    VISITORS,
    json_values,
    moments_text,
    some_numbers,
    weighted,
)

PREDICTED: tuple[tuple[str, str, Any], ...] = (
    *(("score", "churn", value) for value in (0, 0.5, 2.5, 0.1, 1.0, 2, 5e-7, 1.5e-6, 1e-9, None)),
    *(("cluster", "habits", value) for value in ("shoes", "x", "", "ünï", "1", None)),
)

_NAMED = tuple(said for said in PREDICTED if said[2] != "")
"""What people may say: no group of theirs goes without a name."""
Step = tuple[Any, ...]
History = list[Step]

_TRACKS = [("track", name) for name in OFTEN_EVENTS]
_CALLS = [(type_, None) for type_ in ("page", "screen", "identify", "identify", "group", "alias")]
_calls = st.sampled_from(_TRACKS * 2 + _CALLS)

_short = st.sampled_from((0, 0, 1, SECOND - 1, SECOND, SECOND + 1, 10 * MINUTE, 30 * MINUTE - 1, 30 * MINUTE))
_hours = st.sampled_from((30 * MINUTE + 1, HOUR, HOUR, 6 * HOUR, 12 * HOUR, DAY))
_exact = st.builds(lambda ms, off: ms + off, st.sampled_from(LENGTHS_MS), st.sampled_from((-1, 0, 1)))
_pauses = weighted((4, _short), (2, _hours), (1, _exact))
_fallbacks = st.sampled_from((0,) * 12 + (-SECOND, -HOUR))
_odd_lags = st.sampled_from((-1, 1, SECOND, HOUR, DAY, -SECOND, -5 * MINUTE, -5 * MINUTE - 1))
_lags = weighted((4, st.just(0)), (1, _exact), (1, _odd_lags))
"""How long before its receipt an event happened; below zero it lies ahead."""


_often = {"n": weighted((4, some_numbers), (1, json_values)), "s": st.sampled_from(TEXTS)}
_seldom = {
    "v": json_values,
    "t": moments_text,
    "o": st.one_of(st.fixed_dictionaries({}, optional={"n": some_numbers, "s": json_values}), json_values),
    ODD_PATH[0]: st.fixed_dictionaries({ODD_PATH[1]: some_numbers}),
}


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    """Properties or traits: few keys, now and then odd values, objects in objects."""
    found: dict[str, Any] = {}
    for key, values in _often.items():
        if draw(st.integers(0, 4)):
            found[key] = draw(values)
    for key in draw(st.lists(st.sampled_from(sorted(_seldom)), max_size=2, unique=True)):
        found[key] = draw(_seldom[key])
    return found


@st.composite
def _senders(draw: st.DrawFn, users: Sequence[str]) -> dict[str, str]:
    who = draw(st.sampled_from(("user", "user", "user", "user", "visitor", "both")))
    found = {}
    if who != "visitor":
        found["userId"] = draw(st.sampled_from(users))
    if who != "user":
        found["anonymousId"] = draw(st.sampled_from(VISITORS))
    return found


@st.composite
def _bodies(draw: st.DrawFn, users: Sequence[str]) -> dict[str, Any]:
    type_, name = draw(_calls)
    body: dict[str, Any] = {"type": type_, **draw(_senders(users))}
    if type_ == "track":
        body |= {"event": name, "properties": draw(objects())}
    elif type_ in ("page", "screen"):
        body |= {"name": draw(st.sampled_from(("Home", "x"))), "properties": draw(objects())}
    elif type_ == "identify":
        body["traits"] = draw(objects())
    elif type_ == "group":
        body |= {"groupId": draw(st.sampled_from(GROUPS)), "traits": draw(objects())}
    else:
        body["userId"] = draw(st.sampled_from(users))
        body["previousId"] = draw(st.sampled_from((*users, *VISITORS)))
    if draw(st.integers(0, 3)) == 0:
        body["context"] = draw(objects())
    return body


@st.composite
def histories(
    draw: st.DrawFn,
    segments: Sequence[str] = (),
    users: Sequence[str] = OFTEN_USERS,
    steps_max: int = 20,
    overrides: bool = True,
    models: bool = False,
) -> History:
    """A history of up to ``steps_max`` steps; overrides are about the named segments."""
    steps: History = []
    received = START_MS
    first_sent: dict[str, int] = {}
    for index in range(draw(st.one_of(st.integers(1, steps_max), st.integers(steps_max // 2, steps_max)))):
        received = max(START_MS, received + draw(_pauses) + draw(_fallbacks))
        kind = draw(st.integers(0, 11))
        if kind == 0:
            steps.append(("list", draw(st.sampled_from(LISTS)), draw(_ids(users)), draw(st.booleans())))
        elif kind == 1 and overrides and segments:
            until = draw(st.one_of(st.none(), _pauses))
            until = None if until is None else received + until
            member = draw(st.sampled_from((True, True, False, False, None)))
            steps.append(("override", draw(_ids(users)), draw(st.sampled_from(segments)), member, until))
        elif kind == 2 and models:
            said = draw(st.sampled_from((*PREDICTED, *PREDICTED)))
            steps.append(("prediction", draw(_ids(users)), *said))
        elif kind == 3 and models:
            until = draw(st.one_of(st.none(), _pauses))
            until = None if until is None else received + until
            steps.append(("replacement", draw(_ids(users)), *draw(st.sampled_from(_NAMED)), until))
        else:
            body = draw(_bodies(users))
            body["timestamp"] = format_instant(received - draw(_lags))
            body["receivedAt"] = format_instant(received)
            body["messageId"] = draw(_message_ids(index, received, first_sent))
            first_sent.setdefault(body["messageId"], received)
            steps.append(("event", body))
    return steps


def _ids(users: Sequence[str]) -> st.SearchStrategy[str]:
    return st.sampled_from((*users, *users, *(f"anon:{visitor}" for visitor in VISITORS)))


@st.composite
def _message_ids(draw: st.DrawFn, index: int, received: int, first_sent: dict[str, int]) -> str:
    fresh = f"m{index}"
    if not first_sent or draw(st.integers(0, 9)):
        return fresh
    again = draw(st.sampled_from(sorted(first_sent)))
    return again if 0 <= received - first_sent[again] <= 7 * DAY else fresh
