"""From the seq of an event to its message id."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from pathlib import Path

import duckdb
import numpy as np

from segue.log import entries, history
from segue.log.pack import unpack_columns


def message_ids(connection: sqlite3.Connection, folder: Path, seqs: list[int]) -> dict[int, str]:
    """The message ids of events by seq, which come sorted; one that was erased is left out.

    Each batch and each history file that holds any of them is looked at once.
    """
    if not seqs:
        return {}
    found: dict[int, str] = {}
    left: list[int] = []
    done = 0
    for stretch in entries.registered(connection, seqs[0], seqs[-1]):
        start, stop = bisect_left(seqs, stretch.from_seq), bisect_right(seqs, stretch.to_seq)
        left.extend(seqs[done:start])
        done = stop
        if stop > start:
            found.update(_in_file(history.sound(folder, stretch), seqs[start:stop]))
    left.extend(seqs[done:])
    found.update(_in_batches(connection, left))
    return found


def _in_file(file: Path, seqs: list[int]) -> list[tuple[int, str]]:
    with history.connect() as target:
        target.register("wanted", {"seq": np.array(seqs, np.int64)})
        try:
            return target.execute(
                f"SELECT seq, message_id FROM read_parquet({history.quoted(file)})"
                " SEMI JOIN wanted USING (seq) WHERE seq BETWEEN ? AND ?",
                [seqs[0], seqs[-1]],
            ).fetchall()
        except duckdb.Error as error:
            raise history.unreadable(file, error) from error


def _in_batches(connection: sqlite3.Connection, seqs: list[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    first, ids = 0, list[str]()
    for seq in seqs:
        if seq >= first + len(ids):
            row = connection.execute(
                "SELECT first_seq, columns FROM batches WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1",
                (seq,),
            ).fetchone()
            if row is None:
                continue
            first, ids = row[0], unpack_columns(row[1], row[0]).message_ids
        if seq < first + len(ids):
            found[seq] = ids[seq - first]
    return found
