"""A group of profiles said as a condition of Segue's own language, by a shallow tree.

The tree is grown on ranks, not on values: a rank is exact in the 32 bits that trees compare in, it knows
where missing stands, and any number between two neighbours will do for the bound, so the roundest is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.domain.number import MICRO
from segue.domain.time import DAY, UNITS, format_duration
from segue.language import syntax
from segue.language.findings import Source
from segue.language.formatter import format_condition
from segue.language.parser import parse
from segue.language.printer import COMPARISON, SUM, inline
from segue.learned.spec import FeatureSpec

Doubles = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]
Ranks = npt.NDArray[np.int32]

DEPTH = 3
_LEAF_SHARE = 0.002
_MISSING = -1


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition, and how well it says the group: ``precision`` is the share of those it holds for who are
    in the group, ``recall`` the share of the group that it holds for, ``members`` for how many it holds.
    """

    text: str
    precision: float
    recall: float
    members: int

    def document(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "when": self.text, "precision": self.precision, "recall": self.recall, "members": self.members
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Column:
    """A feature by the ranks of its values: ``different`` are the values, rising, by rank."""

    feature: FeatureSpec
    different: Doubles
    lacked: bool


@dataclass(frozen=True, slots=True)
class _Node:
    """A place in the tree: the ranks that lead to it, (above, up to) by column, and who is there."""

    bounds: dict[int, tuple[int, int]]
    rows: npt.NDArray[np.intp]
    inside: int
    below: tuple[_Node, ...] = ()

    def leaves(self) -> Iterator[_Node]:
        """The ends of the tree from here on."""
        if not self.below:
            yield self
        for each in self.below:
            yield from each.leaves()


def rule_of(
    features: Sequence[FeatureSpec], values: Doubles, inside: Truths, depth: int = DEPTH
) -> Rule | None:
    """The condition that says best who is ``inside``; None when nothing tells them apart.

    ``values`` is (profiles, features) in the features' own units, NaN where missing.
    """
    ranked = [_ranked(feature, values[:, place]) for place, feature in enumerate(features)]
    columns, ranks = [column for column, _ in ranked], np.column_stack([each for _, each in ranked])
    root = _grown(ranks, inside, depth)
    chosen = _chosen(list(root.leaves()), int(inside.sum()))
    if len(chosen) in (0, len(list(root.leaves()))):
        return None
    paths = [_path(columns, each.bounds) for each in _merged(root, {id(leaf) for leaf in chosen})]
    text = " or ".join(f"({path})" for path in paths)
    members = sum(len(leaf.rows) for leaf in chosen)
    right = sum(leaf.inside for leaf in chosen)
    return Rule(format_condition(text), right / members, right / int(inside.sum()), members)


def _ranked(feature: FeatureSpec, column: Doubles) -> tuple[_Column, Ranks]:
    there = np.isfinite(column)
    different, places = np.unique(column[there], return_inverse=True)
    ranks = np.full(len(column), _MISSING, np.int32)
    ranks[there] = places
    return _Column(feature, different, not there.all()), ranks


def _grown(ranks: Ranks, inside: Truths, depth: int) -> _Node:
    from sklearn.tree import DecisionTreeClassifier

    leaf = max(1, int(len(ranks) * _LEAF_SHARE))
    model = DecisionTreeClassifier(
        max_depth=depth, min_samples_leaf=leaf, class_weight="balanced", random_state=0
    )
    tree = model.fit(ranks, inside).tree_

    def node(number: int, bounds: dict[int, tuple[int, int]], rows: npt.NDArray[np.intp]) -> _Node:
        here = int(inside[rows].sum())
        left, right = int(tree.children_left[number]), int(tree.children_right[number])
        if left < 0:
            return _Node(bounds, rows, here)
        column, at = int(tree.feature[number]), int(np.floor(tree.threshold[number]))
        above, upto = bounds.get(column, (_MISSING - 1, np.iinfo(np.int32).max))
        goes_left = ranks[rows, column] <= at
        return _Node(bounds, rows, here, (
            node(left, {**bounds, column: (above, min(upto, at))}, rows[goes_left]),
            node(right, {**bounds, column: (max(above, at), upto)}, rows[~goes_left]),
        ))  # fmt: skip

    return node(0, {}, np.arange(len(ranks)))


def _chosen(leaves: list[_Node], size: int) -> list[_Node]:
    """The purest leaves, as many as make the best balance (F1) of precision and recall."""
    ordered = sorted(leaves, key=lambda leaf: (-leaf.inside / len(leaf.rows), -len(leaf.rows)))
    held, right, best, kept = 0, 0, 0.0, 0
    for number, leaf in enumerate(ordered, 1):
        held, right = held + len(leaf.rows), right + leaf.inside
        balance = 2.0 * right / (held + size)
        if balance > best:
            best, kept = balance, number
    return ordered[:kept]


def _merged(node: _Node, chosen: set[int]) -> Iterator[_Node]:
    """The highest places of which all leaves are chosen."""
    if all(id(leaf) in chosen for leaf in node.leaves()):
        yield node
        return
    for each in node.below:
        yield from _merged(each, chosen)


def _path(columns: Sequence[_Column], bounds: dict[int, tuple[int, int]]) -> str:
    parts = (_bounded(columns[place], above, upto) for place, (above, upto) in sorted(bounds.items()))
    return " and ".join(chain.from_iterable(parts))


def _bounded(column: _Column, above: int, upto: int) -> Iterator[str]:
    """Ranks ``above < rank <= upto`` of a feature, in words; a comparison with a missing value is false."""
    last = len(column.different) - 1
    lower, upper = above >= 0, upto < last
    if above == _MISSING - 1 and column.lacked:
        yield _is_missing(column, True) if upto == _MISSING else f"not ({_compared(column, upto)})"
        return
    if lower:
        yield _compared(column, above)
    if upper:
        yield _compared(column, upto, "<=")
    if not lower and not upper and column.lacked:
        yield _is_missing(column, False)


def _is_missing(column: _Column, missing: bool) -> str:
    node = parse(Source(column.feature.text))[0]
    asked = node.time if isinstance(node, syntax.Elapsed) else node
    return f"{inline(asked, SUM)} is {'missing' if missing else 'present'}"


def _compared(column: _Column, rank: int, operator: str = ">") -> str:
    """``FEATURE > BOUND`` with the roundest bound between the value of this rank and the next."""
    low, high = float(column.different[rank]), float(column.different[rank + 1])
    feature = column.feature
    node = parse(Source(feature.text))[0]
    if feature.unit == "truth":
        return inline(node, COMPARISON) if operator == ">" else f"not ({inline(node)})"
    if feature.unit != "days":
        return f"{inline(node, SUM)} {operator} {_number(low, high)}"
    direction = node.direction if isinstance(node, syntax.Elapsed) else "since"
    time = inline(node.time if isinstance(node, syntax.Elapsed) else node)
    bound = _length(round(low * DAY), round(high * DAY))
    if bound < 0:
        direction = "until" if direction == "since" else "since"
        operator = "<" if operator == ">" else ">="
    return f"{direction}({time}) {operator} {format_duration(abs(bound))}"


def _number(low: float, high: float) -> str:
    """The shortest number ``n`` with ``low <= n < high``, with six decimals at most."""
    first, end = int(np.ceil(round(low * MICRO, 3))), high * MICRO
    step = 10**18
    while step > 1:
        roundest = -(-first // step) * step
        if roundest < end:
            break
        step //= 10
    micro = -(-first // step) * step
    whole, rest = divmod(abs(micro), MICRO)
    decimals = f"{rest:06d}".rstrip("0")
    return f"{'-' if micro < 0 else ''}{whole}{'.' if decimals else ''}{decimals}"


_STEPS = (*(UNITS[unit] * count for unit, count in (("y", 1), ("d", 30), ("w", 1), ("d", 1), ("h", 12))),
          UNITS["h"], UNITS["m"], UNITS["s"], 1)  # fmt: skip


def _length(low: int, high: int) -> int:
    """The roundest length of time ``d`` with ``low <= d < high``, in ms."""
    for step in _STEPS:
        roundest = -(-low // step) * step
        if roundest < high:
            return roundest
    return low
