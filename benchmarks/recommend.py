"""Recommendations: 20 of 10,000 items for users who have just done something, and what a training takes.

No answer that is timed comes out of the cache: each asker did something since the last one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.figures import Figure
from segue.experiences.recommend.catalogue.item import Item
from segue.experiences.recommend.catalogue.store import Catalogue
from segue.experiences.recommend.keeping import Keeper
from segue.experiences.recommend.models.fitting import Interactions, Job, fit_apart
from segue.experiences.recommend.question import Question
from segue.experiences.recommend.recommender import Recommender
from segue.ingest.decode import decode_events
from segue.service.service import Service

ITEMS, USERS, LOOKS, GROUPS = 10_000, 20_000, 15, 200
ASKED = 2_000
P99_MS_MAX = 10.0
AT_ONCE = 2_000
MANY_ITEMS = 50_000


def run() -> Iterable[Figure]:
    """The figures."""
    with TemporaryDirectory() as name:
        yield from _serving(Path(name))
    yield from _training("EASE of 10,000 items", "ease", ITEMS)
    yield from _training("neighbours of 50,000 items", "neighbours", MANY_ITEMS)


def looks(dice: np.random.Generator, users: int, items: int) -> tuple[np.ndarray, np.ndarray]:
    """(user, item) of some looks: each user keeps to a few groups of items, some of which all like."""
    count = users * LOOKS
    people = np.repeat(np.arange(users), LOOKS)
    group = (people * 7 + dice.integers(0, 3, count)) % GROUPS
    size = items // GROUPS
    return people, group * size + np.minimum(dice.geometric(4 / size, count), size) - 1


def _serving(folder: Path) -> Iterable[Figure]:
    (folder / "workspace").mkdir()
    dice = np.random.default_rng(7)
    with Service.open(folder / "workspace", folder / "data") as service:
        catalogue = Catalogue(service.data)
        catalogue.take((Item(f"i{n}", f"Item {n}", category=f"c{n % 40}") for n in range(ITEMS)), 1, "bench")
        catalogue.close()
        people, items = looks(dice, USERS, ITEMS)
        for start in range(0, len(people), AT_ONCE):
            _post(service, people[start : start + AT_ONCE], items[start : start + AT_ONCE], start)
        recommender = Recommender(service.core, service.data)
        began = time.perf_counter()
        recommender.read()
        yield Figure("read the log of 300,000 deeds", time.perf_counter() - began, "s")
        began = time.perf_counter()
        Keeper(recommender, 3_600_000, 2).train()
        yield Figure("train and swap in", time.perf_counter() - began, "s")
        yield from _answers(service, recommender, dice)
        recommender.close()


def _post(service: Service, people: np.ndarray, items: np.ndarray, first: int) -> None:
    raws = [
        b'{"type":"track","event":"Product Viewed","userId":"u%d","messageId":"m%d",'
        b'"properties":{"product_id":"i%d"}}' % (user, first + place, item)
        for place, (user, item) in enumerate(zip(people.tolist(), items.tolist(), strict=True))
    ]
    core = service.core
    with core.gate:
        batch = core.intake.accept(decode_events(raws), "bench", core.log.next_seq, 1_000_000 + first).batch
        core.append([batch], [])


def _answers(service: Service, recommender: Recommender, dice: np.random.Generator) -> Iterable[Figure]:
    askers = dice.integers(0, USERS, ASKED)
    _post(service, askers, dice.integers(0, ITEMS, ASKED), USERS * LOOKS)
    recommender.answer(Question("u0"))
    fresh: list[float] = []
    own: list[float] = []
    again: list[float] = []
    for took in (fresh, again):
        for asker in np.unique(askers).tolist():
            began, own_began = time.perf_counter(), time.thread_time()
            recommender.answer(Question(f"u{asker}"))
            took.append((time.perf_counter() - began) * 1_000)
            if took is fresh:
                own.append((time.thread_time() - own_began) * 1_000)
    yield Figure("answer, p50", float(np.percentile(fresh, 50)), "ms")
    yield Figure("answer, p99", float(np.percentile(fresh, 99)), "ms", P99_MS_MAX, at_least=False)
    yield Figure("answer, p99 of the thread's own time", float(np.percentile(own, 99)), "ms")
    yield Figure("answer that nothing has changed since, p99", float(np.percentile(again, 99)), "ms")


def _training(name: str, kind: str, items: int) -> Iterable[Figure]:
    people, things = looks(np.random.default_rng(7), USERS * 2, items)
    pairs = np.unique(np.stack([people, things]), axis=1).astype(np.int32)
    given = Interactions(pairs[0], pairs[1], np.ones(pairs.shape[1], np.float32), items)
    fitted = fit_apart(given, kind, 300.0, 1, Job())
    yield Figure(f"{name}: one core", fitted.seconds, "s")
    yield Figure(f"{name}: memory", fitted.memory_bytes / 2**20, "MiB")
