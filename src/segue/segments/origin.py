"""Where each character of a YAML scalar stands in its file.

YAML folds lines, strips indentation and knows escapes, so a place in the value is not a place
in the file. All of that changes blanks only: the other characters of the value stand in the
file in the same order, and are matched one to one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from segue.domain.errors import Diagnostic, Place
from segue.segments.nodes import Scalar
from segue.segments.source import Source

_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r\n|.)", re.DOTALL)
_BLANK_ESCAPES = frozenset("nrtvfNLP_ \t\n\r")
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")  # an anchor before the value


@dataclass(frozen=True, slots=True)
class Origin:
    """The scalar that a condition was read from, and the file that it stands in."""

    source: Source
    scalar: Scalar

    @property
    def place(self) -> Place:
        """Where the scalar begins."""
        first, _, _ = self.source.text[self.scalar.start : self.scalar.end].partition("\n")
        return self.source.place(self.scalar.line, self.scalar.column, len(first.rstrip()))

    @property
    def line(self) -> str:
        """The line of the file in which the scalar begins."""
        return self.source.line(self.scalar.line)

    def moved(self, found: Diagnostic) -> Diagnostic:
        """A finding in the scalar's value as a finding in the file."""
        if found.place is None:
            return found.within(self.place, self.line)
        position = _index_of(self.scalar.text, found.place)
        line, column = self._spot(position)
        place = self.source.place(line, column, found.place.length)
        return found.within(place, self.source.line(line))

    def _spot(self, position: int) -> tuple[int, int]:
        """Line and column in the file of an index into the value."""
        value = self.scalar.text
        wanted = sum(not letter.isspace() for letter in value[:position])
        inside = position < len(value) and not value[position].isspace()
        indexes = _letters(self.source.text[self.scalar.start : self.scalar.end], self.scalar.style)
        if not indexes:
            return self.scalar.line, self.scalar.column
        if inside and wanted < len(indexes):
            index = indexes[wanted]
        else:  # a blank, or the end: just behind the letter before it
            before = min(wanted, len(indexes)) - 1
            index = indexes[before] + 1 if before >= 0 else indexes[0]
        return self._line_and_column(self.scalar.start + index)

    def _line_and_column(self, index: int) -> tuple[int, int]:
        starts = self.source.starts()
        line = self.scalar.line
        while line < len(starts) and starts[line] <= index:
            line += 1
        return line, index - starts[line - 1] + 1


def _index_of(value: str, place: Place) -> int:
    """The index of a place in a value, whose lines end with a line feed."""
    start = 0
    for _ in range(place.line - 1):
        start = value.find("\n", start) + 1
        if start == 0:
            return len(value)
    return min(start + place.column - 1, len(value))


def _letters(raw: str, style: str) -> list[int]:
    """Indexes in the raw text of the value's characters that are no blanks, in order."""
    if style in ("|", ">"):
        body = raw.find("\n") + 1 or len(raw)
        return [at for at in range(body, len(raw)) if not raw[at].isspace()]
    if style == '"':
        return _double_quoted(raw)
    if style == "'":
        return _single_quoted(raw)
    found = _PROPERTIES.match(raw)
    first = found.end() if found else 0
    return [at for at in range(first, len(raw)) if not raw[at].isspace()]


def _single_quoted(raw: str) -> list[int]:
    found = []
    at = raw.find("'") + 1
    while at < len(raw) - 1:
        if not raw[at].isspace():
            found.append(at)
        at += 2 if raw[at] == "'" else 1
    return found


def _double_quoted(raw: str) -> list[int]:
    found = []
    at = raw.find('"') + 1
    while at < len(raw) - 1:
        escape = _ESCAPE.match(raw, at)
        if escape is None:
            if not raw[at].isspace():
                found.append(at)
            at += 1
            continue
        if escape[0][1] not in _BLANK_ESCAPES:
            found.append(at)
        at = escape.end()
    return found
