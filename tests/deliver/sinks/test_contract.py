"""What holds for every sink, against what really stands at its other end."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from segue.deliver.sinks.sink import BEHIND, DELIVERED, Message, Retry, Sink
from tests.deliver.sinks.ends import KINDS, Came, End, messages

EndFor = Callable[[str], End]
Sinks = Callable[[End], Sink]
REMOTE = [kind for kind in KINDS if kind != "file"]
ODD_USERS = ("a b", "é", "漢字", "x\r\ny: z", 'q"\\', "\u202e", "anon:1", "u" * 1_024)
ODD_BODIES = (b"", b"{}", b"no JSON", b"[1, 2]", '"é"'.encode(), b'{"a":\r\n1}', b"{" + b" " * 60_000 + b"}")


def firsts(came: list[Came]) -> dict[str, list[str]]:
    """The ids of each user in the order in which each came first."""
    found: dict[str, list[str]] = {}
    for each in {each.id: each for each in reversed(came)}.values():
        found.setdefault(each.key, []).append(each.id)
    return {key: ids[::-1] for key, ids in found.items()}


def wanted(sent: list[Message]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in sent:
        found.setdefault(each.key, []).append(each.id)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_comes_once_and_in_order_of_its_user(kind: str, end_for: EndFor, sinks: Sinks) -> None:
    end = end_for(kind)
    sink = sinks(end)
    sent = messages(60)
    assert [*sink.send(sent[:40])] == [DELIVERED] * 40
    assert [*sink.send(sent[40:])] == [DELIVERED] * 20
    came = end.came()
    assert len(came) == 60
    assert firsts(came) == wanted(sent)
    assert {each.id: (each.trigger, json.loads(each.body)) for each in came} == {
        each.id: ("greet", json.loads(each.body)) for each in sent
    }


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_send_is_nothing(kind: str, end_for: EndFor, sinks: Sinks) -> None:
    end = end_for(kind)
    sink = sinks(end)
    assert [*sink.send([])] == []
    assert end.came() == []


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_users_are_called_and_bodies_hold(kind: str, end_for: EndFor, sinks: Sinks) -> None:
    end = end_for(kind)
    sink = sinks(end)
    sent = [
        Message(f"{at}-{number}", user, "odd", 0, body)
        for at, body in enumerate(ODD_BODIES)
        for number, user in enumerate(ODD_USERS)
    ]
    assert [*sink.send(sent)] == [DELIVERED] * len(sent)
    came = end.came()
    assert len(came) == len(sent)
    if kind != "webhook":
        assert {(each.id, each.key) for each in came} == {(each.id, each.key) for each in sent}
    if kind != "file":
        assert sorted(each.body for each in came) == sorted(each.body for each in sent)


@pytest.mark.parametrize("kind", REMOTE)
def test_who_is_gone_takes_nothing_until_it_is_back(kind: str, end_for: EndFor, sinks: Sinks) -> None:
    end = end_for(kind)
    assert end.broker is not None
    sink = sinks(end)
    sent = messages(20)
    assert [*sink.send(sent[:5])] == [DELIVERED] * 5
    end.broker.kill()
    try:
        gone = sink.send(sent[5:])
        assert all(isinstance(each, Retry) and (each.down or each is BEHIND) for each in gone)
    finally:
        end.broker.start()
    assert _sent_in_the_end(sink, sent[5:])
    assert firsts(end.came()) == wanted(sent)


@pytest.mark.parametrize("kind", REMOTE)
def test_who_stands_still_costs_bounded_time_and_loses_nothing(
    kind: str, end_for: EndFor, sinks: Sinks
) -> None:
    end = end_for(kind)
    assert end.broker is not None
    sink = sinks(end)
    sent = messages(20)
    assert [*sink.send(sent[:5])] == [DELIVERED] * 5
    end.broker.pause()
    try:
        still = sink.send(sent[5:])
        assert all(isinstance(each, Retry) and (each.down or each is BEHIND) for each in still)
    finally:
        end.broker.resume()
    assert _sent_in_the_end(sink, sent[5:])
    assert firsts(end.came()) == wanted(sent)


def _sent_in_the_end(sink: Sink, waiting: list[Message]) -> bool:
    """Sends again what was not taken, until all is."""
    while waiting:
        outcomes = sink.send(waiting)
        waiting = [each for each, outcome in zip(waiting, outcomes, strict=True) if outcome != DELIVERED]
    return True
