"""The entries into the graph: questions, and what can be listened to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from segue.api.graphql.decisions import Context, Decisions, Recent, Record, decided
from segue.api.graphql.listening import heard
from segue.api.graphql.objects import (
    After,
    AsOf,
    First,
    Info,
    Segment,
    User,
    changes_page,
    explained,
    page_size,
    segment_of,
    user_of,
)
from segue.api.graphql.recommendations import About, Count, Recommendations, recommended
from segue.api.graphql.types import Change, Changes, Explanation, Overlap, Preview
from segue.api.request import BAD_PARAMETER
from segue.domain.errors import refusal
from segue.domain.limits import GRAPHQL_USERS_MAX
from segue.domain.time import format_instant
from segue.experiences.recommend.question import COUNT
from segue.segments.recommendations.definition import DEFAULT_NAME


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field(description="A user; one never heard of is `known: false`.")
    def user(self, info: Info, id: strawberry.ID) -> User:  # noqa: A002 -- the graph's word
        return user_of(info.context, id)

    @strawberry.field(description="Several users, in the order of their ids here.")
    def users(self, info: Info, ids: list[strawberry.ID]) -> list[User]:
        if len(ids) > GRAPHQL_USERS_MAX:
            raise refusal(
                BAD_PARAMETER, f"{len(ids)} users are asked for", f"ask for up to {GRAPHQL_USERS_MAX}"
            )
        return [user_of(info.context, each) for each in ids]

    @strawberry.field(description="All segments, by name.")
    def segments(self, info: Info) -> list[Segment]:
        info.context.require_reader()
        sees = info.context.principal.scope.sees
        return [segment_of(each) for each in info.context.service.segments() if sees(each.name)]

    @strawberry.field(description="One segment.")
    def segment(self, info: Info, name: str) -> Segment:
        info.context.require_reader()
        info.context.require_segment(name)
        return segment_of(info.context.service.segment(name))

    @strawberry.field(description="The changes of all segments, or of one, in order.")
    def changes(
        self, info: Info, after: After = None, segment: str | None = None, first: First = 100
    ) -> Changes:
        info.context.require_reader()
        if segment is not None:
            info.context.require_segment(segment)
        return changes_page(info.context, after, segment, page_size(first))

    @strawberry.field(description="Why a user is in a segment, or is not.")
    def explain(self, info: Info, user_id: strawberry.ID, segment: str, as_of: AsOf = None) -> Explanation:
        return explained(info.context, user_id, segment, as_of)

    @strawberry.field(description="Items of the catalogue for a user, best first, with score and reason.")
    def recommendations(
        self,
        info: Info,
        user_id: strawberry.ID | None = None,
        count: Count = COUNT,
        recommendation: str = DEFAULT_NAME,
        about: About | None = None,
    ) -> Recommendations:
        return recommended(info.context, user_id, count, recommendation, about)

    @strawberry.field(description="What a user should see in some slots; a token's own user unless said.")
    def decide(
        self,
        info: Info,
        slots: list[str],
        user_id: strawberry.ID | None = None,
        context: Context = None,
        events: Recent = None,
        record: Record = True,
    ) -> Decisions:
        question = {
            "user_id": user_id, "slots": slots, "context": context, "events": events, "record": record
        }  # fmt: skip
        return decided(info.context, question)

    @strawberry.field(description="What a condition would select; nothing of it is kept.")
    def preview(self, info: Info, when: str, as_of: AsOf = None) -> Preview:
        info.context.require_reader()
        info.context.require_unlimited()
        service = info.context.service
        found = service.preview(when, None if as_of is None else service.moment(as_of))
        return Preview(
            count=found.count,
            share=found.share,
            sample=list(found.sample),
            overlap=[Overlap(segment=name, count=count) for name, count in found.overlap.items()],
            as_of=format_instant(found.as_of),
        )


@strawberry.type
class Subscription:
    """What can be listened to."""

    @strawberry.subscription(description="Changes as they happen; with `after`, first those that are stored.")
    async def changes(
        self,
        info: Info,
        user_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only of this user.")
        ] = None,
        segment: Annotated[str | None, strawberry.argument(description="Only of this segment.")] = None,
        after: After = None,
    ) -> AsyncGenerator[Change, None]:
        async for each in heard(info.context, user_id, segment, after):
            yield each
