"""A place in a condition is the same character in the file, however YAML writes the text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.domain.errors import Diagnostic, Place
from segue.segments.document import parse
from segue.segments.nodes import Entries, Scalar
from segue.segments.origin import Origin
from segue.segments.source import Source

LETTERS = st.sampled_from(list("ab(>=\"'\\#:é😀 \n"))
TEXTS = st.text(LETTERS, min_size=1, max_size=30).map(str.strip).filter(bool)


def literal(text: str) -> str:
    return "a:\n  when: |2\n" + "".join(f"    {line}\n" for line in text.split("\n"))


def folded(text: str) -> str:
    return "a:\n  when: >2-\n" + "\n".join("    " + line.strip() for line in text.split("\n")) + "\n"


def double(text: str) -> str:
    return f"a:\n  when: {json.dumps(text, ensure_ascii=False)}\n"


def crooked(text: str) -> str:
    return (
        f"a: &anchor\n  when: &x\n    {json.dumps(text, ensure_ascii=True)}\n"
        if text.isascii()
        else double(text)
    )


def single(text: str) -> str:
    return "a:\n  when: '" + text.replace("'", "''").replace("\n", "\n\n    ") + "'\n"


@pytest.mark.parametrize("write", [literal, folded, double, crooked, single])
@given(text=TEXTS, data=st.data())
def test_a_place_in_the_text_is_a_place_in_the_file(write: object, text: str, data: st.DataObject) -> None:
    assert callable(write)
    source = Source("a.yaml", write(text))
    root = parse(source)
    assert isinstance(root, Entries)
    inner = root.value("a")
    assert isinstance(inner, Entries)
    scalar = inner.value("when")
    assert isinstance(scalar, Scalar)
    spots = [at for at, letter in enumerate(scalar.text) if not letter.isspace()]
    at = data.draw(st.sampled_from(spots))
    before = scalar.text[:at]
    place = Place(before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1)
    moved = Origin(source, scalar).moved(Diagnostic("E999", "found", "mend", place))
    assert moved.place is not None
    assert moved.source_line is not None
    found = moved.source_line[moved.place.column - 1 :]
    letter = scalar.text[at]
    escaped = {'"': ('"', '\\"'), "\\": ("\\",)}.get(letter, (letter,))
    assert found.startswith(escaped)


def test_the_end_of_a_text_is_behind_its_last_letter() -> None:
    source = Source("a.yaml", "when: |\n  a and\n\nb: 1\n")
    root = parse(source)
    assert isinstance(root, Entries)
    scalar = root.value("when")
    assert isinstance(scalar, Scalar)
    moved = Origin(source, scalar).moved(Diagnostic("E999", "found", "mend", Place(2, 1)))
    assert (moved.place, moved.source_line) == (Place(2, 8, 1, "a.yaml"), "  a and")
