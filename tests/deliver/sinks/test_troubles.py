"""Real brokers that are paused, killed and started anew while messages flow: none lost, none invented.

The order of each user is that in which ids came first: what is sent again comes twice under one id.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from segue.deliver.outbox import Outbox, State
from segue.deliver.sinks.sink import DELIVERED, Message, Outcome, Sink
from tests.deliver.sinks.ends import SERVERS, TIMEOUT_MS, End
from tests.deliver.sinks.loaded import (
    Flow,
    all_settled,
    delivery,
    firsts,
    ids_by_user,
    maker,
    renamed,
    sending,
    standing,
    wait_until,
)

EndFor = Callable[[str], End]
REMOTE = ("webhook", *SERVERS)


@pytest.mark.parametrize("kind", REMOTE)
def test_a_broker_that_is_killed_and_paused_under_load(kind: str, end_for: EndFor, tmp_path: Path) -> None:
    trouble(kind, end_for, tmp_path, 1)


@pytest.mark.torture
@pytest.mark.parametrize("kind", REMOTE)
def test_the_same_for_a_minute_each(kind: str, end_for: EndFor, tmp_path: Path) -> None:
    trouble(kind, end_for, tmp_path, 60)


def trouble(kind: str, end_for: EndFor, tmp_path: Path, seconds: int) -> None:
    end = end_for(kind)
    outbox = Outbox(tmp_path)
    assert end.broker is not None
    make, clock = maker(tmp_path), Clock()
    with (
        sending(outbox, {"it": end.definition}, lambda it: Timed(make(it), clock)),
        Flow(outbox, "it") as flow,
    ):
        flow.has_put(50)
        end.broker.kill()
        flow.has_put(seconds * flow.a_second)
        end.broker.start()
        rate = drained(outbox, flow, clock)
        end.broker.pause()
        flow.has_put(flow.a_second * (TIMEOUT_MS // 1_000 + seconds))
        end.broker.resume()
        again = drained(outbox, flow, clock)
        flow.has_put(50)
        flow.__exit__()
        all_settled(outbox, "it")
    expected = ids_by_user(outbox, "it")
    came = end.came()
    print(f"{kind}: {flow.count} sent, {len(came) - flow.count} twice; drained {rate:.0f}/s, {again:.0f}/s")
    assert standing(outbox, "it", State.SENT) == flow.count
    assert firsts(came) == expected


class Clock:
    """When a sink was called, for how long, and how many messages were taken."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, float, int]] = []


class Timed:
    """A sink on a clock."""

    def __init__(self, sink: Sink, clock: Clock) -> None:
        self._sink = sink
        self._calls = clock.calls

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        began = time.monotonic()
        outcomes = self._sink.send(messages)
        self._calls.append((began, time.monotonic(), [*outcomes].count(DELIVERED)))
        return outcomes

    def close(self) -> None:
        self._sink.close()


def drained(outbox: Outbox, flow: Flow, clock: Clock) -> float:
    """Messages a second, from the first call in which some are taken again until the backlog is gone."""
    back, backlog = time.monotonic(), standing(outbox, "it", State.PENDING)
    wait_until(lambda: standing(outbox, "it", State.PENDING) < flow.a_second // 5)
    calls = [call for call in [*clock.calls] if call[0] >= back and call[2]]
    sums = [*itertools.accumulate(call[2] for call in calls)]
    last = next((at for at, taken in enumerate(sums) if taken >= backlog), len(calls) - 1)
    return sums[last] / (calls[last][1] - calls[0][0])


class Careless:
    """A sink that takes for delivered whatever it handed over."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        self._sink.send(messages)
        return [DELIVERED] * len(messages)

    def close(self) -> None:
        self._sink.close()


@pytest.mark.parametrize("kind", ["webhook", "redis"])
def test_the_same_loses_messages_where_nobody_waits_for_a_confirmation(
    kind: str, end_for: EndFor, tmp_path: Path
) -> None:
    end = end_for(kind)
    outbox = Outbox(tmp_path)
    assert end.broker is not None
    make = maker(tmp_path)
    with sending(outbox, {"it": end.definition}, lambda it: Careless(make(it))), Flow(outbox, "it") as flow:
        flow.has_put(50)
        end.broker.kill()
        flow.has_put(100)
        end.broker.start()
        flow.has_put(50)
        flow.__exit__()
        all_settled(outbox, "it")
    assert standing(outbox, "it", State.SENT) == flow.count
    assert len({each.id for each in end.came()}) < flow.count


@pytest.mark.parametrize("kind", REMOTE)
def test_a_destination_that_stands_still_delays_no_other(kind: str, end_for: EndFor, tmp_path: Path) -> None:
    dead, alive = end_for(kind), end_for("file")
    outbox = Outbox(tmp_path)
    assert dead.broker is not None
    both = {"dead": renamed(dead.definition, "dead"), "alive": renamed(alive.definition, "alive")}
    dead.broker.pause()
    try:
        with sending(outbox, both, maker(tmp_path)):
            for at in range(200):
                outbox.put([delivery(at, "dead"), delivery(at, "alive")])
            all_settled(outbox, "alive")
            assert standing(outbox, "dead", State.PENDING) == 200
    finally:
        dead.broker.resume()
    assert firsts(alive.came()) == ids_by_user(outbox, "alive")
