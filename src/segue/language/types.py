"""The type of every operand, and how a value of unknown type is read once a comparison settles it."""

from __future__ import annotations

from segue.language import tree
from segue.language.tree import Kind

NUMERIC = frozenset(("sum", "avg", "min", "max"))
"""Aggregates that take numbers along a path."""
PATHLESS = frozenset(("count", "days", "last", "first", "sessions"))
TIMED = frozenset(("last", "first"))
VALUED = frozenset(("latest", "earliest"))
"""Aggregates that give a value as it was sent, of a type that nobody declared."""

NAMES = {
    Kind.NUMBER: "a number",
    Kind.TEXT: "text",
    Kind.TRUTH: "true or false",
    Kind.TIME: "a time",
    Kind.DURATION: "a duration",
    Kind.LIST: "a list",
    Kind.SCALAR: "a value",
    Kind.UNKNOWN: "a value",
}


def kind_of(operand: tree.Operand) -> Kind:
    """The type of an operand; UNKNOWN where only a comparison will tell."""
    match operand:
        case tree.Number() | tree.Sequence() | tree.Arithmetic():
            return Kind.NUMBER
        case tree.Text():
            return Kind.TEXT
        case tree.TruthValue():
            return Kind.TRUTH
        case tree.Duration() | tree.Elapsed():
            return Kind.DURATION
        case tree.Moment():
            return Kind.TIME
        case tree.Trait() | tree.Property():
            return operand.read
        case tree.Aggregate():
            if operand.name in VALUED:
                return operand.read
            return Kind.TIME if operand.name in TIMED else Kind.NUMBER
        case tree.Feature():
            return Kind.UNKNOWN


def read_as(operand: tree.Operand, kind: Kind) -> tree.Operand:
    """The operand with its reading settled, where it was open; others stay as they are."""
    match operand:
        case tree.Trait(read=Kind.UNKNOWN):
            return tree.Trait(operand.path, operand.owner, kind, operand.place)
        case tree.Property(read=Kind.UNKNOWN):
            return tree.Property(operand.path, operand.root, kind, operand.place)
        case tree.Aggregate(read=Kind.UNKNOWN) if operand.name in VALUED:
            return tree.Aggregate(
                operand.name, operand.event, operand.path, operand.window, kind, operand.place
            )
    return operand
