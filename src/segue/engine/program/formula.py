"""From a checked condition to a formula over atoms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from segue.domain.number import MICRO
from segue.engine.kernel import layout as k
from segue.engine.program.registry import ANY, AtomKey, Column, FeatureKey, Registry, Stream
from segue.language.interpret.comparing import compare
from segue.language.reading import (
    MIRRORED,
    is_inexact,
    is_literal,
    is_raw,
    kind_compared,
    literal_reading,
)
from segue.language.tree import (
    Aggregate,
    And,
    Arithmetic,
    Compare,
    Condition,
    Duration,
    Elapsed,
    In,
    Kind,
    ListRef,
    Match,
    Moment,
    Not,
    Number,
    Operand,
    Or,
    Presence,
    SegmentRef,
    Sequence,
    Trait,
    Truth,
)

OPERATORS = {"==": k.EQ, "!=": k.NE, "<": k.LT, "<=": k.LE, ">": k.GT, ">=": k.GE}
LOWEST = k.MISSING + 1
HIGHEST = 2**63 - 1

COUNTED = {"count": k.COUNT, "distinct": k.DISTINCT, "days": k.DAYS, "sessions": k.SESSIONS}
MEASURED = {"sum": k.SUM, "avg": k.AVG, "min": k.MIN, "max": k.MAX}
TIMED = {"last": k.LAST, "first": k.FIRST}
PICKED = {"latest": k.LATEST, "earliest": k.EARLIEST}
WHOLE = frozenset((k.COUNT, k.DISTINCT, k.DAYS, k.SESSIONS, k.SEQUENCE))
"""Kinds whose columns hold whole numbers, not millionths."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An atom."""

    atom: int


@dataclass(frozen=True, slots=True)
class Constant:
    """True or false for everyone."""

    value: bool


@dataclass(frozen=True, slots=True)
class Junction:
    """All or any of the parts."""

    every: bool
    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The flip of the part."""

    part: Formula


Formula = Leaf | Constant | Junction | Negation


class FormulaBuilder:
    """Compiles conditions into one registry; ``is_live`` tells which segments can have members."""

    def __init__(self, registry: Registry, is_live: Callable[[str], bool]) -> None:
        self.registry = registry
        self.is_live = is_live

    def build(self, condition: Condition) -> Formula:
        """The formula of a condition, its streams, features and atoms taken up in the registry."""
        match condition:
            case Truth():
                return Constant(condition.value)
            case And() | Or():
                parts = tuple(self.build(part) for part in condition.parts)
                return Junction(isinstance(condition, And), parts)
            case Not():
                return Negation(self.build(condition.part))
            case SegmentRef():
                if not self.is_live(condition.name):
                    return Constant(False)
                return self._leaf(AtomKey(k.MEMBER, segment=condition.name))
            case ListRef():
                feature = self._given(Column("list", (condition.name,), Kind.TRUTH))
                return self._leaf(AtomKey(k.WITHIN, feature, 1, 1))
            case Compare():
                return self._compare(condition)
            case In() | Match() | Presence() if is_raw(condition.operand):
                return self._question(condition, condition.operand)
            case In():
                equal = tuple(self._compare(Compare("==", condition.operand, v)) for v in condition.values)
                found = Junction(False, equal)
                return Negation(found) if condition.negated else found
            case Presence():
                present = self._present(condition.operand)
                return Negation(present) if condition.missing else present
        raise TypeError(f"no formula for {condition}")

    def _leaf(self, key: AtomKey) -> Leaf:
        return Leaf(self.registry.atom(key))

    def _given(self, column: Column) -> int:
        return self.registry.feature(FeatureKey(k.GIVEN, column))

    # ---- comparisons -------------------------------------------------------------------------

    def _compare(self, node: Compare) -> Formula:
        left, right, op = node.left, node.right, node.op
        if is_literal(left) and is_literal(right):
            return Constant(compare(op, literal_reading(left), literal_reading(right)))  # type: ignore[arg-type]
        if is_literal(left):
            left, right, op = right, left, MIRRORED[op]
        if isinstance(left, Elapsed):
            assert isinstance(right, Duration)
            return self._elapsed(left, op, right.ms)
        if is_raw(left) and is_literal(right):
            return self._question(Compare(op, left, right), left)
        if is_inexact(left) or is_inexact(right):
            return self._doubles(op, left, right)
        if is_literal(right):
            feature = self.feature(left, kind_compared(node))
            return self._within(feature, op, literal_reading(right))  # type: ignore[arg-type]
        return self._two_features(node, op, left, right)

    def _within(self, feature: int, op: str, bound: int) -> Formula:
        if self.registry.feature_keys[feature].kind in WHOLE:
            return self._whole_within(feature, op, bound)
        return self._interval(k.WITHIN, feature, op, bound)

    def _whole_within(self, feature: int, op: str, bound: int) -> Formula:
        """A whole number against millionths: the bound becomes whole, on the side that keeps the truth."""
        whole, part = divmod(bound, MICRO)
        if part and op in ("==", "!="):
            return Constant(op == "!=")
        if part and op in (">=", "<"):
            whole += 1
        return self._interval(k.WITHIN, feature, op, whole)

    def _interval(self, kind: int, feature: int, op: str, bound: int) -> Formula:
        low, high = {
            "==": (bound, bound),
            "!=": (bound, bound),
            "<": (LOWEST, bound - 1),
            "<=": (LOWEST, bound),
            ">": (bound + 1, HIGHEST),
            ">=": (bound, HIGHEST),
        }[op]
        return self._leaf(AtomKey(kind, feature, low, high, op == "!="))

    def _elapsed(self, node: Elapsed, op: str, length: int) -> Formula:
        """``until(T)`` is ``since(T)`` with the sign turned, and so is its bound."""
        if node.direction == "until":
            op, length = MIRRORED[op], -length
        if isinstance(node.time, Moment):
            feature = self._given(Column("moment", (str(node.time.ms),), Kind.TIME))
        else:
            feature = self.feature(node.time, Kind.TIME)
        return self._interval(k.ELAPSED, feature, op, length)

    def _two_features(self, node: Compare, op: str, left: Operand, right: Operand) -> Formula:
        kind = kind_compared(node)
        one, other = self.feature(left, kind), self.feature(right, kind)
        if kind in (Kind.SCALAR, Kind.TEXT, Kind.TRUTH):
            return self._leaf(AtomKey(k.SAME, one, other, negated=op == "!="))
        return self._leaf(AtomKey(k.EXACT, one, other, OPERATORS[op]))

    def _doubles(self, op: str, left: Operand, right: Operand) -> Formula:
        code = self.code(left)
        middle = len(code)
        return self._leaf(AtomKey(k.DOUBLE, -1, 0, OPERATORS[op], False, (*code, *self.code(right)), middle))

    def code(self, operand: Operand) -> tuple[tuple[int, float], ...]:
        """Arithmetic as instructions for the stack of doubles."""
        if isinstance(operand, Arithmetic):
            op = {"+": k.ADD, "-": k.SUBTRACT, "*": k.MULTIPLY, "/": k.DIVIDE}[operand.op]
            return (*self.code(operand.left), *self.code(operand.right), (op, 0.0))
        if isinstance(operand, Number):
            return ((k.PUSH_CONSTANT, operand.micro / 1e6),)
        return ((k.PUSH_FEATURE, float(self.feature(operand, Kind.NUMBER))),)

    def _present(self, operand: Operand) -> Formula:
        if isinstance(operand, Elapsed):
            return self._present(operand.time)
        if is_literal(operand):
            return Constant(True)
        if is_raw(operand):
            return self._question(Presence(operand, missing=False), operand)
        if isinstance(operand, Arithmetic):
            return self._doubles("==", operand, operand)
        feature = self.feature(operand, Kind.NUMBER)
        if self.registry.feature_keys[feature].kind in WHOLE | {k.SUM}:
            return Constant(True)
        return self._leaf(AtomKey(k.PRESENT, feature))

    # ---- operands ----------------------------------------------------------------------------

    def _question(self, question: Compare | In | Match | Presence, operand: Operand) -> Leaf:
        source: Stream | Column
        if isinstance(operand, Trait):
            source = Column(operand.owner, operand.path, Kind.UNKNOWN)
        else:
            assert isinstance(operand, Aggregate)
            source = Stream(operand.event, operand.path, Kind.UNKNOWN)
        plain = _about_anything(question)
        source, bit = self.registry.ask(source, plain)
        if isinstance(source, Column):
            feature = self._given(source)
        else:
            assert isinstance(operand, Aggregate)
            feature = self.registry.feature(FeatureKey(PICKED[operand.name], source, operand.window))
        return self._leaf(AtomKey(k.BIT, feature, bit))

    def feature(self, operand: Operand, kind: Kind) -> int:
        """The number of the feature that keeps an operand, read as ``kind`` where only that tells."""
        if isinstance(operand, Trait):
            if kind in (Kind.TEXT, Kind.TRUTH):
                kind = Kind.SCALAR
            return self._given(Column(operand.owner, operand.path, kind))
        if isinstance(operand, Sequence):
            stream = Stream(operand.steps[-1])
            return self.registry.feature(
                FeatureKey(k.SEQUENCE, stream, operand.window, operand.steps, operand.within)
            )
        assert isinstance(operand, Aggregate), operand
        return self.registry.feature(_aggregate_key(operand, kind))


def _aggregate_key(operand: Aggregate, kind: Kind) -> FeatureKey:
    name, event = operand.name, operand.event
    if name in MEASURED:
        return FeatureKey(MEASURED[name], Stream(event, operand.path, Kind.NUMBER), operand.window)
    if name == "distinct":
        return FeatureKey(k.DISTINCT, Stream(event, operand.path, Kind.SCALAR), operand.window)
    if name == "sessions":
        return FeatureKey(k.SESSIONS, Stream(ANY), operand.window)
    if name in COUNTED:
        return FeatureKey(COUNTED[name], Stream(event), operand.window)
    if name in TIMED:
        return FeatureKey(TIMED[name], Stream(event), operand.window)
    if kind in (Kind.TEXT, Kind.TRUTH):
        kind = Kind.SCALAR
    return FeatureKey(PICKED[name], Stream(event, operand.path, kind), operand.window)


_SOMETHING = Trait(("value",))


def _about_anything(question: Compare | In | Match | Presence) -> Compare | In | Match | Presence:
    """The question with its operand blanked, so that equal questions of one source are one."""
    match question:
        case Compare():
            return Compare(question.op, _SOMETHING, question.right)
        case In():
            return In(_SOMETHING, question.values, question.negated)
        case Match():
            return Match(question.op, _SOMETHING, question.literal)
    return Presence(_SOMETHING, question.missing)
