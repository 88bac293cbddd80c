"""The real service on a temporary folder, driven by the steps of a random history."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from segue.ingest.decode import decode_events
from segue.language.interpret import Definition, Rules
from segue.log.batch import Record
from segue.log.said import Said
from segue.segments.override import ListEdit, Override, ScoreOverride
from segue.service.core import SNAPSHOT_AFTER
from segue.service.learning.overriding import override_score
from segue.service.learning.scoring import write
from segue.service.service import Service
from tests.language.meaning.twin import moment
from tests.service.oracle import Told
from tests.service.written import Listed
from tests.service.written import write as write_workspace
from tests.strategies.histories import History

SOURCE = "tests"

_TABLES = """
CREATE TABLE ids ("row" INTEGER, user_id VARCHAR);
CREATE TABLE lists (list VARCHAR, user_id VARCHAR);
CREATE TABLE scores (user_id VARCHAR, model VARCHAR, score DOUBLE, cluster VARCHAR);
CREATE TABLE overrides (user_id VARCHAR, segment VARCHAR, member BOOLEAN, until TIMESTAMP);
"""
_EVENTS = """
CREATE TABLE events AS SELECT seq, ids.user_id, type, name, make_timestamp(timestamp * 1000) AS timestamp,
  make_timestamp(received_at * 1000) AS received_at, CAST(properties AS JSON) AS properties,
  CAST(context AS JSON) AS context, CAST(traits AS JSON) AS traits, group_id, message_id
FROM {events} e JOIN ids ON ids."row" = e."row"
"""


class Driven:
    """A workspace folder, a data folder, and the service on both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "workspace"
        self.data = folder / "data"
        self.turn = 0
        self._service: Service | None = None

    @property
    def service(self) -> Service:
        """The service; opened when it is not yet."""
        return self._service or self.open()

    def open(self) -> Service:
        """Open the folders as a command does."""
        self._service = Service.open(self.workspace, self.data)
        return self._service

    def close(self) -> None:
        if self._service is not None:
            self._service.close()
            self._service = None

    # ---- taking in ---------------------------------------------------------------------------

    def import_events(self, history: History) -> None:
        """Events as a file of JSON lines."""
        self.turn += 1
        path = self.folder / f"{self.turn}.jsonl"
        path.write_bytes(b"".join(raw + b"\n" for raw in raws(history)))
        tally = self.service.import_file(path, None, SOURCE, lambda _done, _total: None)
        assert tally.quarantined == 0

    def post_events(self, history: History, sizes: Sequence[int]) -> None:
        """Events over the wire, in requests of some sizes that do not wait for each other."""
        service = self.service
        service.start()
        sent = [service.post(decode_events(part), SOURCE) for part in _parts(raws(history), sizes)]
        for done in sent:
            assert done.result().quarantined == 0
        self.restart()

    def keep_unevaluated(self, history: History) -> None:
        """Events that are on disk while the process ends before it has looked at them."""
        core = self.service.core
        taken = core.intake.accept(decode_events(raws(history)), SOURCE, core.log.next_seq)
        if len(taken.batch):
            core.log.append([taken.batch])
        self.tear()

    def forget_torn(self, user: str) -> None:
        """Someone is forgotten, and the process ends when that is on disk and nothing came of it yet."""
        core = self.service.core
        identity, seq, at = core.intake.identity, core.log.next_seq, core.stamp()
        row = identity.row_of(user)
        assert row is not None
        kept = identity.forgetting(row, seq, at)
        body = {"rows": sorted(identity.rows_of(row)), "left": kept.left, "unseen": kept.unseen}
        core.log.append([Record(seq, at, "forget", body)])
        self.tear()

    def hand(self, step: tuple[Any, ...]) -> None:
        """A list, an override, or what a model or a person in its place says."""
        if step[0] == "list":
            self.service.edit_list(ListEdit(*step[1:]))
        elif step[0] == "prediction":
            self._said(*step[1:])
        elif step[0] == "replacement":
            override_score(self.service, ScoreOverride(*step[1:]))
        else:
            self.service.override(Override(*step[1:]))

    def _said(self, user: str, gives: str, model: str, value: Any) -> None:
        core = self.service.core
        row = self.service.row_of(user)
        if row is not None:
            for done in write(core, Said.of_one((gives, model), row, value)):
                done.result()

    # ---- what happens to processes and folders -------------------------------------------------

    def restart(self) -> None:
        """Close, and open again."""
        self.close()
        self.open()

    def save(self) -> None:
        """Close as after long work: with a snapshot."""
        core = self.service.core
        core.saved_seq = -SNAPSHOT_AFTER
        core.save()
        stands = core.engine.evaluated_seq
        self.restart()
        assert self.service.core.saved_seq == stands

    def tear(self) -> None:
        """Open what a process leaves that ends without closing."""
        self.turn += 1
        torn = self.folder / f"torn{self.turn}"
        shutil.copytree(self.data, torn)
        self.close()
        self.data = torn
        self.open()

    def define(self, definitions: Sequence[Definition], rules: Rules, lists: Listed) -> None:
        """Write the folder anew and apply it, or open with it for the first time."""
        write_workspace(self.workspace, definitions, rules, lists)
        if self._service is None:
            self.open()
        else:
            self._service.apply()

    def flip_member(self, name: str, row: int) -> None:
        """Damage the engine: one membership is the other way round."""
        engine = self.service.engine
        number = engine.compiled.numbers[name]
        engine.machine.state.members[row, number >> 6] ^= np.uint64(1 << (number & 63))

    # ---- what the service says ---------------------------------------------------------------

    def changes(self) -> list[Told]:
        """All changes; their numbers leave no gap."""
        found = list(self.service.changes())
        assert [change.seq for change in found] == list(range(1, len(found) + 1))
        return [
            (each.user_id, each.segment, each.entered, each.at, each.cause, each.message_id) for each in found
        ]

    def members(self, name: str, as_of: int | None = None) -> dict[str, int]:
        found = self.service.members(name, as_of)
        assert [each.user_id for each in found] == sorted(each.user_id for each in found)
        return {each.user_id: each.since for each in found}

    def twin(self, name: str) -> set[str]:
        """Members by the SQL that ``segue sql`` prints, over the tables of the contract."""
        service = self.service
        engine, identity = service.engine, service.core.intake.identity
        with duckdb.connect(config={"threads": 1}) as database:
            database.execute(_TABLES)
            owners = [(row, identity.user_id(identity.survivor(row))) for row in range(len(identity))]
            _fill(database, "ids", owners)
            database.execute(_EVENTS.format(events=service.log.scan(database)))
            lists = engine.feed.lists.items()
            _fill(
                database,
                "lists",
                [(listed, identity.user_id(row)) for row, names in lists for listed in names],
            )
            overrides = [
                (identity.user_id(row), segment, each.member, each.until and moment(each.until))
                for row in {*engine.feed.overrides, *engine.feed.suppressed}
                for segment, each in engine.feed.decided(row).items()
            ]
            _fill(database, "overrides", overrides)
            scores = [
                (identity.user_id(row), model, *((value, None) if gives == "score" else (None, value)))
                for row in range(len(identity))
                for (gives, model), value in engine.feed.predictions.of(row).items()
            ]
            _fill(database, "scores", scores)
            found = database.execute(service.sql(name), {"now": moment(engine.now)})
            return {user_id for (user_id,) in found.fetchall()}


def raws(history: History) -> list[bytes]:
    return [json.dumps(body, ensure_ascii=False).encode() for _, body in history]


def _parts(whole: list[bytes], sizes: Sequence[int]) -> Iterator[list[bytes]]:
    turn = 0
    while whole:
        size = sizes[turn % len(sizes)]
        yield whole[:size]
        whole, turn = whole[size:], turn + 1


def _fill(database: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
