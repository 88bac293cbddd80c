"""A shop whose customers behave: some order often and go on, some lapse. Its models are learned for real."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from segue.domain.time import DAY, format_instant
from segue.service.service import Service

START = 20_000 * DAY
DAYS = 300
CUSTOMERS = 700
BUYS = """
model: buys
owner: crm@shop.example
description: Orders again within 30 days.
kind: propensity
target: count("Order", next 30d) > 0
population: count("Order") > 0
guards: {users: 100, events: 1, positives: 20, reason: A made-up shop.}
features:
  orders: count("Order")
  lately: count("Order", last 30d)
  since_last: since(last("Order"))
  since_first: since(first("Order"))
  spent: sum("Order".revenue)
"""
SEGMENTS = """
- segment: recent
  owner: crm@shop.example
  description: Ordered within 30 days.
  when: count("Order", last 30d) > 0
- segment: likely
  owner: crm@shop.example
  description: Likely to order.
  kind: strategic
  when: score("buys") >= 0.5
"""


def write_orders(file: Path, days: int = DAYS, customers: int = CUSTOMERS) -> None:
    """Each customer orders at a rate of their own, from a day of their own until they lapse."""
    random = np.random.default_rng(11)
    rows = []
    for number in range(customers):
        day, gap = random.uniform(0, days * 0.6), random.gamma(2, 12)
        end = day + random.exponential(250)
        while day < min(end, days):
            rows.append((START + round(day * DAY), f"c{number}", round(random.uniform(5, 80), 2)))
            day += random.exponential(gap) + 0.5
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["user_id", "ts", "event", "revenue"])
        for moment, user, revenue in sorted(rows):
            writer.writerow([user, format_instant(moment), "Order", revenue])


def shop(folder: Path, *models: str, days: int = DAYS, segments: str = SEGMENTS) -> Service:
    """The shop with its orders, in a new workspace."""
    for kind in ("models", "segments"):
        (folder / "ws" / kind).mkdir(parents=True)
    (folder / "ws/segue.yaml").write_text("timezone: UTC\n")
    for number, model in enumerate(models or (BUYS,)):
        (folder / f"ws/models/m{number}.yaml").write_text(model)
    (folder / "ws/segments/all.yaml").write_text(segments)
    write_orders(folder / "orders.csv", days)
    service = Service.open(folder / "ws", folder / "data")
    service.import_file(folder / "orders.csv", None, "test", lambda _done, _total: None)
    return service


def written_anew(service: Service, model: str) -> None:
    """Another definition of the first model, in force."""
    (service.folder / "models/m0.yaml").write_text(model)
    service.apply()
