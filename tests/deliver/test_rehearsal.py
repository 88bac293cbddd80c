"""``segue triggers``: what is there, and what would be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.deliver.commands import COMMANDS
from segue.deliver.dispatch import Dispatcher
from segue.deliver.outbox import shared
from segue.domain.errors import SegueError
from segue.service.commands.command import silent
from tests.service.firing_shop import Shop, trigger


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    shop.triggers(
        trigger(
            "bought",
            'event "Order" where total > 5 if segment("buyers")',
            to=["crm", "mail"],
            payload={"mail": "{{user.traits.email}}", "total": "{{event.properties.total}}"},
            cooldown="1d",
            delay="5m",
        ),
        trigger("came", 'segment("buyers") entered', to="stream", unless="fresh"),
        trigger("cheap", 'item price falls by 10 % for count("View" where id == item.id) > 0', to="stream"),
        trigger(
            "often", "count(any) > 1", to="stream", status="draft", payload={"n": "{{features.last_total}}"}
        ),
    )
    shop.identify("ada", 0, email="ada@person.example")
    shop.order("ada", 1, total=9)
    yield shop
    assert shop.service is not None
    shop.service.close()


def run(shop: Shop, command: str, **arguments: Any) -> list[Any]:
    assert shop.service is not None
    return [*COMMANDS[command].run(shop.service, arguments, silent)]


def rehearsed(shop: Shop, name: str, user: str = "ada") -> Any:
    (found,) = run(shop, "triggers test", name=name, user=user)
    return found


def test_every_rule_is_shown_and_the_message_as_it_would_be(shop: Shop) -> None:
    found = rehearsed(shop, "bought")
    assert found["payload"] == {"mail": "ada@person.example", "total": 9}
    assert found["now"].startswith(
        "the last was seen at 2026-09-21T14:14:20.000Z; the condition does not hold"
    )
    told = [(each["destination"], each["verdict"]) for each in found["destinations"]]
    assert told == [("crm", "it would be sent"), ("mail", "it would be sent")]
    rules = [each["rule"] for each in found["destinations"][0]["rules"]]
    assert rules == ["delay", "status", "cooldown"]


def test_the_rule_that_holds_it_back_is_the_last_one(shop: Shop) -> None:
    shop.order("ada", 2, total=9)
    assert shop.service is not None
    with shared(shop.service.data) as outbox:
        Dispatcher(shop.service, outbox).work()
        shop.order("bob", 8)
        Dispatcher(shop.service, outbox).work()
        found = rehearsed(shop, "bought")
        assert len(outbox.deliveries()) == 3
    assert found["now"].endswith("the condition holds (since 2026-09-21T14:15:20.000Z)")
    last = found["destinations"][0]["rules"][-1]
    assert (last["rule"], last["passes"]) == ("cooldown", False)
    assert found["destinations"][0]["verdict"] == "it would be held back by cooldown"


@pytest.mark.parametrize(
    ("name", "now", "idle", "verdict"),
    [
        ("came", "the user is not in buyers", "the user is not in buyers", "it would be held back by unless"),
        ("cheap", "it fires when an item changes", None, "it would be sent"),
        ("often", "the condition", "the trigger is draft", "it would be held back by status"),
    ],
)
def test_each_form_says_how_things_stand(
    shop: Shop, name: str, now: str, idle: str | None, verdict: str
) -> None:
    found = rehearsed(shop, name)
    assert found["now"].startswith(now)
    assert found["would_not_fire"] == idle
    assert found["destinations"][0]["verdict"] == verdict


ONCE, MANY = 'count("Order") >= 1', 'count("Order") >= 9'


@pytest.mark.parametrize(
    ("on", "keys", "idle"),
    [
        ('segment("buyers") left', {}, None),
        ('segment("fresh") left', {}, "the user is still in fresh"),
        ('segment("buyers") entered or left', {}, None),
        (ONCE, {}, None),
        (MANY, {}, "the condition does not hold"),
        (ONCE, {"crossing": "falling"}, "the condition still holds"),
        (MANY, {"crossing": "falling"}, None),
        (MANY, {"crossing": "both"}, None),
        ('event "Order" if segment("buyers")', {}, "the condition does not hold"),
        ('event "Order" if segment("fresh")', {}, None),
        ('event "Never"', {}, None),
    ],
)
def test_why_it_would_not_fire_is_said(shop: Shop, on: str, keys: dict[str, Any], idle: str | None) -> None:
    shop.triggers(trigger("it", on, to="stream", **keys))
    assert rehearsed(shop, "it")["would_not_fire"] == idle


def test_features_that_no_column_holds_are_read_from_the_events(shop: Shop) -> None:
    assert rehearsed(shop, "often")["payload"] == {"n": 9}


def test_people_read_it_in_words(shop: Shop) -> None:
    (found,) = run(shop, "triggers test", name="came", user="ada", in_words=True)
    lines = found["text"].splitlines()
    assert lines[:3] == [
        'came waits for   segment("buyers") entered',
        "now   the user is not in buyers",
        "it would not fire now: the user is not in buyers; if it did:",
    ]
    assert "stream: it would be held back by unless" in lines
    assert "  no    unless      the user is in fresh" in lines
    message = json.loads(found["text"].partition("the message, if it fired all the same:\n")[2])
    assert message["id"] == "given when it fires"
    assert message["segment"] == "buyers"


@pytest.mark.parametrize(("name", "user", "code"), [("boght", "ada", "E810"), ("bought", "nobody", "E702")])
def test_unknown_triggers_and_users_are_refused(shop: Shop, name: str, user: str, code: str) -> None:
    with pytest.raises(SegueError) as refused:
        rehearsed(shop, name, user)
    assert refused.value.diagnostics[0].code == code


def test_the_list_counts_what_became_of_firings(shop: Shop) -> None:
    shop.order("ada", 2, total=9)
    assert shop.service is not None
    with shared(shop.service.data) as outbox:
        Dispatcher(shop.service, outbox).work()
    counts = {each["trigger"]: each["deliveries"] for each in run(shop, "triggers")}
    assert counts == {"bought": {"waiting": 2}, "came": {"passed": 1}, "cheap": {}, "often": {}}
