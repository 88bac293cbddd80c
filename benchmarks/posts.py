"""Posts over HTTP, each answered when its events are on disk, beside a bare server that answers a constant.

``wrk`` makes the load on the same cores; without it nothing is measured. Each event is another one, of about
350 bytes, into a workspace of 20 features and 200 segments that most profiles meet seldom; the changes are
made and stored meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.live import Client, server
from benchmarks.reads import bare
from benchmarks.shop import EVENTS
from benchmarks.store import scratch, size, sparse_conditions, write_workspace

TAKEN = b'{"success":true}'
SECONDS, ROUNDS = 6, 3
USERS, BATCH = 20_000, 100
EVENTS_MIN, SINGLES_MIN, RATIO_MIN = 100_000, 6_000, 0.5
BATCH_CONNECTIONS, SINGLE_CONNECTIONS = 16, 64

SCRIPT = """
local threads = 0
function setup(thread) thread:set("own", threads); threads = threads + 1 end
local pieces, count, number = nil, 0, 0
function init()
  local text = io.open("{template}"):read("*a")
  pieces = {{}}
  for piece in (text .. "@"):gmatch("(.-)@") do
    pieces[#pieces + 1] = piece
    pieces[#pieces + 1] = ""
  end
  pieces[#pieces] = nil
  count = #pieces
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end
function request()
  number = number + 1
  local id = string.format("%x-%08x", own, number)
  for at = 2, count, 2 do pieces[at] = id end
  return wrk.format(nil, "{path}", nil, table.concat(pieces))
end
"""


def event(number: int) -> dict[str, object]:
    """As a browser sends it; the @ becomes the number of the request."""
    return {
        "type": "track", "event": EVENTS[number * 7 % len(EVENTS)],
        "userId": f"user-{number * 7919 % USERS:07}",
        "messageId": f"5f2c1f9e-8d5f-4a53-@-{number:04x}", "timestamp": "2026-11-20T12:34:56.789Z",
        "properties": {"amount": number * 37 % 20_000 / 100, "currency": "EUR", "sku": f"SKU-{number:06}",
                       "items": 3, "coupon": "AUTUMN"},
        "context": {"ip": "203.0.113.7", "locale": "de-DE",
                    "library": {"name": "analytics.js", "version": "4.1"}},
    }  # fmt: skip


def batch() -> bytes:
    """A hundred events in one post."""
    whole = {"batch": [event(number) for number in range(BATCH)], "sentAt": "2026-11-20T12:34:56.789Z"}
    return json.dumps(whole, separators=(",", ":")).encode()


def single() -> bytes:
    """One event alone."""
    return json.dumps(event(1), separators=(",", ":")).encode()


def loaded(port: int, folder: Path, path: str, body: bytes, connections: int) -> float:
    """Posts a second that were answered with 200; ValueError when one was not."""
    template, script = folder / "body.json", folder / "post.lua"
    template.write_bytes(body)
    script.write_text(SCRIPT.format(template=template, path=path))
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{SECONDS}s",
        "-s",
        str(script),
        f"http://127.0.0.1:{port}",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if "Non-2xx" in said or found is None:
        raise ValueError(said)
    return float(found[1])


def run() -> Iterator[Figure]:
    """Batches of a hundred, then events one by one; the best of several rounds of each."""
    if shutil.which("wrk") is None:
        return
    with scratch() as folder:
        write_workspace(folder / "workspace", sparse_conditions())
        with server(folder) as port:
            own = multiprocessing.active_children()[0].pid
            with bare(TAKEN) as other:
                time.sleep(1)
                asyncio.run(_one(port))
                for what, path, body, events in (
                    ("batches of 100", "/v1/batch", batch(), BATCH),
                    ("single events", "/v1/track", single(), 1),
                ):
                    yield from _measured(what, folder, (port, other), path, body, events)
                    used = _used(own)
                    posts = loaded(port, folder, path, body, BATCH_CONNECTIONS) * SECONDS
                    yield Figure(
                        f"{what}: processor time of the server",
                        (_used(own) - used) / posts / events * 1e6,
                        "µs/event",
                    )


def _used(process: int | None) -> float:
    """Seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _measured(
    what: str, folder: Path, ports: tuple[int, int], path: str, body: bytes, events: int
) -> Iterator[Figure]:
    connections = BATCH_CONNECTIONS if events > 1 else SINGLE_CONNECTIONS
    rounds = [
        [loaded(port, folder, path, body, connections) for port in ports]
        for _ in range(size("ROUNDS", ROUNDS))
    ]
    ours, theirs = (max(each) for each in zip(*rounds, strict=True))
    least = EVENTS_MIN if events > 1 else SINGLES_MIN
    yield Figure(f"{what}: bytes of a post", len(body), "B")
    yield Figure(f"{what}, durable", ours * events, "events/s", least, at_least=True)
    yield Figure(f"{what}, a bare server with a constant", theirs * events, "events/s")
    bound = RATIO_MIN if events == 1 else None
    yield Figure(f"{what}: posts as a share of the bare server's", ours / theirs, "", bound, at_least=True)


async def _one(port: int) -> bytes:
    """The first post, which finds everything cold."""
    return await (await Client(port).open()).ask("POST", "/v1/batch", batch())
