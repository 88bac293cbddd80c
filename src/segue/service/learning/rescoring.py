"""Everybody scored anew: after a version came into force, after an import, or because somebody asks."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from segue.learned.registry import Registry
from segue.learned.version import CHAMPION
from segue.service.learning.champions import Champions, live
from segue.service.learning.scoring import Scored, score, taken_back
from segue.service.learning.watching import look

if TYPE_CHECKING:
    from segue.service.service import Service


def rescore(service: Service, names: Collection[str] | None = None) -> Scored:
    """Have the champions speak of everybody, of some models or of all; returns when it is evaluated.

    Models that are gone say nothing any more.
    """
    champions = Champions(service)
    found = score(service.core, champions.now(names))
    found.refused |= {name: each.message for name, each in champions.refused.items()}
    silence(service)
    look(service, names, first_only=True)
    return found


def silence(service: Service) -> None:
    """Take back what models say that are not in use any more, or of which no version is in force."""
    workspace, core, registry = service.workspace, service.core, Registry(service.data)
    with core.turn:
        said = core.engine.feed.predictions.models()
    for gives, name in said:
        model = workspace.models.get(name)
        gone = model is None or not model.live or model.gives != gives
        if gone or (name in live(workspace) and not _in_force(registry, name)):
            taken_back(core, (gives, name))


def _in_force(registry: Registry, name: str) -> bool:
    """Whether any version of a model is, also one that cannot be read."""
    standing = {move.number: move.status for move in registry.moves(name)}
    return CHAMPION in standing.values()
