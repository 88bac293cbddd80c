"""What is kept of a profile for its readers is right, and is kept while nothing of it changes."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.service import profiles
from segue.service.profiles import Look
from segue.service.service import Service
from segue.service.suppressing import suppress

SEGMENTS = """
- {segment: buyers, owner: a@b.example, description: Bought., when: 'count("Bought", last 1h) > 0'}
- {segment: firms, owner: a@b.example, description: Firms., when: group.size > 10}
"""
FEATURES = """
- {feature: spend, owner: a@b.example, description: Spent., value: 'sum("Bought".total, last 1h)'}
- {feature: idle, owner: a@b.example, description: Idle., value: 'since(last("Bought"))'}
- {feature: size, owner: a@b.example, description: Size., value: group.size}
"""
SEGMENTS_ONLY = FEATURES.splitlines()[1] + "\n" + FEATURES.splitlines()[3]


class Shop:
    """A service on a folder, told of events by the second."""

    def __init__(self, folder: Path, features: str) -> None:
        for name, text in (("segments", SEGMENTS), ("features", features)):
            (folder / "workspace" / name).mkdir(parents=True)
            (folder / "workspace" / name / "all.yaml").write_text(text, encoding="utf-8")
        (folder / "workspace" / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
        self.folder = folder
        self.service = Service.open(folder / "workspace", folder / "data")
        self.told = 0

    def tell(self, minute: int, **event: object) -> None:
        """One event at a minute of 2026."""
        self.told += 1
        path = self.folder / f"{self.told}.jsonl"
        at = f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00Z"
        path.write_text(json.dumps({"type": "track", "timestamp": at, "messageId": str(self.told), **event}))
        assert self.service.import_file(path, None, "x", lambda _done, _total: None).quarantined == 0

    def look(self, user: str) -> Look:
        found = self.service.profiles.look(user)
        assert found is not None
        return found


@pytest.fixture(params=[SEGMENTS_ONLY])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    opened = Shop(tmp_path, request.param)
    yield opened
    opened.service.close()


def test_another_users_event_changes_nothing(shop: Shop) -> None:
    shop.tell(0, userId="ann", event="Bought", properties={"total": 5})
    before = shop.look("ann")
    shop.tell(1, userId="ben", event="Bought", properties={"total": 9})
    assert shop.service.profiles.fresh("ann") is None
    assert shop.look("ann") is before
    assert shop.service.profiles.fresh("ann") is before


def test_an_event_that_nobody_shows_changes_nothing(shop: Shop) -> None:
    shop.tell(0, userId="ann", event="Bought", properties={"total": 5})
    before = shop.look("ann")
    shop.tell(1, userId="ann", event="Looked")
    assert shop.look("ann") is before


def test_an_event_of_the_user_is_seen_at_once(shop: Shop) -> None:
    shop.tell(0, userId="ann", event="Bought", properties={"total": 5})
    before = shop.look("ann")
    shop.tell(1, userId="ann", event="Bought", properties={"total": 7})
    after = shop.look("ann")
    assert (before.view.features["spend"], after.view.features["spend"]) == (5, 12)
    assert after.view.version > before.view.version


def test_time_alone_is_seen(shop: Shop) -> None:
    shop.tell(0, userId="ann", event="Bought", properties={"total": 5})
    assert [each.name for each in shop.look("ann").view.segments] == ["buyers"]
    shop.tell(60, userId="ben", event="Looked")
    assert (shop.look("ann").view.segments, shop.look("ann").view.features["spend"]) == ([], 0)


def test_leaving_and_coming_back_is_a_new_stretch(shop: Shop) -> None:
    shop.tell(0, userId="ann", event="Bought", properties={"total": 5})
    before = shop.look("ann").view.segments
    shop.tell(70, userId="ann", event="Bought", properties={"total": 5})
    after = shop.look("ann").view.segments
    assert [each.name for each in after] == [each.name for each in before]
    assert after[0].since > before[0].since


def test_an_accounts_traits_are_seen_by_its_users(shop: Shop) -> None:
    shop.tell(0, userId="ann", type="group", groupId="g", traits={"size": 5})
    assert shop.look("ann").view.features["size"] == 5
    shop.tell(1, userId="ben", type="group", groupId="g", traits={"size": 50})
    assert shop.look("ann").view.features["size"] == 50
    assert [each.name for each in shop.look("ann").view.segments] == ["firms"]


def test_traits_are_seen(shop: Shop) -> None:
    shop.tell(0, userId="ann", type="identify", traits={"plan": "free", "gone": 1})
    shop.tell(1, userId="ann", type="identify", traits={"plan": "pro", "gone": None})
    assert shop.look("ann").view.traits == {"plan": "pro"}


def test_the_absorbed_id_leads_to_the_survivor(shop: Shop) -> None:
    shop.tell(0, anonymousId="a", event="Bought", properties={"total": 5})
    alone = shop.look("anon:a")
    shop.tell(1, userId="ann", anonymousId="a", type="identify")
    assert shop.look("anon:a") is shop.look("ann")
    assert (alone.view.user_id, shop.look("anon:a").view.user_id) == ("anon:a", "ann")


@pytest.mark.parametrize("shop", [FEATURES], indirect=True)
def test_lengths_of_time_move_with_the_clock(shop: Shop) -> None:
    shop.tell(0, userId="ann", event="Bought", properties={"total": 5})
    shop.tell(5, userId="ben", event="Looked")
    assert shop.look("ann").view.features["idle"] == "5m"


def test_the_forgotten_are_not_kept(shop: Shop) -> None:
    shop.tell(0, userId="ann", type="identify", traits={"name": "Ann Onymous"})
    text = shop.look("ann").text
    assert b"Onymous" in text
    shop.service.forget("ann")
    gc.collect()
    assert not [held for held in gc.get_objects() if isinstance(held, Look)]
    assert shop.service.profiles.fresh("ann") is None
    assert shop.service.profiles.look("ann") is None


def test_the_suppressed_are_not_shown_whatever_was_looked_at_for_them(shop: Shop) -> None:
    shop.tell(0, userId="ann", event="Bought", properties={"total": 5})
    shop.look("ann")
    suppress(shop.service.core, "ann")
    assert shop.service.profiles.held("ann") is not None
    assert shop.service.profiles.fresh("ann") is None
    assert shop.service.profiles.look("ann") is None


def test_a_look_waits_for_the_engine(shop: Shop) -> None:
    """Columns are not read while the kernel writes them, whichever thread asks."""
    shop.tell(0, userId="ann", event="Bought", properties={"total": 5})
    looked = threading.Event()

    def look() -> None:
        shop.look("ann")
        looked.set()

    with shop.service.core.turn:
        other = threading.Thread(target=look)
        other.start()
        assert not looked.wait(0.3)
    assert looked.wait(60)
    other.join()


def test_no_more_are_kept_than_the_bound(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "PROFILES_KEPT_MAX", 3)
    for number in range(6):
        shop.tell(number, userId=f"u{number}", event="Looked")
    looks = [shop.look(f"u{number}") for number in range(6)]
    kept = [shop.service.profiles.fresh(f"u{number}") for number in range(6)]
    assert kept == [None, None, None, *looks[3:]]
