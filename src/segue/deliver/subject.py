"""The user of a firing, as the rules of a trigger and its payload ask for them; each thing looked up once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from zoneinfo import ZoneInfo

from segue.deliver.outbox import Delivery, Outbox, State, firing_id
from segue.deliver.policy import Contact, Facts
from segue.domain.event import Json
from segue.language.reading import walk
from segue.service.portrait import portrait
from segue.service.service import Service
from segue.service.views import UserView

_SENT_ON = (State.PENDING, State.SENT, State.DEAD)


class Subject:
    """One user at one moment."""

    def __init__(self, service: Service, outbox: Outbox, row: int, fresh: Sequence[Delivery] = ()) -> None:
        """``fresh`` are deliveries that were decided on and are not in the outbox yet."""
        identity = service.core.intake.identity
        self.rows = sorted(identity.rows_of(row))
        self.row = identity.survivor(row)
        self.user_id = identity.user_id(self.row)
        self._service = service
        self._outbox = outbox
        self._fresh = fresh

    @cached_property
    def view(self) -> UserView:
        """What is known of them."""
        return self._service.profiles.view(self.user_id)

    def view_with(self, features: Sequence[str]) -> UserView:
        """The same, with features that only the events tell."""
        shown = self._service.engine.compiled.shown
        if any(name in shown and shown[name].in_log for name in features):
            return portrait(self._service, self.user_id).view
        return self.view

    @cached_property
    def account(self) -> Mapping[str, Json]:
        """The traits of their account."""
        core = self._service.core
        with core.turn:
            accounts = core.engine.feed.accounts
            name = accounts.account_of(self.row)
            return {} if name is None else accounts.traits_of(name)

    @property
    def facts(self) -> Facts:
        """As the rules ask."""
        return Facts(
            suppressed=lambda: self.row in self._service.engine.feed.suppressed,
            segments=lambda: {each.name for each in self.view.segments},
            zone=self._zone,
            contacts=self._contacts,
        )

    def _zone(self, trait: str) -> ZoneInfo:
        said = walk(self.view.traits, tuple(trait.split(".")))
        if isinstance(said, str):
            try:
                return ZoneInfo(said)
            except (KeyError, ValueError, OSError):
                pass  # what a user's device calls its zone may be no name of the time zone database
        return self._service.workspace.settings.timezone

    def _contacts(self, after: int) -> list[Contact]:
        found = self._outbox.contacts(self.rows, after)
        found += [
            each
            for each in self._fresh
            if each.row == self.row and each.moment > after and each.state in _SENT_ON
        ]
        return [Contact(firing_id(each.id), each.trigger, each.channel, each.moment) for each in found]
