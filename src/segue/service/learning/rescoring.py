"""Everybody scored anew: after a version came into force, after an import, or because somebody asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from segue.learned.registry import Registry
from segue.learned.rounds import Rounds
from segue.service.learning.champions import Champions
from segue.service.learning.in_use import in_force, live
from segue.service.learning.scoring import Champion, Scored, score, taken_back
from segue.service.learning.watching import look

if TYPE_CHECKING:
    from segue.service.service import Service


def rescore(service: Service, names: Collection[str] | None = None) -> Scored:
    """Have the champions speak of everybody, of some models or of all; returns when it is evaluated.

    Models that are gone say nothing any more.
    """
    champions = Champions(service)
    asked = champions.now(names)
    found = score(service.core, asked)
    note_round(service, asked, found)
    found.refused |= {name: each.message for name, each in champions.refused.items()}
    silence(service)
    look(service, names, first_only=True)
    return found


def note_round(service: Service, asked: Mapping[str, Champion], found: Scored) -> None:
    """Keep that those of the champions that answered have spoken of everybody."""
    answered = {name: each.number for name, each in asked.items() if name not in found.refused}
    Rounds(service.data).note(answered, service.engine.now)


def silence(service: Service) -> None:
    """Take back what models say that are not in use any more, or of which no version is in force."""
    workspace, core = service.workspace, service.core
    numbers = in_force(Registry(service.data))
    with core.turn:
        said = core.engine.feed.predictions.models()
    for gives, name in said:
        model = workspace.models.get(name)
        gone = model is None or not model.live or model.gives != gives
        if gone or (name in live(workspace) and name not in numbers):
            taken_back(core, (gives, name))
