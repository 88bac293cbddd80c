"""REES46: counts of rules over three hours of a shop's clicks, against those of pandas."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.ml.measures import off
from benchmarks.ml.sets import clicks, shown

COUNTS = {
    "count(any) > 0": 4_505,
    'count("view") >= 3': 1_988,
    'count("cart") >= 1': 111,
    'count("purchase") >= 1': 193,
    'count("cart") >= 1 and count("purchase") == 0': 49,
    'count("view") >= 5 and count("cart") == 0 and count("purchase") == 0': 1_007,
    'sequence("view" then "cart", within 1d) >= 1': 111,
    'sum("purchase".price) >= 500': 36,
    'distinct("view".product_id) >= 3': 1_438,
    'count("view" where category_code starts with "electronics.smartphone") > 0': 1_467,
    "distinct(any.session_id) >= 2": 426,
}
AT = "2019-10-01T02:29:59.999Z"
"""The ten minutes were counted with their first moment and without their last."""
AT_HALF_PAST = {
    "count(any, last 10m) > 0": 1_340,
    'count("view", last 10m) >= 5': 277,
}


def run() -> Iterator[Figure]:
    """All events, and as of half past two."""
    with shown(clicks(), {}, "user=user_id,event=event,timestamp=ts") as shop:
        for condition, expected in COUNTS.items():
            found = shop.count(condition)
            yield off(f"{condition}: {found:,} members, off by", found - expected, 0)
        for condition, expected in AT_HALF_PAST.items():
            found = shop.count(condition, AT)
            yield off(f"{condition} at 02:30: {found:,} members, off by", found - expected, 0)
