"""What commands print: lines and columns for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.cells import cell_len

from segue.domain.event import Json

_GAP = "  "


class OutputClosedError(Exception):
    """Whoever read the output has had enough, as ``head`` has after ten lines."""


def say(text: str) -> None:
    """Lines for people; nothing in them can command the terminal."""
    _write("\n".join(shown(line) for line in text.split("\n")))


def say_json(value: Json) -> None:
    """One JSON object on a line of its own."""
    ascii_only = (sys.stdout.encoding or "ascii").lower().replace("_", "-") not in ("utf-8", "utf8")
    _write(json.dumps(value, ensure_ascii=ascii_only, separators=(", ", ": ")))


def say_pieces(pieces: Iterable[str]) -> None:
    """A long text as its pieces come; what the terminal cannot show is written as JSON escapes it."""
    encoding = sys.stdout.encoding or "ascii"
    for piece in pieces:
        try:
            sys.stdout.write(piece)
        except BrokenPipeError:
            raise OutputClosedError from None
        except UnicodeEncodeError:
            safe = "".join(letter if letter.isascii() else json.dumps(letter)[1:-1] for letter in piece)
            sys.stdout.write(safe.encode(encoding).decode(encoding))


def warn(text: str) -> None:
    """Lines for people that are no part of the answer: on stderr."""
    for line in text.split("\n"):
        print(shown(line), file=sys.stderr)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()) -> None:
    """Columns with their heads; nothing is cut, however wide. ``numbers`` are heads of columns set right."""
    cells = [[shown(cell) for cell in row] for row in rows]
    widths = [max([cell_len(head), *(cell_len(row[at]) for row in cells)]) for at, head in enumerate(heads)]
    for line in (heads, *cells):
        padded = (_pad(cell, widths[at], heads[at] in numbers) for at, cell in enumerate(line))
        _write(_GAP.join(padded).rstrip())


def listed(
    rows: Iterable[Json],
    as_json: bool,
    heads: Sequence[str],
    cells: Callable[[Json], Sequence[str]],
    numbers: Sequence[str] = (),
) -> None:
    """A list as it was asked for: one JSON object a line, or a table with the ``cells`` of each row."""
    if as_json:
        for row in rows:
            say_json(row)
    else:
        table(heads, map(cells, rows), numbers)


def facts(values: Mapping[str, str]) -> None:
    """Names and values, one below the other."""
    width = max(map(len, values), default=0)
    for name, value in values.items():
        say(f"{name:<{width}}{_GAP}{value}".rstrip())


def shown(text: str) -> str:
    """The text with everything that cannot be seen written as an escape."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in text)


def flush() -> None:
    """Bring out what was said."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosedError from None


def _write(line: str) -> None:
    try:
        print(line)
    except BrokenPipeError:
        raise OutputClosedError from None
    except UnicodeEncodeError:
        print(line.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding))


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def _pad(cell: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if right else cell + space
