"""Which web server: requests a second that a constant answer takes, of each that could be chosen.

Run with ``python -m benchmarks.http``. Needs ``granian`` and ``starlette`` beside Segue's own packages;
the recorded result is in docs/decisions/0003-web.md.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ROUNDS = 3
CONNECTIONS = 32
SECONDS = 1.5
REQUEST = (
    b"POST /v1/track HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 73\r\n\r\n"
    b'{"type":"track","userId":"u1","event":"Login","messageId":"0123456789ab"}'
)

_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"16")]


async def bare(_scope: Any, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
    """A constant answer without a framework; the body is read first."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": b'{"success":true}'})


def starlette_app() -> Any:
    """The same answer through Starlette's routing, request and response."""

    async def track(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse({"success": True})

    return Starlette(routes=[Route("/v1/track", track, methods=["POST"])])


UVICORN = ["uvicorn", "--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "critical"]
GRANIAN = [
    "granian",
    "--interface",
    "asginl",
    "--loop",
    "uvloop",
    "--log-level",
    "critical",
    "--workers",
    "1",
]

CONTENDERS = {
    "uvicorn, bare": [*UVICORN, "benchmarks.http:bare"],
    "granian, bare": [*GRANIAN, "benchmarks.http:bare"],
    "uvicorn, starlette": [*UVICORN, "--factory", "benchmarks.http:starlette_app"],
}


async def rate(port: int) -> float:
    """Requests a second over connections that are kept open, one request after the other on each."""
    count = 0
    end = time.perf_counter() + SECONDS

    async def client() -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            writer.write(REQUEST)
            await reader.readuntil(b'{"success":true}')
            count += 1
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - start)


def main() -> None:
    """The best of several rounds; the contenders take turns, so that they meet the same machine."""
    best = dict.fromkeys(CONTENDERS, 0.0)
    for _ in range(ROUNDS):
        for port, (name, command) in enumerate(CONTENDERS.items(), 18_311):
            server = subprocess.Popen([sys.executable, "-m", *command, "--port", str(port)])
            try:
                time.sleep(2)
                best[name] = max(best[name], uvloop.run(rate(port)))
            finally:
                server.terminate()
                server.wait()
    reference = max(best.values())
    for name, found in best.items():
        print(f"{name:20} {found:9,.0f} requests/s  {found / reference:.2f}")


if __name__ == "__main__":
    main()
