"""The folder against what was last applied, without opening a service, which would apply it."""

from __future__ import annotations

from pathlib import Path

from segue.log.sqlite import SqliteLog
from segue.segments.plan import Plan, from_json, plan
from segue.segments.workspace import load_workspace


def planned(folder: Path, data: Path) -> Plan:
    """What applying a folder would change, against what was last applied in a data folder nobody owns.

    No data folder is made; without one nothing was applied. Errors: those of the workspace (E4xx)
    and of the data folder (E6xx).
    """
    wanted = load_workspace(folder)
    if not (data / "log.db").is_file():
        return plan(None, wanted)
    with SqliteLog.open(data, create=False, running="segue plan") as log:
        applied = [record.body for record in log.records("definitions")]
    return plan(from_json(applied[-1]) if applied else None, wanted)
