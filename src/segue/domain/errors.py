"""What Segue says when something is wrong: a code, a place, a finding and a remedy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

SNIPPET_CHARACTERS_MAX = 100


class Severity(Enum):
    """How much a finding matters: an error refuses, a warning reports."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a text something stands; lines and columns count from 1."""

    line: int
    column: int
    length: int = 1
    file: str | None = None

    def __str__(self) -> str:
        spot = f"{self.line}:{self.column}"
        return f"{self.file}:{spot}" if self.file else spot


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about something a user wrote or sent.

    ``source_line`` is the line of text the place points into, for the underline.
    """

    code: str
    message: str
    hint: str
    place: Place | None = None
    source_line: str | None = None
    severity: Severity = Severity.ERROR

    def within(self, place: Place, source_line: str | None) -> Diagnostic:
        """The same finding, at a place of an enclosing text."""
        return replace(self, place=place, source_line=source_line)

    def render(self) -> str:
        """The finding as people read it: head, underlined line, remedy."""
        head = f"{self.code} at {self.place}" if self.place else self.code
        lines = [f"{head}  {self.message}"]
        if self.place is not None and self.source_line is not None:
            lines.extend(self._underlined(self.place, self.source_line))
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)

    def _underlined(self, place: Place, text: str) -> list[str]:
        start = place.column - 1
        shift = max(0, start - SNIPPET_CHARACTERS_MAX // 2)
        snippet = text[shift : shift + SNIPPET_CHARACTERS_MAX].replace("\t", " ")
        room = max(1, len(snippet) - (start - shift))
        marks = "^" * max(1, min(place.length, room))
        return [f"    {snippet}", "    " + " " * (start - shift) + marks]

    def to_json(self) -> dict[str, object]:
        """The finding as a JSON object."""
        found: dict[str, object] = {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "hint": self.hint,
        }
        if self.place is not None:
            found["line"] = self.place.line
            found["column"] = self.place.column
            if self.place.file:
                found["file"] = self.place.file
        return found


class SegueError(Exception):
    """A refusal the user can act on; carries one or more diagnostics.

    ``exit_status`` is what a command ends with: 1 a problem was found, 2 wrong use.
    """

    exit_status = 1

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__("\n".join(found.render() for found in diagnostics))


class UsageError(SegueError):
    """The command, request or option itself was wrong."""

    exit_status = 2


def refusal(code: str, message: str, hint: str, place: Place | None = None) -> SegueError:
    """A :class:`SegueError` with a single finding."""
    return SegueError(Diagnostic(code, message, hint, place))
