"""The data-quality report over HTTP."""

from __future__ import annotations

from segue.api.answer import NO_STORE, Answer, json_answer
from segue.api.doors import Doors
from segue.api.request import Request, bad_parameter
from segue.service.commands.quality import first_day
from segue.service.quality.anomalies import anomalies
from segue.service.quality.report import report

_DAYS_DIGITS_MAX = 6


def quality(doors: Doors, request: Request) -> Answer:
    """The counts of the last days, or of all."""
    since = ""
    days = request.query.get("days")
    if days is not None:
        if not (days.isascii() and days.isdigit() and len(days) <= _DAYS_DIGITS_MAX and int(days)):
            raise bad_parameter("days is no whole number above 0", "for example days=7")
        since = first_day(doors.service, int(days))
    return json_answer(report(doors.service.core, since).to_json(), headers=(NO_STORE,))


def unusual(doors: Doors, _request: Request) -> Answer:
    """What is unusual in the last four weeks."""
    found = [each.to_json() for each in anomalies(doors.service.core)]
    return json_answer({"anomalies": found}, headers=(NO_STORE,))
