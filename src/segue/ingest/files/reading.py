"""Import of a file: its ending says how it is read, its mapping which road it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from segue.ingest.files import faults
from segue.ingest.files.csv import stage_csv
from segue.ingest.files.jsonl import read_jsonl
from segue.ingest.files.mapping import Mapping
from segue.ingest.files.parquet import stage_parquet, streamed_parquet
from segue.ingest.files.portion import Destination, Portion
from segue.ingest.files.rows import RowRoad, table_rows
from segue.ingest.files.stretch import stretches
from segue.ingest.files.table import open_table
from segue.ingest.intake import Intake

JSON_LINES = (".jsonl", ".ndjson", ".json")
TABLES = {".csv": stage_csv, ".tsv": stage_csv, ".parquet": stage_parquet, ".pq": stage_parquet}
_PACKED = ".gz"


def read_file(
    path: Path, mapping: Mapping | None, intake: Intake, log: Destination, source: str, now: int
) -> Iterator[Portion]:
    """The events of one file, a portion at a time; see :class:`Portion` for what to do with each.

    ``mapping`` None goes by the usual names of columns. ``now`` (ms) dates what is set aside. E54x is
    raised at the first ``next``, before anything was taken.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    ending = suffixes[-2] if suffixes[-1:] == [_PACKED] and len(suffixes) > 1 else "".join(suffixes[-1:])
    road = RowRoad(path, intake, log, source, now)
    if ending in JSON_LINES:
        yield from read_jsonl(path, road)
        return
    stage = TABLES.get(ending)
    if stage is None:
        raise faults.unknown_format(path)
    table = streamed_parquet(path, mapping or Mapping()) if stage is stage_parquet else None
    table = table or open_table(path, mapping or Mapping(), stage)
    if table.expressions.mapping.only_tracks and not intake.plan.blocks:
        yield from stretches(table, intake, log, source, now)
    else:
        yield from table_rows(table, road)
