"""Worth: both models in one, and what its features mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.language.checker import check_operand
from segue.language.scope import Scope
from segue.learned.models.value import FEATURES, MEASURES, Value, ValueModel, features_of
from segue.learned.table import Table
from tests.learned.tables import spec_of, table_of

ROWS = np.arange(4)


def learned(measure: str = "amount", table: Table | None = None) -> ValueModel:
    spec = spec_of("value", options={"measure": measure})
    model = Value().learn(spec, table or table_of("value"), None).model
    assert isinstance(model, ValueModel)
    return model


def test_features_are_written_in_the_language() -> None:
    for path in (("revenue",), ("order", "total billed"), None):
        texts = features_of('"Order Completed"', path)
        assert tuple(texts) == FEATURES
        for text in texts.values():
            check_operand(text, Scope())
    assert texts["spent_again"] == '0 * count("Order Completed")'


def test_whoever_never_bought_has_no_score() -> None:
    never = np.array([[0, np.nan, np.nan, 0], [1, 30, 30, 0]])
    for measure in MEASURES:
        assert np.isnan(learned(measure).predict(never, ROWS[:2])).tolist() == [True, False]


def test_an_amount_is_the_number_of_purchases_by_what_each_comes_to() -> None:
    values = table_of("value").values[:50]
    amount, number = learned("amount"), learned("purchases")
    rows = np.arange(50)
    assert amount.spending is not None
    repeats = values[:, 0] - 1
    each = amount.spending.expected(repeats, values[:, 3] / np.maximum(repeats, 1))
    assert amount.predict(values, rows) == pytest.approx(number.predict(values, rows) * each)


def test_chances_lie_where_chances_do() -> None:
    values = table_of("value").values
    alive = learned("alive").predict(values, np.arange(len(values)))
    again = learned("again").predict(values, np.arange(len(values)))
    assert ((again > 0) & (again <= alive) & (alive <= 1)).all()


def test_who_bought_more_lately_is_worth_more() -> None:
    said = learned("purchases").predict(
        np.array([[6, 300, 10, 200], [6, 300, 200, 200], [2, 300, 10, 40.0]]), ROWS[:3]
    )
    assert said[0] > said[1]
    assert said[0] > said[2]


def test_drivers_count_from_the_median_customer() -> None:
    model = learned()
    drivers = model.explain(model.typical[None, :], ROWS[:1])
    assert drivers.contributions == pytest.approx(np.zeros((1, 4)))
    assert drivers.base == pytest.approx(model.predict(model.typical[None, :], ROWS[:1])[0])


def test_only_the_latest_cut_off_is_learned_from() -> None:
    table = table_of("value")
    doubled = replace(table, moments=np.where(np.arange(len(table)) < 600, 0, table.moments))
    latest = table.taken(np.arange(len(table)) >= 600)
    assert learned(table=doubled).document() == learned(table=latest).document()


@pytest.mark.parametrize(("column", "value", "why"), [(0, 1.0, "second time"), (3, 0.0, "second purchase")])
def test_without_repeats_or_amounts_it_cannot_be_learned(column: int, value: float, why: str) -> None:
    table = table_of("value", 200)
    values = table.values.copy()
    values[:, column] = value
    with pytest.raises(SegueError, match=rf"E870.*{why}"):
        learned(table=replace(table, values=values))


def test_without_amounts_purchases_can_be_counted_still() -> None:
    table = table_of("value", 200)
    values = table.values.copy()
    values[:, 3] = 0.0
    assert learned("purchases", replace(table, values=values)).spending is None


def test_an_amount_is_asked_for_only_where_there_is_one() -> None:
    spec = spec_of("value")
    counted = Value().learn(replace(spec, options={}), table_of("value"), None).model
    assert counted.document()["measure"] == "purchases"
    with pytest.raises(SegueError, match=r"E870.*comes to"):
        Value().learn(replace(spec, options={"measure": "amount"}), table_of("value"), None)


@pytest.mark.parametrize(
    "change",
    [
        {"measure": "luck"},
        {"horizon_days": -1},
        {"spending": None},
        {"spending": {"p": 1, "q": 0.9, "v": 1}},
        {"buying": {"r": 1, "alpha": 0, "a": 1, "b": 1}},
        {"typical": [1, 2]},
    ],
)
def test_numbers_that_no_model_has_are_refused(change: dict[str, Json]) -> None:
    with pytest.raises(SegueError, match="E865"):
        Value().read({**learned().document(), **change})
