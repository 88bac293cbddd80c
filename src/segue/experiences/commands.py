"""``segue experiences``: which there are, and what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.language.findings import suggestion
from segue.service.commands.arguments import in_words, moment_or_none, text
from segue.service.commands.command import Command, Progress

if TYPE_CHECKING:
    from segue.service.service import Service

NO_EXPERIENCE = "E837"


def run_list(service: Service, _arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """Every experience by slot and name, as it is defined."""
    for each in sorted(
        service.workspace.experiences.values(), key=lambda each: (each.definition.slot, each.name)
    ):
        yield each.definition.to_json()


def run_report(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``name``, ``since``: one report; E837 for an experience that there is not."""
    # They bring DuckDB along, which other commands need not wait for.
    from segue.experiences.report import report  # noqa: PLC0415
    from segue.experiences.report_text import rendered  # noqa: PLC0415

    name = text(arguments, "name")
    found = service.workspace.experiences.get(name)
    if found is None:
        hint = suggestion(name, service.workspace.experiences, "`segue experiences` lists those there are")
        raise refusal(NO_EXPERIENCE, f"there is no experience {name!r}", hint)
    made = report(service, found, moment_or_none(service, arguments, "since"))
    yield {"text": rendered(made)} if in_words(arguments) else made.to_json()


COMMANDS = {
    "experiences": Command(run_list),
    "experiences report": Command(run_report),
}
"""By the names under which the control door knows them."""
