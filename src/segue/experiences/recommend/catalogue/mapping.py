"""Which column of a catalogue's file means what.

--map id=sku,title=name,price=amount,attributes=brand,colour

or the same as a small YAML file, where attributes may be renamed: ``attributes: {brand: manufacturer}``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as Mapped
from dataclasses import dataclass
from pathlib import Path

import yaml

from segue.domain.errors import Diagnostic, SegueError, UsageError
from segue.domain.event import Json
from segue.ingest.files import faults

_FILE_BYTES_MAX = 64 * 1024
_ENDINGS = (".yaml", ".yml", ".json")
ATTRIBUTES = "attributes"

USUAL = {
    "id": ("id", "product_id", "productId", "item_id", "itemId", "sku", "SKU"),
    "title": ("title", "name", "product_title"),
    "price": ("price", "sale_price", "amount"),
    "category": ("category", "product_type", "google_product_category", "genres"),
    "url": ("url", "link"),
    "image": ("image", "image_url", "image_link", "imageUrl"),
    "availability": ("availability", "available", "in_stock", "stock"),
}
"""The names by which a column is known when no mapping names it, best first."""


@dataclass(frozen=True, slots=True)
class ItemMapping:
    """``columns`` by the catalogue's names; ``attributes`` None takes all columns that nothing else takes."""

    columns: Mapped[str, str]
    attributes: Mapped[str, str] | None = None

    def parts(self, row: Mapped[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
        """(what the catalogue has names for, the attributes) of a row; each row is looked at for itself."""
        columns = self._known(row)
        if self.attributes is None:
            inner = row.get(ATTRIBUTES)
            # As answers show an item: its attributes stand together.
            inner = inner if isinstance(inner, dict) else {}
            taken = set(columns.values())
            attributes = {**inner, **{name: value for name, value in row.items() if name not in taken}}
        else:
            attributes = {name: row.get(column) for name, column in self.attributes.items()}
        return {name: row.get(column) for name, column in columns.items()}, attributes

    def _known(self, found: Collection[str]) -> dict[str, str]:
        columns = dict(self.columns)
        for name, usual in USUAL.items():
            known = next((each for each in usual if each in found), None)
            if name not in columns and known is not None:
                columns[name] = known
        return columns

    def checked(self, path: Path, found: Sequence[str]) -> dict[str, str]:
        """The columns of a table by the catalogue's names; E544 for one that is needed and not there."""
        columns = self._known(found)
        for name, column in (*columns.items(), *(self.attributes or {}).items()):
            if column not in found:
                raise faults.no_column(path, name, column, found)
        if "id" not in columns:
            raise faults.no_column(path, "id", None, found)
        return columns


def read_item_mapping(text: str | None) -> ItemMapping:
    """What stands after ``--map``: the mapping itself or the name of a YAML file. E545 when it is neither."""
    if text is None:
        return ItemMapping({})
    if text.endswith(_ENDINGS):
        return _of_words(_words_of(Path(text)))
    said: dict[str, list[str]] = {}
    current: list[str] | None = None
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if equals:
            current = said.setdefault(name.strip(), [])
        if current is None:
            raise _bad(f'the mapping begins with "{part}"')
        current.append((value if equals else part).strip())
    return _of_words({name: each if name == ATTRIBUTES else ",".join(each) for name, each in said.items()})


def _words_of(path: Path) -> Mapped[object, object]:
    try:
        data = path.read_bytes()
        if len(data) > _FILE_BYTES_MAX:
            raise _bad(f"{path} has {len(data):,} bytes", f"a mapping has at most {_FILE_BYTES_MAX:,}")
        words = yaml.safe_load(data.decode("utf-8-sig"))
    except OSError as error:
        raise faults.no_file(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise faults.encoding(path, str(error)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _bad(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(words, dict):
        raise _bad(f"{path} is not a mapping of words to columns")
    return words


def _of_words(words: Mapped[object, object]) -> ItemMapping:
    known = (*USUAL, ATTRIBUTES)
    for word in words:
        if word not in known:
            raise _bad(f'"{word}" is not a word of a mapping', f"the words are {', '.join(known)}")
    columns = {}
    for name in USUAL:
        if name in words:
            column = words[name]
            if not isinstance(column, str) or not column:
                raise _bad(f"{name} is {column!r}, not the name of a column")
            columns[name] = column
    return ItemMapping(columns, _attributes(words[ATTRIBUTES]) if ATTRIBUTES in words else None)


def _attributes(value: object) -> dict[str, str]:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return {item: item for item in value if item}
    if isinstance(value, dict) and all(isinstance(item, str) for pair in value.items() for item in pair):
        return dict(value)
    raise _bad("attributes are neither a list of columns nor names with their columns")


def _bad(finding: str, hint: str = "") -> SegueError:
    usual = "write --map id=COLUMN,title=COLUMN,price=COLUMN,attributes=COLUMN,COLUMN or name a YAML file"
    return UsageError(Diagnostic(faults.BAD_MAPPING, finding, hint or usual))
