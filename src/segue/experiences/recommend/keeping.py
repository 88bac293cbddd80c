"""A thread that keeps a recommender up to date: follows the log, looks at the catalogue, trains anew.

Answers go on meanwhile from what there is; what is new is swapped in whole.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Self

import numpy as np

from segue.domain.errors import SegueError
from segue.experiences.recommend.models.fitting import Fitted, Job, fit_apart
from segue.experiences.recommend.models.links import no_links, placed
from segue.experiences.recommend.recommender import Model, Recommender
from segue.experiences.recommend.taste import Taste
from segue.experiences.recommend.training import Reading
from segue.service.service import Service

_log = logging.getLogger("segue.recommend")

TICK_SECONDS = 0.1
PUBLISH_SECONDS = 1.0
"""How long what everyone does may take to be seen in popularity; the user's own deeds are seen at once."""


class Keeper:
    """Owns the thread. Retrains every ``interval_ms`` if anything was done, on ``threads`` cores at most."""

    @classmethod
    def of(cls, service: Service) -> Self:
        """For a service, as its settings say."""
        settings = service.workspace.settings
        recommender = Recommender(service.core, service.data)
        return cls(recommender, settings.retrain_interval_ms, settings.retrain_threads)

    def __init__(self, recommender: Recommender, interval_ms: int, threads: int) -> None:
        self.recommender = recommender
        self._interval_ms = interval_ms
        self._threads = threads
        self._stopping = threading.Event()
        self._job = Job()
        self._thread = threading.Thread(target=self._run, name="segue-recommend")
        self._published_at = 0.0
        self._trained: dict[Taste, tuple[int, float]] = {}
        """By taste: the log position that its model knows, and when it was begun, by the steady clock."""
        self._number = 0

    def start(self) -> None:
        """Begin to keep; nothing is read before anybody wants it."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and a training with it."""
        self._stopping.set()
        self._job.stop()
        self._thread.join()
        self.recommender.close()

    def _run(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            try:
                self.tick()
            except SegueError as refused:
                _log.error("recommendations are not kept up to date: %s", refused)
                self._stopping.wait(PUBLISH_SECONDS * 10)
            except Exception:  # noqa: BLE001 -- the thread's last door: the next try may do better
                _log.exception("recommendations are not kept up to date")
                self._stopping.wait(PUBLISH_SECONDS * 10)

    def tick(self) -> None:
        """What is to be done now."""
        recommender = self.recommender
        if not recommender.wanted:
            return
        if recommender.reading is None or recommender.outgrown:
            recommender.read()
        recommender.live.follow(recommender.core.engine.evaluated_seq)
        if time.monotonic() - self._published_at >= PUBLISH_SECONDS:
            self._published_at = time.monotonic()
            recommender.publish()
        self._train_what_is_due()

    def _train_what_is_due(self) -> None:
        due = [taste for taste in self.recommender.view.stocks if self._is_due(taste)]
        if not due:
            return
        reading = self.recommender.reading
        if reading is None or reading.upto < self.recommender.live.upto:
            reading = self.recommender.read()
        for taste in due:
            if taste in reading.tastes and not self._stopping.is_set():
                self._train(taste, reading)

    def _is_due(self, taste: Taste) -> bool:
        upto, at = self._trained.get(taste, (-1, 0.0))
        if upto < 0:
            return True
        grown = self.recommender.live.upto > upto
        return grown and (time.monotonic() - at) * 1_000 >= self._interval_ms

    def _train(self, taste: Taste, reading: Reading) -> None:
        self._trained[taste] = reading.upto, time.monotonic()
        given, places = reading.interactions(taste)
        size = len(self.recommender.known)
        if taste.model == "none" or not given.size:
            fitted = Fitted("none", no_links(0), 0.0, 0)
        else:
            try:
                fitted = fit_apart(given, taste.model, taste.regularization, self._threads, self._job)
            except SegueError as refused:
                if not self._stopping.is_set():
                    _log.error("%s", refused)
                return
            fitted = Fitted(
                fitted.kind, placed(fitted.links, places, size), fitted.seconds, fitted.memory_bytes
            )
        self._number += 1
        people = len(np.unique(given.users))
        self.recommender.put(
            taste,
            Model(
                self._number,
                fitted.kind,
                fitted.links,
                reading.now,
                people,
                given.size,
                fitted.seconds,
                fitted.memory_bytes,
            ),
        )
        _log.info(
            "trained %s of %d items and %d people in %.1f s",
            fitted.kind, given.size, people, fitted.seconds,
        )  # fmt: skip
