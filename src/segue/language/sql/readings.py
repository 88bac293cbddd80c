"""Readings of one JSON value as DuckDB expressions: the same types and the same missing as ``reading``.

Every function takes an SQL expression of a JSON value (NULL where there is none) and gives an
expression that is NULL where the reading is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from segue.domain.number import NUMBER_MAX
from segue.language.sql.quoting import extract_sql, text_sql
from segue.language.tree import Kind

_BLANKS = "' ' || chr(9) || chr(10) || chr(13)"
_NUMERAL = r"'-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?'"
_INSTANT = (
    r"'([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:[Tt ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"[ \t\n\r]*(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?'"
)
_DAY_MS = 86_400_000
_NUMERAL_CHARACTERS_MAX = 400


def text_of(value: str) -> str:
    """The text, as VARCHAR."""
    return f"CASE WHEN json_type({value}) = 'VARCHAR' THEN {_string(value)} END"


def truth_of(value: str) -> str:
    """The truth, as BOOLEAN."""
    return f"CASE WHEN json_type({value}) = 'BOOLEAN' THEN {_string(value)} = 'true' END"


def micro_of(value: str) -> str:
    """The number, or the numeral in a text, in millionths as BIGINT."""
    double = _double_of(value)
    return f"CASE WHEN abs({double}) <= {NUMBER_MAX} THEN CAST({double} * 1e6 AS BIGINT) END"


def scalar_of(value: str) -> str:
    """What makes scalars the same, as the VARCHAR that ``reading.scalar_key`` gives in Python."""
    double = f"CAST({value} AS DOUBLE)"
    return (
        f"CASE WHEN json_type({value}) = 'VARCHAR' THEN 's:' || {_string(value)} "
        f"WHEN json_type({value}) = 'BOOLEAN' THEN 'b:' || {_string(value)} "
        f"WHEN {_is_number(value)} AND {double} = 0 THEN 'n:0' "
        f"WHEN {_is_number(value)} AND isfinite({double}) THEN 'n:' || printf('%.17g', {double}) END"
    )


def is_present(value: str) -> str:
    """Whether there is a value; never NULL."""
    return (
        f"CASE WHEN {value} IS NULL OR json_type({value}) = 'NULL' THEN FALSE "
        f"WHEN {_is_number(value)} THEN isfinite(CAST({value} AS DOUBLE)) ELSE TRUE END"
    )


def is_list(value: str) -> str:
    """Whether the value is a JSON list; NULL where there is none."""
    return f"json_type({value}) = 'ARRAY'"


def time_of(value: str, zone: ZoneInfo) -> str:
    """The moment an ISO 8601 text names, in ms as BIGINT; the zone applies where it names no offset."""
    text = f"trim({_string(value)}, {_BLANKS})"

    def part(group: int) -> str:
        return f"regexp_extract({text}, {_INSTANT}, {group})"

    def whole(group: int) -> str:
        return f"CAST('0' || {part(group)} AS BIGINT)"

    date = f"TRY_CAST({part(1)} || '-' || {part(2)} || '-' || {part(3)} AS DATE)"
    milliseconds = f"CAST(rpad(left({part(7)}, 3), 3, '0') AS BIGINT)"
    clock = f"{whole(4)} * 3600000 + {whole(5)} * 60000 + {whole(6)} * 1000"
    local = f"(epoch_ms({date}) + {clock} + {milliseconds})"
    offset = part(8)
    digits = f"rpad(replace(substr({offset}, 2), ':', ''), 4, '0')"
    size = f"(CAST(left({digits}, 2) AS BIGINT) * 3600000 + CAST(right({digits}, 2) AS BIGINT) * 60000)"
    return (
        f"CASE WHEN json_type({value}) = 'VARCHAR' AND regexp_full_match({text}, {_INSTANT}) "
        f"AND {part(1)} <> '0000' AND {whole(4)} < 24 AND {whole(5)} < 60 AND {whole(6)} < 60 THEN CASE "
        f"WHEN {offset} = '' THEN {_from_local(local, f'(epoch_ms({date}) + {clock})', zone)} "
        f"WHEN {offset} IN ('Z', 'z') THEN {local} "
        f"WHEN left({offset}, 1) = '-' THEN {local} + {size} ELSE {local} - {size} END END"
    )


def day_of(timestamp_ms: str, zone: ZoneInfo) -> str:
    """The calendar day of a moment in ms, as DATE."""
    moment = f"epoch_ms({timestamp_ms})"
    return f"CAST({moment if zone.key == 'UTC' else _local_time(moment, zone)} AS DATE)"


def _local_time(timestamp: str, zone: ZoneInfo) -> str:
    return f"timezone({text_sql(zone.key)}, timezone('UTC', {timestamp}))"


def _from_local(local: str, to_the_second: str, zone: ZoneInfo) -> str:
    """UTC ms of local ms. In the hour that a clock change skips or repeats the offset before it counts."""
    if zone.key == "UTC":
        return local

    def offset_at(ms: str) -> str:
        return f"(epoch_ms({_local_time(f'epoch_ms({ms})', zone)}) - ({ms}))"

    before = offset_at(f"{to_the_second} - {_DAY_MS}")
    after = offset_at(f"{to_the_second} + {_DAY_MS}")
    with_after = f"({to_the_second} - {after})"
    with_before = f"({to_the_second} - {before})"
    return (
        f"CASE WHEN {offset_at(with_before)} <> {before} AND {offset_at(with_after)} = {after} "
        f"THEN {local} - {after} ELSE {local} - {before} END"
    )


def _string(value: str) -> str:
    return f"json_extract_string({value}, '$')"


def _is_number(value: str) -> str:
    return f"json_type({value}) IN ('BIGINT', 'UBIGINT', 'DOUBLE')"


def _double_of(value: str) -> str:
    text = f"trim({_string(value)}, {_BLANKS})"
    return (
        f"(CASE WHEN {_is_number(value)} THEN CAST({value} AS DOUBLE) "
        f"WHEN json_type({value}) = 'VARCHAR' AND length({_string(value)}) <= {_NUMERAL_CHARACTERS_MAX} "
        f"AND regexp_full_match({text}, {_NUMERAL}) THEN TRY_CAST({text} AS DOUBLE) END)"
    )


def read_sql(value: str, kind: Kind, zone: ZoneInfo) -> str:
    """The reading of a JSON expression under one kind; UNKNOWN leaves it as it is."""
    if kind is Kind.TIME:
        return time_of(value, zone)
    readers: Mapping[Kind, Callable[[str], str]] = {
        Kind.NUMBER: micro_of,
        Kind.TEXT: text_of,
        Kind.TRUTH: truth_of,
        Kind.SCALAR: scalar_of,
        Kind.UNKNOWN: lambda raw: raw,
    }
    return readers[kind](value)


def property_sql(path: tuple[str, ...], kind: Kind, column: str, zone: ZoneInfo) -> str:
    """A path of a JSON (text) column read as BIGINT millionths, BIGINT ms, VARCHAR or BOOLEAN; or NULL."""
    return read_sql(extract_sql(column, path), kind, zone)


def scalar_sql(path: tuple[str, ...], column: str) -> str:
    """The scalar identity at a path of a JSON (or JSON text) column, as VARCHAR or NULL."""
    return scalar_of(extract_sql(column, path))
