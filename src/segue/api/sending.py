"""An answer on its way out: as it is, in pieces, by itself, or as the refusal of a WebSocket."""

from __future__ import annotations

import asyncio

from segue.api.answer import Answer, Stream
from segue.api.request import Receive, Scope, Send


async def respond(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends an answer to its end, or until the client has left."""
    if answer.talk is not None:
        await answer.talk(receive, send)
    elif scope["type"] == "websocket":
        await _refuse(answer, receive, send)
    elif answer.stream is not None:
        await send(answer.start())
        await _stream(answer.stream, receive, send)
    else:
        await send(answer.start())
        await send({"type": "http.response.body", "body": answer.body})


async def _refuse(answer: Answer, receive: Receive, send: Send) -> None:
    """What was asked for is no WebSocket, or is not to be had: the handshake fails with the answer."""
    await receive()
    await send({**answer.start(), "type": "websocket.http.response.start"})
    await send({"type": "websocket.http.response.body", "body": answer.body})


async def _stream(stream: Stream, receive: Receive, send: Send) -> None:
    pump = asyncio.create_task(_pump(stream, send))
    gone = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stream.leave()
        pump.cancel()
        gone.cancel()
        await asyncio.gather(pump, gone, return_exceptions=True)


async def _pump(stream: Stream, send: Send) -> None:
    async for piece in stream:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    """Ends when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
