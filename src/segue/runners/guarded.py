"""uvicorn's connection with bounds on what a client may make it hold, and refusals that clients can read."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from segue.api.problems import head_too_large, no_request, problem
from segue.domain.errors import SegueError
from segue.domain.limits import (
    HEAD_BYTES_MAX,
    HEAD_SECONDS_MAX,
    LINGER_SECONDS_MAX,
    PIPELINED_MAX,
    STALLED_SECONDS_MAX,
)


class Guarded(HttpToolsProtocol):
    """A head is bounded in size and time, so is the number of requests that wait behind another.

    An answer that is given before the body has come ends the connection, but not before the client could
    read it. A client that has closed its half of the connection is still answered.
    """

    _ended = False
    _in_head = False
    _head_bytes = 0
    _patience: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        went_on = self._in_head
        super().data_received(data)
        if self.transport.get_protocol() is not self:  # it has become a WebSocket
            self._stop_waiting()
            return
        if self._in_head:
            # Of the piece in which it begins, a part may belong to what came before.
            self._head_bytes = self._head_bytes + len(data) if went_on else 0
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(head_too_large())
        if self._patience is None and (self._in_head or self._at_rest()):
            self._await_head()

    def pause_writing(self) -> None:
        """Too much is unread: somebody has to read a good part of it, within bounds."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_SECONDS_MAX, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """True keeps the connection until what was asked is answered; a stream ends with its reader."""
        cycle = self._last_cycle()
        if cycle is None or cycle.more_body or cycle.response_started:
            return None
        cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        if [name for name, _ in self.headers].count(b"host") > 1:
            raise ValueError("two hosts are named")
        super().on_headers_complete()
        if len(self.pipeline) > PIPELINED_MAX:
            self.transport.abort()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()
        elif self.cycle.response_complete and self.cycle.more_body:
            self._linger()

    def timeout_keep_alive_handler(self) -> None:
        """A client that does not read what it asked for is not waited for."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """What is malformed is refused, unless answers to what came before it are due: those are the last."""
        if self.pipeline or not (self._at_rest() or self.cycle.more_body):
            self.cycle.keep_alive = False
            self.flow.pause_reading()
        else:
            self._refuse(no_request(msg))

    def _at_rest(self) -> bool:
        cycle = self._last_cycle()
        return cycle is None or cycle.response_complete

    def _last_cycle(self) -> RequestResponseCycle | None:
        """The newest request of the connection; None before the first."""
        return self.cycle

    def _await_head(self) -> None:
        self._patience = self.loop.call_later(HEAD_SECONDS_MAX, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _refuse(self, refused: SegueError) -> None:
        if self._ended or self.transport.is_closing():
            return
        answer = problem(refused, success=False)
        lines = [STATUS_LINE[answer.status], b"content-type: ", answer.type, b"\r\ncontent-length: "]
        lines += [b"%d" % len(answer.body), b"\r\nconnection: close\r\n\r\n", answer.body]
        self.transport.write(b"".join(lines))
        self._linger()

    def _linger(self) -> None:
        """Says that no more is sent, and reads on for a while: a client that is reset loses its answer."""
        self._ended = True
        if self.transport.is_closing() or not self.transport.can_write_eof():
            self.transport.close()
        else:
            self.transport.write_eof()
            self.loop.call_later(LINGER_SECONDS_MAX, self.transport.abort)
