"""``segue forget``, ``suppress`` and ``export``: what the law calls erasure, objection and access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import text, text_or_none
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run_forget(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``user``: whether there was anything to forget, and in which of the workspace's lists."""
    from segue.service.forgetting import forget

    user_id = text(arguments, "user")
    yield {"user_id": user_id, **forget(service.core, service.folder, user_id).to_json()}


def run_suppress(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``user``, ``off`` (true: take it back): how things stand now, and whether that is new."""
    from segue.service.suppressing import admit, suppress

    user_id, off = text(arguments, "user"), arguments.get("off") is True
    changed = (admit if off else suppress)(service.core, user_id)
    yield {"user_id": user_id, "suppressed": not off, "changed": changed}


def run_export(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``user``: all that is held of one, as parts; without a user a row for each event that took effect."""
    from segue.service.export import parts_of_user

    user_id = text_or_none(arguments, "user")
    if user_id is None:
        yield from service.export_all()
    else:
        yield from ({"part": kind, "value": value} for kind, value in parts_of_user(service, user_id))
