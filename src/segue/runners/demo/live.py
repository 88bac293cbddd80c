"""The month at a speed that can be watched, with the changes as they happen."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from segue.domain.event import Json
from segue.domain.time import DAY, format_instant
from segue.runners.demo.client import Client
from segue.runners.demo.retail import Retail

DAY_SECONDS = 1.5
"""How long a day of the month lasts on the watch."""

Say = Callable[[str], None]


def addresses(url: str, after: int, user: str, folder: Path, data: Path) -> Iterator[str]:
    """What to open while it plays."""
    yield "open in a browser:"
    yield f"    {url}/docs  all routes"
    yield f"    {url}/v1/users/{user}/segments  the busiest customer"
    yield f"    {url}/v1/users/{user}/explain/wholesale_buyers  why, or what is missing"
    yield f"    {url}/v1/segments  all segments and their sizes"
    yield f"    {url}/v1/changes?after={after}  who came and went"
    yield "or type in another terminal:"
    yield f"    {_program()} explain {user} wholesale_buyers --workspace {folder} --data {data}"


def _program() -> str:
    """What to type for this program: its path where a shell would not find it, as in a checkout."""
    typed = sys.argv[0]
    known = shutil.which("segue")
    is_known = known is not None and Path(known).resolve() == Path(typed).resolve()
    return "segue" if is_known or Path(typed).name != "segue" else typed


def play_live(retail: Retail, client: Client, after: int, say: Say) -> None:
    """Posts each hour at its time and tells what changed, from change number ``after`` on."""
    began, first = time.monotonic(), None
    evaluated = client.evaluated()
    today = _Day("", say)
    for hour in retail.played():
        first = hour.start - hour.start % DAY if first is None else first
        wait = began + (hour.start - first) / DAY * DAY_SECONDS - time.monotonic()
        time.sleep(max(wait, 0))
        date = format_instant(hour.start)[:10]
        if date != today.date:
            today.over()
            today = _Day(date, say)
        client.post(hour.calls)
        evaluated += len(hour.calls)
        client.wait(evaluated)
        changes = client.changes(after)
        after = changes[-1]["seq"] if changes else after
        today.hour(len(hour.calls), changes)
    today.over()


class _Day:
    """Tells of a few changes of each hour, and of the day as a whole."""

    def __init__(self, date: str, say: Say) -> None:
        self.date = date
        self._say = say
        self._events = 0
        self._entered = 0
        self._left = 0

    def hour(self, events: int, changes: Sequence[Json]) -> None:
        """An hour was posted and evaluated."""
        entered = sum(each["action"] == "entered" for each in changes)
        self._events += events
        self._entered += entered
        self._left += len(changes) - entered
        for each in _one_of_each_cause(changes):
            self._say(_line(each))

    def over(self) -> None:
        """Says what the day was, if it was one."""
        if self._events:
            changes = f"{self._entered:,} entered and {self._left:,} left a segment"
            self._say(f"{self.date}  {self._events:,} events, {changes}")


def _one_of_each_cause(changes: Sequence[Json]) -> list[Json]:
    """Hundreds come at once in the mornings: the first by an event and the first by time are shown."""
    first: dict[str, Json] = {}
    for each in changes:
        first.setdefault(each["cause"]["type"], each)
    return list(first.values())


def _line(change: Json) -> str:
    at = change["at"].replace("T", " ")[:19]
    verb = "enters" if change["action"] == "entered" else "leaves"
    why = "as time passed" if change["cause"]["type"] == "time" else "by this event"
    return f"    {at}  {change['user_id']} {verb} {change['segment']}, {why}"
