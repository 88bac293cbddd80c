"""`segue catalog`: items in, looked at, and each version of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.segue import Ended, here


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.csv").write_text(
        "id,title,price,brand\na,Tea,3.5,Acme\nb,Pot,20,\n,None,1,\n", encoding="utf-8"
    )
    return tmp_path


def catalog(folder: Path, *arguments: str) -> Ended:
    return here("catalog", *arguments, "--workspace", folder)


def test_a_file_is_taken_and_what_is_no_item_is_told(folder: Path) -> None:
    ended = catalog(folder, "import", str(folder / "p.csv"))
    assert ended.status == 0
    assert ended.out.splitlines() == [
        f"{folder}/p.csv: 3 rows: 2 added, 0 changed, 0 removed, 0 same; the catalogue has version 1",
        "    1 rows are no items (E841):",
        "      line 4: it has no id",
    ]
    assert catalog(folder, "import", str(folder / "p.csv"), "--json").row == {
        "file": f"{folder}/p.csv", "rows": 3, "version": 1, "added": 0, "changed": 0, "removed": 0, "same": 2,
        "refused": 1, "findings": [{"line": 4, "why": "it has no id"}],
    }  # fmt: skip


def test_items_are_listed_and_shown_with_their_versions(folder: Path) -> None:
    catalog(folder, "import", str(folder / "p.csv"))
    (folder / "q.jsonl").write_text('{"id": "a", "title": "Tea", "price": 3}\n', encoding="utf-8")
    catalog(folder, "import", str(folder / "q.jsonl"), "--whole")
    assert catalog(folder, "--json").row == {"version": 2, "items": 1, "available": 1}
    assert catalog(folder).out == "1 items, 1 of them available; version 2\n"
    assert catalog(folder, "list").out.splitlines() == [
        "id  title  price  category  available",
        "a   Tea        3            yes",
    ]
    assert catalog(folder, "list", "--json", "--limit", "0").rows == []
    shown = catalog(folder, "show", "a").out.splitlines()
    assert [line.partition(": ")[2] for line in shown[-2:]] == [
        "added",
        "attributes brand=Acme -> , price 3.5 -> 3",
    ]
    assert [each["version"] for each in catalog(folder, "show", "b", "--json").row["versions"]] == [1, 2]
    assert catalog(folder, "show", "b").out.splitlines()[:2] == ["id    b", "gone  yes"]


def test_nothing_was_imported_yet(folder: Path) -> None:
    assert catalog(folder, "list", "--json").rows == []
    assert catalog(folder, "--json").row == {"version": 0, "items": 0, "available": 0}
    ended = catalog(folder, "show", "a")
    assert (ended.status, ended.err[:4]) == (1, "E842")
    assert not (folder / ".segue").exists()


def test_wrong_use_is_refused(folder: Path) -> None:
    assert catalog(folder, "import", str(folder / "p.csv"), "--map", "sku=id").status == 2
    assert catalog(folder, "import", str(folder / "nowhere.csv")).status == 1
