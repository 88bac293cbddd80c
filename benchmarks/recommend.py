"""Recommendations: 20 of 10,000 items for users who have just done something, what a training takes, and
how soon a thousand prices that fall at once are told to everyone they matter to.

No answer that is timed comes out of the cache: each asker did something since the last one.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.figures import Figure
from benchmarks.store import imported, scratch, size
from segue.domain.number import MICRO
from segue.experiences.recommend.catalogue.item import Item
from segue.experiences.recommend.catalogue.store import Catalogue
from segue.experiences.recommend.keeping import Keeper
from segue.experiences.recommend.mattering import Mattering
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
PRICED, PRICES = 5_000, 1_000
"""Items that are looked at, and those of them whose price falls."""
TOLD_SECONDS_MAX = 60.0
TRIGGER = """trigger: cheaper
owner: bench@shop.example
description: Measured.
to: stream
on: 'item price falls by 10 % for count("Product Viewed" where sku == item.id, last 14d) > 0'
"""


def run() -> Iterable[Figure]:
    """The figures."""
    with TemporaryDirectory() as name:
        yield from _serving(Path(name))
    yield from _prices()
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


def _prices() -> Iterable[Figure]:
    events = size("PRICES_EVENTS", 2_000_000)
    with scratch() as scratched:
        shop = shutil.copytree(imported(events, events // 10), scratched / "shop")
        (shop / "workspace/triggers").mkdir()
        (shop / "workspace/triggers/all.yaml").write_text(TRIGGER)
        with Service.open(shop / "workspace", shop / "data") as service:
            service.apply()
            catalogue = Catalogue(service.data)
            mattering = Mattering(service.core)
            catalogue.take((Item(f"SKU-{n:06}", price=20 * MICRO) for n in range(PRICED)), 1, "bench")
            mattering.work(catalogue)
            catalogue.take((Item(f"SKU-{n:06}", price=10 * MICRO) for n in range(PRICES)), 2, "bench")
            began = time.perf_counter()
            fired = mattering.work(catalogue)
            took = time.perf_counter() - began
            catalogue.close()
    what = f"1,000 prices fall, {events / 1e6:,.0f} M events"
    yield Figure(f"{what}: all firings stored", took, "s", TOLD_SECONDS_MAX, at_least=False)
    yield Figure(f"{what}: firings", fired, "")


def _training(name: str, kind: str, items: int) -> Iterable[Figure]:
    people, things = looks(np.random.default_rng(7), USERS * 2, items)
    pairs = np.unique(np.stack([people, things]), axis=1).astype(np.int32)
    given = Interactions(pairs[0], pairs[1], np.ones(pairs.shape[1], np.float32), items)
    fitted = fit_apart(given, kind, 300.0, 1, Job())
    yield Figure(f"{name}: one core", fitted.seconds, "s")
    yield Figure(f"{name}: memory", fitted.memory_bytes / 2**20, "MiB")
