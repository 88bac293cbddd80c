"""Of a suppressed user nothing is stored, not even what cannot be taken in for another reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from segue.domain.event import Json
from segue.domain.ids import NAMELESS
from segue.ingest.identity import Identity, anonymous_profile
from segue.ingest.mend import load
from segue.ingest.reject import Rejected
from segue.ingest.tally import Tally
from segue.ingest.validate import text_of

_SPELLED = re.compile(rb'"(?:userId|anonymousId|previousId|groupId)"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)')


def let_go(identity: Identity, rejected: Sequence[Rejected], tally: Tally) -> list[Rejected]:
    """Those that may be set aside; the others count as suppressed, and they are gone."""
    if not identity.suppressed:
        return list(rejected)
    kept = [each for each in rejected if not any(map(identity.suppresses, names_in(each.raw)))]
    tally.suppressed += len(rejected) - len(kept)
    return kept


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
