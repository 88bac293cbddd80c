"""A bar with amount, rate and time left, on stderr, when a terminal watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from segue.service.commands.command import Progress, silent


@contextmanager
def bar(title: str, unit: str) -> Iterator[Progress]:
    """What to tell the progress to; it shows nothing where no terminal watches."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Amount(ProgressColumn):
        """How much is done, and how much in a second."""

        def render(self, task: Task) -> Text:
            """As people read it."""
            if task.total is None:
                return Text("")
            rate = task.finished_speed or task.speed
            speed = "" if rate is None else f"  {rate:,.0f}/s"
            return Text(f"{int(task.completed):,} of {int(task.total):,} {unit}{speed}", no_wrap=True)

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), Amount(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
