"""``GET /metrics``: how things stand is looked up when somebody collects, what happened was counted then."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from prometheus_client.exposition import choose_encoder

import segue
from segue.api.answer import NO_STORE, Answer
from segue.api.doors import Doors
from segue.api.request import Request
from segue.domain.limits import METRIC_SEGMENTS_MAX
from segue.observe import metrics
from segue.service.quality.balance import balance
from segue.service.service import Service


def show(doors: Doors, request: Request) -> Answer:
    """All metrics, in Prometheus' text format or as OpenMetrics, as is asked for."""
    service = doors.service
    _look(doors, service)
    accept = (request.header(b"accept") or b"").decode("latin-1")
    encode, kind = choose_encoder(accept)
    return Answer(200, encode(metrics.REGISTRY), kind.encode(), (NO_STORE,))


def _look(doors: Doors, service: Service) -> None:
    status = service.status()
    metrics.BUILD.labels(segue.__version__).set(1)
    metrics.READY.set(doors.ready)
    metrics.CONNECTIONS.set(doors.connections())
    metrics.STREAMS.set(len(doors.streams))
    metrics.LOG_RECORDS.set(status.log_seq)
    metrics.LOG_BYTES.set(_bytes_below(service.data))
    metrics.LAG.set(status.lag)
    metrics.ENGINE_TIME.set(status.engine_time / 1000)
    metrics.CHANGES.set(status.changes)
    metrics.PROFILES.set(status.profiles)
    metrics.QUARANTINED.set(status.quarantined)
    _look_at_deliveries(doors)
    metrics.BALANCED.set(not balance(*service.log.quality()).findings)
    metrics.MEMBERS.clear()
    for name in islice(sorted(service.workspace.segments), METRIC_SEGMENTS_MAX):
        with service.core.turn:
            metrics.MEMBERS.labels(name).set(len(service.engine.rows_in(name)))


def _look_at_deliveries(doors: Doors) -> None:
    metrics.DELIVERIES_PENDING.clear()
    metrics.DELIVERIES_DEAD.clear()
    if doors.outbox is not None:
        for destination, (pending, dead) in doors.outbox.backlog().items():
            metrics.DELIVERIES_PENDING.labels(destination).set(pending)
            metrics.DELIVERIES_DEAD.labels(destination).set(dead)


def _bytes_below(folder: Path) -> int:
    found = 0
    for path in folder.rglob("*"):
        try:
            found += path.stat().st_size if path.is_file() else 0
        except OSError:  # gone since it was listed
            continue
    return found
