"""Sends events with rudder-sdk-python; reads what to send as JSON from the first argument."""

import json
import logging
import sys

from rudderstack.analytics.client import Client

wanted = json.loads(sys.argv[1])
logging.getLogger("rudderstack").addHandler(logging.NullHandler())
client = Client(wanted["key"], host=wanted["host"], timeout=wanted["timeout"], max_queue_size=100_000)
client.identify(wanted["user"], {"plan": "pro"})
for n in range(wanted["count"]):
    client.track(wanted["user"], "Sent", {"n": n})
odd = [float("nan"), float("inf"), float("-inf"), 10**400, "\ud83d", {"deep": [float("nan"), "\udc00"]}]
for at, value in enumerate(odd if wanted["odd"] else ()):
    client.track(wanted["user"], "Odd", {"n": wanted["count"] + at, "value": value})
    if at == 2:
        client.track(wanted["user"], "Large", {"value": "x" * 200_000})
client.shutdown()
