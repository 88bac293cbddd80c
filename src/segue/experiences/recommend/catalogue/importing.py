"""Items from a file: CSV, JSON lines or Parquet. A row that is no item is told and passed over."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from segue.domain.event import Json
from segue.domain.limits import FINDINGS_MAX
from segue.experiences.recommend.catalogue.item import Item, NotAnItemError, item_of
from segue.experiences.recommend.catalogue.mapping import ItemMapping
from segue.experiences.recommend.catalogue.store import Catalogue, Taken
from segue.ingest.files import faults
from segue.ingest.files.expressions import literal
from segue.ingest.files.reading import JSON_LINES
from segue.ingest.files.table import columns_of, exact_path, look_at, sentence
from segue.log.history import connect

_CSV = (".csv", ".tsv")
_PARQUET = (".parquet", ".pq")
_AT_ONCE = 10_000
_TEXTS = ("id", "title", "category", "url", "image", "availability")
Numbered = tuple[int, Mapping[str, Json]]


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is no item."""

    line: int
    why: str


@dataclass(slots=True)
class Reading:
    """How a file was read: ``refused`` tells the first rows that are no items, ``bad`` counts them all."""

    rows: int = 0
    bad: int = 0
    refused: list[Refused] = field(default_factory=list)

    def refuse(self, line: int, why: str) -> None:
        """Note a row that is no item."""
        self.bad += 1
        if len(self.refused) < FINDINGS_MAX:
            self.refused.append(Refused(line, why))


def import_items(
    catalogue: Catalogue, path: Path, mapping: ItemMapping, at: int, whole: bool = False
) -> tuple[Taken, Reading]:
    """Take a file's items into the catalogue, all in one version; E54x when it cannot be read.

    ``whole`` says that the file holds every item there is: others go.
    """
    reading = Reading()
    taken = catalogue.take(_items(path, mapping, reading), at, path.name, whole)
    return taken, reading


def _items(path: Path, mapping: ItemMapping, reading: Reading) -> Iterator[Item]:
    for line, row in _rows(path, mapping, reading):
        reading.rows += 1
        try:
            yield item_of(*mapping.parts(row))
        except NotAnItemError as fault:
            reading.refuse(line, str(fault))


def _rows(path: Path, mapping: ItemMapping, reading: Reading) -> Iterator[Numbered]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    ending = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else "".join(suffixes[-1:])
    if ending in JSON_LINES:
        return _of_lines(path, reading)
    if ending in _CSV + _PARQUET:
        return _of_table(path, ending, mapping)
    raise faults.unknown_format(path)


def _of_lines(path: Path, reading: Reading) -> Iterator[Numbered]:
    look_at(path)
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                row = _object(line)
                if row is None:
                    reading.rows += 1
                    reading.refuse(number, "it is no JSON object")
                else:
                    yield number, row
    except (OSError, EOFError) as error:
        raise faults.unreadable(path, str(error)) from error


def _object(line: bytes) -> Mapping[str, Json] | None:
    try:
        found = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _of_table(path: Path, ending: str, mapping: ItemMapping) -> Iterator[Numbered]:
    look_at(path)
    with connect() as connection:
        try:
            sql = _table_sql(connection, path, ending, mapping)
            found = connection.execute(f"SELECT * FROM {sql}")
            names = [column[0] for column in found.description]
            number = 1 if ending in _CSV else 0
            while some := found.fetchmany(_AT_ONCE):
                for row in some:
                    number += 1
                    yield number, dict(zip(names, map(_json, row), strict=True))
        except duckdb.Error as error:
            said = faults.not_parquet if ending in _PARQUET else faults.unreadable
            raise said(path, sentence(error)) from error


def _table_sql(connection: duckdb.DuckDBPyConnection, path: Path, ending: str, mapping: ItemMapping) -> str:
    file = exact_path(path)
    if ending in _PARQUET:
        sql = f"read_parquet({file})"
        mapping.checked(path, list(columns_of(connection, sql)))
        return sql
    header = list(columns_of(connection, f"read_csv({file}, header = true, all_varchar = true)"))
    columns = mapping.checked(path, header)
    texts = [columns[name] for name in _TEXTS if name in columns]
    kinds = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in dict.fromkeys(texts))
    return f"read_csv({file}, header = true, sample_size = -1, types = {{{kinds}}})"


def _json(value: Any) -> Json:
    """A value of DuckDB as JSON has it: dates as text, decimals as numbers."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_json(each) for each in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
