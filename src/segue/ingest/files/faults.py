"""What can be wrong with a file or its mapping, in the words of the one who has to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from segue.domain.errors import Diagnostic, SegueError, UsageError, refusal

NO_FILE = "E540"
EMPTY_FILE = "E541"
ENCODING = "E542"
NOT_PARQUET = "E543"
NO_COLUMN = "E544"
BAD_MAPPING = "E545"
UNKNOWN_FORMAT = "E546"
UNREADABLE = "E547"

_COLUMNS_SHOWN = 20


def no_file(path: Path, why: str) -> SegueError:
    """There is nothing to read at this path."""
    return refusal(NO_FILE, f"cannot read {path}: {why}", "look at the path and its rights")


def empty(path: Path) -> SegueError:
    """The file holds no bytes."""
    return refusal(
        EMPTY_FILE, f"{path} is empty", "write the file anew; an import needs at least a header or one line"
    )


def encoding(path: Path, found: str) -> SegueError:
    """The file is no UTF-8."""
    return refusal(
        ENCODING,
        f"{path} is not UTF-8: {found}",
        f"convert it first, for example: iconv -f latin1 -t utf-8 {path.name} > utf8-{path.name}",
    )


def not_parquet(path: Path, why: str) -> SegueError:
    """The file has the name of a Parquet file and is none."""
    return refusal(
        NOT_PARQUET, f"{path} is not a Parquet file: {why}", "write it anew, or give it the ending it needs"
    )


def unreadable(path: Path, why: str) -> SegueError:
    """The file cannot be read as what its ending says."""
    return refusal(
        UNREADABLE, f"cannot read {path}: {why}", "open it with another program, mend it and try again"
    )


def unknown_format(path: Path) -> SegueError:
    """The ending tells no format."""
    return refusal(
        UNKNOWN_FORMAT,
        f"the ending of {path.name} names no format that can be imported",
        "use .jsonl, .ndjson, .json, .csv, .tsv or .parquet; text may also be packed as .gz",
    )


def no_column(path: Path, what: str, column: str | None, columns: Iterable[str]) -> SegueError:
    """A column that is needed is not there."""
    names = list(columns)
    shown = ", ".join(names[:_COLUMNS_SHOWN]) + (" …" if len(names) > _COLUMNS_SHOWN else "")
    if column is None:
        finding = f"no column of {path} is known to hold the {what}; it has {shown}"
        return refusal(NO_COLUMN, finding, f"name it: --map {what}=COLUMN")
    near = get_close_matches(column, names, 1)
    meant = f'did you mean "{near[0]}"? ' if near else ""
    return refusal(
        NO_COLUMN,
        f'{path} has no column "{column}" for the {what}; it has {shown}',
        f"{meant}a constant is written in quotes: {what}='\"{column}\"'",
    )


def bad_mapping(finding: str, hint: str = "") -> SegueError:
    """The mapping itself cannot be understood."""
    usual = (
        "write --map user=COLUMN,event=COLUMN,timestamp=COLUMN,properties=COLUMN,COLUMN or name a YAML file"
    )
    return UsageError(Diagnostic(BAD_MAPPING, finding, hint or usual))
