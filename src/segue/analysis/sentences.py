"""What one clause lacks, as a sentence and as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from segue.analysis.evidence import own_kind
from segue.analysis.turning import Turning
from segue.analysis.values import Shown, in_words, shown, shown_literal, shown_micro
from segue.domain.event import Json
from segue.domain.limits import FUTURE_MS_MAX
from segue.domain.number import MICRO
from segue.domain.time import format_instant
from segue.language.reading import MIRRORED, is_literal, is_raw, kind_compared
from segue.language.speller import spell, spell_duration, spell_event
from segue.language.tree import (
    Aggregate,
    AllTime,
    Between,
    Compare,
    Condition,
    Duration,
    Elapsed,
    EventPattern,
    In,
    Kind,
    Last,
    ListRef,
    Match,
    Next,
    Number,
    Operand,
    Presence,
    SegmentRef,
    Sequence,
    SinceEvent,
    ThisSession,
    Trait,
    Truth,
    Window,
)

COUNTS = ("count", "days", "distinct", "sessions")
_NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_WORDS = {
    "==": "",
    "!=": "other than ",
    "<": "less than ",
    "<=": "at most ",
    ">": "more than ",
    ">=": "at least ",
}
_TIME_WORDS = {**_WORDS, "<": "before ", "<=": "at or before ", ">": "after ", ">=": "at or after "}
_MATCHES = {"contains": "contain", "starts with": "start with", "ends with": "end with"}


@dataclass(frozen=True, slots=True)
class Need:
    """One clause that must turn: ``kind`` is events, amount, value, wait, segment, list or never.

    ``clause`` is the clause as it is written, and ``holds`` whether it is true now (behind ``not`` it must
    become false). ``more`` is how much is lacking, ``at`` (ms) when time alone turns it, ``name`` a segment
    or list. ``possible`` is False when neither time nor new events can turn it.
    """

    text: str
    kind: str
    clause: str
    holds: bool
    more: Shown | None = None
    at: int | None = None
    name: str | None = None
    possible: bool = True

    def to_json(self) -> dict[str, Json]:
        """The need as a JSON object; keys that say nothing are left out."""
        found: dict[str, Json] = {
            "text": self.text,
            "kind": self.kind,
            "clause": self.clause,
            "holds": self.holds,
            "possible": self.possible,
        }
        if self.more is not None:
            found["more"] = self.more.value
        if self.at is not None:
            found["at"] = format_instant(self.at)
        if self.name is not None:
            found["name"] = self.name
        return found


def need(node: Condition, want: bool, turning: Turning) -> Need:
    """What a leaf that is not as wanted lacks."""
    return _NEEDS[type(node)](node, want, turning)


# ---- leaves that are no comparison -----------------------------------------------------------


def _truth(node: Truth, want: bool, _turning: Turning) -> Need:
    text = "the condition is written so that nobody is in" if want else "the condition rules everybody out"
    return Need(text, "never", spell(node), not want, possible=False)


def _segment(node: SegmentRef, want: bool, _turning: Turning) -> Need:
    text = f"must {'be' if want else 'not be'} in segment {node.name}"
    return Need(text, "segment", spell(node), not want, name=node.name)


def _list(node: ListRef, want: bool, _turning: Turning) -> Need:
    text = f"must {'be' if want else 'not be'} on list {node.name}"
    return Need(text, "list", spell(node), not want, name=node.name)


def _in(node: In, want: bool, turning: Turning) -> Need:
    values = ", ".join(_plain(shown_literal(value)) for value in node.values)
    among = "must not be" if node.negated is want else "must be"
    if len(node.values) > 1:
        among += " one of"
    return _value(node, node.operand, f"{among} {values}", turning)


def _match(node: Match, want: bool, turning: Turning) -> Need:
    must = f"must {'' if want else 'not '}{_MATCHES[node.op]} {_plain(shown_literal(node.literal))}"
    return _value(node, node.operand, must, turning)


def _presence(node: Presence, want: bool, turning: Turning) -> Need:
    must = "must be missing" if node.missing is want else "must be present"
    return _value(node, node.operand, must, turning)


def _value(node: Condition, operand: Operand, must: str, turning: Turning, kind: Kind | None = None) -> Need:
    """A need said of the operand's value as a whole."""
    read = own_kind(operand) if kind is None else kind
    now = shown(turning.value(operand, read), read)
    text = f"{_named(operand)} {must} (it is {_plain(now)})"
    return _timed(text, "value", node, turning)


def _timed(
    text: str,
    kind: str,
    node: Condition,
    turning: Turning,
    more: Shown | None = None,
    waits_only: bool = False,
) -> Need:
    """The need, with the moment at which time alone meets it; ``waits_only`` when nothing else can."""
    at = turning.turns(node)
    if not waits_only:
        return _timed_at(text, kind, node, turning, at, more)
    holds = turning.holds(node)
    if at is None:
        return Need(text, kind, spell(node), holds, more, possible=False)
    return Need(f"wait until {format_instant(at)}: then {text}", "wait", spell(node), holds, more, at)


def _timed_at(
    text: str, kind: str, node: Condition, turning: Turning, at: int | None, more: Shown | None
) -> Need:
    if at is not None:
        text += f", or wait until {format_instant(at)}"
    return Need(text, kind, spell(node), turning.holds(node), more, at)


# ---- comparisons -----------------------------------------------------------------------------


def _compare(node: Compare, want: bool, turning: Turning) -> Need:
    left, right, op = node.left, node.right, node.op
    if is_literal(left):
        left, right, op = right, left, MIRRORED[op]
    if not want:
        op = _NEGATED[op]
    if isinstance(left, Elapsed) and isinstance(right, Duration):
        return _elapsed(node, left, op, right, turning)
    if isinstance(right, Number) and (isinstance(left, Sequence) or _is(left, *COUNTS)):
        return _counting(node, left, op, right.micro, turning)
    if isinstance(right, Number) and _is(left, "sum") and op in (">", ">="):
        return _summing(node, left, op, right.micro, turning)  # type: ignore[arg-type]
    return _compared(node, left, op, right, turning)


def _compared(node: Compare, left: Operand, op: str, right: Operand, turning: Turning) -> Need:
    kind = kind_compared(node)
    words = (_TIME_WORDS if kind is Kind.TIME else _WORDS)[op]
    if is_literal(right):
        threshold = _plain(shown_literal(right))  # type: ignore[arg-type]
    else:
        threshold = f"{_named(right)} ({_plain(shown(turning.value(right, kind), kind))})"
    return _value(node, left, f"must be {words}{threshold}", turning, kind)


def _is(operand: Operand, *names: str) -> bool:
    return isinstance(operand, Aggregate) and operand.name in names


def _counting(node: Compare, operand: Any, op: str, threshold: int, turning: Turning) -> Need:
    value = turning.value(operand, Kind.NUMBER)
    lacking = {
        ">=": -((value - threshold) // MICRO),
        ">": (threshold - value) // MICRO + 1,
        "!=": 1,
    }.get(op, (threshold - value) // MICRO)
    if op == "==" and threshold % MICRO:
        text = f"{spell(operand)} is a whole number and never {shown_micro(threshold).text}"
        return Need(text, "never", spell(node), not turning.holds(node), possible=False)
    if lacking > 0:
        text = f"{lacking} more {_things(operand)}{_within(operand.window)}"
        # Time takes events away and adds only those that lie ahead of their receipt.
        within = None if op == "!=" else FUTURE_MS_MAX
        at = turning.turns(node, within)
        return _timed_at(text, "events", node, turning, at, shown_micro(lacking * MICRO))
    return _too_many(node, operand, op, threshold, turning)


def _too_many(node: Compare, operand: Any, op: str, threshold: int, turning: Turning) -> Need:
    bound = shown_micro(threshold).text
    most = f"fewer than {bound}" if op == "<" else f"at most {bound}"
    if (op == "<" and threshold <= MICRO) or threshold == 0:
        most = "no"
    whole = turning.value(operand, Kind.NUMBER) // MICRO
    text = f"{most} {_things(operand)}{_within(operand.window)} (there are {whole} now)"
    if isinstance(operand.window, SinceEvent) and operand.window.which == "last":
        text += f"; a new {_event(operand.window.event)} starts the count again"
        return _timed(text, "events", node, turning)
    return _timed(text, "events", node, turning, waits_only=True)


def _things(operand: Any) -> str:
    if isinstance(operand, Sequence):
        steps = " then ".join(_event(step) for step in operand.steps)
        return f"of {steps} within {spell_duration(operand.within)}, completed"
    if operand.name == "sessions":
        return "sessions"
    if operand.name == "days":
        return f"days with {_event(operand.event)}"
    if operand.name == "distinct":
        return f"different values of {_path(operand)} in {_event(operand.event)}"
    return _event(operand.event)


def _summing(node: Compare, operand: Aggregate, op: str, threshold: int, turning: Turning) -> Need:
    lacking = shown_micro(threshold - turning.value(operand, Kind.NUMBER))
    least = "over " if op == ">" else ""
    text = f"{_path(operand)} of {least}{lacking.text} more from {_event(operand.event)}"
    return _timed(text + _within(operand.window), "amount", node, turning, lacking)


def _elapsed(node: Compare, elapsed: Elapsed, op: str, length: Duration, turning: Turning) -> Need:
    distance = length.text or in_words(length.ms)
    time = turning.value(elapsed.time, Kind.TIME)
    at = turning.turns(node)
    if time is None and isinstance(elapsed.time, Aggregate) and not is_raw(elapsed.time):
        text = f"one {_event(elapsed.time.event)}{_within(elapsed.time.window)}"
        if elapsed.direction == "since" and op in (">", ">="):
            text += f", and then {distance}"
        return Need(text, "events", spell(node), turning.holds(node), shown_micro(MICRO), at)
    if at is not None:
        wait = f"wait until {format_instant(at)}"
        if _is(elapsed.time, "last") and elapsed.direction == "since":
            wait += f", with no {_event(elapsed.time.event)} before"  # type: ignore[union-attr]
        return Need(wait, "wait", spell(node), turning.holds(node), at=at)
    if _is(elapsed.time, "last") and op in ("<", "<="):
        text = f"one more {_event(elapsed.time.event)}"  # type: ignore[union-attr]
        return Need(text, "events", spell(node), turning.holds(node), shown_micro(MICRO))
    now = in_words(turning.value(elapsed, Kind.DURATION), length.ms) if time is not None else "missing"
    text = f"{_named(elapsed)} must be {_WORDS[op]}{distance} (it is {now})"
    return Need(text, "value", spell(node), turning.holds(node))


# ---- words -----------------------------------------------------------------------------------


def _named(operand: Operand) -> str:
    """What an operand is called in a sentence."""
    match operand:
        case Trait() if operand.owner in ("user", "account"):
            return f"{'trait' if operand.owner == 'user' else 'account trait'} {'.'.join(operand.path)}"
        case Aggregate() if is_raw(operand):
            source = f"{_event(operand.event)}{_within(operand.window)}"
            return f"the {operand.name} {_path(operand)} of {source}"
        case Elapsed():
            return f"the time {operand.direction} {_named(operand.time)}"
        case Aggregate() if operand.name in ("last", "first"):
            return f"the {operand.name} {_event(operand.event)}{_within(operand.window)}"
    return spell(operand)


def _event(event: EventPattern) -> str:
    """An event in a sentence, with its ``where``."""
    return f"event of any kind{spell_event(event)[3:]}" if event.type == "any" else spell_event(event)


def _path(operand: Aggregate) -> str:
    return ".".join(operand.path)


def _within(window: Window) -> str:
    match window:
        case Last():
            return f" within {spell_duration(window.ms)}"
        case Next():
            return f" within the next {spell_duration(window.ms)}"
        case Between(end=None):
            return f" from {window.start_text or format_instant(window.start)} on"
        case Between():
            start = window.start_text or format_instant(window.start)
            return f" from {start} until before {window.end_text or format_instant(window.end or 0)}"
        case SinceEvent():
            return f" after the {window.which} {_event(window.event)}{_within(window.window)}"
        case ThisSession():
            return " in this session"
        case AllTime():
            return ""


def _plain(value: Shown) -> str:
    """A value in a sentence: text without its quotes when it is one word."""
    if value.type == "text" and isinstance(value.value, str) and value.value.isidentifier():
        return value.value
    return value.text


_NEEDS: dict[type, Callable[[Any, bool, Turning], Need]] = {
    Truth: _truth,
    SegmentRef: _segment,
    ListRef: _list,
    In: _in,
    Match: _match,
    Presence: _presence,
    Compare: _compare,
}
