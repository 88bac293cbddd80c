"""A segment as one SELECT for DuckDB: the independent judge of its membership."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast
from zoneinfo import ZoneInfo

from segue.language import tree
from segue.language.interpret.membership import Definition
from segue.language.sql.aggregates import EMPTY_IS_ZERO, aggregate_sql, sequence_sql, trait_sql
from segue.language.sql.conditions import Columns, condition_sql
from segue.language.sql.quoting import extract_sql, name_sql, text_sql
from segue.language.tree import Aggregate, Condition, ListRef, Operand, SegmentRef, Trait

_VISIBLE = """received AS (
  SELECT seq, user_id, type, name, epoch_ms(timestamp) AS ts, context, traits, group_id,
    CASE WHEN type IN ('identify', 'group') THEN traits ELSE properties END AS seen,
    epoch_ms(CAST($now AS TIMESTAMP)) AS now
  FROM events WHERE received_at <= CAST($now AS TIMESTAMP)
),
visible AS (
  SELECT *, row_number() OVER (ORDER BY ts, seq) AS place FROM received WHERE ts <= now
),
people AS (
  SELECT DISTINCT user_id, now FROM received
)"""

_ACCOUNTS = """accounts AS (
  SELECT user_id, arg_max_null(group_id, place) AS group_id FROM visible WHERE type = 'group' GROUP BY user_id
)"""

_SESSIONS = """runs AS (
  SELECT *, ts - lag(ts) OVER (PARTITION BY user_id ORDER BY place) AS pause FROM visible
),
this_session AS (
  SELECT user_id, max(place) FILTER (coalesce(pause > {gap}, TRUE)) AS began, max(ts) AS ended
  FROM runs GROUP BY user_id
)"""


def segment_sql(name: str, definitions: Sequence[Definition], zone: ZoneInfo, session_gap_ms: int) -> str:
    """One SELECT that gives the ``user_id`` of the members of a segment at ``$now`` (TIMESTAMP, UTC).

    It reads the tables ``events``, ``lists (list, user_id)``, ``overrides (user_id, segment, member,
    until)`` and ``scores (user_id, model, score, cluster)`` of the contract. A name that is not among the
    definitions is a KeyError.
    """
    return "\n".join(_Select(definitions, zone, session_gap_ms).lines(name))


def _operands(operand: Operand) -> Iterator[Operand]:
    """The operands that need a column: aggregates, sequences and traits."""
    match operand:
        case tree.Arithmetic():
            yield from _operands(operand.left)
            yield from _operands(operand.right)
        case tree.Elapsed():
            yield from _operands(operand.time)
        case Aggregate() | tree.Sequence() | Trait():
            yield operand


def _leaves(condition: Condition) -> Iterator[Condition]:
    match condition:
        case tree.And() | tree.Or():
            for part in condition.parts:
                yield from _leaves(part)
        case tree.Not():
            yield from _leaves(condition.part)
        case _:
            yield condition


def _sides(leaf: Condition) -> Iterable[Operand]:
    match leaf:
        case tree.Compare():
            return (leaf.left, leaf.right)
        case tree.In() | tree.Match() | tree.Presence():
            return (leaf.operand,)
    return ()


class _Select:
    """The parts of one SELECT: facts of each user, then a column for each segment that is needed."""

    def __init__(self, definitions: Sequence[Definition], zone: ZoneInfo, session_gap_ms: int) -> None:
        self.zone = zone
        self.session_gap_ms = session_gap_ms
        self.by_name = {each.name: each for each in definitions}
        self.settled: list[list[Definition]] = []
        self.columns: dict[Operand, str] = {}
        self.lists: dict[str, str] = {}

    def lines(self, name: str) -> Iterator[str]:
        self._need(self.by_name[name])
        needed = [each for unit in self.settled for each in unit]
        for definition in needed:
            self._note_facts(definition.condition)
        parts = [_VISIBLE, *self._helpers(), *self._values(), self._facts(needed)]
        table = "facts"
        for index, unit in enumerate(self.settled):
            parts.append(self._settle(unit, table, f"settled{index}"))
            table = f"settled{index}"
        yield "WITH " + ",\n".join(parts)
        yield f"SELECT user_id FROM {table} WHERE {name_sql('in ' + name)} ORDER BY user_id"

    # ---- what is needed ----------------------------------------------------------------------

    def _need(self, definition: Definition) -> None:
        """Note a segment with its whole group after everything that they refer to."""
        if any(definition in unit for unit in self.settled):
            return
        unit = [definition]
        if definition.status == "active" and definition.exclusive is not None:
            unit = [
                each
                for each in self.by_name.values()
                if each.exclusive == definition.exclusive and each.status == "active"
            ]
        for each in unit:
            for leaf in _leaves(each.condition):
                if isinstance(leaf, SegmentRef) and leaf.name in self.by_name:
                    self._need(self.by_name[leaf.name])
        self.settled.append(unit)

    def _note_facts(self, condition: Condition) -> None:
        for leaf in _leaves(condition):
            if isinstance(leaf, ListRef):
                self.lists.setdefault(leaf.name, f"l{len(self.lists)}")
            for side in _sides(leaf):
                for operand in _operands(side):
                    self.columns.setdefault(_column_key(operand), f"v{len(self.columns)}")

    # ---- tables ------------------------------------------------------------------------------

    def _helpers(self) -> Iterator[str]:
        if any(isinstance(operand, Trait) and operand.owner == "account" for operand in self.columns):
            yield _ACCOUNTS
        if any(_needs_sessions(operand) for operand in self.columns):
            yield _SESSIONS.format(gap=self.session_gap_ms)

    def _values(self) -> Iterator[str]:
        for operand, column in self.columns.items():
            yield f"{column} AS (\n  {self._value(operand)}\n)"

    def _value(self, operand: Operand) -> str:
        if isinstance(operand, Aggregate):
            return aggregate_sql(operand, self.zone, self.session_gap_ms)
        if isinstance(operand, Trait):
            return trait_sql(operand.path[0], operand.owner)
        return sequence_sql(cast(tree.Sequence, operand), self.zone)

    def _facts(self, needed: Sequence[Definition]) -> str:
        columns = ["people.user_id", "people.now"]
        joins = []
        for operand, column in self.columns.items():
            value = f"coalesce({column}.value, 0)" if _zero_when_empty(operand) else f"{column}.value"
            columns.append(f"{value} AS {column}")
            joins.append(f"LEFT JOIN {column} ON {column}.user_id = people.user_id")
        for name, column in self.lists.items():
            listed = f"SELECT user_id FROM lists WHERE list = {text_sql(name)} AND user_id IS NOT NULL"
            columns.append(f"people.user_id IN ({listed}) AS {column}")
        for definition in needed:
            alias = name_sql("override " + definition.name)
            columns.append(f"{alias}.member AS {alias}")
            joins.append(
                f"LEFT JOIN (SELECT user_id, bool_or(member) AS member FROM overrides WHERE segment = "
                f"{text_sql(definition.name)} AND (until IS NULL OR until > CAST($now AS TIMESTAMP)) "
                f"GROUP BY user_id) AS {alias} ON {alias}.user_id = people.user_id"
            )
        selected, joined = ",\n    ".join(columns), "\n    ".join(["people", *joins])
        return f"facts AS (\n  SELECT {selected}\n  FROM {joined}\n)"

    # ---- settling ----------------------------------------------------------------------------

    def _settle(self, unit: list[Definition], table: str, name: str) -> str:
        """The table before with a BOOLEAN column for each segment of a unit."""
        if unit[0].status != "active":
            members = [f"FALSE AS {name_sql('in ' + unit[0].name)}"]
        elif unit[0].exclusive is None:
            members = [f"{self._claim(unit[0])} AS {name_sql('in ' + unit[0].name)}"]
        else:
            winner = self._winner(unit)
            members = [
                f"coalesce({winner} = {text_sql(each.name)}, FALSE) AS {name_sql('in ' + each.name)}"
                for each in unit
            ]
        return f"{name} AS (\n  SELECT *,\n    {', '.join(members)}\n  FROM {table}\n)"

    def _claim(self, definition: Definition) -> str:
        condition = condition_sql(
            definition.condition, Columns(self.zone, self._operand, self._segment, self._listed)
        )
        return f"coalesce({name_sql('override ' + definition.name)}, {condition})"

    def _winner(self, group: list[Definition]) -> str:
        ranked = sorted(group, key=lambda each: -each.priority)
        put_in = [f"WHEN {name_sql('override ' + each.name)} THEN {text_sql(each.name)}" for each in ranked]
        claims = [f"WHEN {self._claim(each)} THEN {text_sql(each.name)}" for each in ranked]
        return f"CASE {' '.join(put_in + claims)} END"

    def _operand(self, operand: Operand) -> str:
        column = self.columns[_column_key(operand)]
        return extract_sql(column, operand.path[1:]) if isinstance(operand, Trait) else column

    def _segment(self, name: str) -> str:
        return name_sql("in " + name) if name in self.by_name else "FALSE"

    def _listed(self, name: str) -> str:
        return self.lists[name]


def _column_key(operand: Operand) -> Operand:
    """What is the same column: paths below one trait share it, and how a value is read does not matter."""
    if isinstance(operand, Trait):
        return Trait(operand.path[:1], operand.owner)
    if isinstance(operand, Aggregate):
        return Aggregate(operand.name, operand.event, operand.path, operand.window)
    return operand


def _zero_when_empty(operand: Operand) -> bool:
    return isinstance(operand, tree.Sequence) or (
        isinstance(operand, Aggregate) and operand.name in EMPTY_IS_ZERO
    )


def _needs_sessions(operand: Operand) -> bool:
    return isinstance(operand, Aggregate) and (
        operand.name == "sessions" or isinstance(operand.window, tree.ThisSession)
    )
