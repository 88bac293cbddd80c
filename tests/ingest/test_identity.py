"""Who an event belongs to: the law against the plainest resolver, and the quirks as stories."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from segue.domain.ids import FORGOTTEN
from segue.ingest.identity import Discoveries, Identity, leaving
from segue.log.batch import Alias, Link, Merge
from segue.log.identity import Identity as Kept

Call = tuple[str | None, str | None, str | None]
"""(user, anonymous, previous): what identity sees of an event."""


@dataclass
class Person:
    """A profile of the slow resolver: every id that leads to it, and the row of each part."""

    row: int
    shown: str
    ids: set[str]


@dataclass
class Slowly:
    """The meaning, by looking through all people and all that was said, every time."""

    people: list[Person] = field(default_factory=list)
    visits: list[tuple[str, str]] = field(default_factory=list)
    rows: int = 0

    def whose(self, profile_id: str) -> Person | None:
        return next((person for person in self.people if profile_id in person.ids), None)

    def visitor(self, anonymous: str) -> Person | None:
        said = [user for name, user in self.visits if name == anonymous]
        return self.whose(said[-1] if said else f"anon:{anonymous}")

    def create(self, profile_id: str) -> Person:
        person = Person(self.rows, profile_id, {profile_id})
        self.people.append(person)
        self.rows += 1
        return person

    def merge(self, absorbed: Person, surviving: Person) -> None:
        if absorbed is not surviving:
            surviving.ids |= absorbed.ids
            self.people.remove(absorbed)

    def attach(self, anonymous: str, user: Person) -> None:
        owner = self.visitor(anonymous)
        if owner is not None and owner.shown.startswith("anon:"):
            self.merge(owner, user)
        self.visits.append((anonymous, user.shown))

    def take(self, call: Call) -> int:
        user_id, anonymous, previous = call
        if user_id is None:
            assert anonymous is not None
            return (self.visitor(anonymous) or self.create(f"anon:{anonymous}")).row
        user = self.whose(user_id) or self.create(user_id)
        if anonymous is not None:
            self.attach(anonymous, user)
        if previous is not None and previous != user_id:
            self.alias(previous, user)
        return user.row

    def alias(self, previous: str, user: Person) -> None:
        other = self.whose(previous)
        if other is not None:
            self.merge(other, user)
            return
        if self.visitor(previous) is None:
            user.ids.add(previous)
        self.attach(previous, user)


USERS = st.sampled_from(["ann", "bob", "cem", "dee"])
VISITORS = st.sampled_from(["x", "y", "z", "ann"])
PREVIOUS = st.one_of(USERS, VISITORS, st.just("anon:x"))
CALLS: st.SearchStrategy[Call] = st.one_of(
    st.tuples(USERS, st.none(), st.none()),
    st.tuples(st.none(), VISITORS, st.none()),
    st.tuples(USERS, VISITORS, st.none()),
    st.tuples(USERS, st.none(), PREVIOUS),
    st.tuples(USERS, VISITORS, PREVIOUS),
)
HISTORIES = st.lists(CALLS, max_size=30)
NAMES = ["ann", "bob", "cem", "dee", "x", "y", "z", "anon:x", "anon:y", "anon:z", "anon:ann"]


@given(HISTORIES)
def test_it_agrees_with_the_plainest_resolver(calls: list[Call]) -> None:
    fast, slow = Identity(), Slowly()
    for at, call in enumerate(calls):
        assert fast.resolve(*call, at, Discoveries()) == slow.take(call)
        for name in NAMES:
            person = slow.whose(name)
            assert fast.row_of(name) == (None if person is None else person.row)
    assert len(fast) == slow.rows


def kept_by_the_log(fast: Identity, batches: list[Discoveries]) -> Kept:
    """What the log's tables hold after these batches, each of one event."""
    links: list[Link] = [
        (seq, name, row) for seq, found in enumerate(batches) for _, name, row in found.links
    ]
    aliases: list[Alias] = [
        (seq, name, row) for seq, found in enumerate(batches) for _, name, row in found.aliases
    ]
    merges: list[Merge] = [
        (seq, gone, row) for seq, found in enumerate(batches) for _, gone, row in found.merges
    ]
    return Kept(list(fast.ids), links, aliases, merges)


def replayed(fast: Identity, calls: list[Call], first: int = 0) -> list[Discoveries]:
    batches = [Discoveries() for _ in calls]
    for at, (call, found) in enumerate(zip(calls, batches, strict=True)):
        fast.resolve(*call, first + at, found)
    return batches


def same(one: Identity, other: Identity, calls: list[Call]) -> None:
    """Two resolvers that nobody can tell apart from now on."""
    assert (one.ids, one.into, one.rows) == (other.ids, other.into, other.rows)
    for call in calls:
        assert one.resolve(*call, 0, Discoveries()) == other.resolve(*call, 0, Discoveries())


@given(HISTORIES, HISTORIES)
def test_the_log_restores_it(before: list[Call], after: list[Call]) -> None:
    fast = Identity()
    again = Identity.restored(kept_by_the_log(fast, replayed(fast, before)))
    same(fast, again, after)


@given(HISTORIES, HISTORIES, HISTORIES)
def test_a_batch_taken_back_never_was(before: list[Call], lost: list[Call], after: list[Call]) -> None:
    fast, never = Identity(), Identity()
    replayed(fast, before)
    replayed(never, before)
    found = Discoveries()
    for at, call in enumerate(lost):
        fast.resolve(*call, at, found)
    fast.take_back(found)
    assert fast.seen == never.seen
    same(fast, never, after)


@given(HISTORIES, USERS, HISTORIES)
def test_forgetting_outlives_a_restart(before: list[Call], user: str, after: list[Call]) -> None:
    fast = Identity()
    batches = replayed(fast, before)
    row = fast.row_of(user)
    if row is None:
        return
    gone = fast.rows_of(row)
    kept = kept_by_the_log(fast, batches)
    forgetting = fast.forget(row, len(before), 1_000)
    erased = Kept(
        [FORGOTTEN if at in gone else name for at, name in enumerate(kept.user_ids)],
        [link for link in kept.links if link[2] not in gone],
        [alias for alias in kept.aliases if alias[2] not in gone],
        [merge for merge in kept.merges if not {merge[1], merge[2]} & gone],
    )
    again = Identity.restored(erased, [forgetting])
    assert fast.forgotten == again.forgotten
    assert [fast.row_of(name) for name in NAMES] == [again.row_of(name) for name in NAMES]
    for call in after:
        assert fast.resolve(*call, 0, Discoveries()) == again.resolve(*call, 0, Discoveries())


def resolved(*calls: Call) -> tuple[Identity, list[int]]:
    fast = Identity()
    return fast, [fast.resolve(*call, at, Discoveries()) for at, call in enumerate(calls)]


def test_an_anonymous_visitor_becomes_the_user_who_signs_in() -> None:
    """A visitor (row 0) signs in as ann (a new row 1, which takes row 0 in), then looks around again."""
    fast, rows = resolved((None, "x", None), ("ann", "x", None), (None, "x", None))
    assert rows == [0, 1, 1]
    assert fast.survivor(0) == fast.row_of("anon:x") == fast.row_of("ann") == 1
    assert fast.user_id(1) == "ann"


def test_a_shared_device_is_torn_from_nobody() -> None:
    fast, rows = resolved(
        (None, "tablet", None), ("ann", "tablet", None), ("bob", "tablet", None), (None, "tablet", None),
        ("ann", "tablet", None), (None, "tablet", None),
    )  # fmt: skip
    assert rows == [0, 1, 2, 2, 1, 1]
    assert fast.survivor(0) == 1


def test_alias_to_oneself_does_nothing() -> None:
    found = Discoveries()
    fast, _ = resolved(("ann", "x", None))
    assert fast.resolve("ann", "x", "ann", 0, found) == 0
    assert found == Discoveries()


def test_a_chain_of_aliases_ends_at_the_last_and_a_cycle_does_nothing() -> None:
    fast, rows = resolved(
        ("a", None, None), ("b", None, "a"), ("c", None, "b"), ("a", None, "c"), ("a", None, None)
    )
    assert rows == [0, 1, 2, 2, 2]
    assert {fast.row_of(name) for name in "abc"} == {2}


def test_an_alias_before_the_events_it_explains() -> None:
    fast, rows = resolved(("ann", None, "old"), ("old", None, None), (None, "old", None))
    assert rows == [0, 0, 0]
    assert len(fast) == 1


def test_alias_looks_for_a_user_before_a_visitor() -> None:
    fast, _ = resolved(("x", None, None), (None, "x", None), ("ann", None, "x"))
    assert fast.row_of("x") == fast.row_of("ann") == 2
    assert fast.row_of("anon:x") == 1


def test_zero_is_an_id() -> None:
    assert resolved(("0", None, None), ("0", None, None))[1] == [0, 0]


def test_what_was_before_a_forgetting_is_refused_and_what_comes_later_starts_anew() -> None:
    fast, _ = resolved((None, "x", None), ("ann", "x", None), ("bob", None, None))
    forgetting = fast.forget(1, seq=9, at=5_000)
    assert set(forgetting.left) == {leaving("ann"), leaving("anon:x")}
    assert fast.row_of("ann") is None
    assert [fast.bound_of(name) for name in ("ann", "anon:x", "bob")] == [5_000, 5_000, 0]
    assert fast.resolve("ann", None, None, 0, Discoveries()) == 3
    assert fast.bound_of("ann") == 5_000
    assert "ann" not in fast.ids[:2]


def test_every_order_of_three_aliases_makes_one_person() -> None:
    calls: list[Call] = [("a", None, "b"), ("b", None, "c"), ("c", None, "d")]
    for order in itertools.permutations(calls):
        fast, _ = resolved(("a", None, None), ("b", None, None), ("c", None, None), ("d", None, None), *order)
        assert len({fast.row_of(name) for name in "abcd"}) == 1
