"""What keeps a recommender up to date: follows the log, looks at the catalogue, trains anew.

Answers go on meanwhile from what there is; what is new is swapped in whole.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from segue.domain.errors import SegueError
from segue.experiences.recommend.mattering import Mattering
from segue.experiences.recommend.model import Lesson, Model
from segue.experiences.recommend.models.fitting import Fitted, Interactions, Job, fit_apart
from segue.experiences.recommend.models.links import Ints, no_links, placed
from segue.experiences.recommend.recommender import Recommender
from segue.experiences.recommend.taste import Taste
from segue.experiences.recommend.training import Reading
from segue.service.service import Service

_log = logging.getLogger("segue.recommend")
Clock = Callable[[], float]
"""Seconds that never run backwards."""

LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 10.0
"""Until what failed is tried again."""
GROWTH = 1.5
"""So many times the deeds that a model knows make it old before its time: a new shop learns by the minute."""
HASTE_MS = 10_000
RESTS = 10
"""So many times as long as it trained it rests at least."""
PUBLISH_SECONDS = 1.0
"""How long what everyone does may take to be seen in popularity; the user's own deeds are seen at once."""


class Keeper:
    """Owns the threads: one looks every moment, one trains, one tells; none waits for another.

    Trains every ``interval_ms`` if anything was done, on ``threads`` cores at most.
    """

    @classmethod
    def of(cls, service: Service) -> Self:
        """For a service, as its settings say."""
        settings = service.workspace.settings
        recommender = Recommender(service.core, service.data)
        return cls(recommender, settings.retrain_interval_ms, settings.retrain_threads)

    def __init__(self, recommender: Recommender, interval_ms: int, threads: int) -> None:
        self.recommender = recommender
        self._mattering = Mattering(recommender.core)
        self._training = Training(recommender, interval_ms, threads)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(work, seconds), name=name)
            for work, seconds, name in (
                (self.look, LOOK_SECONDS, "segue-recommend"),
                (self.train, LOOK_SECONDS, "segue-recommend-train"),
                (self.tell, PUBLISH_SECONDS, "segue-recommend-tell"),
            )
        ]
        self._published_at = 0.0

    def start(self) -> None:
        """Begin to keep; nothing is read before anybody wants it."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads, and a training with them."""
        self._stopping.set()
        self._training.stop()
        for thread in self._threads:
            thread.join()
        self.recommender.close()

    def _run(self, work: Callable[[], None], seconds: float) -> None:
        while not self._stopping.wait(seconds):
            try:
                work()
            except SegueError as refused:
                _log.error("recommendations are not kept up to date: %s", refused)
                self._stopping.wait(PATIENCE_SECONDS)
            except Exception:  # noqa: BLE001 -- the thread's last door: the next try may do better
                _log.exception("recommendations are not kept up to date")
                self._stopping.wait(PATIENCE_SECONDS)

    def look(self) -> None:
        """Follow the log and the catalogue."""
        recommender = self.recommender
        if not recommender.wanted:
            return
        if recommender.outdated:
            recommender.read()
        elif recommender.loose:
            recommender.renew()
        recommender.live.follow(recommender.core.engine.evaluated_seq)
        if time.monotonic() - self._published_at < PUBLISH_SECONDS:
            return
        self._published_at = time.monotonic()
        recommender.publish()

    def tell(self) -> None:
        """Have triggers told of what changed in the catalogue."""
        catalogue = self.recommender.catalogue
        if catalogue is not None:
            self._mattering.work(catalogue)

    def train(self) -> None:
        """Train what is due."""
        if self.recommender.reading is not None:
            self._training.work()


@dataclass(slots=True)
class Try:
    """A training: when it was begun, by the steady clock, how many deeds there were, how long it took.

    ``rests_on`` is the recommender's state then, None if it was another one for sure.
    """

    at: float
    deeds: int
    rests_on: object
    took_ms: float = 0.0


class Training:
    """Which models are due, and how one comes to be."""

    def __init__(
        self, recommender: Recommender, interval_ms: int, threads: int, clock: Clock = time.monotonic
    ) -> None:
        self._recommender = recommender
        self._clock = clock
        self._interval_ms = interval_ms
        self._threads = threads
        self._job = Job()
        self._tried: dict[Taste, Try] = {}

    def stop(self) -> None:
        """End what is being trained, and train nothing more."""
        self._job.stop()

    def work(self) -> None:
        """Train what is due, one after the other, and have each swapped in."""
        due = [taste for taste in self._recommender.view.stocks if self._is_due(taste)]
        if not due:
            return
        reading = self._recommender.renew()
        for taste in due:
            if taste in reading.tastes and not self._job.stopped:
                self._train(taste, reading)

    def _is_due(self, taste: Taste) -> bool:
        tried = self._tried.get(taste) or self._tried_before(taste)
        if tried is None:
            return True
        self._tried[taste] = tried
        waited_ms = (self._clock() - tried.at) * 1_000
        if taste not in self._recommender.models:
            return waited_ms >= PATIENCE_SECONDS * 1_000
        much = self._recommender.deeds >= tried.deeds * GROWTH
        soon = much and waited_ms >= max(HASTE_MS, tried.took_ms * RESTS)
        return tried.rests_on != self._recommender.state and (soon or waited_ms >= self._interval_ms)

    def _tried_before(self, taste: Taste) -> Try | None:
        """The training of a model that was there before this was, perhaps of an earlier run."""
        recommender = self._recommender
        model = recommender.models.get(taste)
        if model is None:
            return None
        lesson = model.lesson
        age_ms = max(0, recommender.core.engine.now - lesson.trained_at)
        rests_on = lesson.rests_on
        if rests_on is None and (lesson.deeds, lesson.hushed) == (recommender.deeds, len(recommender.hushed)):
            rests_on = recommender.state
        return Try(self._clock() - age_ms / 1_000, lesson.deeds, rests_on)

    def _train(self, taste: Taste, reading: Reading) -> None:
        recommender = self._recommender
        tried = self._tried[taste] = Try(self._clock(), recommender.deeds, recommender.state)
        given, places = reading.interactions(taste)
        fitted = self._fitted(taste, given, places)
        tried.took_ms = (self._clock() - tried.at) * 1_000
        if fitted is None:
            return
        people, hushed = len(np.unique(given.users)), len(reading.hushed)
        lesson = Lesson(reading.now, people, given.size, tried.deeds, hushed, tried.rests_on)
        model = Model(recommender.number + 1, fitted, lesson)
        recommender.put(taste, model)
        _log.info(
            "trained %s of %d items and %d people in %.1f s", fitted.kind, given.size, people, fitted.seconds
        )

    def _fitted(self, taste: Taste, given: Interactions, places: Ints) -> Fitted | None:
        """The model; None when there is none, which was said, and the one before stays."""
        if taste.model == "none" or not given.size:
            return Fitted("none", no_links(0), 0.0, 0)
        try:
            found = fit_apart(given, taste.model, taste.regularization, self._threads, self._job)
        except SegueError as refused:
            if not self._job.stopped:
                _log.error("%s", refused)
            return None
        return replace(found, links=placed(found.links, places, len(self._recommender.known)))
