"""Whatever is typed is understood or refused with a finding; nothing else ever happens."""

from __future__ import annotations

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segue.domain.errors import SegueError
from segue.domain.limits import CONDITION_DEPTH_MAX, FINDINGS_MAX
from segue.language.calls import FUNCTIONS
from segue.language.checker import check_condition, check_operand, features_in
from segue.language.codes import CODES
from segue.language.cursor import INFIX_WORDS, INSIDE_WORDS
from segue.language.formatter import format_condition
from tests.language.front.casebook import FREE, PLANNED
from tests.language.front.texts import typed

_SOUP = [
    *FUNCTIONS, *INFIX_WORDS, *INSIDE_WORDS, *'()[],."\'\\#=!<>+-*/&|', "==", "<=", '"A"', "'b'",
    "page", "trait", "context", "group", "true", "not", "next", "with", "3", "1.5", "30d", "2026-01-01",
    "2026-13-01T99:00", "0001-01-01T00:00+23:59", "9999-12-31", "9" * 20, "1e999", "\n", "é", "\x00",
    "\ud800", "\u2028", "٣",
]  # fmt: skip


def _survives(text: str) -> None:
    for read in (
        lambda text: check_condition(text, FREE),
        lambda text: check_condition(text, PLANNED),
        lambda text: check_operand(text, FREE),
        format_condition,
        features_in,
    ):
        try:
            read(text)
        except SegueError as refused:
            _explains(refused, text)


def _explains(refused: SegueError, text: str) -> None:
    assert 1 <= len(refused.diagnostics) <= FINDINGS_MAX
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for found in refused.diagnostics:
        assert found.code in CODES
        assert found.message
        assert found.hint
        assert found.place is not None
        assert found.source_line == lines[found.place.line - 1]
        assert found.place.column <= len(found.source_line) + 1
        assert found.render()


@given(text=st.text(max_size=200))
def test_random_characters(text: str) -> None:
    _survives(text)


@given(parts=st.lists(st.sampled_from(_SOUP), max_size=30), glue=st.sampled_from(["", " "]))
@example(parts=["trait.a > 0001-01-01T00:00:00+23:59"], glue=" ")
@example(parts=["count(any, between 0001-01-01 and 9999-12-31) > 0"], glue=" ")
@example(parts=["trait.a > 1e999"], glue=" ")
def test_words_of_the_language_in_any_order(parts: list[str], glue: str) -> None:
    _survives(glue.join(parts))


@given(data=st.data(), text=typed())
def test_a_condition_with_a_stretch_replaced(data: st.DataObject, text: str) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    put = data.draw(st.text(max_size=3) | st.sampled_from(_SOUP))
    _survives(text[:start] + put + text[end:])


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "true" + ")" * 10_000,
        "(" * 10_000,
        "[" * 10_000,
        "not " * 10_000 + "true",
        "-" * 10_000 + "1 > 0",
        "since(" * 5_000,
        'count("a" where ' * 3_000,
        'count("a", since last(' * 2_000,
        "trait.a" + ".b" * 30_000 + " == 1",
        "1" + " + 1" * 10_000 + " > 0",
        "true and " * 7_000 + "true",
        "true and (" * 5_000 + "true" + ")" * 5_000,
        "x" * 60_000,
        "a(" * 20_000,
        "= " * 30_000,
        '"' * 65_001,
        "'" + "\\'" * 30_000,
        "#" * 60_000,
        "9" * 60_000 + " > 0",
        "a or " * 10_000 + "a",
        "segment('x') and " * 3_000 + "true",
        "x" * 1_048_576,
    ],
    ids=lambda text: f"{text[:12]}… {len(text)}",
)
def test_hostile_sizes(text: str) -> None:
    _survives(text)


@pytest.mark.parametrize(
    ("opening", "middle", "closing", "levels"),
    [
        ("(", "true", ")", 1),
        ("not ", "true", "", 1),
        ("-", "1", " ", 1),
        ("true and (true or ", "true", ")", 4),
        ("1 - (", "1", ")", 2),
    ],
)
def test_the_deepest_that_is_allowed_leaves_room_on_the_stack(
    opening: str, middle: str, closing: str, levels: int
) -> None:
    """A level must cost few Python frames: callers, a web server among them, have theirs too."""
    times = (CONDITION_DEPTH_MAX - 2) // levels
    text = opening * times + middle + closing * times
    if opening in ("-", "1 - ("):
        text = f"{text} > 0"
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(900)
    try:
        checked = check_condition(text, FREE)
        assert check_condition(format_condition(text), FREE) == checked
    finally:
        sys.setrecursionlimit(before)


def test_findings_are_bounded() -> None:
    with pytest.raises(SegueError) as refused:
        check_condition(" and ".join(["trait.a"] * 500), FREE)
    assert len(refused.value.diagnostics) == FINDINGS_MAX
