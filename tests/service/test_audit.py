"""Who did what: from the records alone, and without who was forgotten."""

from __future__ import annotations

from pathlib import Path

from segue.access.keys import Grant, Kind
from segue.segments.override import ListEdit, Override
from segue.service.service import Service
from segue.service.suppressing import admit, suppress
from tests.cli.segue import here
from tests.service.test_forget import MARK, USER, of_others, of_the_forgotten, taken, write_workspace


def test_everything_that_was_done_is_told_in_order(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    with Service.open(workspace, workspace / ".segue") as service:
        taken(service, tmp_path, [*of_others(), *of_the_forgotten()])
        service.override(Override("ann", "named", True, by="dana", why="asked"))
        service.override(Override("ann", "named", None))
        service.edit_list(ListEdit("press", "bob", True))
        (workspace / "segue.yaml").write_text("timezone: Europe/Berlin\n", encoding="utf-8")
        (workspace / "segments" / "more.yaml").write_text(
            "{segment: all, owner: o, description: d, when: 'true'}", encoding="utf-8"
        )
        service.apply()
        service.override(Override(USER, "named", False))
        suppress(service.core, USER)
        admit(service.core, USER)
        service.forget(USER)
        service.access.create(Grant("web", Kind.WRITE))
    rows = here("audit", "--workspace", workspace, "--json").rows
    assert rows[0]["at"] == "1970-01-01T00:00:00.000Z"
    assert here("audit", "--workspace", workspace).out.splitlines()[1].startswith("before any event  ")
    told = [(row["what"], row.get("by"), row["text"]) for row in rows]
    assert told[0] == ("definitions", None, "segment buyers added, segment named added, list press added")
    assert told[1:8] == [
        ("override", "dana", "ann put into named: asked"),
        ("override", None, "ann left to its condition in named"),
        ("list", None, "bob put on press"),
        ("definitions", None, "setting timezone changed, segment all added"),
        ("suppress", None, "someone suppressed"),
        ("suppress", None, "a suppression taken back"),
        ("forget", None, "someone forgotten"),
    ]
    assert told[-1][2].startswith("write key web …")
    assert MARK not in str(rows)
    assert [row["seq"] for row in rows[:8]] == sorted(row["seq"] for row in rows[:8])
    assert (
        len(here("audit", "--what", "override", "--limit", "1", "--workspace", workspace, "--json").rows) == 1
    )
    assert "someone forgotten" in here("audit", "--workspace", workspace).out
