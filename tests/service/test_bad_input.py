"""Bad input, each kind of it: a finding that names place and remedy, an exit status, and nothing lost."""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from segue.log.sqlite import SqliteLog
from tests.cli.segue import Ended, segue
from tests.cli.shop import EVENTS, Shop, opened, order

SEGMENT = """\
- segment: {name}
  owner: crm@shop.example
  description: Written by a test.
  when: {when}
"""


def segment(when: str, name: str = "tested") -> str:
    return SEGMENT.format(name=name, when=when)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that holds a few events."""
    found = opened(tmp_path / "shop")
    assert found("import", found.file("first.jsonl", *EVENTS)).status == 0
    return found


def refused(ended: Ended, *said: str, status: Sequence[int] = (1,)) -> None:
    """It ended as a finding ends: code, place, remedy; never as a fault of its own."""
    text = ended.out + ended.err
    assert ended.status in status, text
    assert "E799" not in text
    assert "Traceback" not in text
    for each in said:
        assert each in text, text


def lost_nothing(shop: Shop) -> None:
    exported = [row["messageId"] for row in shop.rows("export", "--all")]
    assert exported[: len(EVENTS)] == [event["messageId"] for event in EVENTS]
    assert shop("verify").status == 0


WORKSPACES = {
    "unknown segment": (segment('segment("repeat_customer")'), ["E3", "tested.yaml:4", "repeat_customers"]),
    "cycle": (
        segment('segment("other")') + segment('segment("tested")', "other"),
        ["E3", "tested.yaml:", "tested", "other"],
    ),
    "type clash": (segment('count("Order Completed") > "many"'), ["E2", "tested.yaml:4:", "many"]),
    "duplicate name": (segment("true") + segment("false"), ["tested.yaml:5", "tested"]),
    "missing owner": (
        "segment: tested\ndescription: Nobody's.\nwhen: 'true'\n",
        ["E4", "tested.yaml", "owner"],
    ),
    "broken YAML": ("segment: [tested\nowner: x", ["E4", "tested.yaml:"]),
    "unknown key": (segment("true") + "  wen: 'true'\n", ["E4", "tested.yaml:5", "wen", "when"]),
    "condition of 1 MB": (segment("'" + "true or " * 131_072 + "true'"), ["tested.yaml:4", "characters"]),
    "10,000 brackets": (segment("(" * 10_000 + "true" + ")" * 10_000), ["E1", "tested.yaml:4", "deep"]),
    "not closed brackets": (segment("(" * 10_000), ["E1", "tested.yaml:4"]),
    "alias bomb": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        ["E4", "tested.yaml", "alias"],
    ),
    "nested YAML": ("[" * 10_000, ["E4", "tested.yaml"]),
}


@pytest.mark.parametrize("kind", WORKSPACES)
@pytest.mark.parametrize("command", ["check", "apply"])
def test_definitions_that_are_wrong(shop: Shop, kind: str, command: str) -> None:
    text, said = WORKSPACES[kind]
    path = shop.folder / "segments" / "tested.yaml"
    path.write_text(text, encoding="utf-8")
    refused(shop(command), *said)
    ended = shop(command)
    assert len(ended.out + ended.err) < 20_000
    path.unlink()
    lost_nothing(shop)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "tested.yaml"), (b"segment: caf\xe9", "tested.yaml"), (b"\x00\xff\xfe", "tested.yaml")],
)
def test_definitions_in_a_wrong_encoding(shop: Shop, content: bytes, said: str) -> None:
    path = shop.folder / "segments" / "tested.yaml"
    path.write_bytes(content)
    ended = shop("check")
    if content:
        refused(ended, said, "UTF-8")
    else:
        assert ended.status in (0, 1)
    path.unlink()
    lost_nothing(shop)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("nothing(", "1:"),
        ('segment("nobody")', "nobody"),
        ('count("Order Completed") > 1' + "0" * 400, "1:28"),
        ("(" * 10_000, "1:"),
        ("true or " * 12_000 + "true", "characters"),
        ("", "1:1"),
        ("\udcff", ""),
    ],
)
def test_a_preview_that_is_wrong(shop: Shop, condition: str, said: str) -> None:
    refused(shop("preview", condition), said, status=(1, 2))


# ---- files of events -------------------------------------------------------------------------

MAP = 'user=customer,event="Order Completed",timestamp=at'


def written(shop: Shop, name: str, content: bytes) -> Path:
    path = shop.folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "mapping", "said"),
    [
        ("orders.csv", b"customer,when\nann,2026-11-01\n", MAP, ["E5", "orders.csv", "at"]),
        ("orders.csv", b"", MAP, ["E5", "orders.csv"]),
        ("events.jsonl", b"", None, ["E5", "events.jsonl"]),
        ("events.jsonl", b'{"type":"track"}\n\xff\xfe\n', None, ["E5", "events.jsonl", "line 2", "UTF-8"]),
        ("orders.csv", "customer,at\nané,2026-11-01\n".encode("utf-16"), MAP, ["E5", "orders.csv"]),
        ("orders.csv", b"customer,at\nann,2026-11-01\n", None, ["orders.csv", "--map"]),
        ("orders.parquet", b"PAR1 but not really", MAP, ["E5", "orders.parquet"]),
        ("orders.parquet", b"", MAP, ["E5", "orders.parquet"]),
        ("events.avro", b"Obj\x01", None, ["events.avro"]),
    ],
)
def test_a_file_that_is_none(
    shop: Shop, name: str, content: bytes, mapping: str | None, said: list[str]
) -> None:
    path = written(shop, name, content)
    ended = shop("import", path, *(() if mapping is None else ("--map", mapping)))
    refused(ended, *said, status=(1, 2))
    lost_nothing(shop)


def test_a_file_that_is_not_there(shop: Shop) -> None:
    refused(shop("import", shop.folder / "none.jsonl"), "none.jsonl", status=(1, 2))
    refused(shop("import", shop.folder), status=(1, 2))
    lost_nothing(shop)


LINE = (
    b'{"type":"track","event":"Order Completed","userId":"odd","timestamp":"2026-11-06",'
    b'"properties":{"a":%s}}\n'
)


@pytest.mark.parametrize("value", [b"NaN", b"-Infinity", b"9" * 400, b"1e999", b"0." + b"1" * 400])
def test_numbers_that_are_none_are_no_reason_to_drop_an_event(shop: Shop, value: bytes) -> None:
    found = shop.row("import", written(shop, "odd.jsonl", LINE % value))
    assert (found["accepted"], found["quarantined"]) == (1, 0)
    count = 'count("Order Completed" where a is present) > 0 or sum("Order Completed".a) > 0'
    assert shop.row("preview", count)["count"] == (1 if value.startswith(b"0.") else 0)
    lost_nothing(shop)


def test_lines_that_are_wrong_are_set_aside_and_the_others_taken(shop: Shop) -> None:
    bad = [b"{", b"[" * 10_000, b"null", b"{}", b'"text"', b'{"type":"track","userId":"x"}', b"7" * 40_000]
    good = b'{"type":"track","event":"Order Completed","userId":"good","timestamp":"2026-11-07"}'
    content = b"\n".join([good, *bad, good.replace(b"good", b"fine")])
    found = shop.row("import", written(shop, "mixed.jsonl", content))
    assert (found["rows"], found["accepted"], found["quarantined"]) == (9, 2, 7)
    assert len(shop.rows("quarantine", "list")) == 7
    lost_nothing(shop)


# ---- the data folder -------------------------------------------------------------------------


def test_a_data_folder_in_use(shop: Shop) -> None:
    with SqliteLog.open(shop.folder / ".segue", running="another program"):
        for command in (["segments"], ["import", shop.folder / "first.jsonl"], ["verify"]):
            refused(shop(*command), "E601", ".segue", "another program")
    lost_nothing(shop)


def test_a_data_folder_of_a_newer_version(shop: Shop) -> None:
    with sqlite3.connect(shop.folder / ".segue" / "log.db") as database:
        database.execute("INSERT INTO schema_version VALUES (999)")
    database.close()
    for command in (["segments"], ["import", shop.folder / "first.jsonl"], ["serve", "--port", "0"]):
        refused(shop(*command), "E602", ".segue", "newer")
    with sqlite3.connect(shop.folder / ".segue" / "log.db") as database:
        database.execute("DELETE FROM schema_version WHERE version = 999")
    database.close()
    lost_nothing(shop)


def test_a_data_folder_that_is_a_file_or_not_ours(shop: Shop) -> None:
    path = written(shop, "file", b"not a folder")
    refused(shop("segments", "--data", path), "E605", "file", status=(1, 2))
    (shop.folder / "odd").mkdir()
    written(shop, "odd/log.db", b"this is no database at all, whatever its name says" * 100)
    refused(shop("segments", "--data", shop.folder / "odd"), "E60", "log.db")
    lost_nothing(shop)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of some bytes; skipped where this user cannot have one."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("mounting a small disk takes root")
    try:
        yield folder
    finally:
        # A closed service is a ring of objects, and its map of the fingerprints' file goes when it does.
        gc.collect()
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(shop: Shop, tmp_path: Path) -> None:
    orders = [order(f"u{n}", 1 + n % 28, note="x" * 50, n=n * 7919) for n in range(60_000)]
    many = shop.file("many.jsonl", *orders)
    with small_disk(tmp_path / "disk", "3m") as disk:
        data = ("--data", disk / "data")
        assert shop("import", shop.folder / "first.jsonl", *data).status == 0
        refused(shop("import", many, *data), "E604", "data")
        exported = {row["messageId"] for row in shop.rows("export", "--all", *data)}
        assert {event["messageId"] for event in EVENTS} <= exported
        assert shop("verify", *data).status == 0
        mended = subprocess.run(
            ["mount", "-o", "remount,size=200m", str(disk)], capture_output=True, check=False
        )
        assert mended.returncode == 0
        assert shop.row("import", many, *data)["rows"] == 60_000
        assert len(shop.rows("export", "--all", *data)) == 60_000 + len(EVENTS)
        assert shop("verify", *data).status == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(shop: Shop) -> None:
    locked = shop.folder / "locked"
    locked.mkdir(mode=0o500)
    refused(shop("segments", "--data", locked / "data"), "E60", "locked")


WRONG_USE: dict[str, Callable[[Shop], Ended]] = {
    "no such command": lambda shop: shop("segmnts"),
    "no such option": lambda shop: shop("members", "repeat_customers", "--as-off", "2026-11-01"),
    "no such segment": lambda shop: shop("members", "repeat_customer"),
    "no such user": lambda shop: shop("explain", "nobody", "repeat_customers"),
    "no such moment": lambda shop: shop("members", "repeat_customers", "--as-of", "2026-13-45"),
    "no such list": lambda shop: shop("list", "nolist"),
    "no workspace": lambda shop: segue("segments", "--workspace", shop.folder / "segments" / "none"),
}


@pytest.mark.parametrize("kind", WRONG_USE)
def test_wrong_use(shop: Shop, kind: str) -> None:
    refused(WRONG_USE[kind](shop), status=(1, 2))
