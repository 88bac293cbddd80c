"""uvicorn's connections, with what open streams need: one can be dropped at once, buffers are bounded."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from segue.api.stream.wire import CUT
from segue.runners.guarded import Guarded

_BUFFERED_BYTES_MAX = 16 * 1024
_FAREWELL_SECONDS = 1
_LINGER_SECONDS = 0.5


class Http(Guarded):
    """A request can have its connection dropped by the function that its scope holds.

    When the server ends, a connection at rest stays open for a moment: what was just being sent over it
    is answered, not reset.
    """

    _leaving = False

    def shutdown(self) -> None:
        if self._at_rest():
            self._leaving = True
            self.loop.call_later(_LINGER_SECONDS, self._leave)
        else:
            super().shutdown()

    def _leave(self) -> None:
        if self._at_rest():
            self.transport.close()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._leaving and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope = cast("dict[str, Any]", self.scope)
        scope["extensions"] = {CUT: self._cut}

    def _cut(self, _code: int, _reason: str) -> None:
        self.transport.abort()


class WebSocket(WebSocketsSansIOProtocol):
    """The same for WebSockets; and who does not read what it is sent cannot have us keep it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=_BUFFERED_BYTES_MAX)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast("dict[str, Any]", self.scope)["extensions"][CUT] = self._cut

    def handle_ping(self) -> None:
        if not self.writable.is_set():
            self.transport.abort()
            return
        super().handle_ping()

    def _cut(self, code: int, reason: str) -> None:
        """A word of farewell behind what is buffered, if the client comes to read that far in time."""
        if self.transport.is_closing():
            return
        try:
            self.conn.send_close(code, reason)
        except InvalidState:
            self.transport.abort()
            return
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.loop.call_later(_FAREWELL_SECONDS, self.transport.abort)
