"""What models say, by row: read many at once it is what each is, and people's words stand above it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segue.engine.feeding.given import given_by
from segue.engine.feeding.predictions import Predictions, read_all
from segue.engine.program.compile import compile_definitions
from segue.language.interpret import Definition, Replacement, Rules
from segue.log.said import CLUSTER, NOTHING, SCORE, Said
from tests.strategies.conditions import predicted
from tests.strategies.vocabulary import zones

MODEL = (SCORE, "churn")
values = st.sampled_from((None, 0, 0.5, 2.5, 0.1, 1.0, 2, -1, 5e-7, 1.5e-6, 1e-9, 9e12, 3))
groups = st.sampled_from((None, "shoes", "x", "", "ünï", "1"))


@given(st.data(), zones)
def test_many_at_once_are_read_as_each_is(data: st.DataObject, zone: ZoneInfo) -> None:
    """The column of every question about a model, over everything that a model may say."""
    condition = data.draw(predicted(zone))
    compiled = compile_definitions([Definition("asked", condition)], Rules(zone))
    for gives, name, said in ((SCORE, "churn", values), (CLUSTER, "habits", groups)):
        each = [Said.of_one((gives, name), row, data.draw(said)) for row in range(4)]
        labels = tuple(dict.fromkeys(label for one in each for label in one.labels))
        whole = Said(
            gives,
            name,
            np.arange(4, dtype=np.int32),
            np.array(
                [labels.index(one.labels[0]) if one.labels else int(one.values[0]) for one in each], np.int64
            ),
            labels,
        )
        for given_column in given_by(compiled, gives, zone).get(name, ()):
            expected = [given_column.reader(whole.json(value)) for value in whole.values.tolist()]
            assert read_all(given_column, whole).tolist() == expected


def test_labels_keep_their_meaning_when_a_later_version_orders_them_otherwise() -> None:
    predictions = Predictions()
    rows = np.arange(3, dtype=np.int32)
    predictions.write(Said(CLUSTER, "habits", rows, np.array([0, 1, NOTHING], np.int64), ("a", "b")))
    predictions.write(Said(CLUSTER, "habits", rows[:1], np.array([2], np.int64), ("c", "b", "a")))
    found = [predictions.said((CLUSTER, "habits"), row) for row in range(4)]
    assert found == ["a", "b", None, None]


def test_a_word_stands_until_its_end_and_a_later_one_replaces_it() -> None:
    predictions = Predictions()
    predictions.write(Said.of_one(MODEL, 5, 0.25))
    predictions.replace(5, MODEL, Replacement(0.75, 100), 0)
    predictions.replace(5, MODEL, Replacement(0.9, 200), 0)
    assert predictions.heard(MODEL, 5) == 0.9
    assert predictions.next_ending() == 100
    assert predictions.ended() is None, "the first word stands no more"
    assert predictions.heard(MODEL, 5) == 0.9
    assert predictions.ended() == (5, MODEL)
    assert (predictions.heard(MODEL, 5), predictions.of(5)) == (0.25, {MODEL: 0.25})
    assert predictions.next_ending() is None


def test_what_is_saved_is_restored() -> None:
    predictions = Predictions()
    predictions.write(Said.of_one(MODEL, 5, 0.25))
    predictions.write(Said.of_one((CLUSTER, "habits"), 2, "x"))
    predictions.replace(5, MODEL, Replacement(0.75, 100, "dana", "why"), 0)
    other = Predictions()
    words = [(row, model, word) for row, held in predictions.words.items() for model, word in held.items()]
    other.restore(predictions.saved(), words)
    for row in range(8):
        assert other.of(row) == predictions.of(row)
        assert other.said_of(row) == predictions.said_of(row)
    assert other.next_ending() == 100
