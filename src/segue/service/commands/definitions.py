"""``segue plan`` and ``segue apply``: the folder as it stands against what is in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.service.commands.arguments import in_words, text
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.segments.plan import Plan
    from segue.service.service import Service


def run_plan(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``folder`` (absolute path of the workspace): what applying it would change."""
    _same_folder(service, text(arguments, "folder"))
    yield told(service.plan(), arguments)


def run_apply(service: Service, arguments: Mapping[str, Json], progress: Progress) -> Iterator[Json]:
    """``folder`` (absolute path of the workspace): what applying it changed."""
    from segue.segments.destinations.resolving import refuse_inner
    from segue.segments.workspace import load_workspace

    _same_folder(service, text(arguments, "folder"))
    loaded = load_workspace(service.folder)
    refuse_inner(loaded.destinations, loaded.settings.private_targets)
    yield told(service.apply(progress), arguments)


def told(found: Plan, arguments: Mapping[str, Json]) -> Json:
    """The plan as JSON, or in words."""
    return {"text": found.render()} if in_words(arguments) else found.to_json()


def _same_folder(service: Service, folder: str) -> None:
    """A server applies its own folder; applying another one silently would surprise both."""
    own = service.folder.resolve()
    if own != Path(folder):
        message = f"the running server reads the workspace {own}, not {folder}"
        raise refusal("E783", message, f"name it with --workspace {own}, or name another folder with --data")
