"""A data folder that cannot be used says why and what to do, and loses nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import disk_usage

import pytest

from segue.domain.errors import SegueError
from segue.log import schema
from segue.log.batch import Quarantined
from segue.log.sqlite import SqliteLog
from tests.log.stories import batch, opened, told, tracks


def _refused(folder: Path, *, create: bool = True) -> tuple[str, str]:
    with pytest.raises(SegueError) as refused:
        SqliteLog.open(folder, create=create)
    finding = refused.value.diagnostics[0]
    assert finding.hint
    return finding.code, finding.message


def test_a_folder_in_use_names_the_process(tmp_path: Path) -> None:
    with SqliteLog.open(tmp_path / ".segue", running="segue serve"):
        code, message = _refused(tmp_path / ".segue")
        assert code == "E601"
        assert f"process {os.getpid()} (segue serve)" in message
    opened(tmp_path).close()


def test_a_process_that_ended_holds_nothing(tmp_path: Path) -> None:
    taking = "import sys; from pathlib import Path; from segue.log.sqlite import SqliteLog"
    program = f"{taking}; SqliteLog.open(Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-W", "ignore", "-c", program, str(tmp_path / ".segue")], check=True)
    opened(tmp_path).close()


def test_a_newer_folder_asks_for_an_upgrade(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / ".segue" / "log.db") as connection:
        connection.execute("INSERT INTO schema_version VALUES (99)")
    connection.close()
    code, message = _refused(tmp_path / ".segue")
    assert code == "E602"
    assert "99" in message


def test_an_older_folder_is_brought_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as log:
        log.append([tracks(1, 3)])
    later = (*schema.STEPS, lambda connection: connection.execute("CREATE TABLE added (x)"))
    monkeypatch.setattr(schema, "STEPS", later)
    for _ in range(2):
        with opened(tmp_path) as log:
            assert len(told(log)) == 3
    monkeypatch.undo()
    assert _refused(tmp_path / ".segue")[0] == "E602"


def _filled(folder: Path) -> Path:
    with opened(folder) as log:
        log.append([tracks(1, 200)])
        log.close_stretch(1)
        log.append([tracks(201, 200)])
    return folder / ".segue"


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    folder = _filled(tmp_path)
    (folder / "log.db").write_bytes(b"not a database " * 1000)
    assert _refused(folder)[0] == "E603"
    assert list((folder / "history").iterdir())


@pytest.mark.parametrize("content", [None, b""])
def test_history_without_its_database_is_damaged_and_stays(tmp_path: Path, content: bytes | None) -> None:
    folder = _filled(tmp_path)
    (folder / "log.db").unlink()
    if content is not None:
        (folder / "log.db").write_bytes(content)
    for _ in range(2):
        assert _refused(folder)[0] == "E603"
    assert list((folder / "history").iterdir())


def test_a_missing_or_cut_history_file_is_damaged(tmp_path: Path) -> None:
    folder = _filled(tmp_path)
    (file,) = (folder / "history").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert _refused(folder)[0] == "E603"
    file.unlink()
    code, message = _refused(folder)
    assert code == "E603"
    assert file.name in message
    file.write_bytes(whole)
    opened(tmp_path).close()


def test_a_flipped_bit_in_the_history_is_found_or_does_no_harm(tmp_path: Path) -> None:
    folder = _filled(tmp_path)
    (file,) = (folder / "history").iterdir()
    data = bytearray(file.read_bytes())
    data[-1] ^= 0xFF
    file.write_bytes(data)
    with opened(tmp_path) as log, pytest.raises(SegueError) as refused:
        told(log)
    assert refused.value.diagnostics[0].code == "E603"


def test_a_flipped_bit_in_a_batch_is_found(tmp_path: Path) -> None:
    folder = _filled(tmp_path)
    with sqlite3.connect(folder / "log.db") as connection:
        (blob,) = connection.execute("SELECT raws FROM batches").fetchone()
        flipped = bytes([*blob[:-1], blob[-1] ^ 1])
        connection.execute("UPDATE batches SET raws = ?", (flipped,))
    connection.close()
    with opened(tmp_path) as log, pytest.raises(SegueError) as refused:
        list(log.read(200))
    assert refused.value.diagnostics[0].code == "E603"


def test_a_cut_database_is_damaged(tmp_path: Path) -> None:
    folder = _filled(tmp_path)
    whole = (folder / "log.db").read_bytes()
    (folder / "log.db").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SegueError) as refused, opened(tmp_path) as log:
        told(log)
    assert refused.value.diagnostics[0].code == "E603"
    assert list((folder / "history").iterdir())
    (folder / "log.db").write_bytes(whole)
    with opened(tmp_path) as log:
        assert len(told(log)) == 400


def test_a_full_disk_puts_the_last_of_an_erasure_off_and_says_so(small_disk: Path) -> None:
    with opened(small_disk) as log:
        events = batch(1, _noise() * 3, range(12))
        events.created = [(row, row, f"u{row}") for row in range(12)]
        log.append([events.part(at, at + 1) for at in range(12)])
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(disk_usage(small_disk).free - 120_000))
        with pytest.raises(SegueError) as refused:
            log.forget({0}, 12)
        assert refused.value.diagnostics[0].code == "E604"
        assert len(_created(log)) == 11
    with opened(small_disk) as log:
        assert len(_created(log)) == 11
        assert _leavings(log) == 1
    ballast.unlink()
    with opened(small_disk) as log:
        assert len(_created(log)) == 11
        assert _leavings(log) == 0


def _created(log: SqliteLog) -> list[tuple[object, ...]]:
    return [line for line in told(log) if line[0] == "created"]


def _leavings(log: SqliteLog) -> int:
    connection = sqlite3.connect(log.folder / "log.db")
    count: int = connection.execute("SELECT count(*) FROM erasing").fetchone()[0]
    connection.close()
    return count


def test_no_folder(tmp_path: Path) -> None:
    assert _refused(tmp_path / "none", create=False)[0] == "E605"
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("")
    assert _refused(tmp_path / "file" / ".segue")[0] == "E605"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    try:
        subprocess.run(mounting, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a full disk needs a tmpfs, and mounting one needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _noise() -> list[dict[str, str]]:
    return [{"type": "track", "event": "E", "blob": os.urandom(20_000).hex()} for _ in range(4)]


def _append_for_ever(log: SqliteLog) -> None:
    while True:
        log.append([batch(log.next_seq, _noise())], [Quarantined(1, "web", "E501", "bad", "mend", b"x")])


def test_a_full_disk_loses_nothing_and_the_log_goes_on(small_disk: Path) -> None:
    with opened(small_disk) as log:
        log.append([tracks(1, 3)])
        (small_disk / "ballast").write_bytes(bytes(300_000))
        with pytest.raises(SegueError) as refused:
            _append_for_ever(log)
        assert refused.value.diagnostics[0].code == "E604"
        before, kept = log.next_seq, told(log)
        assert len(kept) == before - 1
        assert sum(log.quarantine_counts().values()) == (before - 4) // 4
        with pytest.raises(SegueError) as refused_again:
            log.close_stretch(1)
        assert refused_again.value.diagnostics[0].code == "E604"
        assert not list((log.folder / "history").iterdir())
        (small_disk / "ballast").unlink()
        log.append([tracks(before, 1)])
        assert told(log)[:-1] == kept
    with opened(small_disk) as log:
        assert len(told(log)) == before


def test_a_full_disk_is_said_at_the_door(small_disk: Path) -> None:
    with pytest.raises(OSError, match="space"):
        (small_disk / "ballast").write_bytes(bytes(4_000_000))
    assert _refused(small_disk / ".segue")[0] in {"E604", "E605"}
