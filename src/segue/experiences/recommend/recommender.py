"""The recommender: what is in stock, what people do, and an answer to each question from both."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.domain.limits import ANSWERS_KEPT_MAX
from segue.domain.time import DAY
from segue.experiences.recommend.catalogue.store import Catalogue, catalogued
from segue.experiences.recommend.known import Known
from segue.experiences.recommend.live import Live
from segue.experiences.recommend.model import NO_MODEL, KeptModels, Model
from segue.experiences.recommend.popularity import Popularity
from segue.experiences.recommend.question import Question
from segue.experiences.recommend.ranking import BRIEFLY, Ranked, Stock, ranked
from segue.experiences.recommend.shelf import Shelf
from segue.experiences.recommend.taste import Taste, taste_of
from segue.experiences.recommend.training import Reading, read_all, renewed
from segue.experiences.recommend.user import OutdatedError, User, behaviour_of, user_of, wish_of
from segue.segments.recommendations.definition import DEFAULT, DEFAULT_NAME, RecommendationDefinition
from segue.service.core import Core

NO_DEFINITION = "E843"
QUICK_ITEMS_MAX = 50_000
QUICK_ENTRIES_MAX = 1_000
"""Of the log that are not followed yet: some 10 ms."""
FORGETTING_SECONDS = 60.0
"""How soon, at the latest, counts forget someone, too."""
NEW_MS = 14 * DAY
"""How long an item is new in the catalogue; how new, falls evenly from 1 to 0."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """All that answers are made from, of one moment; replaced as a whole. ``number`` rises with each."""

    number: int
    definitions: Mapping[str, RecommendationDefinition]
    shelf: Shelf
    stocks: Mapping[Taste, Stock]
    models: Mapping[Taste, Model]


class Recommender:
    """Answers from memory; :class:`segue.experiences.recommend.keeping.Keeper` keeps it up to date."""

    def __init__(self, core: Core, data: Path) -> None:
        self.core = core
        self.data = data
        self.known = Known()
        self.live = Live(core.log, self.known)
        self.models: dict[Taste, Model] = {}
        self.number = 0
        self._kept = KeptModels(data, self.known)
        self._popular: dict[Taste, Popularity] = {}
        self._catalogue: Catalogue | None = None
        self._opening = threading.Lock()
        self._reading = threading.RLock()
        self._changing = threading.RLock()
        self._answers: OrderedDict[Any, bytes] = OrderedDict()
        self._keeping = threading.Lock()
        self.view = View(0, {}, Shelf(0, [], self.known), {}, {})
        self.reading: Reading | None = None
        self._moves = 0
        self._forgot = False
        self._put_at = 0.0
        core.forget_listeners.append(self.forget)

    def close(self) -> None:
        """Give the catalogue free."""
        if self._catalogue is not None:
            self._catalogue.close()

    # ---- what is known -----------------------------------------------------------------------

    @property
    def definitions(self) -> dict[str, RecommendationDefinition]:
        """Those of the workspace, and the default one if it has none of that name."""
        workspace = self.core.workspace
        return {DEFAULT_NAME: DEFAULT} | dict(workspace.recommendations if workspace else {})

    @property
    def catalogue(self) -> Catalogue | None:
        """The catalogue, from the moment on in which there is one."""
        if self._catalogue is None and catalogued(self.data):
            self._open_catalogue()
        return self._catalogue

    def stocked(self) -> Catalogue:
        """The catalogue, made where there is none; what is put into a new one is news to triggers."""
        if self.catalogue is None:
            self._open_catalogue()
        assert self._catalogue is not None
        if self._catalogue.told is None:
            self._catalogue.tell(self._catalogue.version)
        return self._catalogue

    def _open_catalogue(self) -> None:
        with self._opening:
            if self._catalogue is None:
                self._catalogue = Catalogue(self.data)

    @property
    def wanted(self) -> bool:
        """Whether anybody prepared for it: else nothing is read until somebody asks."""
        workspace = self.core.workspace
        return (
            self.reading is not None or catalogued(self.data) or bool(workspace and workspace.recommendations)
        )

    @property
    def deeds(self) -> int:
        """How much was done with items, as far as the log was read and followed."""
        return self.live.count

    @property
    def hushed(self) -> frozenset[int]:
        """The rows of whom nothing is learned."""
        return frozenset(self.core.engine.feed.suppressed.copy())

    @property
    def state(self) -> object:
        """Equal, within a run, as long as nothing is done that a model would learn otherwise from."""
        return self.live.moves, self.hushed

    @property
    def outdated(self) -> bool:
        """Whether the log has to be read: it never was, or other events count now."""
        tastes = {taste_of(each) for each in self.definitions.values()}
        return self.reading is None or not tastes <= self.reading.tastes

    @property
    def loose(self) -> bool:
        """Whether what is held should be put in order: much has come since, or someone was forgotten."""
        return self.live.full or (self._forgot and time.monotonic() - self._put_at > FORGETTING_SECONDS)

    def read(self) -> Reading:
        """Read the whole log, and go on from there; the models stay as they are. Answers go on meanwhile."""
        with self._reading:
            return self._put(read_all(self.core, self.definitions.values(), self.known))

    def renew(self) -> Reading:
        """The same without the log, from what was read and what came since."""
        with self._reading:
            held = self.reading
            return self.read() if held is None else self._put(renewed(self.core, held, self.live))

    def _put(self, reading: Reading) -> Reading:
        self._put_at, self._forgot = time.monotonic(), False
        popular = reading.popularity(len(self.known))
        with self._changing:
            self.live.rebase(reading.deeds, reading.sights, reading.upto, _teller(popular.values()))
            self._popular, self.reading = popular, reading
            self.live.follow(self.core.engine.evaluated_seq)
            self.publish(anew=True)
        return reading

    def put(self, taste: Taste, model: Model) -> None:
        """Answer with another model from now on, and after a restart. E604 when it cannot be kept."""
        with self._changing:
            self.models[taste], self.number = model, max(self.number, model.number)
            self.publish(anew=True)
            others = list(self.models)
        self._kept.write(taste, model, others)

    def publish(self, anew: bool = False) -> None:
        """Let answers see what has come since the last time; ``anew`` if anything but counts has changed."""
        with self._changing:
            shelf, definitions = self._shelf(), self.definitions
            tastes = {taste_of(each) for each in definitions.values()}
            moves = sum(each.moves for each in self._popular.values())
            same = shelf is self.view.shelf and definitions == self.view.definitions
            if same and not anew and moves == self._moves:
                return
            self._moves = moves
            self.models = {taste: model for taste, model in self.models.items() if taste in tastes}
            self._take_kept(tastes - self.models.keys())
            models = {taste: self.models.get(taste, NO_MODEL) for taste in tastes}
            stocks = {taste: self._stock(shelf, taste, models[taste]) for taste in tastes}
            self.view = View(self.view.number + 1, definitions, shelf, stocks, models)

    def _take_kept(self, tastes: Iterable[Taste]) -> None:
        """Go on with what was learned before the start."""
        for taste, model in self._kept.read(tastes).items():
            self.models[taste], self.number = model, max(self.number, model.number)

    def _catalogue_version(self) -> int:
        return self.catalogue.version if self.catalogue else 0

    def _shelf(self) -> Shelf:
        held = self.view.shelf
        version = self._catalogue_version()
        if version == held.version and (version or held.size == len(self.known)):
            return held
        version, listed = self.catalogue.items() if self.catalogue else (0, [])
        return Shelf(version, listed, self.known)

    def _stock(self, shelf: Shelf, taste: Taste, model: Model) -> Stock:
        popular = self._popular.get(taste)
        shares = np.zeros(shelf.size, np.float32) if popular is None else popular.shares(shelf.size)
        age = self.core.engine.now - shelf.first_at
        new = np.clip(1 - age / NEW_MS, 0, 1) * (shelf.first_at > 0)
        return Stock(shelf, model.fitted.links, shares, new.astype(np.float32))

    def forget(self, rows: Iterable[int]) -> None:
        """Know nothing of these profiles but what they added to counts and to the model."""
        gone = list(rows)
        self.live.forget(gone)
        self._forgot = True
        with self._keeping:
            self._answers.clear()

    # ---- answers -----------------------------------------------------------------------------

    @property
    def quick(self) -> bool:
        """Whether an answer takes but a moment: nothing is to be read for it, and not much to be ranked."""
        view = self.view
        return (
            self.reading is not None
            and view.shelf.size <= QUICK_ITEMS_MAX
            and self.core.engine.evaluated_seq - self.live.upto <= QUICK_ENTRIES_MAX
            and self.definitions == view.definitions
            and self._catalogue_version() == view.shelf.version
        )

    def answer(self, question: Question, brief: bool = False) -> bytes:
        """The answer as JSON; E843 when there is no such definition. May read the log, the first time.

        A ``brief`` one does not say which items the user turned to.
        """
        while True:
            view = self._view_now()
            definition = view.definitions.get(question.name)
            if definition is None:
                raise _no_definition(question.name, view.definitions)
            try:
                user = user_of(self.core, self.live, definition, question.user_id)
            except OutdatedError:
                continue
            break
        key = (view.number, user.state, question.key, brief)
        with self._keeping:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
                return found
        found = _encode(self._answer(view, user, question, brief))
        with self._keeping:
            self._answers[key] = found
            while len(self._answers) > ANSWERS_KEPT_MAX:
                self._answers.popitem(last=False)
        return found

    def _view_now(self) -> View:
        """What answers are made from, as the definitions, the catalogue and the log are now."""
        if self.reading is None:
            with self._reading:
                if self.reading is None:
                    self.read()
        self.live.follow(self.core.engine.evaluated_seq)
        if self.definitions != self.view.definitions:
            self.read()
        elif self._catalogue_version() != self.view.shelf.version:
            self.publish()
        return self.view

    def _answer(self, view: View, user: User, question: Question, brief: bool) -> dict[str, Json]:
        definition = view.definitions[question.name]
        taste = taste_of(definition)
        stock, model = view.stocks[taste], view.models[taste]
        behaviour = behaviour_of(definition, user, question, self.known)
        wish = wish_of(definition, user, question, view.shelf)
        items = [_shown(view.shelf, each, brief) for each in ranked(stock, behaviour, wish)]
        return {
            "user_id": user.user_id,
            "known": user.known,
            "recommendation": definition.name,
            "items": items,
            "model": model.to_json(),
            "catalog_version": view.shelf.version,
        }


_encode = msgspec.json.Encoder().encode


def _shown(shelf: Shelf, each: Ranked, brief: bool) -> dict[str, Json]:
    item = shelf.item(each.place).to_json()
    reason = BRIEFLY if brief and each.reason.item is not None else each.reason
    return {**item, "score": round(each.score, 6), "reason": reason.to_json()}


def _teller(popular: Iterable[Popularity]) -> Any:
    every = list(popular)

    def heard(item: int, sight: int, at: int) -> None:
        for each in every:
            each.hear(item, sight, at)

    return heard


def _no_definition(name: str, known: Iterable[str]) -> Exception:
    hint = "there are " + ", ".join(sorted(known))
    return refusal(NO_DEFINITION, f"there is no recommendation {name[:64]!r}", hint)
