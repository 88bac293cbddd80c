"""Random workspaces as folders that people could have written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from segue.domain.time import format_duration
from segue.language.interpret import Definition, Rules
from segue.language.speller import spell

Listed = Mapping[str, Sequence[str]]
MODELS = {"churn": "score", "habits": "cluster"}
"""Of which conditions and histories speak; what they say comes from outside."""


def segment(definition: Definition) -> dict[str, Any]:
    """A definition as it stands in a file."""
    found: dict[str, Any] = {
        "segment": definition.name,
        "owner": "tests@segue.example",
        "description": "Drawn by lot.",
        "kind": "strategic",
        "status": definition.status,
        "when": spell(definition.condition),
    }
    if definition.exclusive is not None:
        found |= {"exclusive": definition.exclusive, "priority": definition.priority}
    return found


def write(folder: Path, definitions: Sequence[Definition], rules: Rules, lists: Listed) -> None:
    """Put a whole workspace in the place of what the folder held."""
    settings = {"timezone": rules.zone.key, "session_gap": format_duration(rules.session_gap_ms)}
    _file(folder / "segue.yaml", settings)
    _file(folder / "segments" / "drawn.yaml", [segment(each) for each in definitions])
    kept = [
        {"list": name, "owner": "tests@segue.example", "description": "Drawn by lot.", "users": list(users)}
        for name, users in lists.items()
    ]
    _file(folder / "lists" / "drawn.yaml", kept)
    models = [
        {
            "model": name,
            "owner": "tests@segue.example",
            "description": "Drawn by lot.",
            "kind": "upload",
            "gives": gives,
        }
        for name, gives in MODELS.items()
    ]
    _file(folder / "models" / "drawn.yaml", models)


def _file(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), encoding="utf-8")
