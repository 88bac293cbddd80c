"""``segue models``: what is in force, its card and drift; a person puts another version in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import in_words, text, text_or_none, whole
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run_list(service: Service, _arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """One row a model, by name."""
    from segue.service.learning.shown import listed

    yield from listed(service)


def run_show(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``model``: its card, its versions, its drift."""
    from segue.service.learning.shown import render, shown

    name = text(arguments, "model")
    yield {"text": render(service, name)} if in_words(arguments) else shown(service, name)


def run_promote(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``model``, ``version``, ``by``, ``why``: the version that is in force now."""
    from segue.service.learning.training import promote

    name, number = text(arguments, "model"), whole(arguments, "version")
    by, why = text_or_none(arguments, "by"), text_or_none(arguments, "why")
    yield promote(service, name, number, by, why).to_json()


def run_rollback(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``model``, ``by``, ``why``: the version that is in force again."""
    from segue.service.learning.training import rollback

    name = text(arguments, "model")
    by, why = text_or_none(arguments, "by"), text_or_none(arguments, "why")
    yield rollback(service, name, by, why).to_json()
