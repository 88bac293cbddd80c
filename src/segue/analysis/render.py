"""Clauses and needs as an indented tree for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from segue.analysis.clauses import Clause
from segue.analysis.evidence import CountedEvent, Observed
from segue.analysis.needs import Needs
from segue.analysis.scores import spoken
from segue.analysis.sentences import Need
from segue.domain.time import format_instant
from segue.language.interpret import Replacement

TRUE, FALSE = "✓", "✗"
EVENTS_SHOWN_MAX = 5
"""Of one operand in a text; JSON gives all that are kept."""
_WIDTH_MIN = 40
_INDENT = "  "
_HEADS = {"and": "all of", "or": "any of", "not": "not"}


class Page:
    """Lines of text as they are put together."""

    def __init__(self, width: int) -> None:
        self._width = max(width, _WIDTH_MIN)
        self._lines: list[str] = []

    def text(self) -> str:
        """All lines."""
        return "\n".join(self._lines)

    def line(self, depth: int, text: str, hang: str = "") -> None:
        """One line, broken between words where it is too long; ``hang`` indents what follows the break."""
        wrapped = textwrap.wrap(
            text,
            self._width,
            initial_indent=_INDENT * depth,
            subsequent_indent=_INDENT * depth + (hang or _INDENT),
            break_long_words=False,
            break_on_hyphens=False,
        )
        self._lines.extend(wrapped or [""])

    def clause(self, clause: Clause, depth: int = 0) -> None:
        """A clause with everything below it."""
        mark = TRUE if clause.holds else FALSE
        self.line(depth, f"{mark} {_HEADS.get(clause.kind, clause.text)}")
        if clause.note is not None:
            self.line(depth + 2, clause.note)
        for observed in clause.observed:
            self._observed(observed, depth + 2, named=len(clause.observed) > 1)
        for part in clause.parts:
            self.clause(part, depth + 1)
        if clause.kind == "segment" and not clause.parts:
            self.line(depth + 2, f"explain {clause.pointer} for the reason")

    def _observed(self, observed: Observed, depth: int, named: bool) -> None:
        name = f"{observed.text} " if named else ""
        note = f" ({observed.note})" if observed.note is not None else ""
        self.line(depth, f"{name}is {observed.value.text}{note}")
        if observed.after is not None:
            self.line(depth, f"counted after {_dated(observed.after)}")
        self._events(observed, depth)
        if observed.replaced is not None:
            self.line(depth, replaced(observed.replaced))
        if observed.reasons is not None:
            head, *lines = spoken(observed.reasons)
            self.line(depth, head if observed.replaced is None else f"the model itself: {head}")
            for text in lines:
                self.line(depth + 1, text)
        for part in observed.made_of:
            self._observed(part, depth, named=True)

    def _events(self, observed: Observed, depth: int) -> None:
        total = observed.events_total
        if len(observed.events) == 1 < total:
            self.line(depth, f"{_dated(observed.events[0])}  (one of {total})")
            return
        for event in observed.events[:EVENTS_SHOWN_MAX]:
            self.line(depth, _dated(event))
        if total > EVENTS_SHOWN_MAX:
            self.line(depth, f"and {total - EVENTS_SHOWN_MAX} more")

    def needs(self, needs: Iterable[Need | Needs], depth: int = 1) -> None:
        """What is missing, as a list; alternatives are indented below their head."""
        for each in needs:
            if isinstance(each, Need):
                self.line(depth, f"- {each.text}")
            else:
                self.line(depth, "- one of these:" if each.how == "any" else "- all of these:")
                self.needs(each.parts, depth + 1)


def replaced(word: Replacement) -> str:
    """A person's word in the place of what a model says."""
    until = "" if word.until is None else f" until {format_instant(word.until)}"
    by = "" if word.by is None else f", by {word.by}"
    why = "" if word.why is None else f": {word.why}"
    return f"an override says so{until}{by}{why}"


def _dated(event: CountedEvent) -> str:
    value = "" if event.value is None else f"  {event.value.text}"
    passed_over = "  (no number, passed over)" if event.passed_over else ""
    return f"{format_instant(event.at)}  {event.title}{value}{passed_over}"
