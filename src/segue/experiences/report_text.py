"""A report as people read it."""

from __future__ import annotations

from segue.domain.time import format_instant
from segue.experiences.lift import Lift
from segue.experiences.report import Arm, Line, Report

_HEADS = ("", "users", "shown", "converted", "rate", "held out", "converted", "rate", "lift", "95 %")


def rendered(report: Report) -> str:
    """A table of the variants, the whole below, and what is to be minded."""
    lines = [_cells(line, line.variant or "") for line in report.lines]
    lines.append(_cells(report.total, "all"))
    widths = [max(len(row[at]) for row in (_HEADS, *lines)) for at in range(len(_HEADS))]
    table = ["  ".join(_pad(cell, widths[at], at) for at, cell in enumerate(row)) for row in (_HEADS, *lines)]
    return "\n".join([*(line.rstrip() for line in table), "", *_notes(report)])


def _pad(cell: str, width: int, at: int) -> str:
    return cell.ljust(width) if at == 0 else cell.rjust(width)


def _cells(line: Line, name: str) -> tuple[str, ...]:
    shown, withheld = line.shown, line.withheld
    return (name, f"{shown.users:,}", f"{shown.exposures:,}", *_goal(shown), f"{withheld.users:,}",
            *_goal(withheld), *_lift(line.lift))  # fmt: skip


def _goal(arm: Arm) -> tuple[str, str]:
    if arm.group is None:
        return "", ""
    rate = arm.group.rate
    return f"{arm.group.converted:,}", "" if rate is None else f"{rate:.2%}"


def _lift(found: Lift | None) -> tuple[str, str]:
    if found is None:
        return "", ""
    high = "without end" if found.high is None else f"{found.high:+.1%}"
    return "" if found.value is None else f"{found.value:+.1%}", f"{found.low:+.1%} to {high}"


def _notes(report: Report) -> list[str]:
    found = [f"{report.experience} as of {format_instant(report.as_of)}"]
    if report.since is not None:
        found[0] += f", shown since {format_instant(report.since)}"
    if report.goal is None:
        found.append("it has no goal, so nothing says what came of it")
    elif not report.total.withheld.users:
        found.append("nobody was held out, so there is nothing to compare with")
    elif report.total.lift is not None:
        found.append(_verdict(report.total.lift))
    if report.mixed:
        found.append(
            f"{report.mixed:,} users were given it and held out in turn; they count where they were first"
        )
    return found


def _verdict(found: Lift) -> str:
    if found.low > 0:
        return "those who were given it reach the goal more often, beyond chance"
    if found.high is not None and found.high < 0:
        return "those who were given it reach the goal less often, beyond chance"
    return "the difference may be chance: the interval holds 0"
