"""What clients of the specification really send: each oddity, and what becomes of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.api.serving import Running, eventually

_users = itertools.count()
NOWHERE = "never-seen"


@pytest.fixture
def user() -> str:
    """An id that nothing was sent of."""
    return f"quirk{next(_users)}"


def send(server: Running, *events: Any, path: str = "/v1/batch", **envelope: Any) -> None:
    body = {"batch": list(events), **envelope} if path == "/v1/batch" else events[0]
    answer = server.http.post(path, json=body)
    assert (answer.status_code, answer.content) == (200, b'{"success":true}')
    # What was acknowledged before is evaluated when this is.
    marker = f"marker{next(_users)}"
    server.track(marker, "Looked")
    eventually(lambda: events_of(server, marker))


def events_of(server: Running, user: str) -> list[Any]:
    """Oldest first."""
    found = server.http.get(f"/v1/users/{user}/events").json()["events"]
    return list(reversed(found))


def traits_of(server: Running, user: str) -> dict[str, Any]:
    found = server.http.get(f"/v1/users/{user}").json()
    return found["attributes"]["traits"]  # type: ignore[no-any-return]


def known(server: Running, user: str) -> bool:
    return server.http.get(f"/v1/users/{user}").json()["known"]  # type: ignore[no-any-return]


def aside(server: Running) -> list[str]:
    """The codes of what was set aside."""
    return [each["code"] for each in server.control("quarantine list", state="open")]


def track(user: Any, **more: Any) -> dict[str, Any]:
    return {"type": "track", "userId": user, "event": "Order Completed", **more}


def test_the_path_decides_the_type(server: Running, user: str) -> None:
    send(server, {"userId": user, "event": "Order Completed"}, path="/v1/track")
    send(server, track(user, type="identify"), path="/v1/t/")
    assert [each["type"] for each in events_of(server, user)] == ["track", "track"]


@pytest.mark.parametrize(("sent", "kept"), [(0, "0"), (123, "123"), ("0", "0"), (12.0, "12")])
def test_numbers_are_ids(server: Running, sent: Any, kept: str) -> None:
    send(server, track(sent, event="Numbered"))
    assert known(server, kept)


@pytest.mark.parametrize("nothing", ["", " ", None, False, [], {}])
def test_blanks_are_no_ids(server: Running, user: str, nothing: Any) -> None:
    before = len(aside(server))
    send(server, track(nothing), track(nothing, anonymousId=user))
    assert aside(server)[before:] == ["E521"]
    assert known(server, f"anon:{user}")


@pytest.mark.parametrize("event", ["", " ", 5, None, {}])
def test_a_track_without_a_name_is_set_aside(server: Running, user: str, event: Any) -> None:
    before = len(aside(server))
    send(server, track(user, event=event))
    assert aside(server)[before:] == ["E524"]


@pytest.mark.parametrize("nothing", [None, [], "text", 7])
def test_properties_that_are_none(server: Running, user: str, nothing: Any) -> None:
    send(server, track(user, properties=nothing, context=nothing, traits=nothing, integrations=nothing))
    (event,) = events_of(server, user)
    assert event.get("properties", {}) in ({}, nothing)
    assert server.segments_of(user) == ["buyers"]


def test_a_page_with_its_name_among_its_properties(server: Running, user: str) -> None:
    send(
        server,
        {"type": "page", "userId": user, "name": None, "category": None, "properties": {"name": "Home"}},
    )
    assert events_of(server, user)[0]["properties"] == {"name": "Home"}


def test_traits_of_a_group_are_not_the_user_s(server: Running, user: str) -> None:
    send(server, {"type": "group", "userId": user, "groupId": 7, "traits": {"plan": "enterprise"}})
    assert traits_of(server, user) == {}


def test_identify_without_traits_is_known(server: Running, user: str) -> None:
    send(server, {"type": "identify", "userId": user})
    assert known(server, user)


def test_traits_in_the_context_of_identify_alone(server: Running, user: str) -> None:
    """rudder-py and rudder-js send them nowhere else; on a track they change nobody."""
    send(
        server,
        {"type": "identify", "userId": user, "context": {"traits": {"plan": "pro"}}},
        track(user, context={"traits": {"plan": "basic"}}),
    )
    assert traits_of(server, user) == {"plan": "pro"}


def test_integrations_that_are_off_are_about_others(server: Running, user: str) -> None:
    send(server, track(user, integrations={"All": False}))
    assert server.segments_of(user) == ["buyers"]


def test_one_message_counts_once_however_it_comes(server: Running, user: str) -> None:
    """Twice in a batch, in two batches, and with other contents: the first stands."""
    send(server, track(user, messageId=user, properties={"n": 1}), track(user, messageId=user))
    send(server, track(user, messageId=user, properties={"n": 2}))
    assert [each["properties"] for each in events_of(server, user)] == [{"n": 1}]


def test_a_long_message_id_is_one_too(server: Running, user: str) -> None:
    for _ in range(2):
        send(server, track(user, messageId=user * 40))
    assert len(events_of(server, user)) == 1


@pytest.mark.parametrize("previous", ["same", NOWHERE])
def test_an_alias_to_oneself_or_to_nobody_is_no_error(server: Running, user: str, previous: str) -> None:
    """analytics-next sends the first for a visitor whom it knows."""
    before = aside(server)
    send(
        server,
        track(user),
        {"type": "alias", "userId": user, "previousId": user if previous == "same" else user * 2},
    )
    assert server.segments_of(user) == ["buyers"]
    assert aside(server) == before


def test_aliases_in_a_circle_end(server: Running, user: str) -> None:
    """There is one person in the end, under each of the names."""
    a, b, c = (f"{user}{name}" for name in "abc")
    send(server, *(track(name) for name in (a, b, c)))
    for new, old in ((b, a), (c, b), (a, c), (b, a)):
        send(server, {"type": "alias", "userId": new, "previousId": old})
    assert {len(events_of(server, name)) for name in (a, b, c)} == {7}


def test_names_of_events_are_trimmed_and_never_recased(server: Running, user: str) -> None:
    send(server, track(user, event="  Order Completed "))
    assert server.segments_of(user) == ["buyers"]
    send(server, track(user + "x", event="order completed"))
    assert server.segments_of(user + "x") == []


def test_keys_of_any_spelling(server: Running, user: str) -> None:
    properties = {"a.b": 1, "$c": 2, "total billed": 3, "😀": 4, "__proto__": {"x": 5}, "": 6}
    properties |= {f"k{number}": number for number in range(1_000)}
    send(server, track(user, properties=properties))
    assert events_of(server, user)[0]["properties"] == properties


def test_what_an_envelope_says_holds_for_events_that_do_not(server: Running, user: str) -> None:
    own = {"locale": "de", "ip": None}
    send(
        server,
        track(user),
        track(user, context=own),
        context={"locale": "en", "timezone": "UTC"},
        writeKey="k",
        messageId="of the batch",
        _metadata={"nodeVersion": "20"},
        channel="server",
    )
    contexts = [each["context"] for each in events_of(server, user)]
    assert contexts == [{"locale": "en", "timezone": "UTC"}, {"locale": "de", "timezone": "UTC", "ip": None}]


def test_a_key_within_an_event_is_not_kept_and_moves_nobody(server: Running, user: str) -> None:
    for key in ("first", "second"):
        send(server, track(user, messageId=user, writeKey=key))
    assert "writeKey" not in events_of(server, user)[0]
    assert len(events_of(server, user)) == 1


def test_the_clock_of_a_client_is_corrected(server: Running, user: str) -> None:
    """Its clock is two hours slow; the event was five minutes old when it was sent."""
    send(
        server,
        track(user, originalTimestamp="2026-11-20T10:00:00Z"),
        track(user, timestamp="2026-11-20T10:00:00.000000+00:00"),
        sentAt="2026-11-20T10:05:00.000Z",
    )
    ages = [minutes(each["received_at"]) - minutes(each["timestamp"]) for each in events_of(server, user)]
    assert len(ages) == 2
    assert set(ages) <= {5, 5 - 24 * 60}


def minutes(time: str) -> int:
    """Of the day."""
    return int(time[11:13]) * 60 + int(time[14:16])


def test_no_time_or_one_that_cannot_be_read_is_the_receipt(server: Running, user: str) -> None:
    send(server, track(user), track(user, timestamp="yesterday"), track(user, timestamp=None))
    assert [each["timestamp"] == each["received_at"] for each in events_of(server, user)] == [True] * 3


def test_history_is_history(server: Running, user: str) -> None:
    """Without a sentAt the time is what it says."""
    send(server, track(user, timestamp="2020-01-01T00:00:00Z"))
    assert events_of(server, user)[0]["timestamp"] == "2020-01-01T00:00:00.000Z"


def test_what_a_client_says_of_our_own_fields_is_passed_over(server: Running, user: str) -> None:
    send(server, track(user, receivedAt="2001-01-01T00:00:00Z", seq=1, user_id="admin", version=2))
    (event,) = events_of(server, user)
    assert not event["received_at"].startswith("2001")
    assert event["seq"] != 1
    assert not known(server, "admin")
