"""Readings of one JSON value as DuckDB expressions: the same types and the same missing as ``reading``.

Every function takes an SQL expression of a JSON value (NULL where there is none) and gives an
expression that is NULL where the reading is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from segue.domain.limits import NUMERAL_CHARACTERS_MAX
from segue.domain.number import NUMBER_MAX
from segue.domain.time import DAY
from segue.language.sql.quoting import extract_sql, text_sql
from segue.language.tree import Kind

_BLANKS = "' ' || chr(9) || chr(10) || chr(13)"
_NUMERAL = r"'-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?'"
_INSTANT = (
    r"'([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:[Tt ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"[ \t\n\r]*(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?'"
)
_INSTANT_PARTS = "['year', 'month', 'day', 'hour', 'minute', 'second', 'fraction', 'offset']"
_OFFSET_DIGITS = "rpad(replace(substr(part.offset, 2), ':', ''), 4, '0')"
_OFFSET = (
    "CASE WHEN part.offset = '' THEN NULL WHEN part.offset IN ('Z', 'z') THEN 0 "
    "ELSE CASE WHEN left(part.offset, 1) = '-' THEN -1 ELSE 1 END * "
    f"(CAST(left({_OFFSET_DIGITS}, 2) AS BIGINT) * 3600000 "
    f"+ CAST(right({_OFFSET_DIGITS}, 2) AS BIGINT) * 60000) END"
)


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
    parts = f"regexp_extract({text}, {_INSTANT}, {_INSTANT_PARTS})"
    clock = f"{_whole('hour')} * 3600000 + {_whole('minute')} * 60000 + {_whole('second')} * 1000"
    read = (
        "{'second': epoch_ms(TRY_CAST(part.year || '-' || part.month || '-' || part.day AS DATE)) + "
        f"{clock}, 'ms': CAST(rpad(left(part.fraction, 3), 3, '0') AS BIGINT), 'offset': {_OFFSET}, "
        f"'valid': part.year <> '0000' AND {_whole('hour')} < 24 AND {_whole('minute')} < 60 "
        f"AND {_whole('second')} < 60}}"
    )
    moment = (
        "CASE WHEN local.valid THEN local.second + local.ms - "
        f"coalesce(local.offset, {_zone_offset('local.second', zone)}) END"
    )
    return (
        f"CASE WHEN json_type({value}) = 'VARCHAR' AND regexp_full_match({text}, {_INSTANT}) "
        f"THEN {_let('local', _let('part', parts, read), moment)} END"
    )


def _let(name: str, value: str, body: str) -> str:
    """The body with a name for a value that it uses more than once."""
    return f"list_transform([{value}], lambda {name}: {body})[1]"


def _whole(part: str) -> str:
    return f"CAST('0' || part.{part} AS BIGINT)"


def day_of(timestamp_ms: str, zone: ZoneInfo) -> str:
    """The calendar day of a moment in ms, as DATE."""
    moment = f"epoch_ms({timestamp_ms})"
    return f"CAST({moment if zone.key == 'UTC' else _local_time(moment, zone)} AS DATE)"


def _local_time(timestamp: str, zone: ZoneInfo) -> str:
    return f"timezone({text_sql(zone.key)}, timezone('UTC', {timestamp}))"


def _zone_offset(local: str, zone: ZoneInfo) -> str:
    """How far, in ms, the zone is ahead at a local time; skipped and repeated hours count as before."""
    if zone.key == "UTC":
        return "0"

    def offset_at(ms: str) -> str:
        return f"epoch_ms({_local_time(f'epoch_ms({ms})', zone)}) - ({ms})"

    around = f"{{'before': {offset_at(f'{local} - {DAY}')}, 'after': {offset_at(f'{local} + {DAY}')}}}"
    return _let(
        "around",
        around,
        f"CASE WHEN {offset_at(f'({local} - around.before)')} <> around.before "
        f"AND {offset_at(f'({local} - around.after)')} = around.after "
        "THEN around.after ELSE around.before END",
    )


def _string(value: str) -> str:
    return f"json_extract_string({value}, '$')"


def _is_number(value: str) -> str:
    return f"json_type({value}) IN ('BIGINT', 'UBIGINT', 'DOUBLE')"


def _double_of(value: str) -> str:
    text = f"trim({_string(value)}, {_BLANKS})"
    return (
        f"(CASE WHEN {_is_number(value)} THEN CAST({value} AS DOUBLE) "
        f"WHEN json_type({value}) = 'VARCHAR' AND length({_string(value)}) <= {NUMERAL_CHARACTERS_MAX} "
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
