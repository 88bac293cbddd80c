"""All nodes of a checked tree, and what a tree refers to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    match node:
        case tree.And() | tree.Or():
            return node.parts
        case tree.Not():
            return (node.part,)
        case tree.Compare() | tree.Arithmetic():
            return (node.left, node.right)
        case tree.In():
            return (node.operand, *node.values)
        case tree.Match():
            return (node.operand, node.literal)
        case tree.Presence():
            return (node.operand,)
        case tree.Elapsed():
            return (node.time,)
        case tree.Aggregate():
            if isinstance(node.window, tree.SinceEvent):
                return (node.event, node.window.event)
            return (node.event,)
        case tree.Sequence():
            return node.steps
        case tree.EventPattern():
            return () if node.where is None else (node.where,)
        case _:
            return ()
