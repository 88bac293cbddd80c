"""Whoever keeps the ids that came, and nothing else, has every message once: also where triggers meet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.deliver.outbox import State
from tests.deliver.test_dispatch import Office
from tests.service.firing_shop import Shop, trigger

ENTERED = 'segment("fresh") entered'


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    shop = Shop(tmp_path)
    shop.triggers()
    office = Office(shop)
    yield office
    office.outbox.close()
    assert shop.service is not None
    shop.service.close()


def ids(office: Office, destination: str = "crm") -> dict[str, list[str]]:
    """The ids of each trigger's messages to a destination, but of those that were held back."""
    found: dict[str, list[str]] = {}
    for each in office.sent(destination=destination):
        if each.state is not State.PASSED:
            found.setdefault(each.trigger, []).append(each.id)
    return found


def changes(office: Office) -> list[str]:
    assert office.shop.service is not None
    return [f"chg_{each.seq}" for each in office.shop.service.changes(segment="fresh")]


def test_two_triggers_that_tell_one_destination_of_a_change_have_ids_of_their_own(office: Office) -> None:
    office.shop.triggers(
        trigger("greet", ENTERED, to=["crm", "stream"]),
        trigger("note", 'segment("fresh") entered or left', to=["crm", "mail"]),
        trigger("other", 'segment("buyers") entered', to="crm"),
    )
    office.shop.order("ada", 0)
    office.shop.order("bob", 11)
    office.work()
    entered, left, again = changes(office)
    assert ids(office) == {"greet": [entered, again], "note": [f"{entered}.note", left, f"{again}.note"]}
    assert ids(office, "mail") == {"note": [entered, left, again]}
    assert ids(office, "stream") == {"greet": [entered, again]}
    for each in office.sent(destination="crm"):
        body = json.loads(each.body)
        assert body["id"] == each.id
        assert f"chg_{body['seq']}" == each.id.partition(".")[0]
    assert max(Counter(each.id for each in office.sent(destination="crm")).values()) == 1


def test_who_is_held_back_leaves_the_id_to_the_other(office: Office) -> None:
    office.shop.triggers(
        trigger("greet", ENTERED, to="crm", cooldown="1d"), trigger("note", ENTERED, to="crm")
    )
    office.shop.order("ada", 0)
    office.shop.order("ada", 20)
    office.work()
    first, _, second = changes(office)
    assert ids(office) == {"greet": [first], "note": [f"{first}.note", second]}


def test_who_waits_keeps_the_id_it_had(office: Office) -> None:
    office.shop.triggers(trigger("greet", ENTERED, to="crm", delay="5m"), trigger("note", ENTERED, to="crm"))
    office.shop.order("ada", 0)
    office.work()
    (entered,) = changes(office)
    assert ids(office) == {"greet": [entered], "note": [f"{entered}.note"]}
    office.shop.triggers(trigger("greet", ENTERED, to="crm", delay="5m"))
    office.shop.order("bob", 6)
    office.work()
    told = {each.id: each.state for each in office.sent(user_id="ada", trigger="greet")}
    assert told == {entered: State.PENDING}


def test_a_message_to_two_destinations_counts_once_under_both_ids(office: Office) -> None:
    office.shop.triggers(
        trigger("greet", ENTERED, to="crm"),
        trigger("note", ENTERED, to=["crm", "mail"], channel="push", cap="1 per 1d", cooldown="1d"),
    )
    office.shop.order("ada", 0)
    office.work()
    (entered,) = changes(office)
    assert ids(office)["note"] == [f"{entered}.note"]
    assert ids(office, "mail") == {"note": [entered]}
