"""``segue quality``: what became of all that came in, and what looks wrong about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import whole_or_none, wrong
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``days`` (the last so many; none is all), ``anomalies`` (true: look for them too): one report."""
    from segue.service.quality.anomalies import anomalies
    from segue.service.quality.report import report

    days = whole_or_none(arguments, "days")
    since = "" if days is None else first_day(service, days)
    found = report(service.core, since).to_json()
    if arguments.get("anomalies") is True:
        found["anomalies"] = [each.to_json() for each in anomalies(service.core)]
    yield found


def first_day(service: Service, days: int) -> str:
    """The first of the last ``days`` days, today among them."""
    if not days:
        raise wrong("days", "1 or more")
    today = datetime.now(service.workspace.settings.timezone).date()
    return max(today - timedelta(days=min(days - 1, today.toordinal() - 1)), date.min).isoformat()
