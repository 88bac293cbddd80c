"""Laws of the data set: features know nothing of later, live ones are the same, labels are what came.

      all received by the cut-off      (cut-off, cut-off + horizon]
────────────────────────────────────┼─────────────────────────────┼──────►
          features, as of here   cut-off     labels, as known now
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from segue.domain.event import Json
from segue.domain.number import MICRO
from segue.domain.time import DAY, HOUR, parse_instant
from segue.language import tree
from segue.language.interpret import Person, Rules, holds, value
from segue.language.interpret.changes import World
from segue.learned.dataset import History, labelled, table_at
from segue.learned.features import matrix
from segue.learned.spec import FeatureSpec, ModelSpec
from segue.learned.table import Table
from segue.service.service import Service
from tests.service.driven import raws
from tests.strategies import FRESH
from tests.strategies.histories import Step, histories
from tests.strategies.resolver import Resolver

LAW = settings(
    max_examples=int(os.environ.get("SEGUE_CASES", "20")),
    deadline=None,
    backend=FRESH,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=(Phase.explicit, Phase.generate),
)
MODEL = """
model: m
owner: tests@segue.example
description: All that a feature can be.
kind: propensity
target: count("Bought", next 2d) > 0
population: count("Viewed") >= 0
features:
  bought: count("Bought")
  lately: count("Viewed", last 1d)
  spent: sum("Viewed".n)
  spent_lately: sum("Viewed".n, last 2d)
  mean: avg("Viewed".n)
  least: min("Viewed".n, last 7d)
  most: max("Viewed".n)
  kinds: distinct("Viewed".s)
  days: days("Viewed")
  since_last: since(last("Viewed"))
  first: first(any)
  number: trait.n
  newest: latest("Viewed".n)
  named: trait.s == "x"
  busy: count("Viewed", last 1d) > 1 and not segment("buyers")
  rate: sum("Viewed".n) / count("Viewed")
  both: sequence("Viewed" then "Bought", within 1d)
  sessions: sessions(last 7d)
  until: until(trait.t)
"""
SEGMENT = """
segment: buyers
owner: tests@segue.example
description: Bought once.
when: count("Bought") > 0
"""
HORIZON = 2 * DAY


def folder_of(at: Path) -> Path:
    for name, text in (("models", MODEL), ("segments", SEGMENT)):
        (at / name).mkdir(parents=True)
        (at / name / "all.yaml").write_text(text, encoding="utf-8")
    (at / "segue.yaml").write_text("timezone: Europe/Berlin\n", encoding="utf-8")
    return at


class Log:
    """A service that was shown some events, and what the plain interpreter makes of them."""

    def __init__(self, folder: Path, steps: list[Step]) -> None:
        self.service = Service.open(folder_of(folder / "ws"), folder / "data")
        # As an import takes them: who is who follows from the order in which it was learned.
        self.steps = sorted(steps, key=received)
        if steps:
            path = folder / "events.jsonl"
            path.write_bytes(b"".join(raw + b"\n" for raw in raws(self.steps)))
            self.service.import_file(path, None, "tests", lambda _done, _total: None)

    @property
    def spec(self) -> ModelSpec:
        return self.service.workspace.model_specs["m"]

    @property
    def history(self) -> History:
        return History(self.service.engine, self.service.engine.evaluated_seq)

    def ids(self, table: Table) -> list[str]:
        """Whom the lines are about, by the ids that they had then."""
        return [self.service.core.intake.identity.ids[row] for row in table.rows.tolist()]

    def world(self, until: int) -> tuple[World, Resolver]:
        """The plain truth of what was received by a moment, at that moment."""
        resolver, rules = Resolver(), self.service.rules
        world = World((), rules)
        for step in self.steps:
            found = resolver.take(step)
            if found is not None and found.received_at <= until:
                world.take(found)
        world.advance(until)
        return world, resolver


def by_id(log: Log, table: Table) -> dict[str, list[float | None]]:
    """The features of each profile, None for missing."""
    rows = [[None if math.isnan(each) else each for each in line] for line in table.values.tolist()]
    return dict(zip(log.ids(table), rows, strict=True))


def plain(feature: FeatureSpec, person: Person, now: int, rules: Rules) -> float | None:
    """What the interpreter says of a feature, in the feature's unit."""
    node = feature.tree
    if isinstance(node, tree.Condition):
        answering = person.answering({"buyers": any(each.name == "Bought" for each in person.events)})
        return float(holds(node, answering, now, rules))
    found: Json = value(node, person, now, rules)
    if found is None:
        return None
    if isinstance(node, tree.Elapsed):
        return float(found) / DAY
    if isinstance(node, tree.Aggregate) and node.name in ("last", "first"):
        return float(now - found) / DAY
    return found / MICRO if isinstance(found, int) else float(found)


def alike(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def received(step: Step) -> int:
    found = parse_instant(step[1]["receivedAt"])
    assert found is not None
    return found


def cut_off_of(steps: list[Step], count: int, later: int) -> int:
    """A moment such that what was received by then is all that the log held at some time."""
    moments = list(map(received, steps))
    found = (sorted(moments)[min(count, len(moments) - 1)] if moments else 0) + later
    before = [moment <= found for moment in moments]
    assume(before == sorted(before, reverse=True))
    return found


only_events = histories(steps_max=24).map(lambda steps: [step for step in steps if step[0] == "event"])


@LAW
@given(only_events, st.integers(0, 24), st.sampled_from((0, 1, HOUR, DAY)))
def test_later_events_change_no_feature(steps: list[Step], count: int, later: int) -> None:
    cut_off = cut_off_of(steps, count, later)
    known = [step for step in steps if received(step) <= cut_off]
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Log(Path(folder) / "whole", steps), Log(Path(folder) / "part", known)
        with whole.service, part.service:
            then = by_id(whole, table_at(whole.spec, whole.history, cut_off))
            assert then == by_id(part, table_at(part.spec, part.history, cut_off))


@LAW
@given(only_events, st.integers(0, 24), st.sampled_from((0, 1, HOUR, DAY)))
def test_features_and_labels_are_what_the_interpreter_says(steps: list[Step], count: int, later: int) -> None:
    cut_off = cut_off_of(steps, count, later)
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder), steps)
        with log.service:
            (table,) = labelled(log.spec, log.history, [cut_off])
            world, resolver = log.world(cut_off)
            assert sorted(log.ids(table)) == sorted(resolver.ids[row] for row in world.events)
            _features_agree(log, table, world, cut_off)
            _labels_agree(log, table, cut_off)


def _features_agree(log: Log, table: Table, world: World, cut_off: int) -> None:
    people = {log_id: row for row, log_id in enumerate(_ids(log))}
    for place, who in enumerate(log.ids(table)):
        person = world.person(people[who])
        for column, feature in enumerate(log.spec.features):
            got = table.values[place, column]
            expected = plain(feature, person, cut_off, log.service.rules)
            assert alike(None if np.isnan(got) else float(got), expected), (who, feature.name, got, expected)


def _labels_agree(log: Log, table: Table, cut_off: int) -> None:
    """By a loop over everybody's events, wherever they count now."""
    now = log.service.engine.now
    world, resolver = log.world(now)
    events_of = {resolver.ids[row]: events for row, events in world.events.items()}
    identity = log.service.core.intake.identity
    for place, row in enumerate(table.rows.tolist()):
        events = events_of.get(identity.user_id(identity.survivor(row)), [])
        came = [
            each
            for each in events
            if each.name == "Bought" and cut_off < each.timestamp <= min(cut_off + HORIZON, now)
        ]
        assert table.labels[place] == float(bool(came))


def _ids(log: Log) -> list[str]:
    resolver = Resolver()
    for step in log.steps:
        resolver.take(step)
    return list(resolver.ids)


@LAW
@given(only_events, st.sampled_from((0, 1, HOUR, DAY)))
def test_live_features_are_those_of_the_data_set(steps: list[Step], later: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder), steps)
        with log.service:
            engine = log.service.engine
            engine.advance(engine.now + later if steps else 0)
            table = table_at(log.spec, log.history, engine.now)
            live = matrix(engine, log.spec, table.rows)
            np.testing.assert_array_equal(live, table.values)


def test_the_features_are_of_every_form() -> None:
    """So that the laws above say something of each way in which a value is read."""
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder), [])
        with log.service:
            units: Mapping[str, Any] = {each.name: each.unit for each in log.spec.features}
    assert {units[name] for name in ("bought", "since_last", "named")} == {"", "days", "truth"}
    assert len(units) == 19
