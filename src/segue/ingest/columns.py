"""A batch on its way in: its events' fields side by side, thinned out as events drop out."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from itertools import compress
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.domain.limits import MESSAGE_ID_CHARACTERS_MAX
from segue.ingest.identity import Identity
from segue.ingest.mend import Item
from segue.ingest.planned.holding import refuse_blocked
from segue.ingest.planned.plan import TrackingPlan, Verdict
from segue.ingest.reject import Rejected
from segue.ingest.tally import Tally
from segue.ingest.validate import validate
from segue.log.body import Body

Mask = NDArray[np.bool_]

_NAMES_MAX = 10_000
_OBJECT_OR_NOTHING = (b"{", b"")


class PlainNames:
    """Track names that need no trimming, known so that most events need no look at all."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    def learn(self, name: str | None) -> None:
        """Remember a name that :func:`validate` gave."""
        if name is not None and len(self.known) < _NAMES_MAX:
            self.known.add(name)


class Columns:
    """The lists run side by side; ``users`` and ``anonymous`` are clean once :meth:`validate` is done."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.raws: list[bytes] = [raw for raw, _ in items]
        self.bodies: list[Body] = [body for _, body in items]
        self.kinds: list[str] = self.sent("type")
        self.names: list[str | None] = self.sent("event")
        self.users: list[str | None] = self.sent("userId")
        self.anonymous: list[str | None] = self.sent("anonymousId")
        self.message_ids: list[str] = self.sent("messageId")
        self.previous: list[str | None] = [None] * len(self.bodies)
        self.groups: list[str | None] = [None] * len(self.bodies)
        self.warned: list[Verdict | None] = []
        """Beside the others once :meth:`hold_to` has found any."""

    def __len__(self) -> int:
        return len(self.bodies)

    def validate(self, identity: Identity, plain: PlainNames, tally: Tally) -> list[Rejected | None]:
        """Look closely at what is not plainly a track of a known user; returns what was wrong with each."""
        verdicts: list[Rejected | None] = [None] * len(self)
        for at in self._odd(identity, plain.known):
            verdicts[at] = self._judge(at, plain, tally)
        return verdicts

    def _odd(self, identity: Identity, plain: set[str]) -> list[int]:
        known, seen = identity.rows, identity.seen
        fields = zip(
            self.bodies, self.kinds, self.names, self.users, self.anonymous, self.message_ids, strict=True
        )
        return [
            at
            for at, (body, kind, name, user, visitor, message_id) in enumerate(fields)
            if kind != "track"
            or type(name) is not str
            or name not in plain
            or type(user) is not str
            or user not in known
            or (visitor is not None and (type(visitor) is not str or visitor not in seen))
            or type(message_id) is not str
            or message_id < "!"
            or len(message_id) > MESSAGE_ID_CHARACTERS_MAX
            or bytes(body.properties)[:1] not in _OBJECT_OR_NOTHING
        ]

    def _judge(self, at: int, plain: PlainNames, tally: Tally) -> Rejected | None:
        found = validate(self.raws[at], self.bodies[at], tally)
        if isinstance(found, Rejected):
            return found
        self.kinds[at], self.names[at] = found.kind, found.name
        self.users[at], self.anonymous[at] = found.user, found.anonymous
        self.previous[at], self.groups[at] = found.previous, found.group
        self.message_ids[at] = found.message_id or secrets.token_hex(16)
        if found.kind == "track":
            plain.learn(found.name)
        return None

    def hold_to(self, plan: TrackingPlan, verdicts: list[Rejected | None], tally: Tally) -> None:
        """Add the verdicts on events that the tracking plan blocks, and note those that it warns of."""
        names = [
            name if kind == "track" and verdict is None else None
            for name, kind, verdict in zip(self.names, self.kinds, verdicts, strict=True)
        ]
        texts = [bytes(body.properties) for body in self.bodies]
        warned = refuse_blocked(plan, names, texts, self.raws, verdicts, tally)
        if warned:
            self.warned = [None] * len(self)
            for verdict in warned:
                self.warned[verdict.at] = verdict

    def keep(self, mask: Mask) -> None:
        """Drop the events where the mask is false."""
        chosen: list[bool] = mask.tolist()
        for name, column in vars(self).items():
            setattr(self, name, list(compress(column, chosen)))

    def sent(self, field: str) -> list[Any]:
        """A field of each event as it was sent."""
        return list(map(attrgetter(field), self.bodies))
