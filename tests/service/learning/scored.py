"""A shop with models that need no training here: their numbers are written down, as a champion's document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from segue.domain.time import DAY, format_instant
from segue.learned.registry import Registry
from segue.learned.version import Version
from segue.service.service import Service

START_MS = 1_790_000_000_000
MODELS = """
- model: churn
  owner: crm@shop.example
  description: The chance that somebody orders no more.
  kind: propensity
  target: count("Order", next 30d) == 0
  population: count("Order") > 0
  features:
    orders: count("Order")
    recent: count("Order", last 7d)
    rest: since(last("Order"))
    pro: trait.plan == "pro"
- model: given
  owner: crm@shop.example
  description: What another system says.
  kind: upload
"""
SEGMENTS = """
- segment: leaving
  owner: crm@shop.example
  description: May order no more.
  kind: strategic
  when: score("churn") > 0.5 and not list("press")
- segment: told
  owner: crm@shop.example
  description: Another system says so.
  kind: strategic
  when: score("given") >= 7
"""
WEIGHTS = {"orders": -0.9, "recent": -0.7, "rest": 1.1, "pro": -0.4}
INTERCEPT = 0.25


def folder(at: Path, **files: str) -> Path:
    """A workspace; ``files`` replace or add to what stands in a folder of that name."""
    texts = {"models": MODELS, "segments": SEGMENTS, **files}
    texts.setdefault(
        "lists", "list: press\nowner: crm@shop.example\ndescription: By hand.\nusers: [someone]\n"
    )
    for name, text in texts.items():
        (at / name).mkdir(parents=True, exist_ok=True)
        (at / name / "all.yaml").write_text(text, encoding="utf-8")
    (at / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    return at


def line(weights: Mapping[str, float] = WEIGHTS, intercept: float = INTERCEPT) -> dict[str, Any]:
    """A logistic on signed logarithms whose features are centred at 1."""
    size = len(weights)
    mean = float(np.log1p(1.0))
    return {
        "form": "logistic",
        "features": list(weights),
        "scaling": {"means": [mean] * size, "spreads": [1.0] * size, "absent": [0.0] * size},
        "weights": list(weights.values()),
        "intercept": intercept,
        "calibration": {"slope": 1.0, "shift": 0.0},
    }


def enthrone(
    data: Path,
    document: Mapping[str, Any],
    name: str = "churn",
    kind: str = "propensity",
    **card: Any,
) -> int:
    """Put a document in force as the next version of a model that gives a score; its number."""
    registry = Registry(data)
    kept = registry.add(Version(name, 0, kind, "score", START_MS, document, {"metrics": {}, **card}))
    registry.promote(name, kept.number, "tests", "for a test", START_MS)
    return kept.number


def chance(values: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """What :func:`line` says of somebody, worked out by hand."""
    mean = float(np.log1p(1.0))
    raw = INTERCEPT + sum(
        weight * (np.sign(values[name]) * np.log1p(abs(values[name])) - mean)
        for name, weight in weights.items()
    )
    return float(1 / (1 + np.exp(-raw)))


def order(user: str, day: float, number: int = 0, **fields: Any) -> dict[str, Any]:
    """An order of somebody, so many days after the start."""
    return call("track", user, day, number, event="Order", **fields)


def call(kind: str, user: str, day: float, number: int = 0, **fields: Any) -> dict[str, Any]:
    """Any event."""
    at = START_MS + round(day * DAY)
    message = f"{kind}-{user}-{at}-{number}"
    return {"type": kind, "userId": user, "messageId": message, "timestamp": format_instant(at), **fields}


def take(service: Service, events: Iterable[Mapping[str, Any]]) -> None:
    """Have the service take events in."""
    path = service.folder / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    tally = service.import_file(path, None, "test", lambda _done, _of: None)
    assert not tally.quarantined


def score_of(service: Service, user: str, model: str = "churn") -> Any:
    """What is read of a model; None when it says nothing."""
    return service.user(user).scores.get(model)
