"""The account of events: what was accepted is what became of it, and what is counted is what is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from segue.domain.errors import Diagnostic
from segue.domain.event import Json
from segue.log.quality import ERASED, KEPT, QUARANTINE_ERASED, QUARANTINED, ROWS, Count, Held

UNBALANCED = "E555"
_HINT = "keep a copy of the data folder and report it: events were lost, or counted wrongly"


@dataclass(frozen=True, slots=True)
class Balance:
    """``accepted = processed + in_flight + duplicate + quarantined + refused + suppressed``, when it holds.

    ``accepted`` are all events that were answered for; ``processed`` and ``in_flight`` (durable, not
    evaluated yet) are counted in the log, not in the counts. ``findings`` say what does not hold.
    """

    accepted: int
    processed: int
    in_flight: int
    duplicate: int
    quarantined: int
    refused: int
    suppressed: int
    findings: tuple[Diagnostic, ...]

    def to_json(self) -> dict[str, Json]:
        """The account in one object."""
        numbers = {name: getattr(self, name) for name in self.__slots__ if name != "findings"}
        said = [found.message for found in self.findings]
        return {**numbers, "holds": not said, "findings": said}


def balance(counts: Iterable[Count], held: Held) -> Balance:
    """The account of all counts against what the log holds, both as of one moment."""
    totals: dict[str, int] = {}
    for count in counts:
        totals[count.what] = totals.get(count.what, 0) + count.number
    of = totals.get
    kept, erased = of(KEPT, 0), of(ERASED, 0)
    gone = {name: of(name, 0) for name in ("duplicate", QUARANTINED, "refused", "suppressed")}
    findings = [
        *_unequal("accepted events", of(ROWS, 0), "became something", kept + sum(gone.values())),
        *_unequal("kept events", kept, "are in the log or were erased", held.events + erased),
        *_unequal(
            "events set aside",
            gone[QUARANTINED],
            "are in quarantine or were erased",
            held.quarantined + of(QUARANTINE_ERASED, 0),
        ),
    ]
    return Balance(
        accepted=of(ROWS, 0),
        processed=held.events - held.waiting + erased,
        in_flight=held.waiting,
        duplicate=gone["duplicate"],
        quarantined=gone[QUARANTINED],
        refused=gone["refused"],
        suppressed=gone["suppressed"],
        findings=tuple(findings),
    )


def _unequal(what: str, counted: int, fate: str, found: int) -> list[Diagnostic]:
    if counted == found:
        return []
    return [Diagnostic(UNBALANCED, f"{counted:,} {what} were counted, {found:,} {fate}", _HINT)]
