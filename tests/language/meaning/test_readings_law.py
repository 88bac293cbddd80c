"""Laws: a JSON value reads the same in Python and in DuckDB, under every kind, at every path."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segue.domain.time import day_number, format_instant
from segue.language.reading import present, read, scalar_key, walk
from segue.language.sql import property_sql, scalar_sql
from segue.language.sql.quoting import extract_sql, text_sql
from segue.language.sql.readings import day_of, is_present
from segue.language.tree import Kind
from tests.strategies.vocabulary import MOMENTS, ODD_VALUES, TEXTS, ZONES, json_values

characters = st.characters(exclude_categories=["Cs"])
doubles = st.floats(allow_nan=False, allow_infinity=False)
near_halves = st.builds(lambda whole, off: (whole + 0.5 + off) / 1e6, st.integers(-(10**9), 10**9), doubles)
numerals = st.one_of(
    st.from_regex(r"\A[ \t\n\r]?-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?[ \t\n\r]?\Z"),
    doubles.map(repr),
    st.text(alphabet="0123456789.eE+-_ \u0661", max_size=8),
)
instants = st.one_of(
    st.datetimes().map(lambda at: at.isoformat()),
    st.from_regex(
        r"\A(19[7-9]|20[0-8])[0-9]-[01]?[0-9]-[0-3]?[0-9]"
        r"([Tt ][0-2]?[0-9]:[0-6][0-9](:[0-6][0-9]([.,][0-9]{1,9})?)?"
        r"[ ]?(Z|z|[+-][0-2][0-9](:?[0-9]{2})?)?)?\Z"
    ),
    st.text(alphabet="0123456789-:TZ+. ", max_size=26),
)
values = st.one_of(
    json_values,
    doubles,
    near_halves.filter(math.isfinite),
    st.integers(),
    st.integers(-(2**70), 2**70),
    numerals,
    instants,
    st.text(characters, max_size=6),
    st.lists(json_values, max_size=2),
)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def ask(
    database: duckdb.DuckDBPyConnection, expressions: list[str], found: list[str]
) -> list[tuple[Any, ...]]:
    """The expressions over the JSON texts ``found``, in their order."""
    rows = "SELECT unnest($found) AS j, generate_subscripts($found, 1) AS n"
    sql = f"SELECT {', '.join(expressions)} FROM ({rows}) ORDER BY n"
    return database.execute(sql, {"found": found}).fetchall()


ALL_VALUES = [*ODD_VALUES, *TEXTS, *MOMENTS]


@given(st.lists(values, min_size=1, max_size=40))
@example([*ALL_VALUES])
@example(
    [2**53 + 1, 2**53 + 0.0, -0.0, 0, "-0", 5e-324, 1.7976931348623157e308, 10**309, 0.5e-6, 1.5e-6, 2.5e-6]
)
def test_numbers_texts_truths_and_scalars(database: duckdb.DuckDBPyConnection, drawn: list[Any]) -> None:
    utc = ZoneInfo("UTC")
    kinds = (Kind.NUMBER, Kind.TEXT, Kind.TRUTH)
    expressions = [property_sql(("k",), kind, "j", utc) for kind in kinds]
    expressions += [scalar_sql(("k",), "j"), is_present(extract_sql("j", ("k",)))]
    told = ask(database, expressions, [json.dumps({"k": value}, ensure_ascii=False) for value in drawn])
    for value, row in zip(drawn, told, strict=True):
        plain = (*(read(value, kind, utc) for kind in kinds), scalar_key(value), present(value))
        assert row == plain, repr(value)


@pytest.mark.parametrize("zone", ZONES)
@given(drawn=st.lists(st.one_of(instants, st.sampled_from(ALL_VALUES)), min_size=1, max_size=30))
@example(drawn=ALL_VALUES)
def test_times(database: duckdb.DuckDBPyConnection, zone: str, drawn: list[Any]) -> None:
    where = ZoneInfo(zone)
    found = [json.dumps({"k": value}, ensure_ascii=False) for value in drawn]
    told = ask(database, [property_sql(("k",), Kind.TIME, "j", where)], found)
    for value, row in zip(drawn, told, strict=True):
        assert row[0] == read(value, Kind.TIME, where), repr(value)


@pytest.mark.parametrize("zone", ZONES)
def test_every_half_hour_around_clock_changes(database: duckdb.DuckDBPyConnection, zone: str) -> None:
    """Local times and calendar days of a year, the skipped and the repeated hours among them."""
    where = ZoneInfo(zone)
    moments = [1_767_225_600_000 + hour * 1_800_000 for hour in range(2 * 24 * 366)]
    chosen = sorted(random.Random(7).sample(moments, 4_000))
    local = [format_instant(ms).removesuffix("Z") for ms in chosen]
    told = ask(
        database,
        [property_sql((), Kind.TIME, "j", where), f"{day_of(_epoch('j'), where)} - DATE '1970-01-01'"],
        [json.dumps(text) for text in local],
    )
    for ms, text, (time, day) in zip(chosen, local, told, strict=True):
        assert (time, day) == (read(text, Kind.TIME, where), day_number(ms, where)), text


def _epoch(column: str) -> str:
    return f"epoch_ms(CAST(json_extract_string({column}, '$') AS TIMESTAMP))"


keys = st.one_of(
    st.text(characters, max_size=4),
    st.text(alphabet="*\"'\\./$[]~#0-?%_ @:", max_size=4),
    st.sampled_from("01ko"),
)
trees = st.recursive(
    st.integers(0, 3),
    lambda inner: st.one_of(st.dictionaries(keys, inner, max_size=3), st.lists(inner, max_size=2)),
    max_leaves=6,
)


@st.composite
def walks(draw: st.DrawFn) -> tuple[Any, tuple[str, ...]]:
    """A JSON value and a path that often leads somewhere in it."""
    tree = draw(trees)
    path: list[str] = []
    at = tree
    for _ in range(draw(st.integers(1, 3))):
        known = sorted(at) if isinstance(at, dict) else []
        path.append(draw(st.one_of(st.sampled_from(known), keys) if known else keys))
        at = at.get(path[-1]) if isinstance(at, dict) else None
    return tree, tuple(path)


@given(walks())
@example(({"*": 1, "a": 2}, ("*",)))
@example(({"": {"": 1}}, ("", "")))
@example(([5], ("0",)))
@example(([5], ("-",)))
@example(({"a*b": 1, "axb": 2}, ("a*b",)))
@example(({"\\": 1, '"': 2}, ("\\",)))
def test_paths(database: duckdb.DuckDBPyConnection, drawn: tuple[Any, tuple[str, ...]]) -> None:
    tree, path = drawn
    text = json.dumps(tree, ensure_ascii=False)
    ((told,),) = ask(database, [extract_sql("j", path)], [text])
    assert (None if told is None else json.loads(told)) == walk(tree, path)


@given(st.text(characters))
@example("it's \0 \\ \" $now % _ {} ;--")
def test_text_literals(database: duckdb.DuckDBPyConnection, text: str) -> None:
    assert database.execute(f"SELECT {text_sql(text)}").fetchall() == [(text,)]
