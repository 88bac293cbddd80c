"""A made-up shop at any size: definitions, and its events as kernel batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from segue.engine.kernel import layout as k
from segue.engine.program.compile import Compiled, compile_definitions
from segue.engine.state.machine import Machine
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Rules
from segue.language.scope import Scope

START = 1_700_000_000_000
EVENTS = ("Product Viewed", "Product Added", "Order Completed", "Email Opened", "Page Read")
SHARES = (0.5, 0.15, 0.1, 0.1, 0.15)

FEATURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ('count("Product Viewed", last 1h)', ("2", "3")),
    ('count("Product Viewed", last 1d)', ("2", "3", "4", "5")),
    ('count("Product Viewed", last 7d)', ("2", "3", "4", "5", "8", "13")),
    ('count("Product Viewed", last 30d)', ("5", "8", "10", "12", "15", "20")),
    ('count("Product Added", last 1d)', ("1", "2", "3")),
    ('count("Product Added", last 7d)', ("2", "3", "5")),
    ('count("Order Completed", last 7d)', ("1", "2", "3")),
    ('count("Order Completed", last 30d)', ("2", "3", "4", "5")),
    ('count("Order Completed")', ("1", "3", "5", "8", "13", "20")),
    ('count("Email Opened", last 30d)', ("2", "3", "5")),
    ('sum("Order Completed".amount, last 7d)', ("150", "200", "300", "500", "1000")),
    ('sum("Order Completed".amount, last 30d)', ("200", "300", "500", "1000", "2000")),
    ('sum("Order Completed".amount)', ("250", "500", "1000", "2500", "5000", "10000")),
    ('max("Order Completed".amount, last 30d)', ("150", "180", "195")),
    ('avg("Order Completed".amount)', ("120", "150", "180")),
    ('distinct("Product Viewed".sku, last 7d)', ("3", "5", "8")),
    ('days("Product Viewed", last 30d)', ("5", "8", "10", "15")),
)
LASTS = ("Product Viewed", "Order Completed", "Email Opened")
SEGMENTS = 200


def conditions() -> list[str]:
    """200 conditions over 20 features: thresholds, silences, and pairs of both."""
    plain = [f"{feature} >= {bound}" for feature, bounds in FEATURES for bound in bounds]
    silent = [f'since(last("{name}")) > {length}' for name in LASTS for length in ("7d", "14d", "30d")]
    recent = [f'since(last("{name}")) <= {length}' for name in LASTS for length in ("1d", "3d")]
    wanted = SEGMENTS - len(plain) - len(silent)
    pairs = [f"{plain[at * 7 % len(plain)]} and {(silent + recent)[at * 4 % 15]}" for at in range(wanted)]
    return plain + silent + pairs


def selective() -> list[str]:
    """200 conditions over the same features that few profiles ever meet."""
    rare = [f"{feature} >= {bounds[-1]}" for feature, bounds in FEATURES]
    usual = [f"{feature} >= {bound}" for feature, bounds in FEATURES for bound in bounds[-2:]]
    silent = [f'since(last("{name}")) > 30d' for name in LASTS]
    wanted = SEGMENTS - len(rare) - len(silent)
    pairs = [f"{rare[at % len(rare)]} and {usual[(at * 5 + at // 17) % len(usual)]}" for at in range(wanted)]
    return rare + silent + pairs


def program(texts: Sequence[str]) -> Compiled:
    """Conditions compiled as segments named by their place."""
    definitions = [Definition(f"s{n:05}", check_condition(text, Scope())) for n, text in enumerate(texts)]
    return compile_definitions(definitions, Rules())


def created(profiles: int) -> k.Batch:
    """One step that begins all profiles."""
    ops = np.zeros(profiles, k.OPERATION)
    ops["op"], ops["row"] = k.OP_CREATE, np.arange(profiles)
    steps = np.zeros(1, k.STEP)
    steps["op_end"], steps["time"] = profiles, START
    return k.Batch(steps, ops, np.zeros(0, np.int64))


def batches(
    compiled: Compiled, profiles: int, count: int, gap_ms: float, size: int = 10_000
) -> Iterator[k.Batch]:
    """Batches of ``count`` events in all, one each ``gap_ms`` on average, of random profiles."""
    random = np.random.default_rng(7)
    codes = [compiled.codes.find("track", name) for name in EVENTS]
    number = np.array([code.number for code in codes])
    width = max(1, *(code.width for code in codes))
    at, seq = START + 1, 1
    for _ in range(count // size):
        kinds = random.choice(len(EVENTS), size, p=SHARES)
        times = at + np.cumsum(random.exponential(gap_ms, size)).astype(np.int64)
        at = int(times[-1])
        slots = np.zeros((size, width), np.int64)
        amounts = random.integers(1_00, 200_00, size) * 10_000
        skus = random.integers(0, 5_000, size)
        for kind, code in enumerate(codes):
            for place, slot in enumerate(code.slots):
                values = amounts if slot.path == ("amount",) else skus
                chosen = kinds == kind
                slots[chosen, code.test_words + place] = values[chosen]
        ops = np.zeros(size, k.OPERATION)
        ops["op"], ops["row"], ops["a"] = k.OP_EVENT, random.integers(0, profiles, size), number[kinds]
        ops["b"], ops["time"] = width * np.arange(size), times
        ops["value"] = seq + np.arange(size)
        steps = np.zeros(size, k.STEP)
        steps["op_at"], steps["op_end"] = np.arange(size), np.arange(1, size + 1)
        steps["time"], steps["seq"] = times, ops["value"]
        seq += size
        yield k.Batch(steps, ops, slots.ravel())


class Tally:
    """A machine that counts its changes instead of keeping them."""

    def __init__(self, compiled: Compiled, profiles: int) -> None:
        self.changes = 0
        self.machine = Machine(compiled, self._count)
        self.machine.run(created(profiles))

    def _count(self, records: k.Records) -> None:
        self.changes += len(records)
