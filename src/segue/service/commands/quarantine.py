"""``segue quarantine``: what could not be taken in, looked at, mended and replayed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.service.commands.arguments import text_or_none, whole, word, wrong
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.log.quarantine import Held
    from segue.service.service import Service

STATES = ("open", "replayed", "dropped", "all")


def run_list(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``state``: one row for each event set aside, by number."""
    state = word(arguments, "state", *STATES)
    for held in service.quarantine(None if state == "all" else state):
        yield _row(held)


def run_show(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``id``: one event with what was sent."""
    held = _found(service, whole(arguments, "id"))
    yield {**_row(held), "hint": held.event.hint, "raw": held.event.raw.decode("utf-8", "replace")}


def run_replay(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``id``, ``mended`` (base64 of the event to take instead), or ``code``: what became of it, or of all."""
    code = text_or_none(arguments, "code")
    if code is not None:
        from segue.service.quarantining import replay_all

        yield {"code": code, **replay_all(service.core, code).to_json()}
        return
    number = _found(service, whole(arguments, "id")).id
    mended = text_or_none(arguments, "mended")
    tally = service.quarantine_replay(number, None if mended is None else _bytes(mended))
    yield {"id": number, **tally.to_json()}


def run_drop(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``id``: the event that nobody will mend."""
    from segue.service.quarantining import require_open

    held = _found(service, whole(arguments, "id"))
    require_open(held)
    service.quarantine_drop(held.id)
    yield {"id": held.id, "state": "dropped"}


def _found(service: Service, number: int) -> Held:
    held = service.log.quarantine_get(number)
    if held is None:
        hint = "`segue quarantine list` shows those there are"
        raise refusal("E784", f"there is no quarantined event {number}", hint)
    return held


def _row(held: Held) -> dict[str, Json]:
    event = held.event
    return {
        "id": held.id,
        "state": held.state,
        "received_at": format_instant(event.received_at),
        "source": event.source,
        "code": event.code,
        "message": event.message,
    }


def _bytes(coded: str) -> bytes:
    try:
        return base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        raise wrong("mended", "an event in base64") from None


def coded(event: bytes) -> str:
    """An event as the argument ``mended``."""
    return base64.b64encode(event).decode()
