"""The report: the counts by day and source, the ways in which plans were broken, the account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

from segue.domain.event import Json
from segue.ingest import reject
from segue.log.quality import ERASED, KEPT, NO_DAY, QUARANTINE_ERASED, QUARANTINED, ROWS, Count
from segue.log.sqlite import SqliteLog
from segue.segments.workspace import Workspace
from segue.service.core import Core
from segue.service.counting import BREACH
from segue.service.quality.balance import Balance, balance
from segue.service.quality.numbers import Asked, NonNumeric, asked_for, by_row, non_numeric

NUMBERS = (
    "accepted", "kept", "duplicate", "quarantined", "refused", "suppressed", "late", "future",
    "unparsed_timestamp", "non_numeric", "missing_id", "unknown_event", "violation", "non_object",
    "long_message_id", "mended",
)  # fmt: skip
"""What a line of the report counts; docs/quality.md explains each."""
_FROM_COUNTS = {
    ROWS: "accepted", KEPT: "kept", QUARANTINED: "quarantined", "future_clamped": "future",
}  # fmt: skip
_MISSING = frozenset((reject.NO_ID, reject.NO_PREVIOUS_ID, reject.NO_GROUP_ID))


@dataclass(frozen=True, slots=True)
class Line:
    """One day of one source."""

    day: str
    source: str
    numbers: Mapping[str, int]

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {
            "day": self.day,
            "source": self.source,
            **{name: self.numbers.get(name, 0) for name in NUMBERS},
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All of it; ``breaches`` and ``codes`` (of quarantine) count each way over the days of the lines."""

    lines: list[Line]
    breaches: Mapping[str, int]
    codes: Mapping[str, int]
    non_numeric: list[NonNumeric]
    balance: Balance

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {
            "days": [line.to_json() for line in self.lines],
            "violations": [{"what": what, "count": count} for what, count in sorted(self.breaches.items())],
            "quarantined": [{"code": code, "count": count} for code, count in sorted(self.codes.items())],
            "non_numeric": [each.to_json() for each in self.non_numeric],
            "balance": self.balance.to_json(),
        }


def report(core: Core, since: str = NO_DAY) -> Report:
    """The counts from a day (2026-11-22) on; the account is always of all."""
    counts, held = core.log.quality()
    shown = [count for count in counts if count.day >= since]
    passed_over = [each for each in _non_numeric(core) if each.day >= since]
    return Report(
        lines=_lines(shown, by_row(passed_over)),
        breaches=_by_detail(shown, BREACH),
        codes=_by_detail(shown, QUARANTINED),
        non_numeric=passed_over,
        balance=balance(counts, held),
    )


def _lines(counts: Iterable[Count], non_numbers: Mapping[tuple[str, str], int]) -> list[Line]:
    found: dict[tuple[str, str], dict[str, int]] = {}
    for count in counts:
        if count.what in (ERASED, QUARANTINE_ERASED):
            continue
        line = found.setdefault((count.day, count.source), {})
        name = _FROM_COUNTS.get(count.what, count.what)
        line[name] = line.get(name, 0) + count.number
        if count.what == QUARANTINED and count.detail in _MISSING:
            line["missing_id"] = line.get("missing_id", 0) + count.number
    for key, number in non_numbers.items():
        found.setdefault(key, {})["non_numeric"] = number
    return [Line(day, source, numbers) for (day, source), numbers in sorted(found.items())]


def _by_detail(counts: Iterable[Count], what: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for count in counts:
        if count.what == what and count.detail:
            found[count.detail] = found.get(count.detail, 0) + count.number
    return found


# ---- values passed over ----------------------------------------------------------------------


@dataclass(slots=True)
class _Looked:
    """What was found in the log up to a place for some properties, so that it is not read again."""

    asked: list[Asked]
    zone: str
    upto: int
    found: dict[tuple[str, str, Asked], int]


_turn = Lock()
_looked: WeakKeyDictionary[SqliteLog, _Looked] = WeakKeyDictionary()


def _non_numeric(core: Core) -> list[NonNumeric]:
    workspace = core.workspace
    assert workspace is not None
    with _turn:
        held = _held(core.log, workspace)
        upto = core.log.next_seq - 1
        for each in non_numeric(core.log, workspace, held.upto, upto):
            key = (each.day, each.source, each.asked)
            held.found[key] = held.found.get(key, 0) + each.number
        held.upto = upto
        return [NonNumeric(*key, number) for key, number in sorted(held.found.items())]


def _held(log: SqliteLog, workspace: Workspace) -> _Looked:
    asked, zone = asked_for(workspace), workspace.settings.timezone.key
    held = _looked.get(log)
    if held is None or (held.asked, held.zone) != (asked, zone):
        held = _looked[log] = _Looked(asked, zone, 0, {})
    return held
