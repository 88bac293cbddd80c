"""What triggers and experiences hold themselves back by: caps on how often, and a share of users held out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from segue.domain.time import DURATION, format_duration, parse_duration
from segue.segments.fields import Reader, Sheet, number
from segue.segments.nodes import Node, Scalar

_CAP = re.compile(rf"(\d{{1,9}})\s+per\s+({DURATION.pattern})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cap:
    """How often one user is reached at most within a time."""

    times: int
    per_ms: int

    def __str__(self) -> str:
        return f"{self.times} per {format_duration(self.per_ms)}"


def cap(out_of_range: str) -> Reader:
    """A reader of `3 per 7d`, which refuses with the code of whose key it is."""

    def read(node: Node, key: str, sheet: Sheet) -> Cap | None:
        found = _CAP.fullmatch(node.text.strip()) if isinstance(node, Scalar) else None
        per = parse_duration(found[2]) if found else None
        if found is None or not per or not int(found[1]):
            hint = "write it like `3 per 7d`"
            sheet.refuse(out_of_range, node, f"{key} does not say how often in what time", hint)
            return None
        return Cap(int(found[1]), per)

    return read


def holdout(out_of_range: str) -> Reader:
    """A reader of a share of users, 0 to below 1, which refuses with the code of whose key it is."""

    def read(node: Node, key: str, sheet: Sheet) -> float | None:
        found = number(node, key, sheet)
        if found is not None and not 0 <= found < 1:
            hint = "write a number from 0 to below 1: 0.1"
            sheet.refuse(out_of_range, node, f"{key} is no share of users", hint)
            return None
        return found

    return read
