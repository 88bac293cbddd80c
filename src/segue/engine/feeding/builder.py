"""Steps that the feed makes one by one, until they are a batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from segue.engine.kernel import layout as k

_FIELDS = ("op", "row", "a", "b", "time", "value")


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
    blocks: list[k.Records] = field(default_factory=list)
    """What was collected before, in order; then come the lists."""
    before: int = 0
    """How many operations the blocks hold."""

    def add(self, op: int, row: int, a: int = 0, b: int = 0, time: int = 0, value: int = 0) -> None:
        """One operation of the step being collected."""
        self.op.append(op)
        self.row.append(row)
        self.a.append(a)
        self.b.append(b)
        self.time.append(time)
        self.value.append(value)

    def add_values(self, rows: k.Ints32, feature: int, values: k.Ints) -> None:
        """Many operations that each set a column of a row."""
        block = np.zeros(len(rows), k.OPERATION)
        block["op"], block["row"], block["a"], block["value"] = k.OP_SET, rows, feature, values
        self._close()
        self._keep(block)

    def _close(self) -> None:
        """The operations of the lists become a block."""
        block = np.zeros(len(self.op), k.OPERATION)
        for name in _FIELDS:
            block[name] = getattr(self, name)
            setattr(self, name, [])
        self._keep(block)

    def _keep(self, block: k.Records) -> None:
        self.blocks.append(block)
        self.before += len(block)

    def end_step(self, time: int, seq: int, cause: int, joint: bool = False) -> None:
        """The operations since the last step are one step."""
        self.step_end.append(self.before + len(self.op))
        self.step_time.append(time)
        self.step_seq.append(seq)
        self.step_cause.append(cause)
        self.step_joint.append(joint)

    def build(self) -> k.Batch:
        """The arrays."""
        self._close()
        ops = self.blocks[0] if len(self.blocks) == 1 else np.concatenate(self.blocks)
        steps = np.zeros(len(self.step_end), k.STEP)
        steps["op_end"] = self.step_end
        steps["op_at"][1:] = self.step_end[:-1]
        for name in ("time", "seq", "cause", "joint"):
            steps[name] = getattr(self, f"step_{name}")
        return k.Batch(steps, ops, np.array(self.slots, np.int64))
