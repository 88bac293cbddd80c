"""From firings to the outbox: what is decided, what is written, and that nothing is lost or told twice."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from segue.deliver.causes import events_at
from segue.deliver.dispatch import Dispatcher
from segue.deliver.outbox import Delivery, Outbox, State, Wanted
from segue.domain.limits import DELIVERY_BYTES_MAX
from segue.domain.time import MINUTE, format_instant
from segue.log.faults import not_written
from segue.service.suppressing import suppress
from tests.api.serving import eventually
from tests.service.firing_shop import START, Shop, trigger


class Office:
    """A shop with its dispatcher, which works when it is told to."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.outbox = Outbox(shop.folder / "data")
        self.streamed: list[str] = []

    @property
    def dispatcher(self) -> Dispatcher:
        assert self.shop.service is not None
        found = Dispatcher(self.shop.service, self.outbox)
        found.streamed.append(lambda told: self.streamed.extend(each.id for each in told))
        return found

    def work(self) -> None:
        dispatcher = self.dispatcher
        while dispatcher.work():
            pass

    def sent(self, **wanted: Any) -> list[Delivery]:
        return self.outbox.deliveries(Wanted(**wanted))[::-1]

    def bodies(self, **wanted: Any) -> list[Any]:
        return [json.loads(each.body) for each in self.sent(**wanted)]

    def states(self, **wanted: Any) -> list[tuple[str, str, str]]:
        return [
            (each.user_id, each.state.value, each.reason.partition(":")[0]) for each in self.sent(**wanted)
        ]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    shop = Shop(tmp_path)
    shop.triggers()
    office = Office(shop)
    yield office
    office.outbox.close()
    assert shop.service is not None
    shop.service.close()


def test_a_change_is_told_as_changes_are_told_everywhere(office: Office) -> None:
    office.shop.triggers(trigger("welcome", 'segment("fresh") entered or left', to=["crm", "stream"]))
    office.shop.order("ada", 0)
    office.shop.order("bob", 11)
    office.work()
    assert office.shop.service is not None
    changes = [change.to_json() for change in office.shop.service.changes(segment="fresh")]
    assert office.bodies(destination="crm") == [{**each, "trigger": "welcome"} for each in changes]
    assert {each.state for each in office.sent(destination="crm")} == {State.PENDING}
    assert {each.state for each in office.sent(destination="stream")} == {State.SENT}
    assert office.streamed == [each["id"] for each in changes]


def test_an_event_is_told_with_what_it_carried(office: Office) -> None:
    office.shop.triggers(trigger("bought", 'event "Order" where total > 5', to="crm"))
    office.shop.order("ada", 2, total=9, items=["a", "b"])
    office.shop.order("ada", 3, total=1)
    office.work()
    (told,) = office.bodies()
    assert told.pop("id").startswith("fir_")
    at = format_instant(START + 2 * MINUTE)
    assert told == {
        "trigger": "bought",
        "user_id": "ada",
        "action": "seen",
        "at": at,
        "cause": {"type": "event", "message_id": "m1"},
        "event": {
            "name": "Order",
            "type": "track",
            "timestamp": at,
            "properties": {"total": 9, "items": ["a", "b"]},
        },
    }


def test_a_template_is_filled_with_what_is_known(office: Office) -> None:
    template = {
        "whole": "{{user.traits.address}}",
        "text": "Dear {{ user.traits.name }} of {{user.traits.address.city}}, {{user.traits.nothing}}!",
        "missing": "{{user.traits.nothing}}",
        "numbers": ["{{features.orders}}", "{{features.last_total}} EUR", 5, None, True],
        "event": {"of": "{{event.properties.total}}", "name": "{{event.name}}", "id": "{{event.message_id}}"},
        "who": "{{user.id}}",
        "in": "{{user.segments}}",
        "why": "{{cause}} {{action}} {{trigger}}",
        "id": "{{id}}",
        "{{not a key}}": "{{user.account.plan}}",
    }
    office.shop.triggers(trigger("bought", 'event "Order" if segment("buyers")', to="crm", payload=template))
    office.shop.identify("ada", 0, name="Ada", address={"city": "Bonn"})
    office.shop.order("ada", 1, total=2.5)
    office.shop.order("ada", 2, total=7)
    office.work()
    (told,), (delivery,) = office.bodies(), office.sent()
    assert told == {
        "whole": {"city": "Bonn"},
        "text": "Dear Ada of Bonn, !",
        "missing": None,
        "numbers": [2, "7 EUR", 5, None, True],
        "event": {"of": 7, "name": "Order", "id": "m3"},
        "who": "ada",
        "in": ["buyers", "fresh"],
        "why": "event seen bought",
        "id": delivery.id,
        "{{not a key}}": None,
    }


def test_each_destination_is_decided_for_itself_and_once(office: Office) -> None:
    office.shop.triggers(trigger("bought", 'event "Order"', to=["crm", "mail"], cap="1 per 1h"))
    office.shop.triggers(
        trigger("bought", 'event "Order"', to=["crm", "mail"], cap="1 per 1h"),
        trigger("other", 'event "Order"', to="crm", cap="1 per 1h"),
    )
    office.shop.order("ada", 0)
    office.work()
    office.work()
    assert office.states(trigger="bought") == [("ada", "pending", ""), ("ada", "pending", "")]
    assert office.states(trigger="other") == [("ada", "passed", "cap")]
    office.shop.order("ada", 61)
    office.work()
    assert office.states(trigger="bought")[2:] == [("ada", "pending", ""), ("ada", "pending", "")]


def test_a_cooldown_holds_within_one_batch_and_over_merged_profiles(office: Office) -> None:
    office.shop.triggers(trigger("bought", 'event "Order"', to="crm", cooldown="10m"))
    office.shop.take([office.shop.raw("ada", minute, "Order", 0) for minute in (0, 1, 9.9, 10)])
    office.work()
    assert office.states() == [
        ("ada", "pending", ""),
        ("ada", "passed", "cooldown"),
        ("ada", "passed", "cooldown"),
        ("ada", "pending", ""),
    ]
    body = {
        "type": "alias",
        "userId": "eve",
        "previousId": "ada",
        "receivedAt": format_instant(START + 11 * MINUTE),
    }
    office.shop.take([json.dumps(body).encode()])
    office.shop.order("eve", 12)
    office.work()
    assert office.states(user_id="eve") == [("eve", "passed", "cooldown")]


def test_what_waits_is_asked_again_with_what_is_true_then(office: Office) -> None:
    office.shop.triggers(
        trigger(
            "later",
            'event "Order"',
            to="crm",
            delay="5m",
            unless=["buyers"],
            payload={"n": "{{features.orders}}"},
        )
    )
    office.shop.order("ada", 0)
    office.shop.order("bob", 1)
    office.work()
    assert office.states() == [("ada", "waiting", "delay"), ("bob", "waiting", "delay")]
    office.shop.order("bob", 2)
    office.shop.order("eve", 6.5)
    office.work()
    assert office.states(user_id="ada") == [("ada", "pending", "")]
    assert office.bodies(user_id="ada") == [{"n": 1}]
    assert office.states(user_id="bob") == [("bob", "passed", "unless"), ("bob", "waiting", "delay")]


def test_quiet_hours_follow_the_trait_of_the_user(office: Office) -> None:
    """The start is a quarter past two in the afternoon in UTC, and past midnight far in the east."""
    office.shop.triggers(trigger("bought", 'event "Order"', to="crm", quiet="22:00-08:00"))
    for user, zone in (
        ("ada", "Pacific/Auckland"),
        ("bob", "Europe/Berlin"),
        ("eve", "Mars/Olympus"),
        ("zoe", 7),
    ):
        office.shop.identify(user, 0, timezone=zone)
        office.shop.order(user, 0)
    office.work()
    assert [each[:2] for each in office.states()] == [
        ("ada", "waiting"), ("bob", "pending"), ("eve", "pending"), ("zoe", "pending")
    ]  # fmt: skip
    (waiting,) = office.sent(user_id="ada")
    assert format_instant(waiting.due) == "2026-09-21T20:00:00.000Z"


def test_a_trigger_that_is_gone_sends_nothing_that_it_fired_before(office: Office) -> None:
    office.shop.triggers(
        trigger("bought", 'event "Order"', to="crm"), trigger("kept", 'event "Order"', to="crm")
    )
    office.shop.order("ada", 0)
    office.shop.triggers(trigger("kept", 'event "Order"', to="crm", status="archived"))
    office.work()
    assert office.states(trigger="bought") == [("ada", "passed", "the trigger is not there any more")]
    assert office.states(trigger="kept") == [("ada", "passed", "status")]


def test_suppressed_and_forgotten_users_get_nothing(office: Office) -> None:
    office.shop.triggers(trigger("bought", 'event "Order"', to="crm"))
    for user in ("ada", "bob", "eve"):
        office.shop.order(user, 0)
    assert office.shop.service is not None
    suppress(office.shop.service.core, "ada")
    office.shop.service.forget("bob")
    office.work()
    assert office.states() == [("ada", "passed", "suppressed"), ("eve", "pending", "")]
    office.shop.service.forget("eve")
    assert [each.user_id for each in office.sent()] == ["ada"]


def test_nothing_is_written_of_whom_was_forgotten_while_it_was_decided(office: Office) -> None:
    office.shop.triggers(trigger("bought", 'event "Order"', to="crm"))
    office.shop.order("ada", 0)
    dispatcher = office.dispatcher
    assert office.shop.service is not None
    row = office.shop.service.row_of("ada")
    assert row is not None
    dispatcher.forget([row])
    dispatcher.work()
    assert office.sent() == []
    assert office.outbox.cursor() == 1


def test_too_large_a_message_is_a_dead_letter(office: Office) -> None:
    office.shop.triggers(
        trigger("large", 'event "Order"', to="crm", payload={"n": ["{{event.properties.text}}"] * 20})
    )
    office.shop.order("ada", 0, text="x" * (DELIVERY_BYTES_MAX // 20))
    office.shop.order("ada", 1, text="x")
    office.work()
    assert [each.state for each in office.sent()] == [State.DEAD, State.PENDING]
    assert "262,144 are allowed" in office.sent()[0].reason


def test_firings_go_on_where_they_ended(office: Office) -> None:
    office.shop.triggers(trigger("bought", 'event "Order"', to="crm"))
    office.shop.order("ada", 0)
    office.work()
    office.shop.restart()
    office.shop.order("ada", 1)
    office.work()
    assert [each.id for each in office.sent()] == [each.id for each in office.shop.firings()]


@pytest.mark.parametrize(("cooldown", "left"), [("1m", 1), ("20m", 2), ("1d", 3)])
def test_what_no_rule_asks_for_any_more_is_dropped(office: Office, cooldown: str, left: int) -> None:
    (office.shop.folder / "segue.yaml").write_text("deliveries_kept: 1ms\n")
    office.shop.triggers(trigger("bought", 'event "Order"', to="stream", cooldown=cooldown))
    for minute in (0, 15, 30):
        office.shop.order(f"u{minute}", minute)
    office.work()
    time.sleep(0.01)  # longer than they are kept
    dispatcher = office.dispatcher
    dispatcher.start()
    dispatcher.close()
    assert len(office.sent()) == left


def test_its_thread_works_when_it_is_told_and_ends_with_nothing_left(office: Office) -> None:
    office.shop.triggers(trigger("bought", 'event "Order"', to="crm"))
    dispatcher = office.dispatcher
    dispatcher.start()
    for minute in range(20):
        office.shop.order("ada", minute)
    dispatcher.close()
    assert len(office.sent()) == 20
    assert office.shop.service is not None
    assert office.shop.service.core.firing.listeners == []


def test_what_the_disk_does_not_take_is_decided_on_again(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put, refused = Outbox.put, threading.Event()

    def full_at_first(outbox: Outbox, deliveries: Sequence[Delivery], cursor: int | None = None) -> None:
        if not refused.is_set():
            refused.set()
            raise not_written("the outbox", "no space left")
        put(outbox, deliveries, cursor)

    monkeypatch.setattr(Outbox, "put", full_at_first)
    office.shop.triggers(trigger("bought", 'event "Order"', to="crm"))
    office.shop.order("ada", 0)
    dispatcher = office.dispatcher
    dispatcher.start()
    assert refused.wait(60)
    office.shop.order("ada", 1)
    eventually(lambda: len(office.sent()) == 2)
    dispatcher.close()
    assert "deliveries wait" in caplog.text
    assert [each.id for each in office.sent()] == [each.id for each in office.shop.firings()]


def test_events_are_read_back_wherever_they_lie(office: Office) -> None:
    """Some in the log's end, some in a file of history, and one of somebody who was forgotten."""
    office.shop.triggers(
        trigger("bought", 'event "Order"', to="crm", payload={"n": "{{event.properties.n}}"})
    )
    for number in range(6):
        office.shop.order("bob" if number == 2 else "ada", number, n=number)
    assert office.shop.service is not None
    log = office.shop.service.log
    log.close_stretch(1)
    for number in range(6, 9):
        office.shop.order("ada", number, n=number)
    office.shop.service.forget("bob")
    office.work()
    assert [each["n"] for each in office.bodies()] == [0, 1, 3, 4, 5, 6, 7, 8]
    seqs = [each.event_seq for each in log.firings(0, 100) if each.event_seq is not None]
    assert sorted(events_at(log, seqs)) == sorted({*seqs} - {seqs[2]})
    assert events_at(log, []) == {}


def test_a_changed_item_is_told_to_whom_it_matters(office: Office) -> None:
    on = 'item price falls by 10 % for count("View" where product == item.id) > 0'
    template = {
        "item": "{{item.id}}",
        "text": "{{item.field}}: {{item.before}} -> {{item.after}}",
        "n": "{{event.name}}",
    }
    office.shop.triggers(
        trigger("cheap", on, to="crm"), trigger("cheaper", on, to="mail", payload=template, cooldown="1d")
    )
    office.shop.order("ada", 0, "View", product="p1")
    assert office.shop.service is not None
    core, row = office.shop.service.core, office.shop.service.row_of("ada")
    assert row is not None
    heard: list[int] = []
    core.firing.listeners.append(lambda: heard.append(len(office.shop.firings())))
    detail = {"id": "p1", "field": "price", "before": 100, "after": 80}
    core.firing.fire_changed(
        [("cheap", row, START + MINUTE, detail), ("cheaper", row, START + MINUTE, detail)]
    )
    core.firing.fire_changed([("cheaper", row, START + 2 * MINUTE, {**detail, "before": 80, "after": 60})])
    core.firing.fire_changed([])
    office.work()
    assert heard == [2, 3]
    (plain,), filled = office.bodies(trigger="cheap"), office.bodies(trigger="cheaper", state=State.PENDING)
    assert (plain["action"], plain["item"], plain["user_id"]) == ("changed", detail, "ada")
    assert filled == [{"item": "p1", "text": "price: 100 -> 80", "n": None}]
    assert [each[2] for each in office.states(trigger="cheaper")] == ["", "cooldown"]
    assert len({each.id for each in office.shop.firings()}) == 3
