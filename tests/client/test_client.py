"""The client against a real server: what it tells arrives once, what it asks is what the server says."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from tests.api.guarded.guard import Guarded
from tests.api.serving import Running, eventually, serving, write_workspace
from tests.cli.segue import here
from tests.client.either import clients
from tests.sdk.proxy import BUSY, CUT, PASS, RESET, Weather, first_time, proxy

from segue.client import Client, ClientError, RefusedError, UndeliveredError, UnreachableError

_ID = re.compile(rb'"messageId":"[^"]+"')
KINDS = ("sync", "async")
DOWN = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("client")) as running:
        yield running


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest, server: Running) -> Iterator[Any]:
    with clients(request.param, server.said["url"]) as found:
        found.kind = request.param
        yield found


def stored(server: Running, user: str) -> list[dict[str, Any]]:
    question = {"limit": 10_000}
    answer = server.http.get(f"/v1/users/{user}/events", params=question).json()
    events: list[dict[str, Any]] = answer["events"]
    return events


def numbers_of(server: Running, user: str, count: int) -> list[int]:
    """The numbers in a user's events, newest first, once there are so many."""
    eventually(lambda: len(stored(server, user)) >= count)
    return [each["properties"]["number"] for each in stored(server, user)]


def test_every_verb_arrives_as_what_it_is(server: Running, client: Any) -> None:
    user, at = f"verbs-{client.kind}", datetime(2026, 11, 1, 10, tzinfo=UTC)
    client.identify(user, {"plan": "pro", "born": date(1990, 1, 2)}, anonymous_id=f"{user}-visitor")
    client.track(user, "Order Completed", {"total": Decimal("120.50"), "when": at}, timestamp=at)
    client.page(user, "Home", {"path": "/"})
    client.screen(user, "Start")
    client.group(user, f"{user}-company", {"industry": "Finance"})
    client.alias(user, f"{user}-old")
    assert client.flush() is True
    eventually(lambda: client.user(user).is_in("big_buyers"))
    found = {each["type"]: each for each in stored(server, user)}
    assert sorted(found) == ["alias", "group", "identify", "page", "screen", "track"]
    assert found["track"]["properties"] == {"total": "120.50", "when": "2026-11-01T10:00:00.000Z"}
    said = client.user(user)
    assert said.traits == {"plan": "pro", "born": "1990-01-02"}
    assert [each.name for each in said.segments] == ["big_buyers", "buyers"]
    assert client.profile(user)["account"]["id"] == f"{user}-company"


def test_an_event_told_twice_counts_once(server: Running, client: Any) -> None:
    user = f"twice-{client.kind}"
    for _ in range(2):
        client.track(user, "Login", message_id=f"{user}-1")
    client.track(user, "Login")
    client.flush()
    assert eventually(lambda: len(stored(server, user)) == 2)


def test_questions_are_answered_with_records(client: Any) -> None:
    user = f"asks-{client.kind}"
    client.track(user, "Order Completed", {"total": 5})
    client.flush()
    eventually(lambda: client.is_in(user, "buyers"))
    assert client.user("nobody").known is False
    assert client.explain(user, "buyers")["member"] is True
    assert {each.name for each in client.segments()} == {"buyers", "big_buyers"}
    now = datetime.now(UTC)
    assert user in dict(client.members("buyers"))
    assert user not in dict(client.members("buyers", as_of=now - timedelta(days=9)))
    assert client.preview('count("Order Completed") >= 1').overlap["buyers"] >= 1
    change = next(each for each in client.changes(segment="buyers") if each.user_id == user)
    assert (change.entered, change.cause) == (True, "event")
    assert change.at == client.user(user).segments[0].since


def test_long_answers_are_read_page_by_page(client: Any) -> None:
    for number in range(1_300):
        client.track(f"many-{number:04}", "Order Completed", {"total": 1}, message_id=f"many-{number}")
    client.flush()
    eventually(lambda: client.is_in("many-1299", "buyers"))
    names = [name for name, _ in client.members("buyers") if name.startswith("many-")]
    assert names == [f"many-{number:04}" for number in range(1_300)]
    assert len({each.seq for each in client.changes()}) >= 1_300


def test_a_refusal_says_what_the_server_says(client: Any) -> None:
    with pytest.raises(RefusedError, match="E7") as refused:
        client.explain("nobody", "buyers")
    assert (refused.value.status, refused.value.passes) == (404, False)
    with pytest.raises(RefusedError, match="nothere"):
        client.preview('segment("nothere")')


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_away_is_said_to_be(kind: str) -> None:
    with clients(kind, DOWN) as client, pytest.raises(UnreachableError, match="does not answer"):
        client.user("u")


@pytest.mark.parametrize("kind", KINDS)
def test_what_can_never_be_sent_is_refused_at_once(kind: str) -> None:
    with clients(kind, DOWN) as client:
        with pytest.raises(ValueError, match="user_id or an anonymous_id"):
            client.track(None, "Login")
        with pytest.raises(ValueError, match="has no zone"):
            client.track("u", "Login", timestamp=datetime.now())  # noqa: DTZ005
        with pytest.raises(ValueError, match="bytes, the server takes"):
            client.track("u", "Login", {"text": "x" * 40_000})
        with pytest.raises(TypeError, match=r"track\.properties\.who is of the type object"):
            client.track("u", "Login", {"who": object()})
        with pytest.raises(TypeError, match="keys are text"):
            client.track("u", "Login", {1: "x"})


@pytest.mark.parametrize("kind", KINDS)
def test_events_wait_for_a_server_that_is_not_there_yet(kind: str, tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        url = first.said["url"]
        first.stop()
        with clients(kind, url) as client:
            for number in range(700):
                client.track("patient", "Login", {"number": number})
            assert client.flush(timeout=0.5) is False
            with serving(tmp_path, "--port", url.rpartition(":")[2]) as second:
                assert client.flush() is True
                found = numbers_of(second, "patient", 700)
                assert found == list(reversed(range(700))), "in order, each once"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_when_it_is_closed_is_handed_back(kind: str) -> None:
    with clients(kind, DOWN) as client:
        client.track("u", "Login", message_id="left")
        with pytest.raises(UndeliveredError, match="1 events were not taken") as raised:
            client.close(timeout=0.1)
        assert raised.value.events[0]["messageId"] == "left"
        with pytest.raises(ClientError, match="is closed"):
            client.track("u", "Login")


@pytest.mark.parametrize("kind", KINDS)
def test_keys_open_what_they_are_for(kind: str, tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        guarded = Guarded(running)
        write, read = guarded.key("shop", "write"), guarded.key("crm", "read")
        url = running.said["url"]
        with clients(kind, url, write_key=write, read_key=read) as client:
            client.track("u", "Order Completed", {"total": 1})
            client.flush()
            eventually(lambda: client.is_in("u", "buyers"))
            with pytest.raises(RefusedError) as refused:
                client.forget("u")
            assert refused.value.status == 403
        with clients(kind, url, write_key=read) as client:
            client.track("u", "Login", message_id="wrong-key")
            with pytest.raises(UndeliveredError) as raised:
                client.flush()
            assert raised.value.events[0]["messageId"] == "wrong-key"
            assert isinstance(raised.value.reason, RefusedError)
            assert client.flush() is True, "told once"


@pytest.mark.parametrize("kind", KINDS)
def test_changes_are_followed_across_a_restart(kind: str, tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        url = running.said["url"]
        with clients(kind, url) as client:
            heard = client.follow(segment="buyers", after=0)
            running.track("before", "Order Completed", total=1)
            assert next(heard).user_id == "before"
            assert running.stop() == 0
            with serving(tmp_path, "--port", url.rpartition(":")[2]) as again:
                again.track("meanwhile", "Order Completed", total=1)
                again.track("after", "Order Completed", total=1)
                found = list(islice(heard, 2))
    assert [(each.user_id, each.entered) for each in found] == [("meanwhile", True), ("after", True)]
    assert [each.seq for each in found] == sorted({each.seq for each in found})


EXPERIENCE = """
experience: hero
owner: content@shop.example
description: What the start page greets with.
slot: hero
variants:
  - variant: for_buyers
    audience: segment("buyers")
    payload: {title: Good to see you}
fallback: {title: Welcome}
"""


@pytest.mark.parametrize("kind", KINDS)
def test_what_to_show_and_what_to_recommend(kind: str, tmp_path: Path) -> None:
    write_workspace(tmp_path / "workspace")
    (tmp_path / "workspace" / "experiences").mkdir()
    (tmp_path / "workspace" / "experiences" / "hero.yaml").write_text(EXPERIENCE)
    products = tmp_path / "products.jsonl"
    products.write_text("".join(f'{{"id":"p{number}","title":"Thing {number}"}}\n' for number in range(5)))
    with serving(tmp_path) as running, clients(kind, running.said["url"]) as client:
        folder = ("--workspace", tmp_path / "workspace", "--data", running.data)
        assert here("catalog", "import", products, *folder).status == 0
        assert client.decide("ada", ["hero"]).slots["hero"].payload == {"title": "Welcome"}
        client.track("ada", "Order Completed", {"total": 1})
        client.flush()
        eventually(lambda: client.is_in("ada", "buyers"))
        shown = client.decide("ada", ["hero"], context={"page": {"path": "/"}}).slots["hero"]
        assert (shown.variant, shown.payload) == ("for_buyers", {"title": "Good to see you"})
        found = client.recommend("ada", count=3)
        assert len(found.items) == 3
        assert all(item.details["title"].startswith("Thing") and item.text for item in found.items)
        with pytest.raises(RefusedError, match="E836"):
            client.decide("ada", ["nowhere"])


def test_items_are_put_in_shown_and_taken_out(client: Any) -> None:
    name = f"kettle/{client.kind}"
    taken = client.put_items([{"id": name, "title": "Kettle", "price": 30, "colour": "red"}, {"title": "?"}])
    assert (taken.added, taken.refused, taken.findings) == (1, 1, ((1, "it has no id"),))
    assert client.put_items([{"id": name, "title": "Kettle", "price": 30, "colour": "red"}]).same == 1
    assert client.item(name)["attributes"] == {"colour": "red"}
    client.remove_item(name)
    with pytest.raises(RefusedError, match="E842"):
        client.item(name)


def test_many_threads_may_tell_at_once(server: Running) -> None:
    with Client(server.said["url"]) as client:

        def tell(thread: int) -> None:
            for number in range(200):
                client.track(f"thread-{thread}", "Login", {"number": number})

        threads = [threading.Thread(target=tell, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.flush()
    for thread_number in range(5):
        assert numbers_of(server, f"thread-{thread_number}", 200) == list(reversed(range(200)))


def test_without_httpx_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "httpx.py").write_text("raise ModuleNotFoundError('httpx')")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import segue.client"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install 'segue[client]'" in ended.stderr


def through_bad_weather(server: Running, kind: str, weather: Weather, user: str) -> list[int]:
    """The numbers of the events that are there in the end, of 2,000 sent."""
    with proxy(server.said["url"], weather) as host, clients(kind, host) as client:
        for number in range(2_000):
            client.track(user, "Login", {"n": number})
        client.flush()
    eventually(lambda: len(stored(server, user)) >= 2_000)
    return sorted(each["properties"]["n"] for each in stored(server, user))


@pytest.mark.parametrize("kind", KINDS)
def test_bad_weather_loses_nothing_and_doubles_nothing(server: Running, kind: str) -> None:
    weather = Weather(first_time(CUT, BUSY, RESET, PASS))
    assert through_bad_weather(server, kind, weather, f"weather-{kind}") == list(range(2_000))
    assert all(weather.met(fate) for fate in (CUT, BUSY, RESET, PASS))


def test_under_other_ids_what_is_sent_again_is_there_twice(server: Running) -> None:
    """The control."""

    def under_other_ids(text: bytes) -> bytes:
        return _ID.sub(lambda _: b'"messageId":"%s"' % uuid.uuid4().hex.encode(), text)

    weather = Weather(first_time(CUT), under_other_ids)
    found = through_bad_weather(server, "sync", weather, "control")
    assert len(found) > len(set(found)) == 2_000
