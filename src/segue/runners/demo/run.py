"""The demo from its first line to its last."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from segue.domain.errors import SegueError, refusal
from segue.engine.warm import ready
from segue.ingest.files.mapping import read_mapping
from segue.runners.demo.check import Report, Took, play_fast, verified
from segue.runners.demo.client import Client
from segue.runners.demo.furnished import furnished
from segue.runners.demo.learned import learn
from segue.runners.demo.live import addresses, play_live
from segue.runners.demo.retail import Retail, shipped
from segue.runners.demo.shop import PORT as SHOP_PORT
from segue.runners.demo.stage import serving
from segue.service.commands.command import Progress, silent
from segue.service.service import Service

PORT = 8000
_SOURCE = "retail"


@dataclass(frozen=True, slots=True)
class Show:
    """How to tell people: ``say`` a line, show a ``bar`` with a title and a unit."""

    say: Callable[[str], None]
    bar: Callable[[str, str], AbstractContextManager[Progress]]


def demo(check: bool, workspace: Path | None, data: Path | None, show: Show) -> Report | None:
    """Runs the demo until it is interrupted; with ``check`` as fast as it can, and tells what it found.

    The workspace is copied to ``workspace``. That folder and ``data`` must be new or empty, else E455;
    unless they are named, both are temporary and gone in the end.
    """
    retail = shipped()
    with _ended_cleanly(), tempfile.TemporaryDirectory(prefix="segue-demo-") as scratch:
        folder = Path(scratch, "workspace") if workspace is None else workspace
        stored = folder / ".segue" if data is None else data
        _require_new(folder)
        _require_new(stored)
        retail.copy_to(folder)
        if check:
            return _check(retail, folder, stored, Path(scratch), show)
        _live(retail, folder, stored, Path(scratch), show)
        return None


def _require_new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise refusal("E455", f"{folder} is there already and is not empty", "name a new folder")


def _import(retail: Retail, folder: Path, data: Path, scratch: Path, show: Show) -> Took:
    files, rows = retail.write_imported(scratch), retail.imported_rows()
    ready(show.say)
    with Service.open(folder, data, running="segue demo") as service:
        show.say("importing December 2009 to October 2010")
        mapping, events = read_mapping(str(retail.mapping)), 0
        began = time.perf_counter()
        with show.bar("eleven months", "rows") as progress:
            progress(0, rows)
            for file in files:
                events += service.import_file(file, mapping, _SOURCE, silent).accepted
                progress(events, rows)
        took = Took(events, time.perf_counter() - began, service.status().changes)
    show.say(f"    {took.sentence()}")
    return took


def _check(retail: Retail, folder: Path, data: Path, scratch: Path, show: Show) -> Report:
    imported = _import(retail, folder, data, scratch, show)
    learned = learn(folder, data, show.say)
    show.say("playing November 2010 over HTTP")
    with serving(folder, data, 0) as url, Client(url) as client:
        played = play_fast(retail, client, learned.changes)
    show.say(f"    {played.sentence()}")
    show.say("verifying")
    with show.bar("verifying", "events") as progress:
        return verified(folder, data, imported, learned, played, progress)


def _live(retail: Retail, folder: Path, data: Path, scratch: Path, show: Show) -> None:
    user = retail.busiest()
    with furnished(folder, data, SHOP_PORT) as (shop, address):
        _import(retail, folder, data, scratch, show)
        after = learn(folder, data, show.say).changes
        with suppress(KeyboardInterrupt), _serving_somewhere(folder, data) as url, Client(url) as client:
            shop.segue = url
            for line in addresses(url, after, user, folder, data):
                show.say(line)
            show.say(f"and a shop that runs on it: {address}")
            show.say("playing November 2010; Ctrl-C ends it")
            play_live(retail, client, after, show.say)
            show.say("the month is over; the server goes on until Ctrl-C")
            threading.Event().wait()


@contextmanager
def _serving_somewhere(folder: Path, data: Path) -> Iterator[str]:
    """At the usual port; at any free one when another program listens there."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(serving(folder, data, PORT))
        except SegueError as refused:
            if refused.diagnostics[0].code != "E751":
                raise
            url = stack.enter_context(serving(folder, data, 0))
        yield url


@contextmanager
def _ended_cleanly() -> Iterator[None]:
    """A request to end leaves nothing behind: it is an interruption, as Ctrl-C is."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
