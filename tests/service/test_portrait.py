"""The whole profile: what columns hold, what only events tell, and what is around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.segments.override import ListEdit, Override
from segue.service.portrait import portrait
from tests.service.test_profiles import Shop

FEATURES = """
- {feature: spend, owner: a@b.example, description: Spent., value: 'sum("Bought".total)'}
- {feature: newest, owner: a@b.example, description: Newest., value: 'latest("Bought".city)'}
- {feature: oldest, owner: a@b.example, description: Oldest., value: 'earliest("Bought".city, last 1h)'}
- {feature: opened, owner: a@b.example, description: Opened., value: 'since(2026-01-01T00:00:00Z)'}
- {feature: closes, owner: a@b.example, description: Closes., value: 'until(2026-01-01T00:00:00Z)'}
- {feature: firm, owner: a@b.example, description: Firm., value: group.size}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop(tmp_path, FEATURES)
    (tmp_path / "workspace" / "lists").mkdir()
    (tmp_path / "workspace" / "lists" / "all.yaml").write_text(
        "{list: press, owner: a@b.example, description: Press., users: []}\n", encoding="utf-8"
    )
    opened.service.apply()
    yield opened
    opened.service.close()


def whole(shop: Shop, user: str) -> dict[str, Any]:
    found: dict[str, Any] = portrait(shop.service, user).to_json()
    return found


def test_features_that_no_column_holds(shop: Shop) -> None:
    shop.tell(0, userId="ann", event="Bought", properties={"total": 5, "city": "Rome"})
    shop.tell(31, userId="ann", event="Bought", properties={"total": 7, "city": ["Oslo", "Bergen"]})
    shop.tell(90, userId="ben", event="Looked")
    features = whole(shop, "ann")["attributes"]["features"]
    cities = ["Oslo", "Bergen"]
    assert features.items() >= {"newest": cities, "oldest": cities, "spend": 12}.items()
    assert (features["opened"], features["closes"]) == ("90m", "-90m")
    assert "firm" not in features
    assert "newest" not in shop.look("ann").view.features


def test_what_is_around(shop: Shop) -> None:
    shop.tell(0, anonymousId="a", event="Looked")
    shop.tell(1, userId="ann", anonymousId="a", type="identify", traits={"plan": "pro"})
    shop.tell(2, userId="ann", type="group", groupId="acme", traits={"size": 50, "gone": None})
    shop.service.edit_list(ListEdit("press", "ann", True))
    shop.service.override(Override("ann", "buyers", True, None, "me@b.example", "because"))
    found = whole(shop, "ann")
    assert found["merged"] == ["anon:a"]
    assert found["account"] == {"id": "acme", "traits": {"size": 50}}
    assert found["lists"] == ["press"]
    assert found["overrides"] == [{"segment": "buyers", "member": True, "until": None}]
    assert (found["events"], found["first_seen"], found["last_seen"]) == (
        3,
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:02:00.000Z",
    )
    assert [each["name"] for each in found["segments"]] == ["buyers", "firms"]
    assert whole(shop, "anon:a") == found


def test_nobody(shop: Shop) -> None:
    found = whole(shop, "nobody")
    assert (found["known"], found["events"], found["account"]) == (False, 0, None)
