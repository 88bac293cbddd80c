"""A shop of three kinds of customers, and a model that is to find them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from segue.domain.time import DAY, format_instant
from segue.service.service import Service

NOW = 20_000 * DAY
SIZES = {"regulars": 60, "browsers": 120, "lapsed": 90}
HABITS = """
model: habits
owner: crm@shop.example
description: What kinds of customers there are.
kind: clusters
groups: 3
population: count("Order") > 0
guards: {users: 100, events: 1, reason: A small shop.}
features:
  orders: count("Order")
  spent: sum("Order".revenue)
  since_last: since(last("Order"))
"""


def write_orders(file: Path) -> None:
    """Regulars order often and lately, browsers once and lately, the lapsed ordered some time long ago."""
    random = np.random.default_rng(4)
    orders = {"regulars": (8, 15, 1, 20), "browsers": (1, 2, 1, 25), "lapsed": (2, 5, 200, 300)}
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["user_id", "ts", "event", "revenue"])
        rows = []
        for kind, size in SIZES.items():
            few, many, latest, longest = orders[kind]
            for number in range(size):
                last = random.uniform(latest, longest)
                for order in range(random.integers(few, many)):
                    moment = NOW - round((last + 9 * order) * DAY)
                    rows.append((moment, f"{kind}-{number}", round(random.uniform(20, 60), 2)))
        for moment, user, revenue in sorted(rows):
            writer.writerow([user, format_instant(moment), "Order", revenue])


def shop(folder: Path, *models: str) -> Service:
    """The shop with its orders, in a new workspace."""
    for kind in ("models", "segments"):
        (folder / "ws" / kind).mkdir(parents=True, exist_ok=True)
    (folder / "ws/segue.yaml").write_text("timezone: UTC\n")
    for number, model in enumerate(models or (HABITS,)):
        (folder / f"ws/models/m{number}.yaml").write_text(model)
    write_orders(folder / "orders.csv")
    service = Service.open(folder / "ws", folder / "data")
    service.import_file(folder / "orders.csv", None, "test", lambda _done, _total: None)
    return service
