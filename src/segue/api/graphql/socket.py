"""Subscriptions over WebSocket, by the protocol ``graphql-transport-ws``.

One task for each operation; the one that reads the socket never waits for them.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from types import ModuleType
from typing import Any

import msgspec

from segue.api.answer import encode
from segue.api.doors import Doors
from segue.api.graphql.asking import Asking
from segue.api.problems import fault
from segue.api.request import Receive, Request, Send
from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.domain.limits import GRAPHQL_INIT_SECONDS_MAX, GRAPHQL_OPERATIONS_MAX

PROTOCOL = "graphql-transport-ws"

BAD_MESSAGE, NOT_BEGUN, NO_RIGHT, WRONG_PROTOCOL = 4400, 4401, 4403, 4406
TOO_LATE, TWICE, BEGUN_TWICE, TOO_MANY = 4408, 4409, 4429, 4413


_log = logging.getLogger("segue.api")


class _CloseError(Exception):
    """The client broke the protocol: the connection ends with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """One connection. Who asks was settled at the handshake."""

    def __init__(self, doors: Doors, request: Request, graph: ModuleType) -> None:
        self._asking = Asking(doors, request.principal)
        self._offered: list[str] = request.scope.get("subprotocols", [])
        self._introspection = doors.service.workspace.settings.graphql_introspection
        self._graph = graph
        self._begun = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._send: Send

    async def talk(self, receive: Receive, send: Send) -> None:
        """Until the client leaves or breaks the protocol."""
        self._send = send
        await receive()
        named = PROTOCOL if PROTOCOL in self._offered else None
        await send({"type": "websocket.accept", "subprotocol": named})
        try:
            if named is None:
                raise _CloseError(WRONG_PROTOCOL, f"Subprotocol not acceptable: offer {PROTOCOL}")
            await self._read(receive)
        except _CloseError as end:
            with suppress(OSError):
                await send({"type": "websocket.close", "code": end.code, "reason": end.reason})
        finally:
            running = list(self._running.values())
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _read(self, receive: Receive) -> None:
        try:
            async with asyncio.timeout(GRAPHQL_INIT_SECONDS_MAX) as waiting:
                while (message := await receive())["type"] == "websocket.receive":
                    await self._take(_read(message.get("text")))
                    if self._begun:
                        waiting.reschedule(None)
        except TimeoutError:
            raise _CloseError(TOO_LATE, "Connection initialisation timeout") from None

    async def _take(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "connection_init":
            if self._begun:
                raise _CloseError(BEGUN_TWICE, "Too many initialisation requests")
            self._begun = True
            await self._say({"type": "connection_ack"})
        elif kind == "ping":
            await self._say({"type": "pong"})
        elif kind == "subscribe":
            self._begin(message)
        elif kind == "complete":
            task = self._running.pop(str(message.get("id")), None)
            if task is not None:
                task.cancel()
        elif kind != "pong":
            raise _CloseError(BAD_MESSAGE, "Invalid message")

    def _begin(self, message: dict[str, Any]) -> None:
        if not self._begun:
            raise _CloseError(NOT_BEGUN, "Unauthorized: send connection_init first")
        if not self._asking.doors.access.holds(self._asking.principal):
            raise _CloseError(NO_RIGHT, "Forbidden: the right to ask has ended")
        number, payload = message.get("id"), message.get("payload")
        if not isinstance(number, str) or not isinstance(payload, dict):
            raise _CloseError(BAD_MESSAGE, "Invalid message")
        text, operation, variables = (payload.get(key) for key in ("query", "operationName", "variables"))
        if not (
            isinstance(text, str) and isinstance(operation, str | None) and isinstance(variables, dict | None)
        ):
            raise _CloseError(BAD_MESSAGE, "Invalid message")
        if number in self._running:
            raise _CloseError(TWICE, f"Subscriber for {number[:64]} already exists")
        if len(self._running) >= GRAPHQL_OPERATIONS_MAX:
            raise _CloseError(TOO_MANY, f"Up to {GRAPHQL_OPERATIONS_MAX} operations at once")
        question = self._graph.Question(text, operation, variables or {})
        self._running[number] = asyncio.create_task(self._run(number, question))

    async def _run(self, number: str, question: Any) -> None:
        try:
            await self._answer(number, question)
            last: dict[str, Json] = {"id": number, "type": "complete"}
        except SegueError as refused:
            errors = self._graph.refused_json(refused)["errors"]
            last = {"id": number, "type": "error", "payload": errors}
        except OSError:
            return
        except Exception:  # noqa: BLE001 -- a task's last door
            _log.exception("a GraphQL operation failed")
            last = {"id": number, "type": "error", "payload": self._graph.refused_json(fault())["errors"]}
        self._running.pop(number, None)
        with suppress(OSError):
            await self._say(last)

    async def _answer(self, number: str, question: Any) -> None:
        checked = self._graph.checked(question, self._introspection)
        if checked.kind.value == "subscription":
            async for each in self._graph.listened(checked, self._asking):
                await self._say({"id": number, "type": "next", "payload": each})
            return
        found = await self._asking.doors.read(lambda: self._graph.answered(checked, self._asking))
        await self._say({"id": number, "type": "next", "payload": found})

    async def _say(self, message: dict[str, Json]) -> None:
        await self._send({"type": "websocket.send", "text": encode(message).decode()})


def _read(text: str | None) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text or b"")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _CloseError(BAD_MESSAGE, "Invalid message")
    return found
