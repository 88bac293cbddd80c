"""The control door: a command beside a running server is run by the server, for the holder of its token."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress

from segue.api.answer import Answer
from segue.api.commands import COMMANDS
from segue.api.doors import Doors
from segue.api.lines import Lines, ReaderLeftError, write_in_thread
from segue.api.problems import NOT_ALLOWED, fault, too_much
from segue.api.request import Request
from segue.domain.errors import SegueError, refusal
from segue.domain.event import Json
from segue.domain.limits import COMMANDS_MAX
from segue.service.commands import control

JSON_LINES = b"application/x-ndjson"

_log = logging.getLogger("segue.api")


async def run(doors: Doors, request: Request) -> Answer:
    """The objects that the command yields, one a line, as they come; a refusal is the last line."""
    _require_token(doors, request)
    service = doors.service
    asked = request.json('send {"command": …, "arguments": {…}}')

    def work(to: Lines) -> None:
        _write(control.answer(COMMANDS, service, asked, to.put), to)

    return Answer(200, type=JSON_LINES, stream=beside(doors, work, "segue-command"))


def beside(doors: Doors, work: Callable[[Lines], None], name: str) -> Lines:
    """What is written in a thread of its own, as it comes; refused when too many are at it already."""
    if doors.commands >= COMMANDS_MAX:
        raise too_much()
    doors.commands += 1

    def ended() -> None:
        doors.commands -= 1

    return write_in_thread(work, name, ended)


def _write(found: Iterator[Json], lines: Lines) -> None:
    try:
        for each in found:
            lines.put(each)
    except ReaderLeftError:
        pass
    except Exception:  # noqa: BLE001 -- the thread's last door
        _log.exception("a command failed")
        with suppress(ReaderLeftError):
            lines.put(control.encode(fault()))


def _require_token(doors: Doors, request: Request) -> None:
    scheme, _, word = (request.header(b"authorization") or b"").partition(b" ")
    known = hmac.compare_digest(word.strip(), doors.token.encode())
    if scheme.lower() != b"bearer" or not known:
        raise _unknown_token()


def _unknown_token() -> SegueError:
    return refusal(
        NOT_ALLOWED, "that is not this server's token", "commands read it from serve.json in the data folder"
    )
