"""All nodes of a checked tree, and what a tree refers to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from segue.language import tree

Node = tree.Condition | tree.Operand | tree.EventPattern


@dataclass(frozen=True, slots=True)
class References:
    """The names of segments and lists that a condition asks for."""

    segments: frozenset[str]
    lists: frozenset[str]


def references(condition: Node) -> References:
    """Which segments and lists must be settled before the condition can be."""
    nodes = list(walk(condition))
    return References(
        segments=frozenset([node.name for node in nodes if isinstance(node, tree.SegmentRef)]),
        lists=frozenset([node.name for node in nodes if isinstance(node, tree.ListRef)]),
    )


def walk(root: Node) -> Iterator[Node]:
    """Every condition, operand and event pattern of a tree, parents before their parts."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def measure(root: Node) -> tuple[int, int]:
    """How many nodes a tree has, and how many levels."""
    nodes = height = 0
    level: list[Node] = [root]
    while level:
        nodes += len(level)
        height += 1
        level = [part for node in level for part in children(node)]
    return nodes, height


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below one, in reading order."""
    below = _BELOW.get(type(node))
    return () if below is None else below(node)


def _of_aggregate(node: tree.Aggregate) -> tuple[Node, ...]:
    if isinstance(node.window, tree.SinceEvent):
        return (node.event, node.window.event)
    return (node.event,)


_BELOW: dict[type, Callable[[Any], tuple[Node, ...]]] = {
    tree.And: lambda node: node.parts,
    tree.Or: lambda node: node.parts,
    tree.Not: lambda node: (node.part,),
    tree.Compare: lambda node: (node.left, node.right),
    tree.Arithmetic: lambda node: (node.left, node.right),
    tree.In: lambda node: (node.operand, *node.values),
    tree.Match: lambda node: (node.operand, node.literal),
    tree.Presence: lambda node: (node.operand,),
    tree.Elapsed: lambda node: (node.time,),
    tree.Aggregate: _of_aggregate,
    tree.Sequence: lambda node: node.steps,
    tree.EventPattern: lambda node: () if node.where is None else (node.where,),
}
