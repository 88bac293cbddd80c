"""Hillstrom's e-mail test: rates of its arms, who comes, and whom an e-mail brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.figures import Figure
from benchmarks.ml.measures import cross_validated, off, quality
from benchmarks.ml.sets import Doubles, Shown, as_traits, columns, folds, people, shown
from segue.learned.models import KINDS

NOW = "2008-05-01"
ARMS = {"Mens E-Mail": 0.182757, "Womens E-Mail": 0.151400, "No E-Mail": 0.106167}
FEATURES = {
    "recency": "trait.recency",
    "history": "trait.history",
    "mens": "trait.mens",
    "womens": "trait.womens",
    "newbie": "trait.newbie",
    "rural": 'trait.zip_code == "Rural"',
    "urban": 'trait.zip_code == "Urban"',
    "web": 'trait.channel == "Web"',
    "phone": 'trait.channel == "Phone"',
    "to_men": 'trait.segment == "Mens E-Mail"',
    "to_women": 'trait.segment == "Womens E-Mail"',
}
CAME = {"kind": "lookalike", "seed": "trait.visit == 1", "features": FEATURES}
TOLD = ("recency", "history", "mens", "womens", "newbie", "rural", "urban", "web", "phone")


def run() -> Iterator[Figure]:
    """64,000 people in three arms."""
    names = [name for name in columns("hillstrom.csv.gz") if name != "user_id"]
    with shown(people("hillstrom.csv.gz", "user_id", NOW), {"came": CAME}, as_traits(names)) as shop:
        for arm, rate in ARMS.items():
            sent = shop.count(f'trait.segment == "{arm}"')
            came = shop.count(f'trait.segment == "{arm}" and trait.visit == 1')
            apart = round(came / sent, 6) - rate
            yield off(f"Hillstrom, {arm}: {came:,} of {sent:,} came, off {rate} by", apart, 0)
        yield from came_at_all(shop)
        yield from brought(shop)


def came_at_all(shop: Shown) -> Iterator[Figure]:
    """Who comes, with the arm as a feature."""
    table = shop.table("came", "2008-05-02")
    said = cross_validated(KINDS["propensity"], shop.spec("came"), table)
    yield from quality("propensity, Hillstrom visits", table.labels, said, 0.64)


def brought(shop: Shown) -> Iterator[Figure]:
    """Whom an e-mail about women's things brings: the chance with it less the chance without."""
    table, spec = shop.table("came", "2008-05-02"), shop.spec("came")
    places = [table.features.index(name) for name in TOLD]
    with_it = table.values[:, table.features.index("to_women")] == 1
    kept = with_it | (table.values[:, table.features.index("to_men")] == 0)
    people_told = replace(table.taken(kept), features=TOLD, values=table.values[kept][:, places])
    told, part, gain = with_it[kept], folds(int(kept.sum())), np.zeros(int(kept.sum()))
    for number in range(5):
        hidden = part == number
        for arm, sign in ((told, 1.0), (~told, -1.0)):
            model = KINDS["propensity"].learn(spec, people_told.taken(arm & ~hidden), None).model
            rows = people_told.rows[hidden].astype(np.int64)
            gain[hidden] += sign * model.predict(people_told.values[hidden], rows)
    learned = uplift(people_told.labels, told, gain)
    rule = uplift(people_told.labels, told, people_told.values[:, TOLD.index("womens")])
    yield Figure("uplift at 30 %, e-mail for women: learned", learned, "", 0.060, True)
    yield Figure('    beside it, the rule "bought womens"', rule, "")


def uplift(labels: Doubles, told: np.ndarray, ranking: Doubles, share: float = 0.3) -> float:
    """How much more often those ranked highest came with the e-mail than without."""
    top = np.argsort(-ranking, kind="stable")[: round(share * len(ranking))]
    came, with_it = labels[top], told[top]
    return float(came[with_it].mean() - came[~with_it].mean())
