"""A snapshot gives back the engine that was saved, or it is left aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from segue.engine import snapshot
from segue.engine.engine import Engine
from segue.engine.kernel import layout as k
from segue.engine.program.compile import Compiled, compile_definitions
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Rules
from segue.language.scope import Scope
from segue.log.sqlite import SqliteLog
from tests.log.stories import batch

OFTEN = 'count("E", last 30d) >= 2'


def program(*conditions: str) -> Compiled:
    found = [Definition(f"s{at}", check_condition(text, Scope())) for at, text in enumerate(conditions)]
    return compile_definitions(found, Rules())


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    with SqliteLog.open(tmp_path / "data") as log:
        yield log


@pytest.fixture
def saved(log: SqliteLog, tmp_path: Path) -> Engine:
    """Three profiles of which one is in."""
    engine = Engine(log, str)
    engine.start(program(OFTEN))
    events = batch(1, [{"event": "E", "userId": str(row)} for row in (0, 1, 0, 2)], [0, 1, 0, 2])
    events.created = [(0, 0, "0"), (1, 1, "1"), (3, 2, "2")]
    engine.apply(events)
    snapshot.save(engine, tmp_path / "snapshot")
    return engine


def test_what_was_saved_is_there_again_and_goes_on(saved: Engine, log: SqliteLog, tmp_path: Path) -> None:
    engine = Engine(log, str)
    assert snapshot.load(engine, program(OFTEN), tmp_path / "snapshot", saved.evaluated_seq)
    assert engine.evaluated_seq == 4
    assert engine.rows_in("s0").tolist() == [0]
    rows = saved.machine.rows
    for name in ("columns", "members", "flags", "touched"):
        held, found = getattr(saved.machine.state, name), getattr(engine.machine.state, name)
        assert np.array_equal(held, found)
        assert (found.dtype, found.shape) == (held.dtype, held.shape)
    assert engine.feed.known[:rows].all()
    more = batch(5, [{"event": "E", "userId": "1"}], [1])
    for each in (saved, engine):
        each.apply(more)
        each.advance(k.FAR >> 20)
    assert engine.rows_in("s0").tolist() == saved.rows_in("s0").tolist()


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-8])


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-8] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("name", ["columns.npy", "entries.npy", "known.npy", "feed", "meta.json"])
@pytest.mark.parametrize("damage", [_cut, _flip, Path.unlink])
def test_a_damaged_one_is_left_aside(
    saved: Engine, log: SqliteLog, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(tmp_path / "snapshot" / name)
    assert not snapshot.load(Engine(log, str), saved.compiled, tmp_path / "snapshot", saved.evaluated_seq)


def test_one_of_another_program_or_a_later_moment_is_left_aside(
    saved: Engine, log: SqliteLog, tmp_path: Path
) -> None:
    folder, engine = tmp_path / "snapshot", Engine(log, str)
    assert not snapshot.load(engine, program('count("E", last 31d) >= 2'), folder, saved.evaluated_seq)
    assert not snapshot.load(engine, saved.compiled, folder, saved.evaluated_seq - 1)
    assert snapshot.load(engine, saved.compiled, folder, saved.evaluated_seq)
