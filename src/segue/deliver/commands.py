"""``segue triggers``: which there are, what became of their firings, and what one would send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import in_words, text
from segue.service.commands.command import Command, Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run_list(service: Service, _arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """Every trigger by name, as it is defined, with how many deliveries stand where."""
    from segue.deliver.outbox import shared  # noqa: PLC0415

    with shared(service.data) as outbox:
        counted = outbox.by_trigger()
    for name, each in sorted(service.workspace.triggers.items()):
        counts = {state.value: count for (trigger, state), count in counted.items() if trigger == name}
        yield {**each.to_json(), "deliveries": counts}


def run_test(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``name``, ``user``: what would be sent, and why or why not; E810, E702."""
    from segue.deliver.outbox import shared  # noqa: PLC0415
    from segue.deliver.rehearsal import rehearse  # noqa: PLC0415

    with shared(service.data) as outbox:
        found = rehearse(service, outbox, text(arguments, "name"), text(arguments, "user"))
    yield {"text": found.render()} if in_words(arguments) else found.to_json()


def run_deliveries(service: Service, arguments: Mapping[str, Json], progress: Progress) -> Iterator[Json]:
    """What was sent and what became of it: see :func:`segue.deliver.deliveries.run_list`."""
    from segue.deliver.deliveries import run_list as run  # noqa: PLC0415

    return run(service, arguments, progress)


def run_replay(service: Service, arguments: Mapping[str, Json], progress: Progress) -> Iterator[Json]:
    """Dead letters sent again: see :func:`segue.deliver.deliveries.run_replay`."""
    from segue.deliver.deliveries import run_replay as run  # noqa: PLC0415

    return run(service, arguments, progress)


COMMANDS = {
    "triggers": Command(run_list),
    "triggers test": Command(run_test),
    "deliveries": Command(run_deliveries),
    "deliveries replay": Command(run_replay),
}
"""By the names under which the control door knows them."""
