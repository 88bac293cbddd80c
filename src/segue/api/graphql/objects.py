"""Users and segments: objects with fields that are worked out only when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import strawberry

from segue.api.graphql.asking import Asking
from segue.api.graphql.types import (
    Attributes,
    Changes,
    Event,
    Explanation,
    Members,
    Membership,
    Seq,
    definition_of,
    explanation_of,
    json_of,
    member_of,
    memberships_of,
    stored_change,
)
from segue.api.request import BAD_PARAMETER
from segue.api.users import event_json
from segue.domain.errors import refusal
from segue.domain.limits import PAGE_ROWS_MAX
from segue.service.roster import roster
from segue.service.views import Membership as MembershipView
from segue.service.views import SegmentView, UserView

Info = strawberry.Info[Asking, None]
AsOf = Annotated[
    str | None,
    strawberry.argument(description="The moment asked about: a date or a date-time; now unless said."),
]
First = Annotated[int, strawberry.argument(description=f"How many at most; {PAGE_ROWS_MAX:,} a page.")]
After = Annotated[Seq | None, strawberry.argument(description="Only changes with a greater `seq`.")]


def page_size(first: int) -> int:
    """A page's bound; E743 unless it is from 1 to 10,000."""
    if not 1 <= first <= PAGE_ROWS_MAX:
        raise refusal(BAD_PARAMETER, f"first is {first}", f"ask for 1 to {PAGE_ROWS_MAX:,} rows a page")
    return first


def changes_page(asking: Asking, after: int | None, segment: str | None, first: int) -> Changes:
    """A page of changes that the asker sees."""
    sees, size = asking.principal.scope.sees, page_size(first)
    if after is not None and after < 0:
        raise refusal(BAD_PARAMETER, f"after is {after}", "ask for the changes after a number from 0")
    found, last = [], after or 0
    for each in asking.service.changes(last, segment):
        if sees(each.segment):
            found.append(stored_change(each))
            last = each.seq
        if len(found) >= size:
            break
    return Changes(changes=found, next=Seq(last))


@strawberry.type(description="A user, or an anonymous profile (`anon:ID`).")
class User:
    """A profile as the asker sees it."""

    view: strawberry.Private[UserView]
    user_id: str
    known: bool
    version: Seq = strawberry.field(description="Rises whenever anything shown here changes.")
    segments: list[Membership]
    attributes: Attributes

    @strawberry.field(description="The newest events first.")
    def events(self, info: Info, first: First = 20) -> list[Event]:
        info.context.require_unlimited()
        found = info.context.service.events(self.user_id, page_size(first))
        return [_event(event_json(each)) for each in found]

    @strawberry.field(description="Why the user is in a segment, or is not.")
    def explain(self, info: Info, segment: str, as_of: AsOf = None) -> Explanation:
        return explained(info.context, self.user_id, segment, as_of)


def _event(found: Mapping[str, Any]) -> Event:
    raw = ("properties", "traits", "context")
    shown: dict[str, Any] = {key: json_of(value) if key in raw else value for key, value in found.items()}
    return Event(**shown)


def explained(asking: Asking, user_id: str, segment: str, as_of: str | None) -> Explanation:
    """As REST explains; E762 for who may not know."""
    asking.require_user(user_id)
    asking.require_unlimited()
    service = asking.service
    moment = None if as_of is None else service.moment(as_of)
    return explanation_of(service.explain(user_id, segment, moment).to_json())


def user_of(asking: Asking, user_id: str) -> User:
    """A user as far as the asker may see."""
    asking.require_user(user_id)
    look = asking.service.profiles.look(user_id)
    view = UserView(user_id, known=False) if look is None else look.view
    scope = asking.principal.scope
    shown = scope.narrowed(view.to_json())
    seen = [each for each in view.segments if scope.sees(each.name)]
    attributes = {key: json_of(value) for key, value in shown["attributes"].items()}
    return User(
        view=view,
        user_id=view.user_id,
        known=view.known,
        version=Seq(view.version),
        segments=_memberships(view, seen),
        attributes=Attributes(**attributes),
    )


def _memberships(view: UserView, seen: list[MembershipView]) -> list[Membership]:
    return memberships_of(UserView(view.user_id, view.known, seen))


@strawberry.type(description="A segment as it is defined, with the number of its members now.")
class Segment:
    """A segment."""

    view: strawberry.Private[SegmentView]
    name: str
    size: int = strawberry.field(description="Members now.")

    @strawberry.field
    def title(self) -> str | None:
        return definition_of(self.view, "title")

    @strawberry.field
    def owner(self) -> str | None:
        return definition_of(self.view, "owner")

    @strawberry.field
    def description(self) -> str | None:
        return definition_of(self.view, "description")

    @strawberry.field
    def when(self) -> str | None:
        return definition_of(self.view, "when")

    @strawberry.field
    def status(self) -> str:
        return definition_of(self.view, "status") or "active"

    @strawberry.field
    def kind(self) -> str:
        return definition_of(self.view, "kind") or "operational"

    @strawberry.field(description="Members in order of user id, now or as of a moment.")
    def members(
        self, info: Info, first: First = 100, cursor: str | None = None, as_of: AsOf = None
    ) -> Members:
        info.context.require_reader()
        service = info.context.service
        moment = None if as_of is None else service.moment(as_of)
        page = roster(service, self.name, moment, cursor, page_size(first))
        return Members(
            members=[member_of(each) for each in page.members],
            total=page.total,
            next=page.members[-1].user_id if page.more else None,
        )

    @strawberry.field(description="Who entered and left, in order.")
    def history(self, info: Info, after: After = None, first: First = 100) -> Changes:
        info.context.require_reader()
        return changes_page(info.context, after, self.name, first)


def segment_of(view: SegmentView) -> Segment:
    """A segment of the graph."""
    return Segment(view=view, name=view.name, size=view.members)
