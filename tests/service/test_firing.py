"""What fires, for whom and when, told as stories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segue.domain.change import Cause
from segue.domain.time import MINUTE, format_instant
from segue.segments.override import Override
from segue.service.firing.flips import Flip
from tests.service.firing_shop import START, Shop, trigger


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    if shop.service is not None:
        shop.service.close()


def test_entering_and_leaving_fire_with_the_ids_of_the_changes(shop: Shop) -> None:
    shop.triggers(
        trigger("seen", 'segment("fresh") entered or left'), trigger("left", 'segment("fresh") left')
    )
    shop.order("ada", 0)
    shop.order("bob", 11)
    assert shop.told() == [
        ("seen", "ada", "entered", 0),
        ("left", "ada", "left", 10),
        ("seen", "ada", "left", 10),
        ("seen", "bob", "entered", 11),
    ]
    assert shop.service is not None
    changes = {
        (each.user_id, each.entered): f"chg_{each.seq}" for each in shop.service.changes(segment="fresh")
    }
    assert [each.id for each in shop.firings()] == [
        changes["ada", True],
        changes["ada", False],
        changes["ada", False],
        changes["bob", True],
    ]
    assert [each.cause for each in shop.firings()] == [Cause.EVENT, Cause.TIME, Cause.TIME, Cause.EVENT]


def test_a_condition_fires_when_it_begins_to_hold(shop: Shop) -> None:
    shop.triggers(trigger("busy", 'count("Order", last 10m) >= 2 and segment("fresh")'))
    for minute in (0, 1, 2, 20, 21):
        shop.order("ada", minute)
    assert shop.told() == [("busy", "ada", "began", 1), ("busy", "ada", "began", 21)]
    assert len({each.id for each in shop.firings()}) == 2


def test_a_value_fires_again_only_after_it_has_gone_back(shop: Shop) -> None:
    shop.triggers(trigger("busy", 'count("Order", last 10m) > 3', crossing="both", hysteresis=2))
    for minute in (0, 1, 2, 3, 4):
        shop.order("ada", minute)
    assert shop.told() == [("busy", "ada", "began", 3)]
    shop.order("ada", 12.5)
    shop.restart()
    shop.order("ada", 12.6)
    assert shop.told() == [("busy", "ada", "began", 3)]
    shop.order("bob", 40)
    assert shop.told()[1:] == [("busy", "ada", "ended", 22.5)]
    for minute in (41, 42, 43, 44):
        shop.order("ada", minute)
    assert shop.told()[2:] == [("busy", "ada", "began", 44)]


def test_falling_below_a_threshold_fires(shop: Shop) -> None:
    shop.triggers(
        trigger("below", 'count("Order", last 10m) < 2', crossing="falling"),
        trigger("above", 'count("Order", last 10m) < 2', crossing="rising"),
    )
    shop.order("ada", 0)
    shop.order("ada", 1)
    shop.order("bob", 30)
    assert shop.told() == [
        ("below", "ada", "began", 0),
        ("above", "ada", "ended", 1),
        ("below", "ada", "began", 10),
        ("below", "bob", "began", 30),
    ]


def test_an_event_fires_while_a_condition_holds_after_it(shop: Shop) -> None:
    shop.triggers(
        trigger("third", 'event "Order" where total > 5 if count("Order") == 3'),
        trigger("every", 'event "Order"'),
        trigger("buyer", 'event "View" if segment("buyers")'),
    )
    raws = [shop.raw("ada", 1, "Order", 0, total=9) for _ in range(4)]
    raws += [shop.raw("ada", 1, "View", 0), shop.raw("bob", 1, "View", 0)]
    shop.take(raws)
    assert [(each[0], each[1]) for each in shop.told()] == [
        ("every", "ada"),
        ("every", "ada"),
        ("every", "ada"),
        ("third", "ada"),
        ("every", "ada"),
        ("buyer", "ada"),
    ]
    assert len({each.id for each in shop.firings()}) == 6
    shop.take([shop.raw("eve", 2, "Order", 0, total=each) for each in (9, 9, 1)])
    assert ("third", "eve") not in [each[:2] for each in shop.told()]


def test_the_control_takes_the_end_of_a_batch_for_what_held_after_an_event(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Flip, "key", property(lambda _: (0, 0, 0)))
    shop.triggers(trigger("third", 'event "Order" if count("Order") == 3'))
    shop.take([shop.raw("ada", 1, "Order", 0) for _ in range(4)])
    assert shop.told() == []


def test_an_event_ahead_of_time_fires_when_its_time_has_come(shop: Shop) -> None:
    shop.triggers(trigger("second", 'event "Order" if count("Order") == 2'))
    shop.order("ada", 0, ahead=30)
    shop.order("ada", 0.1)
    assert shop.told() == []
    shop.restart()
    shop.order("bob", 2)
    assert shop.told() == [("second", "ada", "seen", 0.5)]


def test_drafts_and_unknown_events_fire_nothing(shop: Shop) -> None:
    shop.triggers(trigger("draft", 'event "Order"', status="draft"), trigger("other", 'event "Ordre"'))
    shop.order("ada", 0)
    assert shop.told() == []


def test_a_definition_fires_only_what_asks_for_it(shop: Shop) -> None:
    shop.triggers()
    for user in ("ada", "bob"):
        shop.order(user, 0)
        shop.order(user, 1)
    shop.triggers(
        trigger("silent", 'count("Order") > 1'),
        trigger("loud", 'count("Order") > 1', backfill=True),
    )
    assert shop.told() == [("loud", "ada", "began", 1), ("loud", "bob", "began", 1)]
    assert {each.cause for each in shop.firings()} == {Cause.DEFINITION}


def test_a_file_fires_only_what_asks_for_it(shop: Shop) -> None:
    shop.triggers(
        trigger("silent", 'event "Order"'),
        trigger("loud", 'event "Order" if segment("buyers")', backfill=True),
    )
    assert shop.service is not None
    for name, mapping in (("some.jsonl", None), ("more.csv", None)):
        path = shop.folder / name
        if name.endswith("jsonl"):
            path.write_bytes(b"".join(shop.raw("ada", minute, "Order", 0) + b"\n" for minute in (0, 1, 2)))
        else:
            path.write_text(
                "event,userId,timestamp,messageId\n"
                + "".join(
                    f"Order,bob,{format_instant(START + minute * MINUTE)},c{minute}\n" for minute in (5, 6)
                )
            )
        shop.service.import_file(path, mapping, "tests", lambda _done, _total: None)
    assert shop.told() == [("loud", "ada", "seen", 1), ("loud", "ada", "seen", 2), ("loud", "bob", "seen", 6)]


def test_a_hand_fires_and_a_forgetting_does_not(shop: Shop) -> None:
    shop.triggers(trigger("buyer", 'segment("buyers") entered or left'))
    shop.order("ada", 0)
    assert shop.service is not None
    shop.service.override(Override("ada", "buyers", True, None, "me", "because"))
    assert [each[:3] for each in shop.told()] == [("buyer", "ada", "entered")]
    shop.service.forget("ada")
    assert [(each.row, each.number) for each in shop.firings()] == [(None, 1)]


def test_no_trigger_writes_nothing(shop: Shop) -> None:
    shop.triggers()
    shop.order("ada", 0)
    shop.order("ada", 1)
    assert shop.firings() == []


def test_from_what_another_condition_said_nobody_comes_back(shop: Shop) -> None:
    """Ada has passed the first threshold; of the second she is below, and passes it for the first time."""
    shop.triggers(trigger("busy", 'count("Order", last 10m) <= 1', hysteresis=2))
    shop.order("ada", 0)
    assert shop.told() == [("busy", "ada", "began", 0)]
    shop.triggers(trigger("busy", 'count("Order", last 10m) > 1', crossing="rising", hysteresis=1))
    shop.order("ada", 1)
    assert shop.told()[1:] == [("busy", "ada", "began", 1)]


def test_a_deleted_trigger_forgets_who_was_going_back(shop: Shop) -> None:
    one = trigger("busy", 'count("Order", last 10m) > 1', hysteresis=1)
    shop.triggers(one)
    shop.order("ada", 0)
    shop.order("ada", 5)
    shop.order("bob", 11)
    assert shop.service is not None
    assert {name for name, _ in shop.service.log.going_back()} == {"busy"}
    shop.triggers(trigger("busy", 'count("Order", last 10m) > 1', hysteresis=0.5))
    assert shop.service.log.going_back() == set()
    shop.order("ada", 12)
    assert [each[2:] for each in shop.told()] == [("began", 5), ("began", 12)]


@pytest.mark.parametrize("how", [Shop.restart, lambda _: None])
def test_firings_are_numbered_without_a_gap(shop: Shop, how: Callable[[Shop], None]) -> None:
    shop.triggers(trigger("every", 'event "Order"'))
    for minute in range(5):
        shop.order("ada", minute)
        how(shop)
    assert [each.number for each in shop.firings()] == [1, 2, 3, 4, 5]
    assert [each.number for each in shop.service.log.firings(2, 2)] == [3, 4]  # type: ignore[union-attr]
