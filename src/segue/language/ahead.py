"""Targets of models: what is asked of the time after a moment, and the same question about fixed dates.

``next D`` at a moment holds the events with ``moment < timestamp <= moment + D``. Nothing that runs knows
such a window: before it is asked for, a target is written out for the moment that is meant.

        moment            moment + D
  ────────┼───────────────────┼──────►
       a  b   c               d   e
       out out in             in  out
"""

from __future__ import annotations

from dataclasses import replace

from segue.language.tree import (
    Aggregate,
    And,
    Arithmetic,
    Between,
    Compare,
    Condition,
    In,
    Match,
    Next,
    Not,
    Operand,
    Or,
    Presence,
    Sequence,
)
from segue.language.walk import walk


def horizons(target: Condition | Operand) -> frozenset[int]:
    """The lengths of all ``next D`` windows of a target, in ms."""
    windows = (node.window for node in walk(target) if isinstance(node, Aggregate | Sequence))
    return frozenset(window.ms for window in windows if isinstance(window, Next))


def condition_ahead(target: Condition, moment: int) -> Condition:
    """The condition that says at any later moment what the target says at ``moment`` (ms)."""
    match target:
        case And() | Or():
            return replace(target, parts=tuple(condition_ahead(part, moment) for part in target.parts))
        case Not():
            return replace(target, part=condition_ahead(target.part, moment))
        case Compare():
            left, right = operand_ahead(target.left, moment), operand_ahead(target.right, moment)
            return replace(target, left=left, right=right)
        case In() | Match() | Presence():
            return replace(target, operand=operand_ahead(target.operand, moment))
    return target


def operand_ahead(target: Operand, moment: int) -> Operand:
    """The same for a value."""
    match target:
        case Arithmetic():
            left, right = operand_ahead(target.left, moment), operand_ahead(target.right, moment)
            return replace(target, left=left, right=right)
        case Aggregate(window=Next(ms)) | Sequence(window=Next(ms)):
            return replace(target, window=Between(moment + 1, moment + ms + 1, ""))
    return target
