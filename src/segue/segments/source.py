"""One file of the workspace as text, and the places in it."""

from __future__ import annotations

import re
from pathlib import Path

from segue.domain.errors import Diagnostic, Place, SegueError
from segue.domain.limits import WORKSPACE_FILE_BYTES_MAX

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML takes for the end of a line
_BYTE_ORDER_MARK = "\ufeff"
# JSON writes characters beyond 16 bits as two escapes, which YAML does not know.
_ESCAPED_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)


class Source:
    """A text with the name it is shown under, relative to the workspace folder."""

    __slots__ = ("_starts", "file", "text")

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = _ESCAPED_PAIR.sub(_joined, text) if text.lstrip()[:1] in ("{", "[") else text
        self._starts: list[int] | None = None

    @property
    def newline(self) -> str:
        """How this text ends its lines."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def starts(self) -> list[int]:
        """Where each line begins, as an index into the text."""
        if self._starts is None:
            self._starts = [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]
        return self._starts

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        starts = self.starts()
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n\x85\u2028\u2029")

    def place(self, line: int, column: int, length: int = 1) -> Place:
        """A place in this text; line and column count from 1."""
        return Place(line, column, max(1, length), self.file)

    def refusal(self, code: str, message: str, hint: str, place: Place | None = None) -> SegueError:
        """A refusal with the line it points into; without a place, of the file as a whole."""
        where = place or self.place(1, 1)
        return SegueError(Diagnostic(code, message, hint, where, self.line(where.line)))


def _joined(found: re.Match[str]) -> str:
    pair = int(found[2], 16).to_bytes(2, "big") + int(found[3], 16).to_bytes(2, "big")
    return found[1] + pair.decode("utf-16-be")


def read_source(path: Path, file: str) -> Source:
    """The text of a file, shown as ``file``; E401 unreadable, E402 too large, E403 not UTF-8."""
    where = Place(1, 1, 1, file)
    try:
        with path.open("rb") as stream:
            data = stream.read(WORKSPACE_FILE_BYTES_MAX + 1)
    except OSError as fault:
        hint = "check that it is a file and that you may read it"
        raise SegueError(Diagnostic("E401", f"cannot be read: {fault.strerror}", hint, where)) from fault
    return Source(file, decode(data, file))


def decode(data: bytes, file: str) -> str:
    """The bytes of a file as text, without a byte order mark; E402 too large, E403 not UTF-8."""
    if len(data) > WORKSPACE_FILE_BYTES_MAX:
        message = f"is larger than {WORKSPACE_FILE_BYTES_MAX // 2**20} MiB"
        hint = "split it: every file of the folder is read"
        raise SegueError(Diagnostic("E402", message, hint, Place(1, 1, 1, file)))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise SegueError(_wrong_encoding(data, fault.start, file)) from fault
    text = text.removeprefix(_BYTE_ORDER_MARK)
    if "\0" in text:
        raise SegueError(_wrong_encoding(data, data.index(0), file))
    return text


def _wrong_encoding(data: bytes, position: int, file: str) -> Diagnostic:
    before = data[:position]
    line_start = before.rfind(b"\n") + 1
    place = Place(before.count(b"\n") + 1, len(before[line_start:].decode("utf-8", "replace")) + 1, 1, file)
    message = f"is not UTF-8 text: byte {data[position]:#04x} cannot stand here"
    return Diagnostic("E403", message, "save the file in the encoding UTF-8", place)
