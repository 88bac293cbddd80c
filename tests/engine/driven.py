"""The engine driven by the same steps as the oracle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from segue.domain.change import Cause
from segue.engine.feeding.feed import Feed
from segue.engine.kernel import layout as k
from segue.engine.program.compile import compile_definitions
from segue.engine.state.machine import Machine, fresh_state
from segue.language.interpret import Definition, Flip, Rules, Step
from segue.log.said import Said

CAUSES = tuple(Cause)


class Driven:
    """Feed and machine of one workspace; flips come out as the oracle spells them."""

    def __init__(self, definitions: Sequence[Definition], rules: Rules, thrifty: bool = False) -> None:
        """``thrifty``: with no room to spare, so that old entries are let go of at every turn."""
        self.compiled = compile_definitions(definitions, rules)
        self.thrifty = thrifty
        self.flips: list[Flip] = []
        self.message_ids: dict[int, str] = {}
        room = 0 if thrifty else 1024
        self.machine = Machine(self.compiled, self._sink, fresh_state(self.compiled, entries=room))
        self.feed = Feed(self.compiled)
        self.seq = 0

    def _sink(self, changes: k.Records) -> None:
        for change in changes:
            cause = CAUSES[change["cause"]]
            by_event = cause in (Cause.EVENT, Cause.MERGE)
            self.flips.append(
                Flip(
                    int(change["at"]),
                    int(change["row"]),
                    self.compiled.names[change["segment"]],
                    bool(change["entered"]),
                    cause,
                    self.message_ids.get(int(change["seq"])) if by_event else None,
                )
            )

    def take(self, step: Step) -> None:
        """Collect one step."""
        if step.event is not None:
            self.message_ids[step.event.seq] = step.event.message_id
            self.seq = step.event.seq
            for row, name, on in step.lists:
                self.feed.listed(str(row), None, name, on)
            for row, name, override in step.overrides:
                self.feed.overridden(str(row), None, name, override)
            for row, owner, model, word in step.replacements:
                self.feed.replaced(str(row), None, (owner, model), word)
            about = [row for row, *_ in step.lists] + [row for row, *_ in step.overrides]
            about += [row for row, *_ in step.replacements]
            named = [(str(row), row) for row in about]
            self.feed.event(step.event, step.merges, named)
            return
        self.feed.advance(step.received_at)
        for row, name, on in step.lists:
            self.feed.listed(str(row), row, name, on)
        for row, name, override in step.overrides:
            self.feed.overridden(str(row), row, name, override)
        for row, owner, model, value in step.predictions:
            self.feed.predicted(Said.of_one((owner, model), row, value))
        for row, owner, model, word in step.replacements:
            self.feed.replaced(str(row), row, (owner, model), word)
        self.feed.end_record(self.seq, CAUSES.index(step.cause))

    def entered(self) -> dict[tuple[int, str], int]:
        """Who is in what since when, as the machine has it."""
        return {
            (row, name): int(at)
            for number, name in enumerate(self.compiled.names)
            for rows in [self.machine.member_rows(number)]
            for row, at in zip(rows.tolist(), self.machine.since(rows, number), strict=True)
        }

    def run(self, steps: Iterable[Step], sizes: Sequence[int], until: int | None = None) -> list[Flip]:
        """All steps in batches of the given sizes (repeated), then what is due up to ``until``."""
        waiting = iter(steps)
        turn = 0
        while part := list(islice(waiting, sizes[turn % len(sizes)])):
            turn += 1
            for step in part:
                self.take(step)
            self.machine.run(self.feed.take_batch())
            if self.thrifty:
                self.machine.compact()
        if until is not None:
            self.feed.advance(until)
            self.machine.run(self.feed.take_batch(), until)
        return self.flips
