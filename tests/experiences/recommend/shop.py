"""A service over a small shop, driven by hand: what is posted is evaluated when the call returns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segue.experiences.recommend.catalogue.item import Item
from segue.experiences.recommend.catalogue.store import Catalogue, Taken
from segue.experiences.recommend.keeping import Keeper
from segue.experiences.recommend.question import read_question
from segue.experiences.recommend.recommender import Recommender
from segue.ingest.decode import decode_events
from segue.service.service import Service

HEAD = "owner: a@b.example\ndescription: Words.\n"


@dataclass
class Shop:
    """One opened workspace; ``now`` is the clock, in ms."""

    service: Service
    recommender: Recommender
    now: int = 1_000_000
    sent: int = 0
    keepers: list[Keeper] = field(default_factory=list)

    def post(self, *events: Mapping[str, Any]) -> None:
        """Take events, received now."""
        raws = []
        for event in events:
            self.sent += 1
            raws.append(json.dumps({"type": "track", "messageId": f"m{self.sent}", **event}).encode())
        self.now += 1_000
        core = self.service.core
        with core.gate:
            batch = core.intake.accept(decode_events(raws), "test", core.log.next_seq, self.now).batch
            core.append([batch] if len(batch) else [], [])

    def view(self, user: str, *items: str, event: str = "Product Viewed", **more: Any) -> None:
        """A user looks at items, one after the other."""
        self.post(*(viewed(user, item) | {"event": event, **more} for item in items))

    def buy(self, user: str, *items: str) -> None:
        """One order."""
        lines = [{"product_id": item} for item in items]
        self.post({"userId": user, "event": "Order Completed", "properties": {"products": lines}})

    def stock(self, *items: Item, whole: bool = False) -> Taken:
        """Put items into the catalogue, as the command does beside a server."""
        catalogue = Catalogue(self.service.data)
        try:
            return catalogue.take(items, self.now, "test", whole)
        finally:
            catalogue.close()

    def train(self) -> None:
        """Train what is due, as the keeper's thread would."""
        keeper = Keeper(self.recommender, 0, 1)
        self.keepers.append(keeper)
        self.recommender.publish()
        keeper.look()
        keeper.train()

    def ask(self, user: str | None, **question: Any) -> dict[str, Any]:
        """The whole answer."""
        body = {"user_id": user, **question}
        found: dict[str, Any] = json.loads(self.recommender.answer(read_question(body)))
        return found

    def ids(self, user: str | None, **question: Any) -> list[str]:
        """The items of the answer."""
        return [each["id"] for each in self.ask(user, **question)["items"]]

    def reasons(self, user: str | None, **question: Any) -> dict[str, str]:
        """Why each item of the answer is there."""
        return {each["id"]: each["reason"]["text"] for each in self.ask(user, **question)["items"]}


@contextmanager
def shop(folder: Path, definitions: str = "", segments: str = "") -> Iterator[Shop]:
    """A shop in a folder, new or as it was left."""
    workspace = folder / "workspace"
    for name, text in (("recommendations", definitions), ("segments", segments)):
        if text:
            (workspace / name).mkdir(parents=True, exist_ok=True)
            (workspace / name / "all.yaml").write_text(text, encoding="utf-8")
    workspace.mkdir(exist_ok=True)
    with Service.open(workspace, folder / "data") as service:
        # The ids of messages go on, too: one that was sent before would be dropped.
        recommender, now = Recommender(service.core, service.data), max(1_000_000, service.engine.now)
        opened = Shop(service, recommender, now, service.log.next_seq)
        try:
            yield opened
        finally:
            opened.recommender.close()


def tastes(shop: Shop, groups: Iterable[Iterable[str]], people: int = 12) -> None:
    """People who each look at all items of one group."""
    shop.post(
        *(
            viewed(f"g{number}-{person}", item)
            for number, group in enumerate(groups)
            for person in range(people)
            for item in group
        )
    )


def viewed(user: str, item: str) -> dict[str, Any]:
    """One look at one item."""
    return {"userId": user, "event": "Product Viewed", "properties": {"product_id": item}}
