"""``segue train`` and ``segue compare``: models learned from the log, and held against rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.service.commands.arguments import in_words, text, text_or_none, whole_or_none, wrong
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run_train(service: Service, arguments: Mapping[str, Json], progress: Progress) -> Iterator[Json]:
    """``model``, or none for all in use: what each training came to; of all, a refusal is one of the rows."""
    from segue.learned.card import render
    from segue.service.learning.training import train, trained_here

    name = text_or_none(arguments, "model")
    names = trained_here(service.workspace) if name is None else [name]
    for place, each in enumerate(names):
        progress(place, len(names))
        try:
            found = train(service, each)
        except SegueError as refused:
            if name is not None:
                raise
            yield {"model": each, "refused": [finding.to_json() for finding in refused.diagnostics]}
            continue
        version = found.version
        card = render(each, version.number, version.status, version.card)
        told: Json = {"text": f"{card}\n  so         {found.why}"} if in_words(arguments) else {}
        yield {**found.to_json(), **told}
    progress(len(names), len(names))


def run_compare(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``rule`` (a segment or a condition), ``model``, ``version``, ``threshold``: one comparison."""
    from segue.service.learning.compared import render
    from segue.service.learning.comparing import compare

    threshold = arguments.get("threshold")
    if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, int | float)):
        raise wrong("threshold", "a number")
    found = compare(
        service,
        text(arguments, "rule"),
        text(arguments, "model"),
        whole_or_none(arguments, "version"),
        threshold,
    )
    yield {**found, "text": render(found)} if in_words(arguments) else found
