"""What is asked of a decision, checked: for whom, for which slots, and what is known only there and then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from segue.domain.errors import SegueError, refusal
from segue.domain.event import Event, Json
from segue.domain.limits import DECIDED_SLOTS_MAX, ID_CHARACTERS_MAX, RECENT_EVENTS_MAX
from segue.domain.time import parse_instant
from segue.ingest.mend import dump, read_event
from segue.ingest.reject import Rejected
from segue.ingest.tally import Tally
from segue.ingest.validate import validate
from segue.language.findings import shorten, suggestion
from segue.log.body import context_json, properties_json, traits_json

MALFORMED = "E835"
UNKNOWN_SLOT = "E836"
TOO_MUCH_ASKED = "E838"
BAD_EVENT = "E839"
KEYS = ("user_id", "slots", "context", "events", "record")
TAKEN = ("track", "page", "screen", "identify")
"""Types of what may just have happened: who belongs to whom is the log's to say."""
HINT = 'send {"user_id": "ada", "slots": ["hero"], "context": {"device": "mobile"}}'
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. ``context`` is what ``request.`` reads.

    ``events`` are what just happened and is perhaps not received yet, as sent. ``record`` says whether
    what is shown counts as shown.
    """

    user_id: str
    slots: tuple[str, ...]
    context: Mapping[str, Json]
    events: tuple[Mapping[str, Json], ...]
    record: bool


def asked(found: Mapping[str, Json], own: str | None = None) -> Asked:
    """A request's body, checked; ``own`` is the user when it names none. E835, or E838 beyond a bound."""
    unknown = sorted(found.keys() - set(KEYS))
    if unknown:
        raise _malformed(f'"{shorten(unknown[0])}" is not known')
    user_id = found.get("user_id", own)
    if not isinstance(user_id, str) or not user_id.strip() or len(user_id) > ID_CHARACTERS_MAX:
        raise _malformed('"user_id" is missing, or is no id')
    slots, events = found.get("slots"), found.get("events", [])
    if not isinstance(slots, list) or not slots or not all(isinstance(each, str) for each in slots):
        raise _malformed('"slots" is missing, or is no list of names')
    if not isinstance(events, list) or not all(isinstance(each, dict) for each in events):
        raise _malformed('"events" is no list of events')
    context, record = found.get("context", {}), found.get("record", True)
    if not isinstance(context, dict):
        raise _malformed('"context" is no object')
    if not isinstance(record, bool):
        raise _malformed('"record" is true or false')
    _bounded("slots", slots, DECIDED_SLOTS_MAX)
    _bounded("events", events, RECENT_EVENTS_MAX)
    return Asked(user_id, tuple(dict.fromkeys(slots)), context, tuple(events), record)


def _malformed(finding: str) -> SegueError:
    return refusal(MALFORMED, finding, HINT)


def _bounded(what: str, found: Sequence[Json], most: int) -> None:
    if len(found) > most:
        raise refusal(TOO_MUCH_ASKED, f"{len(found):,} {what} are sent", f"send up to {most:,} at once")


def require_slots(names: Iterable[str], known: Iterable[str]) -> None:
    """E836 for the first name that no live experience fills."""
    there = list(known)
    for name in names:
        if name not in there:
            hint = suggestion(name, there, "`segue experiences` lists those there are")
            raise refusal(UNKNOWN_SLOT, f"no experience fills a slot {shorten(name)!r}", hint)


def recent_events(found: Asked, row: int, first_seq: int, now: int) -> list[Event]:
    """What just happened, as if it had been received in this order at ``now``; E839 for what is no event.

    Whose it is the request says: ids within are passed over. A time after ``now`` counts as ``now``.
    """
    return [
        _event(each, found.user_id, row, first_seq + number, now) for number, each in enumerate(found.events)
    ]


def _event(said: Mapping[str, Json], user_id: str, row: int, seq: int, now: int) -> Event:
    raw = dump({"type": "track", **said, "userId": user_id, "anonymousId": None})
    read = read_event(raw)
    if isinstance(read, Rejected):
        raise _bad_event(read.message)
    body = read[0][1]
    valid = validate(raw, body, Tally())
    if isinstance(valid, Rejected):
        raise _bad_event(valid.message)
    if valid.kind not in TAKEN:
        raise _bad_event(f"one of {', '.join(TAKEN)} is taken, not {valid.kind}")
    return Event(
        seq,
        row,
        valid.kind,
        valid.name,
        _time(said, now),
        now,
        _decode(properties_json(body, valid.kind)),
        _decode(context_json(body)),
        _decode(traits_json(body, valid.kind)),
        message_id=valid.message_id or "",
    )


def _time(said: Mapping[str, Json], now: int) -> int:
    stated = said.get("timestamp")
    if stated is None:
        return now
    found = parse_instant(stated) if isinstance(stated, str) else None
    if found is None:
        raise _bad_event("the timestamp is no date and time")
    return min(found, now)


def _bad_event(finding: str) -> SegueError:
    hint = 'send it like {"event": "Product Viewed", "properties": {"product_id": "p1"}}'
    return refusal(BAD_EVENT, f"an event of the request is not taken: {finding}", hint)
