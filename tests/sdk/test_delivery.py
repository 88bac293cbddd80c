"""Every event of every SDK arrives exactly once, whatever the network does to its requests.

Each claim has a control beside it: the same assertion has to fail when what it rests on is taken away.
"""

from __future__ import annotations

import itertools
import re
import uuid
from typing import Any

import msgspec
import pytest

from tests.api.serving import Running, eventually
from tests.sdk.driving import ALL, PROGRAMS, Sdk, Wanted, assert_each_once, events_of
from tests.sdk.proxy import BUSY, CUT, IDENTIFY, PASS, REFUSE, RESET, SLOW, Post, Weather, first_time, proxy

_ID = re.compile(rb'"messageId":\s*"[^"]*"')
_users = itertools.count()

each_sdk = pytest.mark.parametrize("sdk", ALL, ids=lambda sdk: sdk.name)


def driven(
    server: Running, sdk: Sdk, weather: Weather, count: int, odd: int = 0, timeout: float = 60
) -> tuple[list[Any], set[str]]:
    """The events that are there when the SDK was told of all it sent, and what its page has loaded."""
    user = f"{sdk.name}-{next(_users)}"
    numbers = set(range(count + odd))
    with proxy(str(server.http.base_url).rstrip("/"), weather) as host:
        wanted = Wanted(host, user, count, odd > 0, timeout)
        with sdk.sending(wanted) as loaded:
            eventually(lambda: weather.answered >= numbers | {IDENTIFY})
    return events_of(server, user), {address.replace(host, "proxy") for address in loaded}


@each_sdk
def test_every_event_arrives_once(server: Running, sdk: Sdk) -> None:
    """Of five batches one passes, one loses its answer, one is put off, one waits, one never gets there."""
    weather = Weather(first_time(CUT, BUSY, SLOW, RESET, PASS))
    events, loaded = driven(server, sdk, weather, sdk.many)
    assert_each_once(events, set(range(sdk.many)))
    assert all(weather.met(fate) for fate in (CUT, BUSY, SLOW, RESET, PASS))
    assert {"identify", "track"} == {each["type"] for each in events}
    assert {address.partition("/")[0] for address in loaded} <= {"proxy"}


@each_sdk
def test_a_lost_answer_and_another_id_are_two_events(server: Running, sdk: Sdk) -> None:
    """The control of the ids: were they not looked at, each event of a cut request would be there twice."""

    def under_other_ids(text: bytes) -> bytes:
        return _ID.sub(lambda _: b'"messageId":"%s"' % uuid.uuid4().hex.encode(), text)

    weather = Weather(first_time(CUT), under_other_ids)
    events, _ = driven(server, sdk, weather, 20)
    with pytest.raises(AssertionError, match=r"\d+: 2"):
        assert_each_once(events, set(range(20)))


@each_sdk
def test_what_is_refused_is_lost(server: Running, sdk: Sdk) -> None:
    """The control of the answer: for a 400 in the place of the 503 the SDK throws its events away."""
    weather = Weather(first_time(REFUSE))
    events, _ = driven(server, sdk, weather, 20)
    with pytest.raises(AssertionError, match="19"):
        assert_each_once(events, set(range(20)))


@pytest.mark.parametrize("sdk", PROGRAMS, ids=lambda sdk: sdk.name)
def test_an_answer_that_comes_too_late(server: Running, sdk: Sdk) -> None:
    """The SDK has given up waiting. rudder-sdk-node then sends nothing again."""
    weather = Weather(first_time(SLOW), slow_seconds=4)
    events, _ = driven(server, sdk, weather, 15, timeout=2)
    assert_each_once(events, set(range(15)))
    assert weather.met(PASS) or sdk.name == "rudder-node"


@each_sdk
def test_odd_values_harm_nobody(server: Running, sdk: Sdk) -> None:
    """NaN, infinities, integers of 400 digits, halves of characters, and 200 KB among healthy events."""
    weather = Weather()
    held = len(server.control("quarantine list", state="open"))
    events, _ = driven(server, sdk, weather, 20, odd=6)
    assert_each_once(events, set(range(26)))
    values = {
        each["properties"]["n"]: each["properties"].get("value")
        for each in events
        if each.get("name") == "Odd"
    }
    assert (values[20], values[21], values[24]) == (None, None, "\ufffd")
    assert values[25] == {"deep": [None, "\ufffd"]}
    sent_large = sum(b'"Large"' in post.text for _, post in weather.record)
    assert sent_large or sdk.name.startswith("segment-python"), "this SDK sends large events"
    assert len(server.control("quarantine list", state="open")) == held + bool(sent_large)


@each_sdk
def test_a_strict_reader_would_lose_the_healthy_ones(server: Running, sdk: Sdk) -> None:
    """The control of the lenient second reading."""

    def strict(post: Post) -> str:
        try:
            msgspec.json.decode(post.text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return REFUSE
        return PASS

    weather = Weather(strict)
    events, _ = driven(server, sdk, weather, 20, odd=6)
    assert weather.met(REFUSE)
    with pytest.raises(AssertionError, match=r"2[45]"):
        assert_each_once(events, set(range(26)))


def test_a_page_that_sends_by_beacon(server: Running) -> None:
    """A beacon hears of no answer, so there is nothing to be sent again: here nothing goes wrong."""
    sdk = Sdk("rudder-js-beacon", ("node", "chromium"), 20, "rudder.html", (("beacon", True),))
    weather = Weather()
    events, _ = driven(server, sdk, weather, 20)
    assert_each_once(events, set(range(20)))
    assert weather.paths == {"/beacon/v1/batch"}


@pytest.mark.torture
@pytest.mark.parametrize("sdk", PROGRAMS, ids=lambda sdk: sdk.name)
def test_a_hundred_thousand_events_with_a_fifth_of_the_answers_lost(server: Running, sdk: Sdk) -> None:
    """Of all five together."""
    count = 25_000 if "python" in sdk.needs else 12_500
    weather = Weather(first_time(CUT, PASS, PASS, PASS, PASS))
    events, _ = driven(server, sdk, weather, count)
    assert_each_once(events, set(range(count)))
    assert weather.met(CUT)
