"""Sends events with segment-analytics-python; reads what to send as JSON from the first argument."""

import json
import logging
import sys

from segment.analytics.client import Client

wanted = json.loads(sys.argv[1])
logging.getLogger("segment").addHandler(logging.NullHandler())
client = Client(
    wanted["key"], host=wanted["host"], timeout=wanted["timeout"], gzip=wanted["gzip"], max_queue_size=100_000
)
client.identify(wanted["user"], {"plan": "pro"})
for n in range(wanted["count"]):
    client.track(wanted["user"], "Sent", {"n": n})
odd = [float("nan"), float("inf"), float("-inf"), 10**400, "\ud83d", {"deep": [float("nan"), "\udc00"]}]
for at, value in enumerate(odd if wanted["odd"] else ()):
    client.track(wanted["user"], "Odd", {"n": wanted["count"] + at, "value": value})
    if at == 2:
        try:
            client.track(wanted["user"], "Large", {"value": "x" * 200_000})
        except RuntimeError:
            print("the SDK refuses a large event itself")
client.shutdown()
