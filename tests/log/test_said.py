"""What models say is logged and read back as it was, and means what each number means by itself."""

from __future__ import annotations

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segue.domain.number import micro, micro_of
from segue.engine.kernel.layout import MISSING
from segue.log.said import CLUSTER, NOTHING, SCORE, Said, json_of, micros_of

doubles = st.one_of(
    st.floats(), st.sampled_from((0.0, -0.0, 5e-7, 1.5e-6, 2.5e-6, 9e12, -9e12, 9.1e12, math.nan, math.inf))
)
rows = st.lists(st.integers(0, 2**31 - 1), unique=True, max_size=30)


def test_nothing_is_what_the_kernel_takes_for_missing() -> None:
    assert NOTHING == MISSING


@given(st.lists(doubles, max_size=30))
def test_many_numbers_are_what_each_is(values: list[float]) -> None:
    found = micros_of(np.array(values, np.float64))
    assert found.tolist() == [NOTHING if micro(each) is None else micro(each) for each in values]


@given(rows, st.data())
def test_scores_come_back(chosen: list[int], data: st.DataObject) -> None:
    values = data.draw(st.lists(doubles, min_size=len(chosen), max_size=len(chosen)))
    said = Said.scores("churn", np.array(chosen, np.int32), np.array(values, np.float64), 7)
    again = Said.of_body(json.loads(json.dumps(said.to_body())))
    assert (again.key, again.version, again.labels) == ((SCORE, "churn"), 7, ())
    assert again.rows.tolist() == chosen
    assert again.values.tolist() == said.values.tolist()


@given(st.lists(st.sampled_from((NOTHING, 0, 1, 2)), max_size=9))
def test_clusters_come_back(values: list[int]) -> None:
    chosen = np.arange(len(values), dtype=np.int32)
    said = Said(CLUSTER, "habits", chosen, np.array(values, np.int64), ("ünï", "", "x"))
    again = Said.of_body(json.loads(json.dumps(said.to_body())))
    assert [again.json(value) for value in again.values.tolist()] == [
        None if value == NOTHING else ("ünï", "", "x")[value] for value in values
    ]


@given(doubles)
def test_a_score_as_json_is_the_same_score(value: float) -> None:
    total = micro(value)
    if total is not None and abs(value) < 1e9:
        assert micro_of(json_of(total, None)) == total


def test_one_value_is_said_of_one_row() -> None:
    for value, expected in ((0.5, 500_000), ("0.5", 500_000), ("x", NOTHING), (None, NOTHING)):
        assert Said.of_one((SCORE, "churn"), 3, value).values.tolist() == [expected]
    assert Said.of_one((CLUSTER, "habits"), 3, None).values.tolist() == [NOTHING]
    assert Said.of_one((CLUSTER, "habits"), 3, "x").json(0) == "x"
