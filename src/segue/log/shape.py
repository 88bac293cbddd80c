"""How a history file holds its events: which properties are columns of their own, and what the rest is.

A file closed from batches has every column of :data:`segue.log.history.COLUMNS`, and its properties beside
them as columns. A file that came from a table has the table's columns alone: what each of its rows means
as an event is put together where it is asked for, which costs less than to write it twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from segue.language.sql.quoting import name_sql, text_sql

Kind = Literal["number", "text", "truth", "json"]
"""What a property's column holds: numbers, texts, truths, or JSON text of values of any kind."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property by its top-level key, and the column that holds it; NULL is absent.

    ``sparse`` says that some events may lack it.
    """

    key: str
    column: str
    kind: Kind
    sparse: bool = True

    @property
    def json_sql(self) -> str:
        """The value as something that ``to_json`` spells right."""
        column = name_sql(self.column)
        return f"{column}::JSON" if self.kind == "json" else column


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of one history file.

    ``source`` None: beside the properties' columns there are all columns of history. Otherwise every
    row is a track event of that source, of the user ``user_id``. ``whole`` says that no event has
    a property that is in no column.
    """

    properties: tuple[Property, ...] = ()
    source: str | None = None
    whole: bool = False

    def to_text(self) -> str:
        """As the register keeps it."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, text: str) -> Shape:
        """The reverse; of a file from before there were shapes the text is empty."""
        return msgspec.json.decode(text, type=cls) if text else cls()

    def expressions(self) -> dict[str, str]:
        """Columns of history that are not there under their own name, as SQL over the file's columns."""
        if self.source is None:
            return {"raw": _ROW_AS_SENT}
        properties = object_sql((each.key, each.json_sql, each.sparse) for each in self.properties)
        empty = "'{}'"
        return {
            "source": text_sql(self.source),
            "type": "'track'",
            "group_id": "NULL::VARCHAR",
            "properties": properties,
            "context": empty,
            "traits": empty,
            "raw": _sent_sql("to_json(user_id)::VARCHAR", properties),
        }

    def column_list(self, names: Iterable[str]) -> str:
        """Columns of history for a SELECT from the file."""
        said = self.expressions()
        return ", ".join(f'{said[name]} AS "{name}"' if name in said else f'"{name}"' for name in names)


PLAIN = Shape()
"""Of a file that has the columns of history and no more, and of events that are in no file yet."""


def object_sql(pairs: Iterable[tuple[str, str, bool]]) -> str:
    """A JSON object as text, of (key, value, whether it may be NULL and is left out then)."""
    pairs = list(pairs)
    surely = ", ".join(f"{name_sql(key)} := {value}" for key, value, sparse in pairs if not sparse)
    perhaps = [
        f"coalesce({text_sql(',' + key_text(key) + ':')} || to_json({value})::VARCHAR, '')"
        for key, value, sparse in pairs
        if sparse
    ]
    whole = f"to_json(struct_pack({surely}))::VARCHAR" if surely else ""
    if not perhaps:
        return whole or "'{}'"
    if whole:
        return f"concat(left({whole}, -1), {', '.join(perhaps)}, '}}')"
    return f"concat('{{', ltrim(concat({', '.join(perhaps)}), ','), '}}')"


def key_text(name: str) -> str:
    """A name as the key of a JSON object."""
    return json.dumps(name, ensure_ascii=False)


def _sent_sql(user: str, properties: str) -> str:
    """The track event that a table's row means, as JSON text."""
    return (
        f"""concat('{{"type":"track","userId":', {user}, ',"event":', to_json(name)::VARCHAR,"""
        """ ',"timestamp":"', strftime(make_timestamp_ms("timestamp"), '%Y-%m-%dT%H:%M:%S.%gZ'),"""
        f""" '","messageId":', to_json(message_id)::VARCHAR, ',"properties":', {properties}, '}}')"""
    )


_ROW_AS_SENT = f"CASE WHEN starts_with(raw, '\"') THEN {_sent_sql('raw', 'properties')} ELSE raw END"
"""Files of tables from before there were shapes: of a row's ``raw`` they have the user's id alone."""
