"""Scores: everybody by a logistic of twenty features, and who an event touched.

A million profiles in a real data folder: their features are read from the live columns, what moved is written
to the log, and the segments that hang on it are evaluated.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from benchmarks.shop import FEATURES, LASTS
from benchmarks.store import MAPPING, size, write_parquet
from segue.domain.time import format_instant
from segue.ingest.decode import decode_events
from segue.ingest.files.mapping import read_mapping
from segue.learned.registry import Registry
from segue.learned.version import Version
from segue.service.learning.champions import Champions
from segue.service.learning.scheduling import Learner
from segue.service.learning.scoring import moved, parts, predicted, read, score, write
from segue.service.service import Service

PROFILES, EVENTS = 1_000_000, 3_000_000
ALL_S_MAX, BEHIND_S_MAX = 2.0, 1.0
TOUCHED, ROUNDS = 2_000, 20


def features() -> dict[str, str]:
    """Twenty, as a person would write them."""
    texts = [feature for feature, _ in FEATURES] + [f'since(last("{name}"))' for name in LASTS]
    return {f"f{place:02}": text for place, text in enumerate(texts[:20])}


def document(shift: float) -> dict[str, object]:
    """A logistic over them; ``shift`` moves every score."""
    names = list(features())
    random = np.random.default_rng(11)
    size_of = len(names)
    return {
        "form": "logistic",
        "features": names,
        "scaling": {"means": [1.0] * size_of, "spreads": [1.5] * size_of, "absent": [0.1] * size_of},
        "weights": random.normal(0, 0.3, 2 * size_of).tolist(),
        "intercept": shift,
        "calibration": {"slope": 1.0, "shift": 0.0},
    }


def write_workspace(folder: Path) -> Path:
    """One model, and two segments on it."""
    for name in ("models", "segments"):
        (folder / name).mkdir(parents=True)
    (folder / "segue.yaml").write_text("timezone: UTC\n")
    said = {"owner": "bench@shop.example", "description": "Measured."}
    model = {
        "model": "buys", **said, "kind": "propensity",
        "target": 'count("Order Completed", next 30d) > 0', "features": features(),
    }  # fmt: skip
    (folder / "models/buys.json").write_text(json.dumps(model))
    segments = [
        {"segment": name, **said, "kind": "strategic", "when": when}
        for name, when in (("likely", 'score("buys") > 0.8'), ("unlikely", 'score("buys") < 0.2'))
    ]
    (folder / "segments/all.json").write_text(json.dumps(segments))
    return folder


def enthrone(service: Service, shift: float) -> None:
    """Put a version in force."""
    registry = Registry(service.data)
    kept = registry.add(Version("buys", 0, "propensity", "score", 1, document(shift), {}))
    registry.promote("buys", kept.number, "bench", "measured", 1)


def run() -> Iterator[Figure]:
    """A service with a million profiles."""
    profiles = size("SCORES_PROFILES", PROFILES)
    with tempfile.TemporaryDirectory(prefix="segue-bench-") as name:
        folder = Path(name)
        workspace = write_workspace(folder / "workspace")
        table = write_parquet(folder / "events.parquet", size("SCORES_EVENTS", EVENTS), profiles)
        (folder / "map.yaml").write_text(MAPPING)
        with Service.open(workspace, folder / "data") as service:
            mapping = read_mapping(str(folder / "map.yaml"))
            service.import_file(table, mapping, "bench", lambda _done, _of: None)
            yield from _everybody(service)
            yield from _touched(service)


def _everybody(service: Service) -> Iterator[Figure]:
    """The first time everything is written, then what a slight shift moves, then nothing."""
    champions = Champions(service)
    for said, shift in (("all of them new", 0.0), ("all of them moved", 0.4), ("none of them moved", 0.4)):
        enthrone(service, shift)
        begun, used = time.perf_counter(), time.process_time()
        found = score(service.core, champions.now())
        took, used = time.perf_counter() - begun, time.process_time() - used
        yield Figure(f"{found.looked['buys']:,} profiles scored, {said}", took, "s", ALL_S_MAX)
        yield Figure("  of processor time", used, "s")
        yield Figure("  values written", found.written["buys"], "")
    yield from _steps(service, champions)


def _steps(service: Service, champions: Champions) -> Iterator[Figure]:
    """Where the time goes."""
    enthrone(service, 0.8)
    champion, core = champions.now()["buys"], service.core
    spent = dict.fromkeys(("features read", "predicted", "compared", "written and evaluated"), 0.0)
    for part in parts(core, None):
        marks = [time.perf_counter()]
        with core.turn:
            reading = read(core.engine, champion, part)
        marks.append(time.perf_counter())
        found = predicted(champion, reading)
        marks.append(time.perf_counter())
        said = moved(champion, reading, found)
        marks.append(time.perf_counter())
        write(core, said)
        marks.append(time.perf_counter())
        for name, took in zip(spent, np.diff(marks).tolist(), strict=True):
            spent[name] += took
    for name, took in spent.items():
        yield Figure(f"  of that: {name}", took, "s")


def _touched(service: Service) -> Iterator[Figure]:
    """Some thousand rows are touched at once while a server runs: until their scores are evaluated."""
    service.start()
    learner = Learner(service)
    learner.start()
    heard = threading.Event()
    service.core.entry_listeners.append(
        lambda entry: heard.set() if getattr(entry, "kind", "") == "score" else None
    )
    behind = []
    try:
        while learner.rounds < 1:
            time.sleep(0.01)
        random = np.random.default_rng(5)
        for number in range(ROUNDS):
            heard.clear()
            begun = time.perf_counter()
            _post(service, random.integers(0, size("SCORES_PROFILES", PROFILES), TOUCHED), number)
            heard.wait()
            behind.append(time.perf_counter() - begun)
    finally:
        learner.stop()
    yield Figure(f"{TOUCHED:,} touched: until scored and evaluated, worst", max(behind), "s", BEHIND_S_MAX)


def _post(service: Service, users: np.ndarray[tuple[int], np.dtype[np.int64]], number: int) -> None:
    at = format_instant(service.engine.now)
    sent = [
        json.dumps(
            {"type": "track", "event": "Order Completed", "userId": f"user-{user:07}",
             "messageId": f"t{number}-{place}", "timestamp": at, "properties": {"amount": 50}}
        ).encode()
        for place, user in enumerate(users.tolist())
    ]  # fmt: skip
    tally = service.post(decode_events(sent), "bench").result()
    assert tally.accepted == len(sent), tally
