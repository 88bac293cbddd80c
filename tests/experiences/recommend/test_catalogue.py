"""The catalogue: what a file says becomes items, and every change of one is kept with its version."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pytest

from segue.domain.errors import SegueError
from segue.domain.number import MICRO
from segue.experiences.recommend.catalogue import store
from segue.experiences.recommend.catalogue.importing import Reading, import_items
from segue.experiences.recommend.catalogue.item import Item, NotAnItemError, item_of
from segue.experiences.recommend.catalogue.mapping import ItemMapping, read_item_mapping
from segue.experiences.recommend.catalogue.store import Catalogue, Taken, catalogued

CSV = (
    "sku,name,amount,product_type,link,image_link,availability,brand,weight\n"
    "a,Tea,3.50,tea,http://s/a,http://s/a.png,in stock,Acme,1\n"
    '007,"Pot, red",20,pots,,,out of stock,,2.5\n'
)
TEA = Item(
    "a", "Tea", 3_500_000, "tea", "http://s/a", "http://s/a.png", True, {"brand": "Acme", "weight": 1.0}
)
POT = Item("007", "Pot, red", 20 * MICRO, "pots", available=False, attributes={"weight": 2.5})


def taken(
    folder: Path, name: str, text: str | bytes, mapping: str | None = None, **how: Any
) -> tuple[Taken, Reading]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    catalogue = Catalogue(folder / "data")
    try:
        return import_items(catalogue, path, read_item_mapping(mapping), 5, **how)
    finally:
        catalogue.close()


def items(folder: Path) -> list[Item]:
    catalogue = Catalogue(folder / "data")
    try:
        return [each.item for each in catalogue.items()[1]]
    finally:
        catalogue.close()


def test_a_table_by_its_usual_names(tmp_path: Path) -> None:
    counts, reading = taken(tmp_path, "p.csv", CSV)
    assert counts == Taken(1, 2, 0, 0, 0)
    assert (reading.rows, reading.bad) == (2, 0)
    assert items(tmp_path) == [POT, TEA]


def test_the_same_as_parquet_and_packed(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        (tmp_path / "p.csv").write_text(CSV, encoding="utf-8")
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{tmp_path}/p.csv', types = {{'sku': 'VARCHAR'}}))"
            f" TO '{tmp_path}/p.parquet'"
        )
    catalogue = Catalogue(tmp_path / "data")
    try:
        import_items(catalogue, tmp_path / "p.parquet", ItemMapping({}), 5)
    finally:
        catalogue.close()
    assert items(tmp_path) == [POT, TEA]
    counts, _ = taken(tmp_path, "p.csv.gz", gzip.compress(CSV.encode()))
    assert counts == Taken(1, 0, 0, 0, 2)


def test_lines_of_json_each_for_itself(tmp_path: Path) -> None:
    lines = (
        '{"id": 7, "title": "x", "price": "2.5", "tags": ["a", 1], "dims": {"w": 1}, "in_stock": 0}\n\n'
        '{"product_id": "b", "name": "y", "available": true}\n'
        '[1]\nnot json\n{"title": "no id"}\n{"id": "c", "price": "dear"}\n'
    )
    counts, reading = taken(tmp_path, "p.jsonl", lines)
    assert (counts.added, reading.rows, reading.bad) == (2, 6, 4)
    assert [(each.line, each.why) for each in reading.refused] == [
        (4, "it is no JSON object"),
        (5, "it is no JSON object"),
        (6, "it has no id"),
        (7, "its price is 'dear', not a number from 0"),
    ]
    assert items(tmp_path) == [
        Item("7", "x", 2_500_000, available=False, attributes={"tags": ["a", 1]}),
        Item("b", "y"),
    ]


def test_a_mapping_names_columns_and_attributes(tmp_path: Path) -> None:
    mapping = "id=sku,title=brand,attributes=weight,name"
    taken(tmp_path, "p.csv", CSV, mapping)
    assert items(tmp_path)[1] == Item(
        "a", "Acme", 3_500_000, "tea", "http://s/a", "http://s/a.png", True, {"weight": 1.0, "name": "Tea"}
    )
    (tmp_path / "map.yaml").write_text("id: sku\nattributes: {maker: brand}\n", encoding="utf-8")
    taken(tmp_path, "p.csv", CSV, str(tmp_path / "map.yaml"))
    assert items(tmp_path)[1].attributes == {"maker": "Acme"}


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ("id=nothing", "E544"),
        ("attributes=nothing", "E544"),
        ("identifier=sku", "E545"),
        ("sku", "E545"),
        ("id=", "E545"),
        ("nowhere.yaml", "E540"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(tmp_path: Path, mapping: str, code: str) -> None:
    with pytest.raises(SegueError, match=code):
        taken(tmp_path, "p.csv", CSV, mapping)
    assert not catalogued(tmp_path / "data") or items(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("p.csv", "", "E541"),
        ("p.xml", "<a/>", "E546"),
        ("p.csv", "name\nTea\n", "E544"),
        ("p.parquet", "PAR1", "E543"),
        ("p.jsonl.gz", b"\x1f\x8b\x08\x00broken", "E547"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, text: str | bytes, code: str) -> None:
    with pytest.raises(SegueError, match=code):
        taken(tmp_path, name, text)


def test_versions_keep_what_each_import_did(tmp_path: Path) -> None:
    taken(tmp_path, "p.csv", CSV)
    assert taken(tmp_path, "p.csv", CSV)[0] == Taken(1, 0, 0, 0, 2)
    counts, _ = taken(tmp_path, "p.csv", CSV.replace("3.50", "3"))
    assert counts == Taken(2, 0, 1, 0, 1)
    counts, _ = taken(tmp_path, "q.csv", "id\nb\n", whole=True)
    assert counts == Taken(3, 1, 0, 2, 0)
    catalogue = Catalogue(tmp_path / "data")
    changes = [
        (each.version, each.id, each.before and each.before.price, each.after and each.after.price)
        for each in catalogue.changes()
    ]
    assert changes == [
        (1, "007", None, 20 * MICRO),
        (1, "a", None, 3_500_000),
        (2, "a", 3_500_000, 3 * MICRO),
        (3, "007", 20 * MICRO, None),
        (3, "a", 3 * MICRO, None),
        (3, "b", None, None),
    ]
    assert [each.version for each in catalogue.changes(2)] == [3, 3, 3]
    listed = catalogue.item("b")
    assert listed is not None
    assert (listed.version, listed.first_at) == (3, 5)
    assert catalogue.item("a") is None
    catalogue.close()


def test_a_whole_file_without_an_item_leaves_all_as_it_is(tmp_path: Path) -> None:
    taken(tmp_path, "p.csv", CSV)
    with pytest.raises(SegueError, match="E841"):
        taken(tmp_path, "q.csv", "id,price\n,1\n", whole=True)
    assert len(items(tmp_path)) == 2


def test_the_last_of_two_rows_with_one_id_counts(tmp_path: Path) -> None:
    counts, _ = taken(tmp_path, "p.csv", "id,title\na,one\na,two\n")
    assert (counts.added, items(tmp_path)) == (1, [Item("a", "two")])


def test_a_catalogue_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "ITEMS_MAX", 2)
    taken(tmp_path, "p.csv", "id\na\nb\n")
    for text in ("id\nc\n", "id\nd\ne\nf\n"):
        with pytest.raises(SegueError, match="E846"):
            taken(tmp_path, "q.csv", text)
    assert [each.id for each in items(tmp_path)] == ["a", "b"]


def test_a_newer_file_is_not_touched(tmp_path: Path) -> None:
    taken(tmp_path, "p.csv", CSV)
    catalogue = Catalogue(tmp_path / "data")
    with catalogue._store.transaction() as connection:
        connection.execute("PRAGMA user_version = 99")
    catalogue.close()
    with pytest.raises(SegueError, match="E602"):
        Catalogue(tmp_path / "data")


@pytest.mark.parametrize(
    ("word", "there"),
    [
        ("in stock", True), ("In_Stock", True), ("https://schema.org/InStock", True), ("preorder", True),
        (3, True),
        ("12", True), (True, True), ("", True), (None, True), ("out of stock", False), ("sold out", False),
        ("http://schema.org/OutOfStock", False), (0, False), ("0", False), (False, False), ("no", False),
    ],
)  # fmt: skip
def test_availability_as_shops_write_it(word: Any, there: bool) -> None:
    assert item_of({"id": "a", "availability": word}, {}).available is there


@pytest.mark.parametrize(
    "values",
    [
        {"id": None}, {"id": " "}, {"id": True}, {"id": "x" * 257}, {"id": "a", "price": -1},
        {"id": "a", "price": "NaN"}, {"id": "a", "title": ["x"]}, {"id": "a", "title": "x" * 4_097},
        {"id": "a", "availability": "perhaps"},
    ],
)  # fmt: skip
def test_what_is_no_item(values: dict[str, Any]) -> None:
    with pytest.raises(NotAnItemError):
        item_of(values, {})


def test_attributes_are_bounded() -> None:
    with pytest.raises(NotAnItemError):
        item_of({"id": "a"}, {f"k{number}": 1 for number in range(101)})
    assert item_of({"id": "a"}, {"long": "x" * 4_097, "none": None, "list": [{}]}).attributes == {}


def test_an_item_is_kept_as_it_is() -> None:
    assert Item.of_body(TEA.body()) == TEA
    assert TEA.to_json()["price"] == 3.5
    assert POT.to_json() == {
        "id": "007", "title": "Pot, red", "category": "pots", "price": 20, "available": False,
        "attributes": {"weight": 2.5},
    }  # fmt: skip
