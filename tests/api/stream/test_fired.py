"""Messages of triggers on the live stream: they reach who may hear them, and are no changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from segue.api.stream.fired import Following
from tests.api.serving import Running, eventually, serving, write_workspace
from tests.api.stream.hearing import Heard, Said, events, listening
from tests.api.stream.test_rights import bearer, key, token

OWNED = {"owner": "crm@shop.example", "description": "Of a test."}
TRIGGERS = [
    {
        "trigger": "thanks",
        **OWNED,
        "on": 'event "Order Completed" if segment("buyers")',
        "to": ["stream", "crm"],
        "payload": {"text": "Thank you for {{event.properties.total}}!", "who": "{{user.id}}"},
    },
    {"trigger": "came", **OWNED, "on": 'segment("big_buyers") entered', "to": "stream"},
]
CRM = {"destination": "crm", **OWNED, "kind": "file", "path": "crm.jsonl"}


def write_shop(folder: Path) -> None:
    workspace = write_workspace(folder / "workspace")
    for name, written in (("triggers", TRIGGERS), ("destinations", CRM)):
        (workspace / name).mkdir()
        (workspace / name / "all.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder)
    with serving(folder) as server:
        yield server


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("locked")
    write_shop(folder)
    with serving(folder) as server:
        write = server.control("keys create", name="shop", kind="write")[0]["key"]
        server.http.headers["Authorization"] = f"Bearer {write}"
        yield server


def fired(heard: Heard) -> Said:
    """The next message of a trigger."""
    while True:
        said = heard.next()
        if "fired" in said:
            return said


def test_a_trigger_is_heard_with_what_it_sends(shop: Running) -> None:
    with listening(shop) as heard:
        shop.track("ann", "Order Completed", total=7)
        said = fired(heard)
        shop.track("ann", "Order Completed", total=200)
        others = {each["trigger"]: each for each in (fired(heard), fired(heard))}
    assert next(iter(said)) == "fired"
    assert said["fired"] == {"text": "Thank you for 7!", "who": "ann"}
    assert (said["trigger"], said["user_id"]) == ("thanks", "ann")
    assert others["came"]["fired"]["segment"] == "big_buyers"
    assert others["came"]["id"] == others["came"]["fired"]["id"] == "chg_2"


def test_another_user_and_a_segment_hear_none(shop: Running) -> None:
    with listening(shop, "user_id=bea") as bea, listening(shop, "segment=buyers") as buyers:
        shop.track("bob", "Order Completed", total=1)
        shop.track("bea", "Order Completed", total=2)
        assert fired(bea)["fired"]["who"] == "bea"
        said = [buyers.next(), buyers.next()]
        assert [each.get("segment") for each in said] == ["buyers", "buyers"]


def test_a_visitor_who_became_a_user_is_still_heard(shop: Running) -> None:
    with listening(shop, "user_id=anon:v1") as heard:
        body: dict[str, Any] = {"event": "Order Completed", "anonymousId": "v1", "properties": {"total": 1}}
        assert shop.http.post("/v1/track", json=body).status_code == 200
        assert fired(heard)["user_id"] == "anon:v1"
        shop.track("val", "Viewed")
        assert shop.http.post("/v1/identify", json={"userId": "val", "anonymousId": "v1"}).status_code == 200
        shop.track("val", "Order Completed", total=2)
        assert fired(heard)["user_id"] == "val"


def test_it_is_an_event_of_its_own_and_keeps_the_place(shop: Running) -> None:
    with events(shop, "user_id=sue") as heard:
        next(heard)
        shop.track("sue", "Order Completed", total=3)
        found = [next(heard), next(heard)]
    (said,) = [each for each in found if each.get("event") == "fired"]
    assert json.loads(said["data"])["fired"]["text"] == "Thank you for 3!"
    assert "id" not in said


def test_a_token_hears_its_own_and_a_scope_none(locked: Running) -> None:
    own, other = token(locked, "tom"), token(locked, "tim")
    narrow = key(locked, segments=["buyers"])
    with (
        listening(locked, **bearer(own)) as tom,
        listening(locked, **bearer(other)) as tim,
        listening(locked, **bearer(narrow)) as scoped,
    ):
        locked.track("tom", "Order Completed", total=1)
        locked.track("tim", "Order Completed", total=2)
        assert fired(tom)["fired"]["who"] == "tom"
        assert fired(tim)["fired"]["who"] == "tim"
        locked.track("tam", "Order Completed", total=3)
        assert [scoped.change()[0] for _ in range(3)] == ["tom", "tim", "tam"]


def test_the_same_firing_reaches_a_file_too(shop: Running) -> None:
    with listening(shop, "user_id=fay") as heard:
        shop.track("fay", "Order Completed", total=4)
        said = fired(heard)
    path = shop.data / "deliveries" / "crm.jsonl"
    eventually(lambda: path.exists() and said["id"] in path.read_text(encoding="utf-8"))


def test_whoever_comes_back_hears_what_was_missed_and_nothing_twice(shop: Running) -> None:
    with listening(shop, "user_id=kim") as heard:
        shop.track("kim", "Order Completed", total=1)
        first = fired(heard)
    for total in (2, 3):
        shop.track("kim", "Order Completed", total=total)
    shop.track("lea", "Order Completed", total=9)
    path = shop.data / "deliveries" / "crm.jsonl"
    eventually(lambda: "Thank you for 9!" in path.read_text(encoding="utf-8"))
    with listening(shop, f"user_id=kim&fired_after={first['number']}") as heard:
        shop.track("kim", "Order Completed", total=4)
        said = [fired(heard) for _ in range(3)]
        shop.track("kim", "Order Completed", total=5)
        said.append(fired(heard))
    assert [each["fired"]["text"] for each in said] == [f"Thank you for {total}!" for total in (2, 3, 4, 5)]
    assert sorted({each["number"] for each in said}) == [each["number"] for each in said]


def test_everyone_hears_all_of_them_again(shop: Running) -> None:
    shop.track("max", "Order Completed", total=1)
    path = shop.data / "deliveries" / "crm.jsonl"
    eventually(lambda: path.exists() and '"max"' in path.read_text(encoding="utf-8"))
    with events(shop, "fired_after=0") as heard:
        for said in heard:
            if said.get("event") == "fired" and json.loads(said["data"])["user_id"] == "max":
                break


def test_a_number_that_no_message_has_is_refused(shop: Running) -> None:
    answer = shop.http.get("/v1/stream?fired_after=1000000000")
    assert (answer.status_code, answer.json()["code"]) == (400, "E743")


def test_what_comes_while_one_is_behind_is_read_again() -> None:
    following = Following(lambda _wanted, _after, _limit: [])
    assert following.takes(5, full=False)
    following.went(5)
    assert not following.takes(6, full=True)
    assert (following.behind, following.sent) == (True, 5)
    assert not following.takes(7, full=False)
    following.went(7)
    following.behind = False
    assert not following.takes(7, full=False)
    assert following.takes(8, full=False)
