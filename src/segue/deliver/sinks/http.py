"""HTTP requests within a deadline, to addresses that were looked at; of an answer little is read.

No redirect is followed and no proxy asked: where a request goes is decided here alone.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

import httptools

from segue.deliver.sinks.words import CERTIFICATE
from segue.domain.address import Networks
from segue.domain.limits import ANSWER_BYTES_MAX
from segue.domain.outbound import Target, resolve

_IDLE_SECONDS_MAX = 30.0
"""A connection that was at rest for longer is closed instead of used: the other side may have done so."""
_ADDRESSES_MAX = 3
_PIECE = 16 * 1024


class ExchangeError(OSError):
    """There is no answer; the message says why. ``begun`` says that the request may have arrived."""

    def __init__(self, why: str, begun: bool) -> None:
        super().__init__(why)
        self.begun = begun


@dataclass(frozen=True, slots=True)
class Answer:
    """What is looked at of an answer: its status, and Retry-After as it was sent."""

    status: int
    retry_after: str | None = None


class Deadline:
    """A moment by which something has to be done."""

    __slots__ = ("_ends",)

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left; TimeoutError when there are none."""
        found = self._ends - time.monotonic()
        if found <= 0:
            raise TimeoutError
        return found


class Connection:
    """One connection to one target, kept from request to request while it serves."""

    def __init__(self, target: Target, allowed: Networks, resolver: ThreadPoolExecutor) -> None:
        self._target = target
        self._allowed = allowed
        self._resolver = resolver
        self._socket: socket.socket | None = None
        self._used_at = 0.0

    def post(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        """The answer to one POST; :class:`ExchangeError`, or TargetError for an address not to be reached.

        A connection that was at rest may turn out to be gone: then the request is made again on a new one.
        """
        deadline = Deadline(seconds)
        request = _head(self._target, body, headers) + body
        if self._socket is not None and self._is_spent(self._socket):
            self.close()
        if self._socket is not None:
            try:
                return self._exchange(request, deadline)
            except ExchangeError as fault:
                if isinstance(fault.__cause__, TimeoutError):
                    raise
        self._connect(deadline)
        return self._exchange(request, deadline)

    def close(self) -> None:
        """Let go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _is_spent(self, connection: socket.socket) -> bool:
        """Whether it was at rest for long, was closed, or holds something that nobody asked for."""
        rested = time.monotonic() - self._used_at > _IDLE_SECONDS_MAX
        looking = select.poll()
        looking.register(connection, select.POLLIN)
        return rested or bool(looking.poll(0))

    # ---- connecting --------------------------------------------------------------------------

    def _connect(self, deadline: Deadline) -> None:
        try:
            addresses = self._addresses(deadline)
            self._socket = self._secured(self._connected(addresses, deadline), deadline)
        except TimeoutError:
            raise ExchangeError("no connection in time", begun=False) from None
        except OSError as fault:
            raise ExchangeError(f"no connection: {_words(fault)}", begun=False) from fault

    def _addresses(self, deadline: Deadline) -> Sequence[str]:
        # The system's resolver knows no time-out; whoever waits for it does.
        asked: Future[list[str]] = self._resolver.submit(resolve, self._target, self._allowed)
        try:
            return asked.result(deadline.left())
        finally:
            asked.cancel()

    def _connected(self, addresses: Sequence[str], deadline: Deadline) -> socket.socket:
        fault = OSError("the name has no address")
        for address in addresses[:_ADDRESSES_MAX]:
            found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            try:
                found.settimeout(deadline.left())
                found.connect((address, self._target.port))
            except OSError as error:
                found.close()
                if isinstance(error, TimeoutError):
                    raise
                fault = error
            else:
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return found
        raise fault

    def _secured(self, plain: socket.socket, deadline: Deadline) -> socket.socket:
        if self._target.scheme != "https":
            return plain
        try:
            plain.settimeout(deadline.left())
            return _tls().wrap_socket(plain, server_hostname=self._target.host)
        except BaseException:
            plain.close()
            raise

    # ---- one request -------------------------------------------------------------------------

    def _exchange(self, request: bytes, deadline: Deadline) -> Answer:
        connection = cast("socket.socket", self._socket)
        try:
            connection.settimeout(deadline.left())
            connection.sendall(request)
            reading = _Reading()
            while not reading.complete:
                connection.settimeout(deadline.left())
                reading.feed(connection.recv(_PIECE))
        except (OSError, httptools.HttpParserError, UnicodeError) as fault:
            self.close()
            words = "no answer in time" if isinstance(fault, TimeoutError) else f"no answer: {_words(fault)}"
            raise ExchangeError(words, begun=True) from fault
        if reading.reusable:
            self._used_at = time.monotonic()
        else:
            self.close()
        return reading.answer()


class _Reading:
    """An answer as it comes in. Beyond its bound only the head counts, and the connection is done with."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._taken = 0
        self._status = 0
        self._head = False
        self._interim = False
        self._retry_after: str | None = None
        self.complete = False
        self.reusable = False

    def feed(self, data: bytes) -> None:
        """Takes what came; nothing is the end. HttpParserError, or OSError for no answer."""
        self._taken += len(data)
        if data:
            self._parser.feed_data(data)
        if not self.complete and (not data or self._taken > ANSWER_BYTES_MAX):
            if not self._head:
                raise OSError("the connection ended" if not data else "its head is too large")
            self.complete = True

    def answer(self) -> Answer:
        """What is told of it."""
        return Answer(self._status, self._retry_after)

    # The names of what follows are the parser's.

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after" and not self.complete:
            self._retry_after = value.decode("ascii", "replace")

    def on_headers_complete(self) -> None:
        if self.complete:
            self.reusable = False  # an answer that nobody asked for
            return
        self._status = self._parser.get_status_code()
        self._interim = self._status < 200
        self._head = not self._interim

    def on_message_complete(self) -> None:
        if not self._interim and not self.complete:
            self.complete = True
            self.reusable = self._parser.should_keep_alive()


def _head(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.authority}", f"Content-Length: {len(body)}"]
    for name, value in headers.items():
        # Ids and names of others stand in headers: no line may end within them.
        lines.append(f"{name}: {_in_one_line(value)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _in_one_line(value: str) -> str:
    plain = value.isascii() and value.isprintable()
    return value if plain else value.encode("ascii", "backslashreplace").decode().translate(_CONTROLS)


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


def _words(fault: Exception) -> str:
    """What went wrong, without what the other side said."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"{CERTIFICATE}: {fault.verify_message}"
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    return str(fault) or type(fault).__name__


_tls_context: ssl.SSLContext | None = None


def _tls() -> ssl.SSLContext:
    global _tls_context  # noqa: PLW0603 -- made when first needed: loading the system's roots takes a while
    if _tls_context is None:
        _tls_context = ssl.create_default_context()
        _tls_context.minimum_version = ssl.TLSVersion.TLSv1_2
    return _tls_context
