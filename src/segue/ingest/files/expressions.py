"""A mapping as SQL over the columns of a staged table, which are called ``c0``, ``c1``, … there."""

from __future__ import annotations

from collections.abc import Mapping as Mapped
from dataclasses import dataclass, field

from segue.domain.ids import FORGOTTEN
from segue.domain.limits import EVENT_BYTES_MAX, FUTURE_MS_MAX, ID_CHARACTERS_MAX
from segue.ingest import reject
from segue.ingest.files.mapping import Column, Constant, Mapping
from segue.log.shape import Kind, Property, key_text, object_sql

_REALS = ("FLOAT", "DOUBLE")
_WHOLES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_BLANKS = "' ' || chr(9) || chr(10) || chr(13)"
_ISO = "'%Y-%m-%dT%H:%M:%S.%gZ'"
_SECONDS_MAX = 100_000_000_000


def literal(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the staged table: its name there, its DuckDB type, whether it has nulls or NaN."""

    sql: str
    kind: str
    nullable: bool = True
    longest: int = 0
    """Bytes of the longest text in it."""


@dataclass(frozen=True, slots=True)
class Expressions:
    """The parts of an event as SQL; ``fields`` are the table's columns by their own names."""

    mapping: Mapping
    fields: Mapped[str, Field] = field(default_factory=dict)

    def text(self, column: Column | None) -> str:
        """An id or a name; NULL when it is blank."""
        if column is None:
            return "NULL::VARCHAR"
        if isinstance(column, Constant):
            return literal(column.text)
        found = self.fields[column]
        if found.kind in _WHOLES:
            return f"{found.sql}::VARCHAR"
        text = f"{found.sql}::VARCHAR"
        if found.kind in _REALS:
            whole = f"isfinite({found.sql}) AND {found.sql} = trunc({found.sql}) AND abs({found.sql}) < 1e18"
            text = f"CASE WHEN {whole} THEN {found.sql}::BIGINT::VARCHAR ELSE {text} END"
        return f"CASE WHEN trim({text}, {_BLANKS}) <> '' THEN {text} END"

    def trimmed(self, column: Column | None) -> str:
        """An event name."""
        if column is None or isinstance(column, Constant):
            return self.text(column)
        return f"nullif(trim({self.fields[column].sql}::VARCHAR, {_BLANKS}), '')"

    def time(self, column: Column | None) -> str:
        """Milliseconds; NULL when there is no time or none that can be read."""
        if column is None:
            return "NULL::BIGINT"
        if isinstance(column, Constant):
            return self._time_of_text(literal(column.text))
        found = self.fields[column]
        if found.kind in _WHOLES or found.kind in _REALS or found.kind.startswith(("DECIMAL", "HUGEINT")):
            return self._time_of_number(f"{found.sql}::DOUBLE")
        if found.kind == "VARCHAR":
            return self._time_of_text(found.sql)
        if found.kind == "DATE" or found.kind.startswith("TIMESTAMP"):
            moment = self._moment(found)
            return f"try(epoch_us({moment}) // 1000)"
        return "NULL::BIGINT"

    def _moment(self, found: Field) -> str:
        if found.kind == "TIMESTAMP WITH TIME ZONE" or self.mapping.timezone == "UTC":
            return f"{found.sql}::TIMESTAMP" if found.kind == "DATE" else found.sql
        return f"timezone({literal(self.mapping.timezone)}, {found.sql}::TIMESTAMP)"

    def _time_of_number(self, number: str) -> str:
        return (
            f"CASE WHEN abs({number}) < {_SECONDS_MAX} THEN round({number} * 1000)::BIGINT"
            f" WHEN abs({number}) < 253402300800000 THEN floor({number})::BIGINT END"
        )

    def _time_of_text(self, text: str) -> str:
        numeral = f"try_cast({text} AS DOUBLE)"
        if self.mapping.timezone == "UTC":
            moment = f"try_cast({text} AS TIMESTAMPTZ)"
        else:
            zoned = (
                f"regexp_matches(trim({text}), '(Z|z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$') AND {text} LIKE '%:%'"
            )
            naive = f"timezone({literal(self.mapping.timezone)}, try_cast({text} AS TIMESTAMP))"
            moment = f"CASE WHEN {zoned} THEN try_cast({text} AS TIMESTAMPTZ) ELSE {naive} END"
        return (
            f"CASE WHEN {numeral} IS NOT NULL THEN {self._time_of_number(numeral)}"
            f" ELSE try(epoch_us({moment}) // 1000) END"
        )

    def digest(self) -> str:
        """The MD5 of a row's content where it has no message id; missing differs from an empty text."""
        column = self.mapping.message_id
        cells = ", ".join(f"coalesce({self._cell(one)}, chr(30))" for one in self.fields.values())
        whole = f"md5(concat_ws(chr(31), {cells}))"
        return whole if column is None else f"CASE WHEN {self.text(column)} IS NULL THEN {whole} END"

    @staticmethod
    def _cell(found: Field) -> str:
        return found.sql if found.kind == "VARCHAR" else f"{found.sql}::VARCHAR"

    def message_id(self, repeated: bool = True) -> str:
        """The row's own id, else its digest and, if any are ``repeated``, which one of its kind it is."""
        named = "CASE WHEN nth > 1 THEN concat(digest, '-', nth) ELSE digest END" if repeated else "digest"
        column = self.mapping.message_id
        return named if column is None else f"coalesce({self.text(column)}, {named})"

    # ---- JSON --------------------------------------------------------------------------------

    def json(self, named: Mapped[str, str]) -> str:
        """An object of columns as JSON text; what is NULL, NaN or infinite is left out."""
        found = {name: self.fields[column] for name, column in named.items()}
        return object_sql((name, self._value(one), one.nullable) for name, one in found.items())

    def columns(self, named: Mapped[str, str]) -> tuple[list[Property], list[str]]:
        """Properties as a history file has them, and the SQL that gives the column of each."""
        held, values = [], []
        for at, (name, column) in enumerate(named.items()):
            found = self.fields[column]
            kind, value = self._held(found)
            held.append(Property(name, f"p{at}", kind, found.nullable))
            values.append(value)
        return held, values

    def _held(self, found: Field) -> tuple[Kind, str]:
        """What kind of JSON values a column gives, and the SQL of a column of them."""
        kind, value = found.kind, self._value(found)
        if kind in _WHOLES or kind == "DOUBLE":
            return "number", value
        if kind in ("FLOAT", "HUGEINT", "UHUGEINT") or kind.startswith("DECIMAL"):
            return "number", f"({value})::DOUBLE"
        if kind == "BOOLEAN":
            return "truth", value
        if kind == "VARCHAR" or kind.startswith("TIMESTAMP"):
            return "text", value
        return "json", f"CASE WHEN {found.sql} IS NOT NULL THEN to_json({value})::VARCHAR END"

    def _value(self, found: Field) -> str:
        kind, sql = found.kind, found.sql
        if kind in _REALS:
            return f"CASE WHEN isfinite({sql}) THEN {sql} END" if found.nullable else sql
        if kind.startswith("TIMESTAMP"):
            return f"strftime({self._moment(found)}, {_ISO})"
        if kind in ("HUGEINT", "UHUGEINT"):
            return f"{sql}::DOUBLE"
        if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
            return f"CASE WHEN {_is_json(f'to_json({sql})::VARCHAR')} THEN to_json({sql}) END"
        return sql

    def event(self) -> str:
        """Any event that a row means, as sent by someone who has its fields."""
        mapping = self.mapping
        texts = {"type": mapping.type, "userId": mapping.user, "anonymousId": mapping.anonymous,
                 "event": mapping.event, "groupId": mapping.group}  # fmt: skip
        parts = [(name, f"to_json({self.text(column)})::VARCHAR") for name, column in texts.items() if column]
        if mapping.type is None:
            parts.append(("type", "'\"track\"'"))
        parts.append(("messageId", f"to_json({self.message_id()})::VARCHAR"))
        parts.append(("timestamp", f"to_json(strftime(make_timestamp_ms(sent), {_ISO}))::VARCHAR"))
        parts.append(("receivedAt", f"to_json(strftime(make_timestamp_ms(stamped), {_ISO}))::VARCHAR"))
        parts.append(("properties", self.json(mapping.properties or {})))
        if mapping.traits:
            parts.append(("traits", self.json(mapping.traits)))
        said = ", ".join(f"coalesce({literal(f',{key_text(name)}:')} || {sql}, '')" for name, sql in parts)
        return f"concat('{{', ltrim(concat({said}), ','), '}}')"

    def verdict(self) -> str:
        """Why a row is set aside, from ``user_id name timestamp received``; NULL when it is not."""
        return (
            f"CASE WHEN user_id IS NULL THEN '{reject.NO_ID}'"
            f" WHEN length(user_id) > {ID_CHARACTERS_MAX} OR starts_with(user_id, '{FORGOTTEN}')"
            f" THEN '{reject.BAD_ID}'"
            f" WHEN name IS NULL THEN '{reject.NO_EVENT_NAME}'"
            f" WHEN received IS NULL THEN '{reject.NO_TIME}'"
            f" WHEN least(timestamp, received) < 0 THEN '{reject.BEFORE_1970}' {self._too_large()} END"
        )

    def _too_large(self) -> str:
        if sum(one.longest for one in self.fields.values()) <= EVENT_BYTES_MAX:
            return ""
        sizes = " + ".join(f"coalesce(strlen({one.sql}), 0)" for one in self.fields.values() if one.longest)
        return f"WHEN {sizes} > {EVENT_BYTES_MAX} THEN '{reject.EVENT_TOO_LARGE}'"


def _is_json(text: str) -> str:
    """Whether what DuckDB spells of a nested value is JSON: it lets NaN and infinities stand there."""
    bare = f"""regexp_replace({text}, '"([^"\\\\]|\\\\.)*"', '', 'g')"""
    return f"json_valid({text}) AND NOT regexp_matches({bare}, 'Inf|NaN|inf|nan')"


CLAMPED = f"timestamp > received + {FUTURE_MS_MAX}"
