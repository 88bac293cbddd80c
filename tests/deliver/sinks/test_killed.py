"""kill -9 of the process that sends, with real brokers at the other end.

Nothing that fired is lost or invented, each user's messages come first in their order, and what comes twice
is the same message, id and body.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from segue.segments.destinations.definition import Limits
from tests.deliver.sinks.ends import SERVERS, End
from tests.deliver.test_crash import Got, Receiver, kill_delivering, stored

EndFor = Callable[[str], End]
ROUNDS, TORTURE_ROUNDS = 2, 40
BROKERS = ("rabbitmq", "kafka", pytest.param("redis", marks=pytest.mark.torture))
NEVER_NOTED = """
import time
from segue.deliver.queues.queue import Queue
Queue._write_notes = lambda self: time.sleep(600) if self._unnoted else None
"""
"""A server that hands messages over and is held up before it notes that they were taken."""
OTHER_IDS = (
    NEVER_NOTED
    + """
import os
from dataclasses import replace
from segue.deliver.queues import queue
message_of = queue.message_of
def anew(delivery):
    message = message_of(delivery)
    return replace(message, id=f"{message.id}-{os.getpid()}")
queue.message_of = anew
"""
)
"""A control: the same, and each attempt has an id of its own."""
NOTED_FIRST = """
import time
from segue.deliver.outbox import Outcome, State
from segue.deliver.queues.queue import Queue
sent = Queue._sent
def hasty(self, definition, batch):
    self._outbox.note([Outcome(each.number, State.SENT) for each in batch])
    time.sleep(600)
    return sent(self, definition, batch)
Queue._sent = hasty
"""
"""Another: a server that takes messages for sent before their broker has confirmed them."""


def receiver_of(end: End) -> Receiver:
    """The broker's side of an end, with the time-outs that a file without any has."""

    def came() -> list[Got]:
        return [Got(each.key, each.id, each.trigger, each.body.decode()) for each in end.came()]

    return Receiver(replace(end.definition, limits=Limits()).to_json(), came)


@pytest.mark.parametrize("kind", BROKERS)
def test_kill_9_of_the_sender_loses_and_invents_nothing(kind: str, end_for: EndFor, tmp_path: Path) -> None:
    assert kill_delivering(tmp_path, ROUNDS, receiver=receiver_of(end_for(kind))) == Counter()


@pytest.mark.torture
@pytest.mark.parametrize("kind", SERVERS)
def test_kill_9_of_the_sender_many_times(kind: str, end_for: EndFor, tmp_path: Path) -> None:
    assert kill_delivering(tmp_path, TORTURE_ROUNDS, receiver=receiver_of(end_for(kind))) == Counter()


@pytest.mark.parametrize("kind", BROKERS)
def test_what_was_taken_and_not_noted_comes_again_as_it_was(
    kind: str, end_for: EndFor, tmp_path: Path
) -> None:
    end = end_for(kind)
    receiver = receiver_of(end)
    first: list[Got] = []

    def taken(_data: Path) -> list[Got]:
        first[:] = receiver.came()
        return first

    assert kill_delivering(tmp_path, 1, NEVER_NOTED, taken, receiver) == Counter()
    again = Counter(receiver.came())
    assert all(again[each] > 1 for each in first)


def test_ids_of_each_attempt_are_seen_to_be_invented(end_for: EndFor, tmp_path: Path) -> None:
    receiver = receiver_of(end_for("rabbitmq"))
    found = kill_delivering(tmp_path, 1, OTHER_IDS, lambda _data: receiver.came(), receiver)
    assert found["invented messages"]


@pytest.mark.parametrize("kind", BROKERS)
def test_what_counts_as_sent_before_it_is_confirmed_is_lost(
    kind: str, end_for: EndFor, tmp_path: Path
) -> None:
    query = "SELECT count(*) FROM deliveries WHERE destination = 'crm' AND state = 'sent'"
    window = partial(stored, file="outbox.db", query=query)
    found = kill_delivering(tmp_path, 1, NOTED_FIRST, window, receiver_of(end_for(kind)))
    assert found["lost messages"]
