"""All that is known of one profile: what its columns tell, and what only its events do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb

from segue.analysis.people import People
from segue.domain.event import Json
from segue.domain.number import MICRO
from segue.domain.time import format_duration, format_instant
from segue.engine.program.compile import Compiled
from segue.language.interpret import Override, Person, Replacement, value
from segue.language.tree import Duration, Elapsed, Moment, Number, Operand
from segue.log.said import Model
from segue.service.profiles import Look
from segue.service.service import Service
from segue.service.views import UserView, replaced_json


@dataclass(frozen=True, slots=True)
class Portrait:
    """A profile with its surroundings. ``merged`` are the ids of profiles that joined it.

    ``first_seen`` and ``last_seen`` are the times (ms) of its oldest and newest event, ``events`` how many
    there are.
    """

    view: UserView
    merged: tuple[str, ...] = ()
    account: tuple[str, dict[str, Json]] | None = None
    lists: tuple[str, ...] = ()
    overrides: tuple[tuple[str, Override], ...] = ()
    replaced: tuple[tuple[Model, Replacement], ...] = ()
    first_seen: int | None = None
    last_seen: int | None = None
    events: int = 0

    def to_json(self) -> dict[str, Json]:
        """The user with all that is around."""
        account = None if self.account is None else {"id": self.account[0], "traits": self.account[1]}
        return {
            **self.view.to_json(),
            "merged": list(self.merged),
            "account": account,
            "lists": list(self.lists),
            "overrides": [_override(name, each) for name, each in self.overrides],
            "score_overrides": [replaced_json(model, each) for model, each in self.replaced],
            "first_seen": None if self.first_seen is None else format_instant(self.first_seen),
            "last_seen": None if self.last_seen is None else format_instant(self.last_seen),
            "events": self.events,
        }


def _override(name: str, found: Override) -> Json:
    until = None if found.until is None else format_instant(found.until)
    return {"segment": name, "member": found.member, "until": until}


def portrait(service: Service, user_id: str) -> Portrait:
    """Of one profile now; of one never heard of only that it is not known."""
    core = service.core
    with core.turn:
        look = service.profiles.look(user_id)
        if look is None:
            return Portrait(UserView(user_id, known=False))
        feed, compiled, now = core.engine.feed, core.engine.compiled, core.engine.now
        upto, lists = core.engine.evaluated_seq, dict(feed.lists)
        overrides = tuple(sorted(feed.overrides.get(look.row, {}).items()))
        replaced = tuple(sorted(feed.predictions.words_of(look.row).items(), key=lambda each: each[0]))
        name = feed.accounts.account_of(look.row)
        account = None if name is None else (name, _present(feed.accounts.traits_of(name)))
    identity = core.intake.identity
    merged = sorted(identity.ids[row] for row in identity.rows_of(look.row) if row != look.row)
    with duckdb.connect() as connection:
        person = People(service.log, connection, upto=upto, lists=lists).person(look.row)
    if person is None:
        return Portrait(look.view, tuple(merged), account)
    times = [event.timestamp for event in person.events]
    return Portrait(
        view=_with_all_features(service, look, compiled, person, now),
        merged=tuple(merged),
        account=account,
        lists=tuple(sorted(person.lists)),
        overrides=overrides,
        replaced=replaced,
        first_seen=min(times),
        last_seen=max(times),
        events=len(times),
    )


def _present(traits: dict[str, Json]) -> dict[str, Json]:
    return {key: found for key, found in traits.items() if found is not None}


def _with_all_features(
    service: Service, look: Look, compiled: Compiled, person: Person, now: int
) -> UserView:
    """The same view with the features that no column holds, read off the events by their plain meaning."""
    expressions = service.workspace.expressions
    found = dict(look.view.features)
    for name, shown in compiled.shown.items():
        operand = expressions.get(name) if shown.in_log else None
        given = None if operand is None else value(operand, person, now, service.rules)
        if operand is not None and given is not None:
            found[name] = _written(operand, given)
    view = look.view
    features = dict(sorted(found.items()))
    return replace(view, features=features)


def _written(operand: Operand, found: Json) -> Json:
    """A value as features are shown: lengths and moments of time as text."""
    if isinstance(operand, Elapsed | Duration):
        return format_duration(found) if found >= 0 else f"-{format_duration(-found)}"
    if isinstance(operand, Moment):
        return format_instant(found)
    return found / MICRO if isinstance(operand, Number) else found
