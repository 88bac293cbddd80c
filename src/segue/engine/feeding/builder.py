"""Steps that the feed makes one by one, until they are a batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from segue.engine.kernel import layout as k


@dataclass(slots=True)
class BatchBuilder:
    """Operations and steps being collected; ``build`` gives the arrays."""

    op: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    a: list[int] = field(default_factory=list)
    b: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    value: list[int] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    step_end: list[int] = field(default_factory=list)
    step_time: list[int] = field(default_factory=list)
    step_seq: list[int] = field(default_factory=list)
    step_cause: list[int] = field(default_factory=list)
    step_joint: list[int] = field(default_factory=list)

    def add(self, op: int, row: int, a: int = 0, b: int = 0, time: int = 0, value: int = 0) -> None:
        """One operation of the step being collected."""
        self.op.append(op)
        self.row.append(row)
        self.a.append(a)
        self.b.append(b)
        self.time.append(time)
        self.value.append(value)

    def end_step(self, time: int, seq: int, cause: int, joint: bool = False) -> None:
        """The operations since the last step are one step."""
        self.step_end.append(len(self.op))
        self.step_time.append(time)
        self.step_seq.append(seq)
        self.step_cause.append(cause)
        self.step_joint.append(joint)

    def build(self) -> k.Batch:
        """The arrays."""
        ops = np.zeros(len(self.op), k.OPERATION)
        for name in ("op", "row", "a", "b", "time", "value"):
            ops[name] = getattr(self, name)
        steps = np.zeros(len(self.step_end), k.STEP)
        steps["op_end"] = self.step_end
        steps["op_at"][1:] = self.step_end[:-1]
        for name in ("time", "seq", "cause", "joint"):
            steps[name] = getattr(self, f"step_{name}")
        return k.Batch(steps, ops, np.array(self.slots, np.int64))
