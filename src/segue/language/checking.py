"""What one check carries along, and the literals, which need nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from segue.domain.errors import Place
from segue.domain.limits import CONDITION_NODES_MAX, NUMERAL_CHARACTERS_MAX
from segue.domain.number import MICRO, NUMBER_MAX, micro
from segue.domain.time import DURATION_MAX, YEAR, parse_duration, parse_instant
from segue.language import syntax, tree
from segue.language.findings import Findings, Source, Span
from segue.language.scope import Scope

FIRST_MOMENT = -62_135_596_800_000
LAST_MOMENT = 253_402_300_799_999
"""The years 1 to 9999 in UTC, in ms: an offset may lead beyond them, where no calendar writes a date."""


@dataclass(slots=True)
class Check:
    """One condition being checked: its text, the names in force, what was found so far."""

    source: Source
    scope: Scope
    findings: Findings = field(default_factory=Findings)
    nodes: int = 0
    inlined: bool = False

    def refuse(self, code: str, message: str, hint: str, at: Span) -> None:
        """Note a finding and go on, so that the rest is checked too."""
        self.findings.add(self.source.finding(code, message, hint, at))

    def place(self, at: Span) -> Place:
        """Line and column of a node."""
        return self.source.place(at.start, at.end)

    def count(self, nodes: int, at: Span) -> None:
        """Add nodes to the condition's size; beyond the bound the check ends."""
        self.nodes += nodes
        if self.nodes > CONDITION_NODES_MAX:
            message = (
                f"the condition has more than {CONDITION_NODES_MAX} parts, with its features written out"
            )
            hint = "split it into segments, or put long enumerations into a list"
            raise self.source.refusal("E104", message, hint, at)


def literal(check: Check, node: syntax.Literal) -> tree.Literal | None:
    """The value of a literal, or None after a finding."""
    check.count(1, node)
    match node.kind:
        case "text":
            return tree.Text(node.text, check.place(node))
        case "truth":
            return tree.TruthValue(node.text == "true", check.place(node))
        case "number":
            return number(check, node)
        case "duration":
            return duration(check, node)
        case _:
            return moment(check, node)


def number(check: Check, node: syntax.Literal) -> tree.Number | None:
    """A number in millionths, read as a sent value would be, so that equal spellings are equal."""
    text = node.text
    exact = Fraction(text) if len(text) <= NUMERAL_CHARACTERS_MAX else None
    read = None if exact is None else micro(float(text))
    if exact is None or read is None or abs(exact) > NUMBER_MAX:
        hint = f"numbers go from -{NUMBER_MAX} to {NUMBER_MAX}"
        check.refuse("E210", f"{check.source.quote(node)} is out of range", hint, node)
        return None
    if (exact * MICRO).denominator != 1:
        hint = "round it: values are kept to the millionth"
        check.refuse("E210", f"{check.source.quote(node)} has more than six decimals", hint, node)
        return None
    return tree.Number(read, check.place(node))


def duration(check: Check, node: syntax.Literal) -> tree.Duration | None:
    """A duration in ms."""
    ms = parse_duration(node.text)
    if ms is None:
        hint = f"durations go up to {DURATION_MAX // YEAR}y"
        check.refuse("E121", f"{check.source.quote(node)} is too long for a duration", hint, node)
        return None
    return tree.Duration(ms, node.text, check.place(node))


def moment(check: Check, node: syntax.Literal) -> tree.Moment | None:
    """A date or date-time in ms; without an offset it is read in the workspace's zone."""
    ms = parse_instant(node.text, check.scope.zone)
    if ms is None or not FIRST_MOMENT <= ms <= LAST_MOMENT:
        hint = "write year-month-day, with a time if needed: 2026-11-27T10:00:00Z"
        check.refuse("E117", f"there is no date {check.source.quote(node)}", hint, node)
        return None
    return tree.Moment(ms, node.text, check.place(node))
