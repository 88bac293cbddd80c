"""On the demo's real data, the plain meaning of every condition gives the members that SQL gives."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import duckdb
import pytest

from segue.domain.event import Event
from segue.domain.time import parse_instant
from segue.language.interpret import Definition, Person, Rules, membership
from segue.segments.workspace import Workspace, load_workspace
from tests.project.online_retail_expected import FILE, WORKSPACE, exact, members_at


@cache
def workspace() -> Workspace:
    return load_workspace(WORKSPACE)


@cache
def conditions() -> list[Definition]:
    return [
        Definition(name, workspace().conditions[name], each.exclusive, each.priority or 0)
        for name, each in workspace().segments.items()
        if name in exact()
    ]


@cache
def people() -> dict[str, Person]:
    """Every customer with all their events; seq is the position in the file."""
    select = (
        "select cast(user_id as varchar), epoch_ms(ts), event, "
        f"{{invoice: invoice, sku: sku, quantity: quantity, amount: amount, country: country}} from '{FILE}'"
    )
    events: dict[str, list[Event]] = defaultdict(list)
    for seq, (user, at, name, properties) in enumerate(duckdb.connect().execute(select).fetchall()):
        events[user].append(Event(seq, 0, "track", name, at, at, properties))
    listed = {name: set(each.users) for name, each in workspace().lists.items()}
    return {
        user: Person(tuple(own), lists=frozenset(name for name, users in listed.items() if user in users))
        for user, own in events.items()
    }


@pytest.mark.parametrize("moment", ["2010-11-15 14:30:00", "2010-12-01"])
def test_the_plain_meaning_agrees_with_sql(moment: str) -> None:
    now = parse_instant(moment)
    assert now is not None
    found: dict[str, list[str]] = {each.name: [] for each in conditions()}
    for user in sorted(people()):
        person = people()[user]
        if not any(event.timestamp <= now for event in person.events):
            continue
        for name, is_member in membership(conditions(), {}, person, now, Rules()).items():
            if is_member:
                found[name].append(user)
    assert found == members_at(moment)
