"""Every command that needs a service, listed once; a running server runs the same functions for others."""

from __future__ import annotations

from segue.service.commands import (
    adopt,
    audit,
    changes,
    definitions,
    events,
    explain,
    keys,
    learning,
    lists,
    members,
    override,
    people,
    preview,
    quality,
    quarantine,
    segments,
    sql,
    taking,
    verify,
)
from segue.service.commands.command import Command

COMMANDS: dict[str, Command] = {
    "import": Command(taking.run, beside_serve=False),
    "plan": Command(definitions.run_plan),
    "apply": Command(definitions.run_apply),
    "segments": Command(segments.run),
    "members": Command(members.run),
    "changes": Command(changes.run),
    "explain": Command(explain.run),
    "preview": Command(preview.run),
    "sql": Command(sql.run),
    "verify": Command(verify.run),
    "adopt": Command(adopt.run),
    "override": Command(override.run),
    "list": Command(lists.run),
    "list edit": Command(lists.run_edit),
    "quarantine list": Command(quarantine.run_list),
    "quarantine show": Command(quarantine.run_show),
    "quarantine replay": Command(quarantine.run_replay),
    "quarantine drop": Command(quarantine.run_drop),
    "events": Command(events.run_list),
    "events infer": Command(events.run_infer),
    "train": Command(learning.run_train),
    "compare": Command(learning.run_compare),
    "audit": Command(audit.run),
    "quality": Command(quality.run),
    "suppress": Command(people.run_suppress),
    "forget": Command(people.run_forget),
    "export": Command(people.run_export),
    **{name: Command(run) for name, run in keys.RUNS.items()},
}
"""By the name under which the control door knows them."""
