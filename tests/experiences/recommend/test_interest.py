"""Which items an event tells of: the SQL over the log and the walk over one event agree."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.experiences.recommend.interest import Sight, ids_in, interest_sql

PATHS = ("product_id", "product.id", "products[].product_id", "cart.lines[].item.sku", "skus[]")
KEYS = st.sampled_from(
    ["product_id", "id", "product", "products", "cart", "lines", "item", "sku", "skus", "x"]
)
ids = st.one_of(
    st.text(max_size=5), st.sampled_from(["é", 'a"b', "a\\b", "x" * 256, "x" * 257]),
    st.integers(-(2**65), 2**65), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(),
)  # fmt: skip
values = st.recursive(
    ids, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
)
likely = st.fixed_dictionaries(
    {},
    optional={
        "product_id": ids,
        "product": st.fixed_dictionaries({"id": values}),
        "products": st.lists(st.fixed_dictionaries({"product_id": ids}) | values, max_size=4),
        "cart": st.fixed_dictionaries(
            {
                "lines": st.lists(
                    st.fixed_dictionaries({"item": st.fixed_dictionaries({"sku": ids})}), max_size=3
                )
            }
        ),
        "skus": st.lists(ids, max_size=4),
    },
)
properties = likely | st.dictionaries(KEYS, values, max_size=4)


def by_sql(events: list[dict[str, Any]], sights: list[Sight]) -> list[tuple[int, int, str]]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE e (seq BIGINT, row INTEGER, type VARCHAR, name VARCHAR, timestamp BIGINT,"
            " properties VARCHAR)"
        )
        for seq, each in enumerate(events):
            connection.execute(
                "INSERT INTO e VALUES (?, 7, 'track', 'Seen', ?, ?)", (seq, seq, json.dumps(each))
            )
        rows = connection.execute(interest_sql("e", sights, -1)).fetchall()
    return sorted((seq, sight, item) for seq, row, _, sight, item in rows if row == 7)


@given(st.lists(properties, max_size=4))
def test_sql_and_python_see_the_same_items(events: list[dict[str, Any]]) -> None:
    sights = [Sight("Seen", path, "viewed") for path in PATHS]
    plain = sorted(
        (seq, number, item)
        for seq, each in enumerate(events)
        for number, sight in enumerate(sights)
        for item in ids_in(json.loads(json.dumps(each)), sight.item)
    )
    assert by_sql(events, sights) == plain


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("product_id", ["a"]),
        ("product.id", ["7"]),
        ("products[].product_id", ["b", "c"]),
        ("skus[]", ["d", "8"]),
        ("nothing", []),
        ("product_id[]", []),
    ],
)
def test_what_a_path_means(path: str, found: list[str]) -> None:
    event = {
        "product_id": "a", "product": {"id": 7}, "skus": ["d", 8, None, 1.5, ""],
        "products": [{"product_id": "b"}, {"product_id": True}, {"product_id": "c"}],
    }  # fmt: skip
    assert list(ids_in(event, path)) == found


def test_other_events_and_older_ones_are_not_looked_at() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE e AS SELECT * FROM (VALUES (1, 0, 'track', 'Seen', 10, '{\"i\":\"a\"}'),"
            " (2, 0, 'track', 'Other', 11, '{\"i\":\"b\"}'), (3, 0, 'page', 'Seen', 11, '{\"i\":\"c\"}'),"
            " (4, 0, 'track', 'Seen', 11, '{\"i\":\"d\"}')) v(seq, row, type, name, timestamp, properties)"
        )
        sight = Sight("Seen", "i", "viewed")
        assert connection.execute(interest_sql("e", [sight], 10)).fetchall() == [(4, 0, 11, 0, "d")]
