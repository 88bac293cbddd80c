"""The contract of model kinds, crossed with every kind there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.learned.model import Model, ModelKind
from segue.learned.models import KINDS
from segue.learned.spec import ModelSpec
from segue.learned.table import Table
from tests.learned.served import serving
from tests.learned.tables import spec_of, table_of

GIVES = {"clusters": "cluster"}
ELSEWHERE = frozenset(word for word, kind in KINDS.items() if kind.learns_from == "elsewhere")


@dataclass
class Case:
    """A kind, what it learned from, and what it learned."""

    kind: ModelKind
    spec: ModelSpec
    table: Table
    model: Model

    @property
    def rows(self) -> np.ndarray:
        return self.table.rows.astype(np.int64)

    @property
    def document(self) -> dict[str, Json]:
        """What the registry keeps: as text, and back."""
        found: dict[str, Json] = json.loads(json.dumps(self.model.document(), allow_nan=False))
        return found

    def said(self, values: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        return self.model.predict(values, self.rows[: len(values)] if rows is None else rows)


def weighing(asked: Json) -> tuple[int, Json]:
    """A model that is served elsewhere; it says nothing of whoever has no orders."""
    return 200, {
        "scores": [None if row[0] is None else 1 / (1 + row[0] + (row[1] or 0)) for row in asked["rows"]]
    }


def telling(asked: Json) -> tuple[int, Json]:
    """The same, which also tells why."""
    status, answer = weighing(asked)
    if "explain" not in asked:
        return status, answer
    parts = [
        None
        if said is None
        else [said / 2] + [(said / 2 - 0.25) / (len(asked["features"]) - 1)] * (len(row) - 1)
        for said, row in zip(answer["scores"], asked["rows"], strict=True)
    ]
    return status, {**answer, "base": 0.25, "contributions": parts}


@pytest.fixture(scope="module", params=[*sorted(KINDS), "remote telling"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    word, _, why = request.param.partition(" ")
    with serving(telling if why else weighing) as served:
        options = {"url": served.url, "private_targets": "127.0.0.0/8"} if word == "remote" else {}
        spec, table = spec_of(word, GIVES.get(word, "score"), options), table_of(word)
        yield Case(KINDS[word], spec, table, KINDS[word].learn(spec, table, None).model)


def test_a_kind_says_what_it_gives(case: Case) -> None:
    assert bool(case.model.labels) is (case.kind.gives == "cluster")
    assert len(set(case.model.labels)) == len(case.model.labels)
    assert set(case.model.features) <= set(case.table.features)


def test_the_same_data_gives_the_same_model(case: Case) -> None:
    again = case.kind.learn(case.spec, case.table, None).model
    assert json.dumps(again.document()) == json.dumps(case.model.document())


def test_a_model_is_the_same_after_it_was_kept(case: Case) -> None:
    again = case.kind.read(case.document)
    assert (again.features, again.labels) == (case.model.features, case.model.labels)
    assert np.array_equal(
        again.predict(case.table.values, case.rows), case.said(case.table.values), equal_nan=True
    )
    assert json.dumps(again.document()) == json.dumps(case.document)


def test_scores_tell_people_apart(case: Case) -> None:
    said = case.said(case.table.values)
    assert said.shape == (len(case.table),)
    if case.kind.word == "upload":
        assert np.isnan(said).all()
    else:
        assert np.isfinite(said).all()
        assert len(np.unique(said)) > 3


def test_one_row_alone_is_scored_as_among_others(case: Case) -> None:
    together = case.said(case.table.values[:40])
    alone = [case.said(case.table.values[at : at + 1], case.rows[at : at + 1])[0] for at in range(40)]
    assert alone == pytest.approx(together.tolist(), rel=1e-12, nan_ok=True)


def test_nobody_is_scored_as_nobody(case: Case) -> None:
    assert case.said(case.table.values[:0], case.rows[:0]).shape == (0,)
    assert case.model.explain(case.table.values[:0], case.rows[:0]).contributions.shape[0] == 0


def test_a_user_who_was_never_seen_is_scored_by_what_is_known_of_them(case: Case) -> None:
    if case.kind.word == "upload":
        return
    newcomers = np.arange(1, 6) * 1_000_003
    assert np.isfinite(case.said(case.table.values[:5], newcomers)).all()


def test_whoever_lacks_everything_has_no_score(case: Case) -> None:
    nothing = np.full((2, case.table.values.shape[1]), np.nan)
    assert np.isnan(case.said(nothing)).all()
    assert np.isnan(case.said(np.full_like(nothing, np.inf))).all() or case.kind.word == "remote"


def test_a_feature_that_nobody_lacked_is_never_guessed(case: Case) -> None:
    lacking = case.table.values[:6].copy()
    lacking[:3, 0] = np.nan
    said = case.said(lacking)
    assert np.isnan(said[:3]).all()
    assert np.isfinite(said[3:]).all() or case.kind.word == "upload"


def test_a_feature_that_some_lacked_may_be_missing(case: Case) -> None:
    if "age" not in case.model.features or case.kind.word in ELSEWHERE:
        return
    lacking = case.table.values[:6].copy()
    lacking[:, case.table.features.index("age")] = np.nan
    assert np.isfinite(case.said(lacking)).all()


def test_what_is_predicted_from_is_left_alone(case: Case) -> None:
    values = case.table.values[:9].copy()
    case.said(values)
    case.model.explain(values, case.rows[:9])
    assert np.array_equal(values, case.table.values[:9], equal_nan=True)


def test_drivers_sum_to_the_score(case: Case) -> None:
    drivers = case.model.explain(case.table.values, case.rows)
    assert drivers.contributions.shape == (len(case.table), len(case.model.features))
    assert drivers.typical.shape == (len(case.model.features),)
    total = drivers.base + drivers.contributions.sum(axis=1)
    assert np.isfinite(total).any() is np.bool_(case.model.explains)
    if not case.model.explains:
        assert np.isnan(total).all()
    elif case.kind.gives == "cluster":
        # The margin over the next group: whoever is in a group is nearest to it.
        assert (total >= 0).all()
    else:
        said = case.said(case.table.values)
        raw = np.log(said / (1 - said)) if drivers.link == "logit" else said
        assert total == pytest.approx(raw, abs=1e-6)


def test_whoever_has_no_score_has_no_drivers(case: Case) -> None:
    nothing = np.full((2, case.table.values.shape[1]), np.nan)
    drivers = case.model.explain(nothing, case.rows[:2])
    assert np.isnan(drivers.base + drivers.contributions.sum(axis=1)).all()


def damaged(document: Json, told: str = "") -> Iterator[tuple[str, Json]]:
    """The document with one thing in it taken out, or put in the place of a number, wherever there is one."""
    inner = document.items() if isinstance(document, dict) else enumerate(document[:2])
    for key, value in inner:
        for what, other in (("none", None), ("text", "x"), ("list", [])):
            if other != value:
                yield f"{told}.{key} {what}", _with(document, key, other)
        if isinstance(document, dict):
            yield f"{told}.{key} gone", {each: document[each] for each in document if each != key}
        if isinstance(value, dict | list) and value:
            for where, below in damaged(value, f"{told}.{key}"):
                yield where, _with(document, key, below)


def _with(document: Json, key: Any, value: Json) -> Json:
    changed = deepcopy(document)
    changed[key] = value
    return changed


def test_a_damaged_document_is_refused_or_says_the_same(case: Case) -> None:
    expected, values = case.said(case.table.values[:20]), case.table.values[:20]
    refused = 0
    for where, document in damaged(case.document):
        model = read_or_refused(case.kind, document)
        refused += model is None
        if model is not None and case.kind.word not in ELSEWHERE:
            assert np.array_equal(model.predict(values, case.rows[:20]), expected, equal_nan=True), where
    assert refused >= 2


def read_or_refused(kind: ModelKind, document: Json) -> Model | None:
    try:
        return kind.read(document)
    except SegueError as error:
        if error.diagnostics[0].code != "E865":
            raise
        return None
