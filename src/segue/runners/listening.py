"""The listening socket: made here, taken over from whoever holds it, or kept while the program starts anew.

It is the one thing that outlives a restart. Connections that come meanwhile wait in its queue; none is
refused. The way in is systemd's: descriptor 3, said in ``LISTEN_FDS`` and ``LISTEN_PID``.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from segue.domain.errors import refusal

BACKLOG = 2048
DESCRIPTORS_MAX = 65_536
"""More than the bounds on connections let in."""
_DESCRIPTOR = 3
_SAID = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")


def is_handed() -> bool:
    """Whether a listening socket was handed to this process."""
    return os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1"


def allow_connections() -> None:
    """Let this process hold as many connections as it may: shells allow 1,024 where 20,000 can be had."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket: the one that was handed over, else a new one; E751 when there can be none."""
    with _taken_over() if is_handed() else _made(host, port) as listener:
        yield listener


def _taken_over() -> socket.socket:
    for name in _SAID:
        os.environ.pop(name, None)
    try:
        listener = socket.socket(fileno=_DESCRIPTOR)
        listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as fault:
        raise _cannot(f"descriptor {_DESCRIPTOR} was handed over, but it is no socket", "") from fault
    if not listens:
        raise _cannot(f"descriptor {_DESCRIPTOR} was handed over, but it does not listen", "")
    listener.set_inheritable(False)
    listener.setblocking(False)
    return listener


def _made(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, OverflowError, UnicodeError) as fault:
        taken = isinstance(fault, OSError) and fault.errno == errno.EADDRINUSE
        reason = "another program listens there" if taken else str(fault)
        hint = "choose another with --port, or 0 for any free one" if taken else "choose another with --host"
        raise _cannot(f"cannot listen on {host} port {port}: {reason}", hint) from None


def _cannot(finding: str, hint: str) -> Exception:
    return refusal("E751", finding, hint or "start `segue serve` without LISTEN_FDS")


def start_anew(listener: socket.socket) -> NoReturn:
    """Replace this process by the same command, under the same process id, with the socket in its hands."""
    if listener.fileno() == _DESCRIPTOR:
        listener.set_inheritable(True)
    else:
        os.dup2(listener.fileno(), _DESCRIPTOR, inheritable=True)
    sys.stdout.flush()
    sys.stderr.flush()
    said = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **said})
