"""The syntax tree: what was written, before names and types are looked at.

Every node knows its stretch of the text by offsets; :class:`~segue.language.findings.Source`
turns them into places. Parentheses leave no node: the shape of the tree holds them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Literal:
    """A literal; ``text`` is as spelled, for kind ``text`` the string meant."""

    start: int
    end: int
    kind: str  # number text truth duration date
    text: str


@dataclass(slots=True, eq=False)
class Path:
    """``trait.…``, ``group.…``, ``context.…``; root "" is a bare path of an event's property."""

    start: int
    end: int
    root: str
    path: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Reference:
    """``segment("…")``, ``list("…")``, ``score("…")``, ``cluster("…")``, ``feature("…")``."""

    start: int
    end: int
    kind: str
    name: str


@dataclass(slots=True, eq=False)
class Pattern:
    """``EVENT[.path] [where CONDITION]``."""

    start: int
    end: int
    type: str
    name: str | None
    path: tuple[str, ...]
    where: Expression | None


@dataclass(slots=True, eq=False)
class LastWindow:
    """``last D`` or ``next D``."""

    start: int
    end: int
    direction: str  # "last" | "next"
    duration: Literal


@dataclass(slots=True, eq=False)
class DatesWindow:
    """``between A and B``; ``since A`` when there is no ``until``."""

    start: int
    end: int
    since: Literal
    until: Literal | None


@dataclass(slots=True, eq=False)
class EventWindow:
    """``since last(E …)`` or ``since first(E …)``."""

    start: int
    end: int
    which: str  # "last" | "first"
    event: Pattern
    window: Window | None


@dataclass(slots=True, eq=False)
class SessionWindow:
    """``this session``."""

    start: int
    end: int


Window = LastWindow | DatesWindow | EventWindow | SessionWindow


@dataclass(slots=True, eq=False)
class Aggregate:
    """``NAME(EVENT … [, WINDOW])``; ``sessions`` alone has no event."""

    start: int
    end: int
    name: str
    event: Pattern | None
    window: Window | None


@dataclass(slots=True, eq=False)
class Sequence:
    """``sequence(E1 then … En, within D [, WINDOW])``."""

    start: int
    end: int
    steps: tuple[Pattern, ...]
    within: Literal
    window: Window | None


@dataclass(slots=True, eq=False)
class Elapsed:
    """``since(TIME)`` or ``until(TIME)``."""

    start: int
    end: int
    direction: str
    time: Expression


@dataclass(slots=True, eq=False)
class Negative:
    """Unary minus."""

    start: int
    end: int
    operand: Expression


@dataclass(slots=True, eq=False)
class Arithmetic:
    """``left + - * / right``."""

    start: int
    end: int
    op: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Compare:
    """``left == != < <= > >= right``."""

    start: int
    end: int
    op: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class In:
    """``operand [not] in [literals]``; a negative number is one literal with its sign."""

    start: int
    end: int
    operand: Expression
    values: tuple[Literal, ...]
    negated: bool


@dataclass(slots=True, eq=False)
class Match:
    """``operand contains | starts with | ends with part``."""

    start: int
    end: int
    op: str
    operand: Expression
    part: Expression


@dataclass(slots=True, eq=False)
class Presence:
    """``operand is missing | is present``."""

    start: int
    end: int
    operand: Expression
    missing: bool


@dataclass(slots=True, eq=False)
class Not:
    """``not part``."""

    start: int
    end: int
    part: Expression


@dataclass(slots=True, eq=False)
class Logic:
    """``and`` or ``or`` of two or more parts."""

    start: int
    end: int
    op: str
    parts: tuple[Expression, ...]


Expression = (
    Literal | Path | Reference | Aggregate | Sequence | Elapsed | Negative | Arithmetic
    | Compare | In | Match | Presence | Not | Logic
)  # fmt: skip


def parts_of(node: Expression | Pattern | Window) -> tuple[Expression | Pattern | Window | None, ...]:
    """The nodes directly below one that can nest; literals of lists and dates are left out."""
    match node:
        case Logic():
            return node.parts
        case Arithmetic() | Compare():
            return (node.left, node.right)
        case Match():
            return (node.operand, node.part)
        case In() | Presence() | Negative():
            return (node.operand,)
        case Not():
            return (node.part,)
        case Elapsed():
            return (node.time,)
        case Aggregate() | EventWindow():
            return (node.event, node.window)
        case Sequence():
            return (*node.steps, node.window)
        case Pattern():
            return (node.where,)
        case _:
            return ()
