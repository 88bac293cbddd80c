"""What would hold if something came now is tried aside: nothing of it is left. The laws of
:mod:`tests.experiences.test_law` hold the answers to the interpreter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.domain.event import Event
from segue.domain.time import DAY, MINUTE
from segue.engine.kernel import layout as k
from segue.engine.kernel.table import free_pairs, pairs_moved
from segue.engine.state.aside import mixed
from segue.engine.supposing import may_be_supposed, supposed
from segue.ingest.decode import decode_events
from segue.service.service import Service

SEGMENTS = {
    "viewer": 'count("View", last 7d) >= 2',
    "curious": 'distinct("View".sku) >= 3',
    "faithful": 'days("View") >= 2',
    "silent": 'since(last("View")) > 3d',
    "stepped": 'sequence("View" then "Buy", within 1h) >= 1',
    "settled": "count(any, this session) >= 3",
    "newest": 'latest("View".sku) == "c"',
    "fresh": "count(any) == 1",
    "reader": 'count(page where path == "/sale") >= 1',
    "both": 'segment("viewer") and not segment("fresh")',
}
words = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(words.filter(lambda home: home >= 0), words), min_size=1, max_size=40, unique=True))
def test_the_hash_is_that_of_the_kernel(pairs: list[tuple[int, int]]) -> None:
    table = free_pairs(128)
    pairs_moved(np.array([(home, value, 1) for home, value in pairs], k.COUNTED), table)
    for home, value in pairs:
        slot = mixed(home, value) & 127
        while (int(table["home"][slot]), int(table["value"][slot])) != (home, value):
            assert int(table["home"][slot]) != -1
            slot = (slot + 1) & 127


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "segments").mkdir()
    texts = (
        f"- segment: {name}\n  owner: o@x\n  description: W.\n  when: '{when}'\n"
        for name, when in SEGMENTS.items()
    )
    (tmp_path / "segments" / "all.yaml").write_text("".join(texts))
    with Service.open(tmp_path, tmp_path / "data") as opened:
        yield opened


def take(service: Service, at: int, user: str, event: str, **properties: object) -> None:
    body = {
        "type": "track",
        "userId": user,
        "event": event,
        "messageId": f"{user}{at}",
        "properties": properties,
    }
    with service.core.gate:
        raw = json.dumps(body).encode()
        batch = service.core.intake.accept(decode_events([raw]), "tests", service.log.next_seq, at).batch
        service.core.append([batch], [])


def came(name: str, at: int, kind: str = "track", **properties: object) -> Event:
    return Event(10**9, 0, kind, name, at, at, properties)


def if_came(service: Service, user: str, now: int, *events: Event) -> set[str]:
    row = service.row_of(user)
    events = tuple(replace(event, seq=event.seq + number) for number, event in enumerate(events))
    assert may_be_supposed(service.engine, events, now)
    return set(supposed(service.engine, row, events, now)) & SEGMENTS.keys()


def test_it_is_as_if_they_had_come_and_they_have_not(service: Service) -> None:
    for number, sku in enumerate("ab"):
        take(service, DAY * number + MINUTE, "ann", "View", sku=sku)
    take(service, 2 * DAY, "bob", "View", sku="b")
    state = service.engine.machine.state
    before = [np.copy(part) for part in state]
    now = 2 * DAY + 1
    assert if_came(service, "ann", now) == {"viewer", "faithful", "both"}
    third = came("View", now, sku="c")
    assert if_came(service, "ann", now, third) == {"viewer", "curious", "faithful", "newest", "both"}
    bought = [third, came("Buy", now)]
    assert "stepped" in if_came(service, "ann", now, *bought)
    assert "settled" in if_came(service, "ann", now, *bought, third)
    assert "reader" in if_came(service, "ann", now, came("Sale", now, "page", path="/sale"))
    assert if_came(service, "nobody", now, third) == {"newest", "fresh"}
    for part, was in zip(state, before, strict=True):
        np.testing.assert_array_equal(part, was)
    assert service.engine.machine.state is state


def test_what_falls_due_until_then_has_fallen_due(service: Service) -> None:
    take(service, MINUTE, "ann", "View", sku="a")
    take(service, MINUTE + 1, "ann", "View", sku="a")
    assert if_came(service, "ann", MINUTE + 1) == {"viewer", "both"}
    assert if_came(service, "ann", MINUTE + 4 * DAY) == {"viewer", "silent", "both"}
    assert if_came(service, "ann", MINUTE + 8 * DAY) == {"silent"}
    assert if_came(service, "ann", MINUTE + 8 * DAY, came("View", MINUTE + 8 * DAY, sku="a")) == {"faithful"}


@pytest.mark.parametrize("kind", ["identify", "group", "alias"])
def test_events_that_tell_who_someone_is_are_not_for_it(service: Service, kind: str) -> None:
    assert not may_be_supposed(service.engine, [came("", MINUTE, kind)], MINUTE)
