"""Every metric there is; docs/metrics.md explains each.

Recording is a matter of batches and requests, never of single events. Gauges are set when somebody
collects. One process has one set of them.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(name, meaning, labels, registry=REGISTRY)


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(name, meaning, labels, registry=REGISTRY)


def _seconds(name: str, meaning: str, *labels: str) -> Histogram:
    return Histogram(name, meaning, labels, buckets=_SECONDS, registry=REGISTRY)


EVENTS = _counter("segue_events", "Events by what became of them.", "source", "outcome")
DURABLE = _seconds("segue_durable_seconds", "From the receipt of a post until it is on disk.")
EVALUATED = _seconds("segue_evaluated_seconds", "From the receipt of posts until their changes are stored.")
PUSHED = _seconds("segue_pushed_seconds", "From the moment of a change until it is handed to its streams.")
CHANGES_PUSHED = _counter("segue_changes_pushed", "Changes handed to streams, once for each listener.")
SCORED = _seconds("segue_scored_seconds", "From an event's evaluation until its user's scores are evaluated.")
SCORES = _counter("segue_scores", "Scores and clusters that were written, by model.", "model")
TRIGGERED = _counter(
    "segue_triggered", "Firings for a destination, by what was decided.", "trigger", "decision"
)
DISPATCHED = _seconds("segue_dispatched_seconds", "From the moment of a message until it is in the outbox.")
DELIVERIES = _counter(
    "segue_deliveries", "Attempts to send a message, by what became of it.", "destination", "outcome"
)
DELIVERY_SECONDS = _seconds(
    "segue_delivery_seconds", "From the moment a message could be sent until it was taken.", "destination"
)
PURGES = _counter("segue_purges", "Requests that tell caches what is stale.", "outcome")

REQUESTS = _counter("segue_requests", "Requests by route, method and status.", "route", "method", "status")
REQUEST_SECONDS = _seconds("segue_request_seconds", "From a request's head until its answer.", "route")
STREAMS_ENDED = _counter("segue_streams_ended", "Streams that the server ended, by reason.", "code")

CONNECTIONS = _gauge("segue_connections", "Open connections.")
STREAMS = _gauge("segue_streams", "Open streams of changes.")
READY = _gauge("segue_ready", "1 while events are taken and evaluated.")
LOG_RECORDS = _gauge("segue_log_records", "Events and other records in the log.")
LOG_BYTES = _gauge("segue_log_bytes", "What the data folder takes on disk.")
LAG = _gauge("segue_lag_records", "Records that are on disk and not evaluated yet.")
ENGINE_TIME = _gauge("segue_engine_time_seconds", "The engine's time, in seconds since 1970.")
CHANGES = _gauge("segue_changes", "Changes in the log.")
PROFILES = _gauge("segue_profiles", "Profiles ever made, absorbed ones included.")
QUARANTINED = _gauge("segue_quarantined_events", "Events that are set aside.")
BALANCED = _gauge("segue_account_balanced", "1 while the account of events comes out even.")
MEMBERS = _gauge("segue_segment_members", "Members of a segment.", "segment")
DELIVERIES_PENDING = _gauge("segue_deliveries_pending", "Messages that wait to be sent.", "destination")
DELIVERIES_DEAD = _gauge("segue_deliveries_dead", "Dead letters.", "destination")
DESTINATION_DOWN = _gauge("segue_destination_down", "1 while a destination takes nothing.", "destination")
BUILD = _gauge("segue_build_info", "1, with the version that runs.", "version")
