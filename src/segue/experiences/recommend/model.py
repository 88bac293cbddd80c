"""A model in service, and how it comes through a restart."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.experiences.recommend.known import NOWHERE, Known
from segue.experiences.recommend.models.fitting import Fitted
from segue.experiences.recommend.models.kept import Folder, Kept
from segue.experiences.recommend.models.links import moved, no_links
from segue.experiences.recommend.taste import Taste

_log = logging.getLogger("segue.recommend")


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a model was made from: by when (ms), of how many users, items and deeds, without how many people.

    ``rests_on`` is the :attr:`Recommender.state` then; None for a model of an earlier run.
    """

    trained_at: int = 0
    users: int = 0
    items: int = 0
    deeds: int = 0
    hushed: int = 0
    rests_on: object = None


_NUMBERS = ("trained_at", "users", "items", "deeds", "hushed")


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A trained model with its number: it rises with each, also from run to run."""

    number: int
    fitted: Fitted
    lesson: Lesson

    def to_json(self) -> dict[str, Json]:
        """As answers tell it."""
        trained_at = format_instant(self.lesson.trained_at) if self.number else None
        return {"kind": self.fitted.kind, "version": self.number, "trained_at": trained_at}


NO_MODEL = Model(0, Fitted("none", no_links(0), 0.0, 0), Lesson())


class KeptModels:
    """The models of a data folder, read once each. Not thread-safe."""

    def __init__(self, data: Path, known: Known) -> None:
        self._folder = Folder(data)
        self._known = known
        self._looked_for: set[Taste] = set()

    def read(self, tastes: Iterable[Taste]) -> dict[Taste, Model]:
        """Of some tastes those that were kept; of a file that is not what was written the log tells."""
        found = {}
        for taste in tastes:
            if taste in self._looked_for:
                continue
            self._looked_for.add(taste)
            try:
                kept = self._folder.read(taste.text)
            except SegueError as refused:
                _log.warning("%s", refused)
                continue
            if kept is not None:
                found[taste] = self._model(kept)
        return found

    def write(self, taste: Taste, model: Model, others: Iterable[Taste]) -> None:
        """Keep a model of a taste, and those of others that there are; E604."""
        links = model.fitted.links
        if not len(links.targets):
            return
        used = np.unique(np.concatenate([np.flatnonzero(np.diff(links.starts)), links.targets]))
        places = np.full(len(links), NOWHERE, np.int32)
        places[used] = np.arange(len(used))
        ids = tuple(self._known.ids[place] for place in used.tolist())
        about = {name: getattr(model.lesson, name) for name in _NUMBERS} | {"number": model.number}
        kept = Kept(model.fitted.kind, ids, moved(links, places, len(used)), about)
        self._folder.write(taste.text, kept, [each.text for each in others])

    def _model(self, kept: Kept) -> Model:
        places = np.array(self._known.places(kept.ids), np.int32)
        links = moved(kept.links, places, len(self._known))
        lesson = Lesson(*(kept.about.get(name, 0) for name in _NUMBERS))
        return Model(kept.about.get("number", 0), Fitted(kept.kind, links, 0.0, 0), lesson)
