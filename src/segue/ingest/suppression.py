"""Of a suppressed user nothing is stored, of a forgotten one nothing from before the forgetting.

Not even what cannot be taken in for another reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from segue.domain.event import Json
from segue.domain.ids import NAMELESS
from segue.ingest.identity import NEVER_AGAIN, Identity, anonymous_profile
from segue.ingest.mend import load
from segue.ingest.reject import Rejected
from segue.ingest.tally import Tally
from segue.ingest.times import UNREAD, read_time
from segue.ingest.validate import text_of

_TIMES = frozenset(("timestamp", "originalTimestamp", "receivedAt", "received_at", "ts", "time"))
"""Where a number is a moment; elsewhere it may be anything."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATED = re.compile(rb'"(?:timestamp|originalTimestamp|receivedAt)"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)')
_SPELLED = re.compile(rb'"(?:userId|anonymousId|previousId|groupId)"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)')


def let_go(identity: Identity, rejected: Sequence[Rejected], tally: Tally) -> list[Rejected]:
    """Those that may be set aside; the others count as suppressed or refused, and they are gone."""
    if not identity.bars:
        return list(rejected)
    kept = []
    for each in rejected:
        bound = max(map(identity.bound_of, names_in(each.raw)), default=0)
        if bound == NEVER_AGAIN:
            tally.suppressed += 1
        elif bound and min(_times_in(each.raw), default=bound) < bound:
            tally.refused += 1
        else:
            kept.append(each)
    return kept


def _times_in(raw: bytes) -> Iterator[int]:
    """The moments (ms) that something may name as its own which is no event."""
    stated: Iterable[Json]
    try:
        found = load(raw)
    except (ValueError, RecursionError):
        stated = map(_read, _DATED.findall(raw))
    else:
        stated = (
            [value for key, value in found.items() if _dates(key, value)] if isinstance(found, dict) else []
        )
    yield from (at for at in map(read_time, stated) if at != UNREAD)


def _dates(key: str, value: Json) -> bool:
    return key in _TIMES or (isinstance(value, str) and _DATE.match(value) is not None)


def names_in(raw: bytes) -> Iterator[str]:
    """The profile ids that something may name which is no event: JSON, the row of a table, or neither."""
    try:
        found: Json = load(raw)
    except (ValueError, RecursionError):
        found = {str(at): _read(text) for at, text in enumerate(_SPELLED.findall(raw))}
    if not isinstance(found, dict):
        return
    for key, value in found.items():
        name = None if key in NAMELESS else text_of(value)
        if name is not None:
            yield name
            yield anonymous_profile(name)


def _read(text: bytes) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None
