"""The slots of many events at once are those of each event alone, however its properties are spelled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.domain.event import TYPES
from segue.domain.number import micro_of
from segue.engine.feeding.slots import SlotReader, decoded_slots
from segue.engine.kernel.layout import MISSING
from segue.engine.program.codes import Code
from segue.engine.program.compile import compile_definitions
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Rules
from segue.language.scope import Scope
from segue.log.batch import EventBatch, LazyBodies
from segue.log.lane.cuts import put_together
from segue.log.lane.paths import UNREAD, read_micros

CONDITIONS = (
    'sum("E".a) > 5',
    'max("E".b.c) > 5',
    'distinct("E".a) > 1',
    'distinct("E".b) > 1',
    'latest("E".a) == "x"',
    'latest("E".b.c) == 1',
    'latest("E".a) contains "x" and latest("E".a) > 3',
    'earliest("E".d) > 2026-01-01',
    'count("E" where a > 1) > 1',
    'count("E" where a != 2) > 1',
    'count("E" where a == "x") > 1',
    'count("E" where a > b.c) > 1',
    'count("E" where a + d > 1 and b.c is missing) > 1',
    'count("E" where context.a == "x" or a == true) > 1',
    'count("E" where b is present) > 1',
    'count("E" where context.b.c > 3) > 1',
    'sum("E"."\\"é") > 1',
    'sum("E".a where d == "x") > 1',
    'count(page where a == "x" or name == "n") > 1',
    'count("E" where a in ["x", 1, 2.5]) > 1',
)


def compiled_codes() -> list[Code]:
    definitions = [Definition(f"s{at}", check_condition(text, Scope())) for at, text in enumerate(CONDITIONS)]
    return [code for code in compile_definitions(definitions, Rules()).codes.all if code.links]


CODES = compiled_codes()
READERS = {code.number: SlotReader(code) for code in CODES}

numerals = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(-(10**13), 10**13, places=8).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["0", "-0", "0.0", "-0.0", "1e3", "1E-7", "0.0000005", "1.0000005", "2.5", "9e12", "9000000000000",
         "9000000000000.1", "9000000000001", "-9000000000000", "999999999999999", "1000000000000000",
         "9007199254740993", "0.1234565", "1.0000015", "123456789012345", "0.000000000000001"]
    ),
).filter(lambda text: "Inf" not in text)  # fmt: skip
texts = st.one_of(
    st.sampled_from(
        ['"x"', '""', '"\\u0078"', '"1"', '" 2.5 "',
         '"true"', '"2026-11-22"', '"2026-11-22T10:00:00Z"', '"é"']
    ),
    numerals.map(lambda text: f'"{text}"'),
    st.text(max_size=150).map(lambda text: '"' + text.encode("ascii", "backslashreplace").decode()
                              .replace("\\x", "\\u00").replace("\\U", "").replace('"', "") + '"'),
)  # fmt: skip
keys = st.sampled_from(['"a"', '"b"', '"c"', '"d"', '"\\u0061"', '"\\"é"', '"\\"\\u00e9"', '"aa"', '""'])


def as_object(members: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{key} :{value} " for key, value in members) + "}"


def as_list(items: list[str]) -> str:
    return "[ " + ", ".join(items) + "]"


values = st.recursive(
    st.one_of(numerals, texts, st.sampled_from(["null", "true", "false", "[]", "{}", "[1,2]", '["x"]'])),
    lambda inner: st.one_of(
        st.lists(st.tuples(keys, inner), max_size=4).map(as_object), st.lists(inner, max_size=2).map(as_list)
    ),
    max_leaves=6,
)


objects = st.lists(st.tuples(keys, values), max_size=6).map(as_object)


def batch(events: list[tuple[str, str]], code: Code) -> EventBatch:
    raws = [
        f'{{"userId":"u","event":"E","name":"n","properties":{own},"context":{context}}}'.encode()
        for own, context in events
    ]
    count = len(raws)
    return EventBatch(
        1, "s", [0] * count, [code.type] * count, ["E"] * count, [0] * count, [0] * count, ["m"] * count,
        [None] * count, raws, LazyBodies(raws),
    )  # fmt: skip


@given(
    st.lists(st.tuples(objects | st.just("null"), objects), min_size=1, max_size=6), st.sampled_from(CODES)
)
@settings(deadline=None)
def test_many_at_once_are_each_alone(events: list[tuple[str, str]], code: Code) -> None:
    made = batch(events, code)
    try:
        expected = [decoded_slots(code, made, at) for at in range(len(made))]
    except ValueError:  # what no strict reader takes never gets this far
        return
    found = READERS[code.number].read(made, np.arange(len(made)))
    assert found.tolist() == expected
    assert READERS[code.number].read(made, np.arange(len(made))).tolist() == expected


@given(st.lists(numerals, min_size=1, max_size=20))
def test_numbers_are_read_as_they_are_elsewhere(spelled: list[str]) -> None:
    text, starts, stops = put_together([each.encode() for each in spelled])
    micros, state = np.empty(len(starts), np.int64), np.empty(len(starts), np.uint8)
    read_micros(np.frombuffer(text, np.uint8), starts, stops, MISSING, micros, state)
    for at, each in enumerate(spelled):
        if state[at] != UNREAD:
            expected = micro_of(float(each) if set("eE.") & set(each) else int(each))
            assert micros[at] == (MISSING if expected is None else expected)


@pytest.mark.parametrize("numeral", ["0", "12.5", "-3", "1234567890.12345", "0.0000005", "99.99"])
def test_usual_numbers_are_read_by_compiled_code(numeral: str) -> None:
    text, starts, stops = put_together([numeral.encode()])
    micros, state = np.empty(1, np.int64), np.empty(1, np.uint8)
    read_micros(np.frombuffer(text, np.uint8), starts, stops, MISSING, micros, state)
    assert state[0] != UNREAD
    assert micros[0] == micro_of(float(numeral))


def test_every_type_has_a_code() -> None:
    assert {code.type for code in CODES} <= set(TYPES)
    assert {code.type for code in CODES} >= {"track", "page"}
