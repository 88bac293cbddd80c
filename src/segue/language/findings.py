"""Where in a condition something is wrong, and how to say so."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterable
from typing import Protocol

from segue.domain.errors import Diagnostic, Place, SegueError
from segue.domain.limits import FINDINGS_MAX, NAME_CHARACTERS_MAX

QUOTED_CHARACTERS_MAX = 60
CANDIDATES_MAX = 2_000
"""Names looked at for a suggestion: comparing spellings is slow, and a refusal must not be."""


class Span(Protocol):
    """Anything that covers a stretch of the text: a token or a node."""

    @property
    def start(self) -> int:
        """Offset of its first character."""

    @property
    def end(self) -> int:
        """Offset just past its last character."""


class Source:
    """The text of one condition; turns offsets into lines and columns."""

    __slots__ = ("_starts", "text")

    def __init__(self, text: str) -> None:
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.text = text
        self._starts: list[int] | None = None if "\n" in text else [0]

    def place(self, start: int, end: int) -> Place:
        """The place of a stretch; one that runs over lines is cut at the end of its first."""
        starts = self._line_starts()
        line = bisect_right(starts, start)
        first = starts[line - 1]
        stop = starts[line] - 1 if line < len(starts) else len(self.text)
        return Place(line, start - first + 1, max(1, min(end, stop) - start))

    def finding(self, code: str, message: str, hint: str, at: Span) -> Diagnostic:
        """A finding about a stretch of this text, with the line it stands in."""
        place = self.place(at.start, at.end)
        first = self._line_starts()[place.line - 1]
        stop = self.text.find("\n", first)
        line = self.text[first:] if stop < 0 else self.text[first:stop]
        return Diagnostic(code, message, hint, place, line)

    def refusal(self, code: str, message: str, hint: str, at: Span) -> SegueError:
        """The finding as an error that ends the reading."""
        return SegueError(self.finding(code, message, hint, at))

    def quote(self, at: Span) -> str:
        """The text of a stretch, on one line and short enough for a message."""
        return shorten(self.text[at.start : at.end])

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *(at + 1 for at, sign in enumerate(self.text) if sign == "\n")]
        return self._starts


class Findings:
    """What is wrong with one condition so far, at most FINDINGS_MAX."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []

    def add(self, found: Diagnostic) -> None:
        """Keep a finding; the last that fits ends the check."""
        self._found.append(found)
        if len(self._found) >= FINDINGS_MAX:
            raise SegueError(*self._found)

    def error(self) -> SegueError:
        """All findings as one refusal."""
        return SegueError(*self._found)

    def __bool__(self) -> bool:
        return bool(self._found)


def shorten(text: str) -> str:
    """A text for a message: blanks joined, the middle left out when long."""
    flat = " ".join(text[: 4 * QUOTED_CHARACTERS_MAX].split())
    if len(flat) <= QUOTED_CHARACTERS_MAX and len(text) <= 4 * QUOTED_CHARACTERS_MAX:
        return flat
    return flat[: QUOTED_CHARACTERS_MAX - 1] + "…"


def closest(word: str, names: Iterable[str]) -> str | None:
    """The name most like a misspelt one, or None when nothing comes near."""
    if len(word) > NAME_CHARACTERS_MAX:
        return None
    lowered = word.casefold()
    near = [name for name in names if abs(len(name) - len(word)) <= 1 + len(word) // 3]
    spelled = {name.casefold(): name for name in near[:CANDIDATES_MAX]}
    found = difflib.get_close_matches(lowered, spelled, n=1, cutoff=0.6)
    return spelled[found[0]] if found else None


def suggestion(word: str, names: Iterable[str], otherwise: str, shape: str = "{}") -> str:
    """``did you mean …?`` when a name comes near, written in its ``shape``; else another hint."""
    name = closest(word, names)
    return f"did you mean {shape.format(name)}?" if name is not None else otherwise
