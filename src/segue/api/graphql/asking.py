"""Who asks a GraphQL question, and what is open to them: the same as over REST."""

from __future__ import annotations

from dataclasses import dataclass

from segue.access import faults
from segue.access.principal import Principal
from segue.api.access import opens
from segue.api.doors import Doors
from segue.domain.errors import SegueError, refusal
from segue.service.service import Service


@dataclass(frozen=True, slots=True)
class Asking:
    """What every resolver is given."""

    doors: Doors
    principal: Principal

    @property
    def service(self) -> Service:
        """The service; E747 while there is none."""
        return self.doors.service

    def require_reader(self) -> None:
        """E762 for a user's own token: what is asked is about more than that user."""
        if not self.principal.reads_all:
            raise faults.not_for_you()

    def require_unlimited(self) -> None:
        """E762 for a key that sees only some segments or attributes: what is asked cannot be narrowed."""
        if self.principal.scope.limited:
            raise faults.not_for_you()

    def require_user(self, user_id: str) -> None:
        """E762 for a token of another profile, in the same words whether that exists or not."""
        if not opens(self.doors, self.principal, user_id):
            raise faults.not_for_you()

    def require_segment(self, name: str) -> None:
        """E701 for a segment that the asker does not see, in the words for one that does not exist."""
        scope = self.principal.scope
        if scope.segments is not None and not (scope.sees(name) and name in self.service.workspace.segments):
            raise hidden(name)


def hidden(name: str) -> SegueError:
    """The refusal of a segment that is not shown."""
    return refusal("E701", f"there is no segment {name!r}", "`segue segments` lists those there are")
