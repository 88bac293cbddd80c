"""Events on their way in, held to the tracking plan: some are set aside, others counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.ingest.planned.breaches import UNKNOWN_EVENT, sentence
from segue.ingest.planned.plan import TrackingPlan, Verdict
from segue.ingest.reject import Rejected
from segue.ingest.tally import Tally


def refuse_blocked(
    plan: TrackingPlan,
    names: Sequence[str | None],
    texts: Sequence[bytes],
    raws: Sequence[bytes],
    refused: list[Rejected | None],
    tally: Tally,
) -> list[Verdict]:
    """Set aside what the plan blocks; gives what it only warns of, to be counted if it is kept.

    ``names`` are those of track events that nothing else is wrong with, None for the others.
    """
    warned: list[Verdict] = []
    for verdict in plan.verdicts(names, texts):
        if verdict.blocked:
            code = verdict.breaches[0].code
            about = "" if code == UNKNOWN_EVENT else f"{verdict.name}: "
            said = about + sentence(verdict.breaches)
            refused[verdict.at] = Rejected(code, said, raws[verdict.at])
            count([verdict], tally)
        else:
            warned.append(verdict)
    return warned


def count(verdicts: Iterable[Verdict], tally: Tally) -> None:
    """Count events that break the plan; each way once for an event."""
    for verdict in verdicts:
        if verdict.breaches[0].code == UNKNOWN_EVENT:
            tally.unknown_event += 1
            continue
        tally.violation += 1
        ways = {f"{verdict.name}: {each.path or 'properties'} {each.code}" for each in verdict.breaches}
        tally.breaches.update(ways)
