"""Identity as the contract tells it, in the plainest code: history steps become log records with rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from segue.domain.change import Cause
from segue.domain.event import Event
from segue.domain.limits import DEDUPE_MS, FUTURE_MS_MAX
from segue.domain.time import parse_instant
from segue.language.interpret import Override, Replacement, Step
from tests.strategies.histories import History


@dataclass
class Resolver:
    """Turns steps into records one by one. ``ids`` are profile ids by row, ``into`` the survivors.

    What was decided about an id without a profile waits for it; what was taken back waits no more, and takes
    nothing from whoever becomes part of that profile.
    """

    ids: list[str] = field(default_factory=list)
    into: list[int] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    last_seen: dict[str, int] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    waiting_lists: set[tuple[str, str]] = field(default_factory=set)
    waiting_overrides: dict[tuple[str, str], Override] = field(default_factory=dict)
    waiting_words: dict[tuple[str, str, str], Replacement] = field(default_factory=dict)
    now: int = 0
    seq: int = 0

    def take(self, step: tuple[Any, ...]) -> Step | None:
        """The record of one step; None for a repeated event."""
        if step[0] == "event":
            return self._event(step[1])
        if step[0] == "list":
            return self._listed(*step[1:])
        if step[0] == "prediction":
            return self._predicted(*step[1:])
        if step[0] == "replacement":
            return self._replaced(*step[1:])
        return self._overridden(*step[1:])

    def row_of(self, profile_id: str) -> int | None:
        row = self.rows.get(profile_id)
        return None if row is None else self.into[row]

    # ---- records -----------------------------------------------------------------------------

    def _listed(self, name: str, user: str, listed: bool) -> Step:
        self.seq += 1
        row = self.row_of(user)
        if row is None:
            (self.waiting_lists.add if listed else self.waiting_lists.discard)((user, name))
            return Step(self.now, Cause.LIST)
        return Step(self.now, Cause.LIST, lists=((row, name, listed),))

    def _predicted(self, user: str, owner: str, model: str, value: Any) -> Step:
        """Models speak of those who are there; of others nothing comes."""
        self.seq += 1
        row = self.row_of(user)
        said = () if row is None else ((row, owner, model, value),)
        return Step(self.now, Cause.SCORE, predictions=said)

    def _replaced(self, user: str, owner: str, model: str, value: Any, until: int | None) -> Step:
        self.seq += 1
        row = self.row_of(user)
        word = None if value is None else Replacement(value, until)
        if row is None:
            self.waiting_words.pop((user, owner, model), None)
            if word is not None:
                self.waiting_words[user, owner, model] = word
            return Step(self.now, Cause.OVERRIDE)
        return Step(self.now, Cause.OVERRIDE, replacements=((row, owner, model, word),))

    def _overridden(self, user: str, segment: str, member: bool | None, until: int | None) -> Step:
        self.seq += 1
        row = self.row_of(user)
        override = None if member is None else Override(member, until)
        if row is None:
            self.waiting_overrides.pop((user, segment), None)
            if override is not None:
                self.waiting_overrides[user, segment] = override
            return Step(self.now, Cause.OVERRIDE)
        return Step(self.now, Cause.OVERRIDE, overrides=((row, segment, override),))

    def _event(self, body: dict[str, Any]) -> Step | None:
        received = _ms(body["receivedAt"])
        first = self.taken.get(body["messageId"])
        if first is not None and received - first <= DEDUPE_MS:
            return None
        self.taken[body["messageId"]] = received
        self.now = max(self.now, received)
        known = len(self.ids)
        merges: list[tuple[int, int]] = []
        row = self._row(body, merges)
        event = _event(body, self.seq, row, received)
        self.seq += 1
        arrived = [self.ids[each] for each in range(known, len(self.ids))]
        arrived += [name for name, owner in self.rows.items() if owner == row and name not in arrived]
        return Step(received, Cause.EVENT, event, tuple(merges), **self._waiting_for(arrived))

    def _waiting_for(self, arrived: list[str]) -> dict[str, Any]:
        """What lists and overrides had to say of ids that are known only now."""
        lists = [
            (self.row_of(user), name, True) for user, name in sorted(self.waiting_lists) if user in arrived
        ]
        overrides = [
            (self.row_of(user), segment, override)
            for (user, segment), override in self.waiting_overrides.items()
            if user in arrived
        ]
        replacements = [
            (self.row_of(user), owner, model, word)
            for (user, owner, model), word in self.waiting_words.items()
            if user in arrived
        ]
        for user in arrived:
            self.waiting_lists = {key for key in self.waiting_lists if key[0] != user}
            self.waiting_overrides = {key: on for key, on in self.waiting_overrides.items() if key[0] != user}
            self.waiting_words = {key: on for key, on in self.waiting_words.items() if key[0] != user}
        return {
            "lists": tuple(lists),
            "overrides": tuple(overrides),
            "replacements": tuple(replacements),
        }

    # ---- identity ----------------------------------------------------------------------------

    def _row(self, body: dict[str, Any], merges: list[tuple[int, int]]) -> int:
        user, visitor = body.get("userId"), body.get("anonymousId")
        if user is None:
            assert visitor is not None
            return self._visitor(visitor) if self._visitor_known(visitor) else self._create(f"anon:{visitor}")
        row = self.row_of(user)
        if row is None:
            row = self._create(user)
        if visitor is not None:
            self._attach(visitor, row, merges)
        if body["type"] == "alias" and body["previousId"] != user:
            self._alias(body["previousId"], row, merges)
        return row

    def _visitor_known(self, visitor: str) -> bool:
        return visitor in self.last_seen or f"anon:{visitor}" in self.rows

    def _visitor(self, visitor: str) -> int:
        row = self.last_seen.get(visitor, self.rows.get(f"anon:{visitor}"))
        assert row is not None
        return self.into[row]

    def _create(self, profile_id: str) -> int:
        row = len(self.ids)
        self.ids.append(profile_id)
        self.into.append(row)
        self.rows[profile_id] = row
        return row

    def _attach(self, visitor: str, row: int, merges: list[tuple[int, int]]) -> None:
        if self._visitor_known(visitor) and self.ids[self._visitor(visitor)].startswith("anon:"):
            self._merge(self._visitor(visitor), row, merges)
        self.last_seen[visitor] = row

    def _alias(self, previous: str, row: int, merges: list[tuple[int, int]]) -> None:
        user = self.row_of(previous)
        if user is not None:
            self._merge(user, row, merges)
            return
        if not self._visitor_known(previous):
            self.rows[previous] = row
        self._attach(previous, row, merges)

    def _merge(self, absorbed: int, survivor: int, merges: list[tuple[int, int]]) -> None:
        if absorbed != survivor:
            self.into = [survivor if held == absorbed else held for held in self.into]
            merges.append((absorbed, survivor))


def resolve(history: History) -> tuple[Resolver, list[Step]]:
    """The records of a whole history, repeated events left out."""
    resolver = Resolver()
    steps = [record for step in history if (record := resolver.take(step)) is not None]
    return resolver, steps


def _ms(text: str) -> int:
    found = parse_instant(text)
    assert found is not None
    return found


def _event(body: dict[str, Any], seq: int, row: int, received: int) -> Event:
    timestamp = _ms(body["timestamp"])
    properties = dict(body.get("properties", {}))
    if body["type"] in ("page", "screen"):
        properties |= {key: body[key] for key in ("name", "category") if key in body}
    return Event(
        seq=seq,
        row=row,
        type=body["type"],
        name=body.get("event"),
        timestamp=received if timestamp > received + FUTURE_MS_MAX else timestamp,
        received_at=received,
        properties=properties,
        context=body.get("context", {}),
        traits=body.get("traits", {}),
        group_id=body.get("groupId"),
        message_id=body["messageId"],
    )
