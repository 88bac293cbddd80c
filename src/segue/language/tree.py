"""The checked tree of a condition: what is left when spelling, names and types are settled.

Every record is frozen and compares by content, so equal conditions are equal trees and
equal aggregates are shared. ``place`` is carried for messages only and never compares.

A *condition* is true or false and never anything else. An *operand* gives a value or is missing.
Values whose type only the comparison knows (traits, properties, ``latest``) carry it in ``read``,
which the checker sets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from segue.domain.errors import Place


class Kind(Enum):
    """The types of the language; ``SCALAR`` is any JSON text, number or truth, compared by identity."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth"
    TIME = "time"
    DURATION = "duration"
    LIST = "list"
    SCALAR = "scalar"
    UNKNOWN = "unknown"


def _nowhere() -> Place | None:
    return field(default=None, compare=False, repr=False)


# ---- windows -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AllTime:
    """No window: every event with ``timestamp <= now``. Also the bound of every other window."""


@dataclass(frozen=True, slots=True)
class Last:
    """``last D``: ``now - ms < timestamp <= now``."""

    ms: int


@dataclass(frozen=True, slots=True)
class Between:
    """``between A and B`` / ``since A``: ``start <= timestamp < end``; ``end`` None is open.

    The spelled dates are kept for the formatter.
    """

    start: int
    end: int | None
    start_text: str = field(compare=False)
    end_text: str | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class SinceEvent:
    """``since last(E …)`` / ``since first(E …)``: what comes after it in order; nothing without it."""

    which: str  # "last" | "first"
    event: EventPattern
    window: AllTime | Last | Between


@dataclass(frozen=True, slots=True)
class ThisSession:
    """``this session``: the last session while now is within the gap of its last event."""


@dataclass(frozen=True, slots=True)
class Next:
    """``next D`` of a model's target: ``now < timestamp <= now + ms``.

    It never runs: :mod:`segue.language.ahead` writes it out for the moment that is meant.
    """

    ms: int


Window = AllTime | Last | Between | SinceEvent | ThisSession | Next


@dataclass(frozen=True, slots=True)
class EventPattern:
    """Which events: ``type`` is one of the six or ``any``, ``name`` for track events; ``where`` sees one."""

    type: str
    name: str | None = None
    where: Condition | None = None
    place: Place | None = _nowhere()


# ---- operands ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A number, in millionths; at most six decimals are accepted."""

    micro: int
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    value: str
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class TruthValue:
    """``true`` or ``false`` as an operand: ``trait.vip == true``."""

    value: bool
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, in ms."""

    ms: int
    text: str = field(compare=False, default="")
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or date-time, in ms; a bare date is its midnight in the workspace's zone."""

    ms: int
    text: str = field(compare=False, default="")
    place: Place | None = _nowhere()


Literal = Number | Text | TruthValue | Duration | Moment


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``NAME(EVENT[.path] [where …] [, WINDOW])``.

    ``name``: count days sum avg min max distinct last first latest earliest sessions.
    ``sessions`` has the pattern ``any`` and no path. ``read`` matters for latest and earliest only.
    """

    name: str
    event: EventPattern
    path: tuple[str, ...] = ()
    window: Window = AllTime()
    read: Kind = Kind.UNKNOWN
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Sequence:
    """``sequence(E1 then … En, within D [, WINDOW])``: a number."""

    steps: tuple[EventPattern, ...]
    within: int
    window: AllTime | Last | Between | Next = AllTime()
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Trait:
    """``trait.path`` (``owner`` "user") or ``group.path`` ("account"); or what a model says of the profile:
    ``score("model")`` ("score", a number) or ``cluster("model")`` ("cluster", a text), its name the path.
    """

    path: tuple[str, ...]
    owner: str = "user"
    read: Kind = Kind.UNKNOWN
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Property:
    """Inside ``where``: a bare path (``root`` "properties") or ``context.path`` (``root`` "context").

    In an audience, outside of ``where``, what a request says: ``request.path`` (``root`` "request").
    """

    path: tuple[str, ...]
    root: str = "properties"
    read: Kind = Kind.UNKNOWN
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left op right`` on numbers, in IEEE doubles; missing with a missing operand or ``x / 0``."""

    op: str  # + - * /
    left: Operand
    right: Operand
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Elapsed:
    """``since(TIME)`` (now minus it) or ``until(TIME)`` (it minus now); compared with a duration only."""

    direction: str  # "since" | "until"
    time: Operand
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Feature:
    """``feature("name")``: stands for its expression; replaced by it before anything runs."""

    name: str
    place: Place | None = _nowhere()


Operand = (
    Number | Text | TruthValue | Duration | Moment | Aggregate | Sequence | Trait | Property
    | Arithmetic | Elapsed | Feature
)  # fmt: skip


# ---- conditions ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Truth:
    """``true`` or ``false`` as a whole condition."""

    value: bool
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts."""

    parts: tuple[Condition, ...]
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more parts."""

    parts: tuple[Condition, ...]
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Not:
    """The flip of its part; there is no third truth value."""

    part: Condition
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Compare:
    """``left op right``, op one of ``== != < <= > >=``; missing on a side is false, for ``!=`` true."""

    op: str
    left: Operand
    right: Operand
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class In:
    """``operand in [literals]`` or ``not in``; literals are numbers, texts and truths, mixed freely."""

    operand: Operand
    values: tuple[Literal, ...]
    negated: bool = False
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Match:
    """``operand contains | starts with | ends with literal``.

    ``contains`` on a JSON list asks for an element equal to the literal; on a text, for a part of it.
    """

    op: str  # "contains" | "starts with" | "ends with"
    operand: Operand
    literal: Literal
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class Presence:
    """``operand is missing`` / ``is present``."""

    operand: Operand
    missing: bool
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """``segment("name")``: membership after overrides and exclusivity."""

    name: str
    place: Place | None = _nowhere()


@dataclass(frozen=True, slots=True)
class ListRef:
    """``list("name")``: being on a list."""

    name: str
    place: Place | None = _nowhere()


Condition = Truth | And | Or | Not | Compare | In | Match | Presence | SegmentRef | ListRef
