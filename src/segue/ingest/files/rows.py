"""The careful road: rows of a file as events like any others, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segue.ingest.decode import Decoded, looked_at
from segue.ingest.files.portion import Destination, Portion, set_aside
from segue.ingest.files.table import Table
from segue.ingest.intake import Intake
from segue.ingest.suppression import let_go
from segue.log.lane.cuts import Cuts, Places, cut_texts
from segue.log.lane.digest import digests
from segue.log.lane.event import RAW
from segue.log.lane.octets import PAD
from segue.log.lane.words import Words

CHUNK_ROWS = 4_000
"""So many that what a portion holds stays in the processor's cache: 20,000 take half as long again."""
_DIGEST_BYTES = 16


class RowRoad:
    """Takes texts with their line numbers; ``now`` (ms) dates what is set aside."""

    def __init__(self, path: Path, intake: Intake, log: Destination, source: str, now: int) -> None:
        self.path = path
        self.intake = intake
        self.log = log
        self.source = source
        self.now = now
        self._names = RowNames()

    def take(self, raws: Sequence[bytes], lines: Sequence[int], done: int, total: int) -> Portion:
        """Some rows as one portion; those without a message id are named by their content."""
        return self.take_cuts(cut_texts(raws), lines, done, total)

    def take_cuts(self, cuts: Cuts, lines: Sequence[int] | Places, done: int, total: int) -> Portion:
        """The same for rows of one text."""
        decoded = looked_at(cuts)
        places = range(len(cuts)) if decoded.places is None else decoded.places
        self._name(decoded, cuts, places)
        taken = self.intake.accept(decoded, self.source, self.log.next_seq)
        tally = taken.tally
        unreadable = let_go(self.intake.identity, decoded.rejected, tally)
        tally.rows += len(decoded.rejected)
        tally.quarantined += len(unreadable)
        tally.mended = decoded.mended
        rejected = [replace(verdict, place=int(lines[verdict.place or 0])) for verdict in unreadable]
        for verdict in taken.rejected:
            place = places[verdict.place or 0]
            rejected.append(replace(verdict, place=int(lines[place]), raw=cuts.raw(place)))
        aside = set_aside(rejected, self.path, self.source, self.now)
        return Portion(taken.batch if len(taken.batch) else None, aside, tally, done, total)

    def _name(self, decoded: Decoded, cuts: Cuts, places: Sequence[int]) -> None:
        """Hash of the row, and which one of its kind it is in this file."""
        nameless = decoded.nameless()
        if nameless:
            starts, stops = cuts.bounds(RAW)
            rows = [places[at] for at in nameless]
            decoded.name(nameless, self._names.of(digests(cuts.text, starts[rows], stops[rows])))


class RowNames:
    """Names for rows without one, the same whenever the same file is read."""

    def __init__(self) -> None:
        self._kinds = Words(_DIGEST_BYTES)
        self._counts = np.zeros(1, np.int64)

    def of(self, found: NDArray[np.uint8]) -> list[str]:
        """The digest of each row in hexadecimal, from the second alike one on with its number."""
        starts = np.arange(0, _DIGEST_BYTES * len(found), _DIGEST_BYTES, dtype=np.int32)
        octets = np.frombuffer(found.tobytes() + PAD, np.uint8)
        kinds = self._kinds.numbered(octets, starts, starts + np.int32(_DIGEST_BYTES))
        if len(self._kinds) > len(self._counts):
            self._counts = np.concatenate((self._counts, np.zeros(len(self._kinds), np.int64)))
        spelled = found.tobytes().hex()
        width = 2 * _DIGEST_BYTES
        names = [spelled[at : at + width] for at in range(0, len(spelled), width)]
        for at in self._again(kinds):
            names[at] += f"-{self._counts[kinds[at]]}"
        return names

    def _again(self, kinds: NDArray[np.int32]) -> Iterator[int]:
        """The places of rows that are not the first of their kind, each when all before it are counted."""
        first = np.zeros(len(kinds), np.bool_)
        first[np.unique(kinds, return_index=True)[1]] = True
        alone = first & (self._counts[kinds] == 0)
        self._counts[kinds[alone]] = 1
        for at in np.flatnonzero(~alone).tolist():
            self._counts[kinds[at]] += 1
            yield at


def table_rows(table: Table, road: RowRoad) -> Iterator[Portion]:
    """The rows of a table whose events are not all plain tracks."""
    bad = set_aside(table.rejected, table.path, road.source, road.now)
    table.load(0, table.rows)
    event = table.expressions.event()
    table.connection.execute(
        f"SELECT line + 1, {event} FROM ordered LEFT JOIN again USING (place) ORDER BY place"
    )
    done = 0
    while True:
        found = table.connection.fetchmany(CHUNK_ROWS)
        done += len(found)
        portion = road.take(
            [text.encode() for _, text in found], [line for line, _ in found], done, table.rows
        )
        portion.quarantined.extend(bad)
        portion.tally.rows += len(bad)
        portion.tally.quarantined += len(bad)
        bad = []
        if found or portion.quarantined:
            yield portion
        if done >= table.rows:
            return
