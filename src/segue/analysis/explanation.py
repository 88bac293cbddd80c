"""What an explanation says: of people's words in ``render``, of JSON in ``to_json``."""

from __future__ import annotations

from dataclasses import dataclass

from segue.analysis.clauses import Clause
from segue.analysis.deciding import Decision
from segue.analysis.evidence import CountedEvent
from segue.analysis.needs import Needs
from segue.analysis.render import Page
from segue.analysis.sentences import Need
from segue.domain.change import Change
from segue.domain.event import Json
from segue.domain.time import format_instant


@dataclass(frozen=True, slots=True)
class LastChange:
    """The newest change of this membership, with the event that made it when an event did."""

    change: Change
    event: CountedEvent | None = None

    def to_json(self) -> dict[str, Json]:
        """The change as it is written everywhere, with ``event`` when one made it."""
        found: dict[str, Json] = self.change.to_json()
        if self.event is not None:
            found["event"] = self.event.to_json()
        return found


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a profile is in a segment or is not, at ``now`` (ms).

    ``since`` (ms) is the start of the stretch of a member. ``turns`` (ms) is when it leaves, or enters, if
    nothing more happens; None is never by time alone. ``missing`` is what one who is out by the condition
    lacks: all of its parts.
    """

    user_id: str
    segment: str
    now: int
    member: bool
    decided: Decision
    condition: Clause
    since: int | None
    last_change: LastChange | None
    turns: int | None
    missing: tuple[Need | Needs, ...]

    @property
    def leaves_when(self) -> int | None:
        """When a member leaves if nothing more happens, in ms."""
        return self.turns if self.member else None

    @property
    def enters_when(self) -> int | None:
        """When one who is out enters if nothing more happens, in ms."""
        return None if self.member else self.turns

    def to_json(self) -> dict[str, Json]:
        """The explanation as one JSON object, the same keys always."""
        return {
            "user_id": self.user_id,
            "segment": self.segment,
            "as_of": format_instant(self.now),
            "member": self.member,
            "decided": self.decided.to_json(),
            "since": _instant(self.since),
            "last_change": None if self.last_change is None else self.last_change.to_json(),
            "leaves_when": _instant(self.leaves_when),
            "enters_when": _instant(self.enters_when),
            "condition": self.condition.to_json(),
            "missing": [each.to_json() for each in self.missing],
        }

    def render(self, width: int = 100) -> str:
        """The explanation as people read it, in lines of at most ``width`` characters where words allow."""
        page = Page(width)
        self._head(page)
        page.clause(self.condition)
        if self.missing:
            page.line(0, "")
            page.line(0, "What is missing:")
            page.needs(self.missing)
        return page.text()

    def _head(self, page: Page) -> None:
        state = "is in" if self.member else "is not in"
        since = f" since {format_instant(self.since)}" if self.member and self.since is not None else ""
        page.line(0, f"{self.user_id} {state} {self.segment}{since}")
        if self.last_change is not None:
            page.line(1, _spoken(self.last_change))
        if self.decided.by != "condition":
            page.line(1, self.decided.text)
        verb = "leaves" if self.member else "enters"
        # Models score by their schedule too, so that more may change than what time does to rules.
        rests = ", and no score changes" if self.condition.asks_a_model else ""
        if self.turns is not None:
            page.line(1, f"{verb} at {format_instant(self.turns)} if nothing more happens{rests}")
        elif self.member:
            page.line(1, f"stays in as long as nothing more happens{rests}")
        elif rests:
            page.line(1, "time alone does not bring it in; a score that changes may")
        else:
            page.line(1, "time alone does not bring it in")
        page.line(0, "")


def _instant(at: int | None) -> str | None:
    return None if at is None else format_instant(at)


def _spoken(last: LastChange) -> str:
    change = last.change
    cause = {"time": "time passing", "definition": "a change of the definition"}.get(
        change.cause.value, f"{change.cause.value}"
    )
    if last.event is not None:
        cause = f"{last.event.title} of {format_instant(last.event.at)}"
    return f"{'entered' if change.entered else 'left'} at {format_instant(change.at)} by {cause}"
