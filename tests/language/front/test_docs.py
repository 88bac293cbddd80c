"""The pages for users keep up with the language: nothing unexplained, and every example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from segue.language.calls import FUNCTIONS
from segue.language.checker import check_condition
from segue.language.codes import CODES
from segue.language.cursor import INFIX_WORDS
from segue.language.formatter import format_condition
from segue.language.printer import POWERS
from tests.language.front.casebook import FREE

DOCS = Path(__file__).parents[3] / "docs"
LANGUAGE = (DOCS / "language.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^#+ (.*)$", LANGUAGE, re.MULTILINE)
EXAMPLES = re.findall(r"^```segue\n(.*?)^```$", LANGUAGE, re.MULTILINE | re.DOTALL)
WINDOWS = [
    "last D",
    "next D",
    "between A and B",
    "since A",
    "since last(…)",
    "since first(…)",
    "this session",
]
WORDS = [*sorted(FUNCTIONS), *INFIX_WORDS, "where", "trait", "not", *WINDOWS]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_condition_that_checks(example: str) -> None:
    assert check_condition(example, FREE) == check_condition(format_condition(example), FREE)


def test_no_block_escapes_the_test() -> None:
    assert len(EXAMPLES) * 2 == LANGUAGE.count("```")


@pytest.mark.parametrize("word", [*sorted(FUNCTIONS), *INFIX_WORDS, "where", "trait", "not", *WINDOWS])
def test_every_word_has_its_heading(word: str) -> None:
    assert f"`{word}`" in HEADINGS


def test_every_sign_has_its_heading() -> None:
    explained = {sign for heading in HEADINGS for sign in re.findall(r"`(.+?)`", heading)}
    assert {sign for sign in POWERS if not sign.isalpha()} <= explained


def test_every_code_is_explained_under_its_name() -> None:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^### (E[123]\d\d): (.*)$", text, re.MULTILINE)) == CODES
