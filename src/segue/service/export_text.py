"""What is held of a person as text, written piece by piece as it comes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator

from segue.domain.event import Json

COLUMNS = (
    "type", "event", "name", "timestamp", "originalTimestamp", "receivedAt", "messageId", "userId",
    "anonymousId", "previousId", "groupId", "properties", "traits", "context",
)  # fmt: skip
"""Of the CSV form: fields as sent, objects as JSON. Whatever else was sent stands under ``other``."""
_OTHER = "other"
_LISTS = {"change": "changes", "quarantined": "quarantined", "event": "events"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Part = tuple[str, Json]


def as_json(parts: Iterable[Part], lines: bool = True) -> Iterator[str]:
    """One JSON object: the head's keys, then ``changes``, ``quarantined`` and ``events``.

    With ``lines`` each part has a line of its own. The parts come in the order of these lists.
    """
    end = "\n" if lines else ""
    waiting, between, comma = list(_LISTS), "", ""
    for kind, value in parts:
        if kind == "head":
            yield dumped(value)[:-1]
            continue
        while kind in waiting:
            yield f'{between}, "{_LISTS[waiting.pop(0)]}": ['
            between = f"{end}]"
            comma = ""
        yield comma + end + dumped(value)
        comma = ","
    for kind in waiting:
        yield f'{between}, "{_LISTS[kind]}": ['
        between = f"{end}]"
    yield f"{between}}}\n"


def as_csv(parts: Iterable[Part]) -> Iterator[str]:
    """The events as a table with a heading, by RFC 4180; what a spreadsheet would run begins with ``'``."""
    yield _line([*COLUMNS, _OTHER])
    for kind, value in parts:
        if kind == "event":
            other = {key: each for key, each in value.items() if key not in COLUMNS}
            yield _line([*(_cell(value.get(name)) for name in COLUMNS), _cell(other or None)])


def dumped(value: Json) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _cell(value: Json) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else dumped(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
