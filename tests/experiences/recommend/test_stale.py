"""No list is given after what it rests on has changed, while all of it changes at once.

The controls show that the test would see it: recommenders that keep their answers too long fail it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from segue.domain.number import MICRO
from segue.experiences.recommend import user as asking
from segue.experiences.recommend.catalogue.item import Item
from segue.experiences.recommend.catalogue.store import Catalogue
from segue.experiences.recommend.question import Question
from segue.experiences.recommend.recommender import Recommender
from segue.ingest.decode import decode_events
from segue.segments.recommendations.definition import RecommendationDefinition
from segue.service.core import Core
from segue.service.service import Service

STEPS, READERS = 8, 3
ANN = Question("ann", count=100)
HEAD = "owner: o@x\n  description: W.\n"
Make = Callable[[Core, Path], Recommender]


class KeepsTheShelf(Recommender):
    """A control: it does not look whether the catalogue is another one."""

    def _catalogue_version(self) -> int:
        return self.view.shelf.version or super()._catalogue_version()


class KeepsTheRules(Recommender):
    """A control: it does not look whether the definitions are others."""

    @property
    def definitions(self) -> dict[str, Any]:
        return dict(self.view.definitions) or super().definitions


def write(folder: Path, segments: int, rules: int) -> None:
    """Rules take out one item more with each edition; so do segments that come to hold everybody."""
    held = [
        f"- segment: g{number}\n  {HEAD}  when: trait.step {'>=' if number < segments else '<'} 0\n"
        for number in range(STEPS)
    ]
    stepped = [f"- segment: s{number}\n  {HEAD}  when: trait.step > {number}\n" for number in range(STEPS)]
    (folder / "segments").mkdir(exist_ok=True)
    (folder / "segments" / "all.yaml").write_text("".join((*held, *stepped)))
    lines = [f"- {{exclude: true, items: {{ids: [rule{number}]}}}}" for number in range(rules)]
    for kind, name in (("held", "g"), ("step", "s")):
        lines += [
            f"- {{exclude: true, items: {{ids: [{kind}{number}]}}, when: 'segment(\"{name}{number}\")'}}"
            for number in range(STEPS)
        ]
    (folder / "recommendations").mkdir(exist_ok=True)
    text = "recommendation: default\nowner: o@x\ndescription: W.\nrules:\n" + "\n".join(lines) + "\n"
    (folder / "recommendations" / "all.yaml").write_text(text)


def items(price: int) -> Iterator[Item]:
    yield Item("priced", price=price * MICRO)
    for kind in ("rule", "held", "step"):
        for number in range(STEPS):
            yield Item(f"{kind}{number}")


def take(service: Service, step: int) -> None:
    body = {"type": "identify", "userId": "ann", "traits": {"step": step}, "messageId": f"m{step}"}
    service.post(decode_events([json.dumps(body).encode()]), "tests").result()
    service.core.drain()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    write(tmp_path, 0, 0)
    with Service.open(tmp_path, tmp_path / "data", clock="wall") as opened:
        opened.start()
        take(opened, 0)
        yield opened


class Run:
    """Writers that tell what is so at least, and readers that see whether a list is older."""

    def __init__(self, service: Service, made: Make) -> None:
        self.service = service
        self.catalogue = Catalogue(service.data)
        self.catalogue.take(items(0), 1, "test")
        self.recommender = made(service.core, service.data)
        self.now = {"priced": 0, "rule": 0, "held": 0, "step": 0}
        self.ended = threading.Event()
        self.stale: list[str] = []
        self.reads = 0

    def pricing(self) -> None:
        for price in range(1, STEPS + 1):
            self.catalogue.take([Item("priced", price=price * MICRO)], 1 + price, "test")
            self.now["priced"] = price

    def moving(self) -> None:
        for step in range(1, STEPS + 1):
            take(self.service, step)
            self.now["step"] = step

    def editing(self) -> None:
        for edition in range(1, STEPS + 1):
            write(self.service.folder, edition, edition - 1)
            self.service.apply()
            self.now["held"] = edition
            write(self.service.folder, edition, edition)
            self.service.apply()
            self.now["rule"] = edition

    def reading(self) -> None:
        while not self.ended.is_set():
            self.look()

    def look(self) -> None:
        least = dict(self.now)
        answer = json.loads(self.recommender.answer(ANN))
        shown = {each["id"]: each for each in answer["items"]}
        found = {"priced": shown["priced"]["price"]}
        for kind in ("rule", "held", "step"):
            left = [number for number in range(STEPS) if f"{kind}{number}" in shown]
            found[kind] = min(left, default=STEPS)
        self.reads += 1
        if any(found[name] < value for name, value in least.items()):
            self.stale.append(f"{found} after {least}")

    def run(self) -> list[str]:
        self.look()
        try:
            with ThreadPoolExecutor(READERS + 3) as pool:
                readers = [pool.submit(self.reading) for _ in range(READERS)]
                writers = [pool.submit(each) for each in (self.pricing, self.moving, self.editing)]
                try:
                    for each in writers:
                        each.result()
                finally:
                    self.ended.set()
                for each in readers:
                    each.result()
            self.look()
        finally:
            self.recommender.close()
            self.catalogue.close()
        return self.stale


def test_no_list_is_older_than_what_it_rests_on(service: Service) -> None:
    run = Run(service, Recommender)
    assert run.run() == []
    assert run.reads > STEPS


def test_one_that_keeps_the_shelf_would_be_seen(service: Service) -> None:
    assert Run(service, KeepsTheShelf).run() != []


def test_one_that_keeps_the_rules_would_be_seen(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def unchecked(core: Core, definition: RecommendationDefinition, row: int) -> tuple[int, ...]:
        with core.turn:
            held = {name for name, _ in core.engine.held(row)}
        watched = definition.watches()
        return tuple(
            number
            for number, rule in enumerate(definition.rules)
            if rule.when is None or held & {name for name, at in watched.items() if at == number}
        )

    monkeypatch.setattr(asking, "_holding", unchecked)
    assert Run(service, KeepsTheRules).run() != []


def test_one_that_does_not_look_who_asks_would_be_seen(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control: answers are kept by user, whatever became of them."""
    kept: dict[Any, Any] = {}
    real = asking.user_of

    def first(core: Core, live: Any, definition: Any, user_id: str | None) -> Any:
        return kept.setdefault(user_id, real(core, live, definition, user_id))

    monkeypatch.setattr("segue.experiences.recommend.recommender.user_of", first)
    assert Run(service, Recommender).run() != []
