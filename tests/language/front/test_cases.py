"""The language as a list of stories: what is written, and what comes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import segue.language
from segue.domain.errors import SegueError
from segue.language.checker import check_condition
from segue.language.codes import CODES
from segue.language.formatter import format_condition
from segue.language.ordering import order_segments
from segue.language.scope import Scope
from segue.language.speller import spell
from tests.language.front.casebook import Case, cases_of, checked

_SEGMENT = re.compile(r"(\w+)(?: \((\w+)\))?: (.*)")


def _named(case: Case) -> str:
    return f"{case.file}: {case.title}"


CONDITIONS = [case for case in cases_of() if case.file != "ordering"]


def outcome_of(case: Case) -> str:
    """The canonical text of a case's condition, or the refusal as people read it."""
    try:
        checked(case, case.text)
    except SegueError as refused:
        return str(refused)
    return format_condition(case.text)


def order_of(case: Case) -> str:
    """The order of a case's segments, or the refusal."""
    rows = [found.groups() for found in map(_SEGMENT.fullmatch, case.text.splitlines()) if found]
    conditions = {name: check_condition(text, Scope()) for name, _, text in rows}
    try:
        return ", ".join(order_segments(conditions, {name: group for name, group, _ in rows}))
    except SegueError as refused:
        return str(refused)


@pytest.mark.parametrize("case", CONDITIONS, ids=_named)
def test_a_condition_becomes_what_the_case_says(case: Case) -> None:
    assert outcome_of(case) == case.expected


@pytest.mark.parametrize("case", [case for case in CONDITIONS if not case.refused], ids=_named)
def test_the_canonical_text_means_the_same(case: Case) -> None:
    meant = checked(case, case.text)
    assert format_condition(case.expected) == case.expected
    assert checked(case, case.expected) == meant
    assert checked(case, spell(meant)) == meant


@pytest.mark.parametrize("case", cases_of("ordering"), ids=_named)
def test_segments_come_after_what_they_ask_for(case: Case) -> None:
    assert order_of(case) == case.expected


def test_every_code_has_a_case() -> None:
    shown = {code for case in cases_of() for code in re.findall(r"^E\d{3}", case.expected, re.MULTILINE)}
    assert shown == set(CODES)


def test_every_code_in_the_source_is_listed() -> None:
    folder = Path(segue.language.__file__).parent
    used = {code for path in folder.glob("*.py") for code in re.findall(r'"(E[123]\d\d)"', path.read_text())}
    assert used == set(CODES)


def test_case_titles_are_unique() -> None:
    titles = [_named(case) for case in cases_of()]
    assert len(titles) == len(set(titles))
