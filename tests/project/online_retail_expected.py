"""The demo's true members, from DuckDB over the shipped file and SQL written by hand."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import yaml

ROOT = Path(__file__).parents[2]
WORKSPACE = ROOT / "examples" / "online-retail"
FILE = WORKSPACE / "data" / "online_retail_2009_2010.parquet"
SQL = Path(__file__).with_name("online_retail_members.sql")

COUNTS: dict[str, dict[str, int]] = json.loads(
    Path(__file__).with_name("online_retail_expected.json").read_text(encoding="utf-8")
)
"""Members of each segment at some moments."""

_PART = re.compile(r"^-- (part|segment): (\w+)\n", re.MULTILINE)


def definitions(kind: str) -> list[dict[str, Any]]:
    """All definitions in the files of one folder of the workspace."""
    found: list[dict[str, Any]] = []
    for path in sorted((WORKSPACE / kind).glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        found.extend(document if isinstance(document, list) else [document])
    return found


def exact() -> set[str]:
    """The names of the segments that rules alone decide: SQL over the events finds their members too."""
    return {each["segment"] for each in definitions("segments") if each.get("kind") != "strategic"}


def sql_parts() -> list[tuple[bool, str, str]]:
    """(is a segment, name, SELECT) of each part of the SQL file, in its order."""
    pieces = _PART.split(SQL.read_text(encoding="utf-8"))[1:]
    return [
        (kind == "segment", name, select)
        for kind, name, select in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True)
    ]


def members_at(moment: str) -> dict[str, list[str]]:
    """The sorted user ids of every segment of the demo at a moment (UTC, inclusive)."""
    base = duckdb.connect()
    now = f"(timestamp '{moment}')"
    lines = f"select row_number() over () as seq, * from '{FILE}'"
    base.execute(f"create table e as select * from ({lines}) where ts <= {now}")
    for name, users in lists().items():
        base.execute(f"create table {name} (user_id integer)")
        base.executemany(f"insert into {name} values (?)", [[int(user)] for user in users])
    found = {}
    for is_segment, name, select in sql_parts():
        base.execute(f"create table {name} as {select.replace('now()', now)}")
        if is_segment:
            rows = base.execute(f"select cast(user_id as varchar) from {name}").fetchall()
            found[name] = sorted(user for (user,) in rows)
    return found


def lists() -> dict[str, list[str]]:
    lists = {each["list"]: [str(user) for user in each["users"]] for each in definitions("lists")}
    for path in (WORKSPACE / "lists").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as rows:
            lists[path.stem] = [row["user_id"] for row in csv.DictReader(rows)]
    return lists
