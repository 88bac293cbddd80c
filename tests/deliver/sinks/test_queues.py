"""A queue keeps the order of each user, waits where it was told to, gives up in the end, and starts again."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from segue.deliver.outbox import Delivery, Outbox, Outcome, State, Wanted, wall_ms
from segue.deliver.queues.pace import Pace, of_destinations, of_messages
from segue.deliver.queues.verdict import Judge
from segue.deliver.sinks import sink
from segue.deliver.sinks.kinds import sink_of
from segue.deliver.sinks.sink import BEHIND, DELIVERED, Message, Refused, Retry, Sink
from segue.domain.errors import SegueError
from segue.segments.destinations.definition import DestinationDefinition, Limits
from tests.deliver.sinks.ends import definition
from tests.deliver.sinks.loaded import all_settled, delivery, maker, means, sending, standing, wait_until
from tests.deliver.sinks.receiver import Got, Receiver, Reply

HOUR = 3_600_000


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    found.start()
    yield found
    found.stop()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    found = Outbox(tmp_path)
    yield found
    found.close()


def hook(receiver: Receiver, **limits: int) -> DestinationDefinition:
    bounds = Limits(timeout_ms=1_000, **limits)
    return definition("webhook", address=receiver.url, secrets=("SECRET",), limits=bounds)


def ids(came: Sequence[Got]) -> list[str]:
    return [got.headers["webhook-id"] for got in came]


# ---- order ---------------------------------------------------------------------------------


def failing(times: int, *bad: str) -> Callable[[Got], Reply]:
    """Turns some messages down so often."""
    left = dict.fromkeys(bad, times)

    def decide(got: Got) -> Reply:
        identifier = got.headers["webhook-id"]
        if left.get(identifier, 0):
            left[identifier] -= 1
            return Reply(500)
        return Reply()

    return decide


def test_a_user_waits_behind_a_message_that_fails_and_others_do_not(
    receiver: Receiver, outbox: Outbox, tmp_path: Path
) -> None:
    receiver.decide = failing(2, "id-0")
    outbox.put([delivery(at, "it") for at in range(60)])
    with sending(outbox, {"it": hook(receiver)}, maker(tmp_path)):
        wait_until(lambda: standing(outbox, "it", State.SENT) == 57)
        assert not {"id-20", "id-40"} & {*ids(receiver.taken)}
        outbox.put([delivery(60, "it")])  # comes while the first of its user waits
        all_settled(outbox, "it")
    taken = ids(receiver.taken)
    assert len(taken) == 61
    assert [each for each in taken if each in ("id-0", "id-20", "id-40", "id-60")] == [
        "id-0", "id-20", "id-40", "id-60",
    ]  # fmt: skip
    assert ids(receiver.got).count("id-0") == 3
    assert [got.headers["segue-attempt"] for got in receiver.taken if ids([got]) == ["id-0"]] == ["3"]


class Heedless:
    """A sink that sends each message by itself, whatever became of the one before."""

    def __init__(self, made: Sink) -> None:
        self._made = made

    def send(self, messages: Sequence[Message]) -> Sequence[sink.Outcome]:
        return [outcome for each in messages for outcome in self._made.send([each])]

    def close(self) -> None:
        self._made.close()


def test_a_sink_that_heeds_no_failure_breaks_the_order(
    receiver: Receiver, outbox: Outbox, tmp_path: Path
) -> None:
    """The control of the one above."""
    receiver.decide = failing(1, "id-0")
    make = maker(tmp_path)
    outbox.put([delivery(at, "it") for at in range(60)])
    with sending(outbox, {"it": hook(receiver)}, lambda it: Heedless(make(it))):
        all_settled(outbox, "it")
    taken = ids(receiver.taken)
    assert taken.index("id-20") < taken.index("id-0")


def test_what_was_waiting_at_a_restart_goes_on_in_its_order(
    receiver: Receiver, outbox: Outbox, tmp_path: Path
) -> None:
    receiver.decide = failing(1, "id-0")
    outbox.put([delivery(at, "it") for at in range(0, 80, 20)])
    with sending(outbox, {"it": hook(receiver)}, maker(tmp_path)):
        wait_until(lambda: len(receiver.got) == 1)
    assert standing(outbox, "it", State.PENDING) == 4
    with sending(outbox, {"it": hook(receiver)}, maker(tmp_path)):
        all_settled(outbox, "it")
    assert ids(receiver.taken) == ["id-0", "id-20", "id-40", "id-60"]


# ---- giving up -----------------------------------------------------------------------------


def test_what_is_gone_is_dead_and_the_next_of_its_user_goes_on(
    receiver: Receiver, outbox: Outbox, tmp_path: Path
) -> None:
    receiver.decide = lambda got: Reply(410 if ids([got]) == ["id-0"] else 200)
    outbox.put([delivery(0, "it"), delivery(20, "it")])
    with sending(outbox, {"it": hook(receiver)}, maker(tmp_path)):
        all_settled(outbox, "it")
        assert ids(receiver.taken) == ["id-20"]
        (dead,) = outbox.deliveries(Wanted(state=State.DEAD))
        assert (dead.id, dead.reason, dead.attempts) == ("id-0", "answered with 410: gone", 1)
        receiver.decide = lambda _: Reply()
        assert outbox.replay(Wanted(destination="it")) == 1
        wait_until(lambda: standing(outbox, "it", State.SENT) == 2)
    assert ids(receiver.taken) == ["id-20", "id-0"]


def test_what_nobody_takes_in_its_time_is_dead(receiver: Receiver, outbox: Outbox, tmp_path: Path) -> None:
    receiver.decide = lambda _: Reply(502)
    outbox.put([delivery(at, "it") for at in range(50)])
    with sending(outbox, {"it": hook(receiver, retry_ms=1)}, maker(tmp_path)):
        wait_until(lambda: standing(outbox, "it", State.DEAD) == 50)
    reasons = {each.reason for each in outbox.deliveries(Wanted(state=State.DEAD))}
    assert reasons == {"answered with 502"}


def test_who_turns_everybody_down_is_not_asked_about_everybody(
    receiver: Receiver, outbox: Outbox, tmp_path: Path
) -> None:
    receiver.decide = lambda _: Reply(500)
    outbox.put([delivery(at, "it", row=at) for at in range(1_000)])
    with sending(outbox, {"it": hook(receiver)}, maker(tmp_path)):
        wait_until(lambda: len(receiver.got) >= 103)
        tried = len(receiver.got)
        receiver.decide = lambda _: Reply()
        all_settled(outbox, "it")
    # One batch, and then one message after each pause.
    assert tried <= 104
    assert len(receiver.taken) == 1_000


def test_who_asks_to_be_left_alone_is(receiver: Receiver, outbox: Outbox, tmp_path: Path) -> None:
    """A destination that says when it may be asked again hears of nobody before."""
    receiver.decide = lambda _: Reply(429, {"Retry-After": "2"}) if len(receiver.got) == 1 else Reply()
    outbox.put([delivery(at, "it") for at in range(20)])
    with sending(outbox, {"it": hook(receiver, connections=1)}, maker(tmp_path)):
        all_settled(outbox, "it")
    assert len(receiver.taken) == 20
    assert receiver.taken[0].at - receiver.got[0].at >= 1.9


# ---- the judge, by itself ------------------------------------------------------------------


class Six(random.Random):
    def random(self) -> float:
        return 1.0


def judged(outcome: sink.Outcome, attempts: int = 0, since: int = 0, now: int = 1_000) -> Outcome | None:
    one = replace(delivery(1, "it"), number=7, attempts=attempts, since=since, due=500)
    noted = Judge(24 * HOUR, of_messages(Six())).judge([one], [outcome], now).noted
    return noted[0] if noted else None


def test_what_follows_from_an_outcome() -> None:
    assert judged(DELIVERED) == Outcome(7, State.SENT)
    assert judged(Refused("no")) == Outcome(7, State.DEAD, "no")
    assert judged(BEHIND) is None
    assert judged(Retry("later")) == Outcome(7, State.PENDING, "later", 2_000)
    assert judged(Retry("later"), attempts=3) == Outcome(7, State.PENDING, "later", 9_000)
    assert judged(Retry("down", down=True), attempts=3) == Outcome(7, State.PENDING, "down", 500)
    assert judged(Retry("busy", 60_000, down=True)) == Outcome(7, State.PENDING, "busy", 61_000)


def test_the_last_attempt_is_made_when_the_time_is_up() -> None:
    late = 24 * HOUR - 10
    assert judged(Retry("later"), attempts=20, now=late) == Outcome(7, State.PENDING, "later", 24 * HOUR)
    assert judged(Retry("later"), attempts=21, now=24 * HOUR) == Outcome(7, State.DEAD, "later")
    assert judged(Retry("x", down=True), now=24 * HOUR) == Outcome(7, State.DEAD, "x")


def test_a_pause_ends_when_the_time_of_the_first_is_up() -> None:
    batch = [
        replace(delivery(at, "it"), number=at, since=since) for at, since in ((1, 700), (2, 100), (3, 400))
    ]
    verdict = Judge(1_000, of_messages(Six())).judge(batch, [Retry("down", HOUR, down=True)] * 3, 1_050)
    assert (verdict.pause_ms, verdict.left_ms) == (HOUR, 50)
    assert Judge(1_000, of_messages(Six())).judge(batch, [DELIVERED] * 3, 1_050).left_ms > 24 * HOUR


def test_who_is_gone_for_longer_than_messages_are_tried_is_not_asked_again(
    receiver: Receiver, outbox: Outbox, tmp_path: Path
) -> None:
    """It asks to be left alone for a day; after a second its message is dead."""
    receiver.decide = lambda _: Reply(503, {"Retry-After": "86400"})
    with sending(outbox, {"it": hook(receiver, retry_ms=1_000)}, maker(tmp_path)):
        outbox.put([delivery(1, "it")])
        all_settled(outbox, "it")
    assert standing(outbox, "it", State.DEAD) == 1


def test_pauses_double_up_to_their_bound_and_a_half_of_them_is_chance() -> None:
    pace = of_messages(Six())
    assert [pace.after(failures) for failures in (1, 2, 3, 12, 13, 1_000)] == [
        1_000, 2_000, 4_000, 2_048_000, HOUR, HOUR,
    ]  # fmt: skip
    dice = random.Random(1)
    drawn = [Pace(1_000, HOUR, dice).after(1) for _ in range(1_000)]
    assert 500 <= min(drawn) < 550
    assert 950 < max(drawn) <= 1_000
    assert of_destinations(Six()).after(50) == 60_000


# ---- what else may go wrong ----------------------------------------------------------------


def test_without_its_secret_a_destination_waits_and_says_why(
    receiver: Receiver, outbox: Outbox, tmp_path: Path
) -> None:
    without = replace(hook(receiver), secrets=("NOT_SET",))
    current = {"it": without}
    outbox.put([delivery(0, "it")])
    with sending(outbox, current, maker(tmp_path)):
        wait_until(lambda: outbox.deliveries()[0].attempts > 0)
        assert outbox.deliveries()[0].reason == "E821: webhook needs the environment variable NOT_SET"
        current["it"] = hook(receiver)
        all_settled(outbox, "it")
    assert ids(receiver.taken) == ["id-0"]


@pytest.mark.parametrize(
    ("kind", "library", "keys"),
    [
        ("rabbitmq", "aio_pika", {"exchange": "e", "address": "amqp://localhost"}),
        ("kafka", "confluent_kafka", {"topic": "t", "address": "localhost:1"}),
        ("redis", "redis", {"stream": "s", "address": "redis://localhost"}),
    ],
)
def test_a_library_that_is_not_there_is_named_with_its_command(
    kind: str, library: str, keys: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys  # noqa: PLC0415 -- only here are modules taken away

    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"segue.deliver.sinks.{kind}", raising=False)
    with pytest.raises(SegueError) as refused:
        sink_of(definition(kind, **keys), means(tmp_path))
    (found,) = refused.value.diagnostics
    assert (found.code, found.hint) == ("E820", f"pip install 'segue[{kind}]'")
    assert library in found.message


class Broken:
    """A sink with a fault in it."""

    def send(self, messages: Sequence[Message]) -> Sequence[sink.Outcome]:
        raise ZeroDivisionError(len(messages))

    def close(self) -> None:
        raise ZeroDivisionError


def test_a_fault_in_a_sink_loses_nothing_and_ends_no_thread(
    receiver: Receiver, outbox: Outbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = maker(tmp_path)
    broken = threading.Event()
    broken.set()
    outbox.put([delivery(0, "it")])
    with sending(outbox, {"it": hook(receiver)}, lambda it: Broken() if broken.is_set() else made(it)):
        wait_until(lambda: outbox.deliveries()[0].reason == "a fault in Segue: ZeroDivisionError")
        broken.clear()
        all_settled(outbox, "it")
    assert ids(receiver.taken) == ["id-0"]
    assert "sending to it failed" in caplog.text


def test_what_is_for_nobody_any_more_waits_until_somebody_is_there(
    receiver: Receiver, outbox: Outbox, tmp_path: Path
) -> None:
    current: dict[str, DestinationDefinition] = {}
    with sending(outbox, current, maker(tmp_path)) as queues:
        outbox.put([delivery(0, "it")])
        current["it"] = hook(receiver)
        queues.wake(["it"])
        all_settled(outbox, "it")
        del current["it"]
        outbox.put([delivery(1, "it")])
        current["other"] = hook(receiver)
        outbox.put([delivery(2, "other")])
        all_settled(outbox, "other")
        assert standing(outbox, "it", State.PENDING) == 1
    assert ids(receiver.taken) == ["id-0", "id-2"]


def test_another_process_may_replay(receiver: Receiver, outbox: Outbox, tmp_path: Path) -> None:
    """Nobody tells the queue: it looks by itself."""
    outbox.put([delivery(0, "it")])
    with sending(outbox, {"it": hook(receiver)}, maker(tmp_path)):
        all_settled(outbox, "it")
        beside = Outbox(tmp_path)
        beside.put([delivery(1, "it")])
        beside.close()
        wait_until(lambda: len(receiver.taken) == 2)


def test_messages_that_are_due_later_hold_back_nobody(
    receiver: Receiver, outbox: Outbox, tmp_path: Path
) -> None:
    later = wall_ms() + HOUR
    first: Delivery = delivery(0, "it")
    outbox.put([first])
    outbox.hold_back("it", {first.row: later})
    outbox.put([delivery(1, "it")])
    with sending(outbox, {"it": hook(receiver)}, maker(tmp_path)):
        wait_until(lambda: standing(outbox, "it", State.SENT) == 1)
    assert ids(receiver.taken) == ["id-1"]
