"""``segue override``: a person's word on a membership."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.segments.override import Override
from segue.service.commands.arguments import moment_or_none, text, text_or_none, word
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service

MEMBERSHIPS = {"in": True, "out": False, "none": None}
"""What a user may be put to; ``none`` takes the override back."""


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``user``, ``segment``, ``membership``, ``until``, ``by``, ``why``: the override as it was logged."""
    override = Override(
        user_id=text(arguments, "user"),
        segment=text(arguments, "segment"),
        member=MEMBERSHIPS[word(arguments, "membership", *MEMBERSHIPS)],
        until=moment_or_none(service, arguments, "until"),
        by=text_or_none(arguments, "by"),
        why=text_or_none(arguments, "why"),
    )
    service.override(override)
    yield override.to_json()
