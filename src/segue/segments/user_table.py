"""A list kept as CSV: the file's name is the list's, one column holds the user ids."""

from __future__ import annotations

import csv
import io

from segue.domain.errors import Diagnostic
from segue.domain.limits import ID_CHARACTERS_MAX
from segue.language.findings import shorten
from segue.segments.definitions import ListDefinition
from segue.segments.fields import Sheet, is_name
from segue.segments.nodes import Scalar
from segue.segments.source import Source

_HEADINGS = frozenset(("user_id", "userid", "user id"))


def read_user_table(source: Source, name: str, findings: list[Diagnostic]) -> ListDefinition | None:
    """The list in a CSV file; None after noting what is wrong with it.

    The ids stand in the column headed ``user_id`` (or ``userId``). A table of one column may go
    without a heading; one of several columns may not, for no column says that it is the right one.
    """
    noted = len(findings)
    sheet = Sheet(source, findings)
    if not is_name(name):
        hint = "rename the file to lower_snake_case: a letter first, then letters, digits, underscores"
        _refuse(sheet, "E423", 1, f'the file\'s name "{shorten(name)}" is no name for a list', hint)
        return None
    rows = _rows(sheet)
    column, first = _column(rows, sheet) if rows else (0, 0)
    users: dict[str, None] = {}
    for line, row in rows[first:] if column is not None else []:
        user = row[column].strip() if column is not None and column < len(row) else ""
        if not user or len(user) > ID_CHARACTERS_MAX:
            size = f"longer than {ID_CHARACTERS_MAX} characters" if user else "missing"
            _refuse(sheet, "E434", line, f"the user id of this row is {size}", "correct or remove the row")
        users[user] = None
    if len(findings) > noted:
        return None
    if not rows:
        _refuse(
            sheet,
            "E404",
            1,
            "is empty: it holds no definition",
            "write a heading `user_id`, or delete the file",
        )
        return None
    origin = sheet.origin(Scalar(source.line(1), "", (1, 1, 0, len(source.line(1)))))
    return ListDefinition(name, tuple(users), origin=origin)


def _rows(sheet: Sheet) -> list[tuple[int, list[str]]]:
    """The rows that hold something, each with the line it ends in."""
    reader = csv.reader(io.StringIO(sheet.source.text, newline=""), strict=True)
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, row))
    except csv.Error as fault:
        hint = "check the quotes and commas of this line"
        _refuse(sheet, "E434", reader.line_num or 1, f"broken CSV: {fault}", hint)
    return rows


def _column(rows: list[tuple[int, list[str]]], sheet: Sheet) -> tuple[int | None, int]:
    """Which column holds the ids, and which row is the first to hold one."""
    line, heading = rows[0]
    for at, cell in enumerate(heading):
        if cell.strip().lower() in _HEADINGS:
            return at, 1
    if len(heading) == 1:
        return 0, 0
    hint = "head the column of user ids with user_id"
    _refuse(sheet, "E434", line, "no column is headed user_id", hint)
    return None, 0


def _refuse(sheet: Sheet, code: str, line: int, message: str, hint: str) -> None:
    text = sheet.source.line(line)
    place = sheet.source.place(line, 1, max(1, len(text)))
    sheet.findings.append(Diagnostic(code, message, hint, place, text))
