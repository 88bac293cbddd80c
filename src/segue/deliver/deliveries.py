"""``segue deliveries``: what was sent, what waits, what is dead; and dead letters sent again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.deliver.outbox import Delivery, Outbox, State, Wanted, shared
from segue.domain.event import Json
from segue.domain.limits import PAGE_ROWS
from segue.domain.time import format_instant
from segue.service.commands.arguments import text_or_none, whole_or_none, word, wrong
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service

STATES = tuple(state.value for state in State)
FILTERS = ("destination", "trigger", "user", "id")
"""What a delivery is chosen by, beside its state."""


def told(delivery: Delivery, body: bool = False) -> dict[str, Json]:
    """A delivery as one JSON object; with its ``body`` if that is asked for."""
    found: dict[str, Json] = {
        "number": delivery.number,
        "id": delivery.id,
        "trigger": delivery.trigger,
        "destination": delivery.destination,
        "user_id": delivery.user_id,
        "state": delivery.state.value,
        "reason": delivery.reason or None,
        "attempts": delivery.attempts,
        "at": format_instant(delivery.at),
        "due": format_instant(delivery.due) if delivery.state in (State.WAITING, State.PENDING) else None,
        "changed": format_instant(delivery.changed),
    }
    return {**found, "body": delivery.body.decode("utf-8", "replace")} if body else found


def wanted_of(filters: Mapping[str, str | None], state: str | None = None) -> Wanted:
    """The filters of a question, by the names in :data:`FILTERS`."""
    return Wanted(
        destination=filters.get("destination"),
        trigger=filters.get("trigger"),
        user_id=filters.get("user"),
        id=filters.get("id"),
        state=None if state is None else State(state),
    )


def pages(outbox: Outbox, wanted: Wanted, limit: int | None) -> Iterator[Delivery]:
    """Deliveries, newest first, read a page at a time."""
    before: int | None = None
    left = limit
    while left is None or left > 0:
        found = outbox.deliveries(wanted, before, PAGE_ROWS if left is None else min(left, PAGE_ROWS))
        yield from found
        if len(found) < PAGE_ROWS:
            return
        before = found[-1].number
        left = None if left is None else left - len(found)


def run_list(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``state`` (or all), the filters, ``limit``, ``body`` (whether it is shown): one row each."""
    state = word(arguments, "state", *STATES, "all")
    wanted = wanted_of(_filters(arguments), None if state == "all" else state)
    with shared(service.data) as outbox:
        for each in pages(outbox, wanted, whole_or_none(arguments, "limit")):
            yield told(each, arguments.get("body") is True)


def run_replay(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``destination``, ``trigger``, ``user``, ``id``, one at least: how many dead letters go out again."""
    filters = _filters(arguments)
    if not any(filters.values()):
        raise wrong("destination", "a destination, a trigger, a user or an id")
    with shared(service.data) as outbox:
        yield {"replayed": outbox.replay(wanted_of(filters))}


def _filters(arguments: Mapping[str, Json]) -> dict[str, str | None]:
    return {name: text_or_none(arguments, name) for name in FILTERS}
