"""Arithmetic of conditions outside of the kernel: the same instructions, on values that may be missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from segue.engine.kernel import layout as k
from segue.language.interpret.comparing import calculate

OPERATORS = {k.ADD: "+", k.SUBTRACT: "-", k.MULTIPLY: "*", k.DIVIDE: "/"}


def computed(code: Sequence[tuple[int, float]], read: Callable[[int], float | None]) -> float | None:
    """The double that instructions leave; ``read`` gives a feature's, None stands for missing."""
    stack: list[float | None] = []
    for instruction, argument in code:
        if instruction == k.PUSH_CONSTANT:
            stack.append(argument)
        elif instruction == k.PUSH_FEATURE:
            stack.append(read(int(argument)))
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(calculate(OPERATORS[instruction], left, right))
    return stack[0]
