"""One listener, as the hub knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from segue.service.hub.message import Message


def _everything(_segment: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody listens to: one user, one segment, one user in one segment, or everything.

    ``alone`` keeps to the profile of that very id: it does not go on to the user whom an anonymous
    profile came to belong to. ``sees`` tells of a segment's name whether it may be heard of, ``fired``
    whether messages of triggers may, which can hold anything.
    """

    user_id: str | None = None
    segment: str | None = None
    alone: bool = False
    sees: Callable[[str], bool] = _everything
    fired: bool = True

    def hears(self, segment: str) -> bool:
        """Whether changes of a segment are for this listener, if it follows their user."""
        return (self.segment is None or self.segment == segment) and self.sees(segment)


@dataclass(eq=False, slots=True)
class Ear:
    """``hear`` is called in the loop for each change after ``joined``, in order.

    ``miss`` says that some could not be handed on: they are to be read from what is stored.
    """

    wanted: Wanted
    hear: Callable[[Message], None]
    miss: Callable[[], None]
    joined: int = 0
    rows: set[int] = field(default_factory=set)
    """The rows of profiles under which it stands in the index."""
