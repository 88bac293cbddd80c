"""Groups: found, described, explained, and called the same when they are learned again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segue.domain.errors import SegueError
from segue.domain.time import DAY
from segue.learned.grouping import squared_distances
from segue.learned.model import Learned, Model
from segue.learned.models.clusters import ClusterModel, Clusters
from segue.learned.table import Table
from tests.learned.tables import spec_of, table_of


def learned(table: Table, groups: int = 4, before: Model | None = None) -> Learned:
    return Clusters().learn(spec_of("clusters", "cluster", {"groups": groups}), table, before)


def model_of(found: Learned) -> ClusterModel:
    assert isinstance(found.model, ClusterModel)
    return found.model


def said(model: Model, table: Table) -> list[str]:
    places = model.predict(table.values, table.rows.astype(np.int64))
    return [model.labels[int(place)] for place in places]


def test_each_group_is_described_as_it_is() -> None:
    table = table_of("clusters")
    found = learned(table)
    labels = np.array(said(found.model, table))
    assert [each["size"] for each in found.groups] == sorted(
        (each["size"] for each in found.groups), reverse=True
    )
    for group in found.groups:
        inside = labels == group["label"]
        assert group["size"] == inside.sum()
        assert group["share"] == pytest.approx(inside.mean())
        orders = table.values[inside, 0]
        # The centre is the mean of the logarithms, in orders.
        assert group["centre"]["orders"] == pytest.approx(np.expm1(np.log1p(orders).mean()))
        assert group["rule"]["precision"] > 0.5


def test_labels_are_kept_when_people_come_and_go() -> None:
    table = table_of("clusters", 2_000)
    first = learned(table.taken(np.arange(2_000) < 1_500), 5)
    again = learned(table, 5, first.model)
    assert set(again.model.labels) == set(first.model.labels)
    same = np.array(said(first.model, table)) == np.array(said(again.model, table))
    assert same.mean() > 0.95
    assert again.metrics["moved_by_retraining"] == pytest.approx(1 - same.mean())


def test_a_group_more_gets_a_name_of_its_own_and_one_less_loses_its() -> None:
    table = table_of("clusters")
    four = learned(table).model
    five = learned(table, 5, four).model
    assert set(four.labels) < set(five.labels)
    three = learned(table, 3, four).model
    assert set(three.labels) < set(four.labels)


def test_labels_begin_anew_when_features_are_gone() -> None:
    table = table_of("clusters")
    before = replace(model_of(learned(table)), features=("orders", "gone"), labels=("a", "b", "c", "d"))
    assert set(learned(table, before=before).model.labels).isdisjoint({"a", "b", "c", "d"})


def test_drivers_are_by_how_much_nearer_the_own_centre_is() -> None:
    table = table_of("clusters")
    model = model_of(learned(table))
    distances = np.sort(squared_distances(model.scaling.points(table.values), model.centroids), axis=1)
    drivers = model.explain(table.values, table.rows.astype(np.int64))
    assert drivers.contributions.sum(axis=1) == pytest.approx(distances[:, 1] - distances[:, 0])


def test_only_the_latest_cut_off_is_learned_from() -> None:
    table = table_of("clusters")
    old = replace(table, moments=np.where(np.arange(len(table)) < 600, 1 * DAY, table.moments))
    latest = table.taken(np.arange(len(table)) >= 600)
    assert learned(old).model.document() == learned(latest).model.document()


def test_groups_that_are_chance_are_told_so() -> None:
    table = table_of("clusters", 400)
    random = np.random.default_rng(2)
    noise = replace(table, values=random.standard_normal(table.values.shape))
    (note,) = learned(noise, 9).notes
    assert "not steady" in note
    assert learned(table_of("clusters"), 2).notes == ()


def test_fewer_people_than_groups_are_refused() -> None:
    table = table_of("clusters", 50)
    alike = replace(table, values=np.ones_like(table.values))
    with pytest.raises(SegueError, match="E871"):
        learned(alike)
