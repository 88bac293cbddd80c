"""``segue override``: a person's word on a membership, or in the place of a score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.segments.override import Override, ScoreOverride
from segue.service.commands.arguments import moment_or_none, text, text_or_none, word
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service

MEMBERSHIPS = {"in": True, "out": False, "none": None}
"""What a user may be put to; ``none`` takes the override back."""


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``user``, ``until``, ``by``, ``why`` with ``segment``, ``membership`` or with ``model``, ``value``.

    The override as it was logged; ``membership`` or ``value`` "none" takes one back.
    """
    if arguments.get("model") is not None:
        yield _score(service, arguments)
        return
    override = Override(
        user_id=text(arguments, "user"),
        segment=text(arguments, "segment"),
        member=MEMBERSHIPS[word(arguments, "membership", *MEMBERSHIPS)],
        until=_until(service, arguments),
        by=text_or_none(arguments, "by"),
        why=text_or_none(arguments, "why"),
    )
    service.override(override)
    yield override.to_json()


def _until(service: Service, arguments: Mapping[str, Json]) -> int | None:
    """When an override ends; E465 when that is over: it would do nothing but end the one that stands."""
    until, now = moment_or_none(service, arguments, "until"), service.engine.now
    if until is not None and until <= now:
        message = f"this override would be over: it is {format_instant(now)}"
        raise refusal("E465", message, "name a later moment, or take the one that stands back with none")
    return until


def _score(service: Service, arguments: Mapping[str, Json]) -> Json:
    from segue.service.learning.overriding import gives, override_score, value_of

    model = text(arguments, "model")
    kind = gives(service, model)
    override = ScoreOverride(
        user_id=text(arguments, "user"),
        gives=kind,
        model=model,
        value=value_of(kind, text(arguments, "value")),
        until=_until(service, arguments),
        by=text_or_none(arguments, "by"),
        why=text_or_none(arguments, "why"),
    )
    override_score(service, override)
    return override.to_json()
