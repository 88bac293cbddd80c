"""``segue import``: what it tells, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shop import BAD, EVENTS, Shop, opened


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return opened(tmp_path / "shop")


def counts(row: dict[str, int]) -> tuple[int, int, int, int]:
    return row["rows"], row["accepted"], row["duplicate"], row["quarantined"]


def test_one_object_a_file(shop: Shop) -> None:
    files = [shop.file("a.jsonl", *EVENTS[:2]), shop.file("b.jsonl", *EVENTS, BAD)]
    first, second = shop.rows("import", *files)
    assert [first["file"], second["file"]] == [str(path) for path in files]
    assert counts(first) == (2, 2, 0, 0)
    assert counts(second) == (6, 3, 2, 1)
    assert set(first) > {"seconds", "rows_per_second"}


def test_a_second_time_nothing_changes(shop: Shop) -> None:
    path = shop.file("a.jsonl", *EVENTS)
    shop.rows("import", path)
    before = shop.rows("changes")
    assert counts(shop.row("import", path)) == (5, 0, 5, 0)
    assert shop.rows("changes") == before


def test_quarantined_rows_are_told_of_and_end_with_0(shop: Shop) -> None:
    ended = shop("import", shop.file("a.jsonl", *EVENTS, BAD))
    assert ended.status == 0
    assert ": 5 accepted, 0 duplicate, 1 quarantined\n" in ended.out
    assert "segue quarantine list" in ended.out
    assert ended.err == ""


def test_a_bad_row_is_set_aside_once_however_often_its_file_is_imported(shop: Shop) -> None:
    """Two alike are two, in one file; a dropped one does not come back, another source has its own."""
    path = shop.file("a.jsonl", *EVENTS, BAD, BAD)
    assert counts(shop.row("import", path)) == (7, 5, 0, 2)
    held = shop.rows("quarantine")
    assert len(held) == 2
    shop("quarantine", "drop", str(held[0]["id"]))
    assert counts(shop.row("import", path)) == (7, 0, 7, 0)
    assert shop.rows("quarantine") == held[1:]
    assert counts(shop.row("import", shop.file("b.jsonl", BAD, BAD, BAD))) == (3, 0, 2, 1)
    assert counts(shop.row("import", path, "--source", "tills"))[3] == 2
    assert shop("quality").status == 0


def test_a_bad_row_of_a_table_is_set_aside_once(shop: Shop) -> None:
    path = shop.folder / "orders.csv"
    path.write_text("user,event,timestamp\nann,Login,2026-11-01\nann,,2026-11-02\n", encoding="utf-8")
    assert counts(shop.row("import", path)) == (2, 1, 0, 1)
    assert counts(shop.row("import", path)) == (2, 0, 2, 0)
    assert len(shop.rows("quarantine")) == 1


def test_a_csv_with_a_mapping(shop: Shop) -> None:
    path = shop.folder / "orders.csv"
    path.write_text("who,at\nann,2026-11-01\nann,2026-11-02\nbob,2026-11-02\n", encoding="utf-8")
    mapping = 'user=who,event="Order Completed",timestamp=at'
    assert counts(shop.row("import", path, "--map", mapping, "--source", "tills")) == (3, 3, 0, 0)
    assert shop.members("repeat_customers", "--as-of", "2026-11-03") == ["ann"]


@pytest.mark.parametrize(
    ("name", "content", "arguments", "code"),
    [
        ("gone.jsonl", None, (), "E540"),
        ("empty.csv", b"", (), "E541"),
        ("orders.csv", b"who,at\nann,2026-11-01\n", ("--map", "user=customer"), "E544"),
        ("orders.csv", b"who,at\nann,2026-11-01\n", ("--map", "user"), "E545"),
        ("orders.parquet", b"this is none", (), "E543"),
        ("orders.doc", b"who,at\n", (), "E546"),
    ],
)
def test_files_that_cannot_be_taken(
    shop: Shop, name: str, content: bytes | None, arguments: tuple[str, ...], code: str
) -> None:
    path = shop.folder / name
    if content is not None:
        path.write_bytes(content)
    ended = shop("import", path, *arguments, "--json")
    assert ended.status == (2 if code == "E545" else 1)
    assert [found["code"] for found in ended.row["error"]] == [code]
