"""What holds for every condition, however it is typed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from segue.domain.number import micro
from segue.language import tree
from segue.language.checker import check_condition
from segue.language.findings import Source
from segue.language.formatter import format_condition
from segue.language.lexer import tokens_of
from segue.language.scope import Scope
from segue.language.speller import spell, spell_number
from segue.language.walk import measure, walk
from tests.language.front.texts import conditions, typed
from tests.strategies.conditions import conditions as trees

SCOPE = Scope()
BERLIN = ZoneInfo("Europe/Berlin")


def _comments(text: str) -> list[str]:
    return sorted([comment.text for comment in tokens_of(Source(text))[1]])


@given(text=typed())
def test_formatting_changes_no_meaning_and_loses_no_comment(text: str) -> None:
    formatted = format_condition(text)
    assert check_condition(formatted, SCOPE) == check_condition(text, SCOPE)
    assert _comments(formatted) == _comments(text)


@given(text=typed())
def test_what_is_formatted_formats_to_itself(text: str) -> None:
    formatted = format_condition(text)
    assert format_condition(formatted) == formatted


@given(text=conditions)
def test_a_spelled_tree_reads_as_itself(text: str) -> None:
    checked = check_condition(text, SCOPE)
    spelled = spell(checked)
    assert "\n" not in spelled
    assert check_condition(spelled, SCOPE) == checked


@given(condition=trees(BERLIN))
def test_the_trees_that_meanings_are_tested_on_can_be_written(condition: tree.Condition) -> None:
    assume(not any(map(_is_empty, _windows(condition))))
    spelled = spell(condition)
    checked = check_condition(spelled, Scope(zone=BERLIN))
    assert spell(checked) == spelled


def _windows(condition: tree.Condition) -> list[tree.Window]:
    nodes = list(walk(condition))
    windows = [node.window for node in nodes if isinstance(node, tree.Aggregate | tree.Sequence)]
    return [*windows, *[window.window for window in windows if isinstance(window, tree.SinceEvent)]]


def _is_empty(window: tree.Window) -> bool:
    return isinstance(window, tree.Between) and window.end is not None and window.end <= window.start


@given(text=conditions)
def test_brackets_around_the_whole_change_nothing(text: str) -> None:
    assert format_condition(f"({text})") == format_condition(text)


@given(text=conditions)
def test_every_node_has_its_place_in_the_text(text: str) -> None:
    checked = check_condition(text, SCOPE)
    for node in walk(checked):
        assert node.place is not None
        assert node.place.line == 1
        assert 1 <= node.place.column <= len(text)
        assert node.place.column + node.place.length <= len(text) + 1
    assert measure(checked)[0] == len(list(walk(checked)))


@given(double=st.floats(-9e12, 9e12))
def test_a_number_is_spelled_so_that_it_reads_back(double: float) -> None:
    written = f"{abs(double):.6f}"
    read = micro(float(written))
    assert read is not None
    assert micro(float(spell_number(read))) == read
