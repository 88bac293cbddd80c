"""Users looked up all at once have the rows that each alone would have, whatever happened before."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from segue.ingest import known
from segue.ingest.identity import Discoveries, Identity
from segue.log.lane.cuts import put_together

USERS = st.sampled_from(["u1", "u2", "u3", "é", "u" * 70, "v" * 70, "longer than eight bytes"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("users"), st.lists(USERS, max_size=8), st.booleans()),
        st.tuples(st.just("alias"), USERS, USERS),
        st.tuples(st.just("attach"), USERS, st.sampled_from(["a1", "a2"])),
        st.tuples(st.just("forget"), USERS),
    ),
    max_size=12,
)


def shown(identity: Identity) -> tuple[object, ...]:
    return identity.rows, identity.seen, identity.into, identity.ids


def many(identity: Identity, users: list[str], found: Discoveries) -> list[int]:
    rows: list[int] = identity.rows_of_users(*put_together([user.encode() for user in users]), found).tolist()
    return rows


def alone(identity: Identity, users: list[str], found: Discoveries) -> list[int]:
    return [identity.resolve(user, None, None, at, found) for at, user in enumerate(users)]


def happen(identity: Identity, step: tuple[Any, ...], look_up: Any) -> object:
    found = Discoveries()
    if step[0] == "users":
        rows = look_up(identity, step[1], found)
        if step[2]:
            identity.take_back(found)
        return rows, found
    if step[0] == "alias":
        return identity.resolve(step[1], None, step[2], 0, found)
    if step[0] == "attach":
        return identity.resolve(step[1], step[2], None, 0, found)
    row = identity.row_of(step[1])
    return None if row is None else identity.forget(row, 1, 5)


@given(STEPS, st.sampled_from([2, known.KEPT_MAX]))
def test_many_users_are_each_alone(steps: list[tuple[Any, ...]], kept: int) -> None:
    before, known.KEPT_MAX = known.KEPT_MAX, kept
    try:
        fast, slow = Identity(), Identity()
        for step in steps:
            assert happen(fast, step, many) == happen(slow, step, alone)
            assert shown(fast) == shown(slow)
    finally:
        known.KEPT_MAX = before
