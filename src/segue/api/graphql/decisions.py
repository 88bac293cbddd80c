"""Decisions in the graph: the same question, the same answer and the same record as over REST."""

from __future__ import annotations

import json
from typing import Annotated

import strawberry

from segue.api.decide import is_brief
from segue.api.graphql.asking import Asking
from segue.api.graphql.types import Json, Seq, json_of
from segue.domain.event import Json as Value
from segue.experiences.asked import asked

Context = Annotated[
    Json | None,
    strawberry.argument(description="What the page knows of itself; audiences read it as `request.`."),
]
Recent = Annotated[
    list[Json] | None,
    strawberry.argument(description="Events that just happened; they count for this answer."),
]
Record = Annotated[bool, strawberry.argument(description="Whether what is shown is recorded as shown.")]


@strawberry.type(description="A variant that was passed over, and why.")
class PassedOver:
    """One variant that is not shown."""

    experience: str
    variant: str
    why: str
    text: str | None = None


@strawberry.type(description="What a slot shows; without a variant the payload is the fallback.")
class Decision:
    """The choice for one slot."""

    slot: str
    experience: str | None
    variant: str | None
    payload: Json
    reason: str
    text: str | None
    passed: list[PassedOver]


@strawberry.type(description="What a user should see.")
class Decisions:
    """The choices for all slots asked for."""

    user_id: str
    known: bool
    version: Seq
    slots: list[Decision]


def decided(asking: Asking, question: dict[str, Value]) -> Decisions:
    """As REST decides; blocks. E762 for a token of another profile."""
    given = {key: value for key, value in question.items() if value is not None}
    found = asked(given, asking.principal.user_id)
    asking.require_user(found.user_id)
    told = asking.doors.recording.recorded(found, is_brief(asking.principal))
    answer = json.loads(told.body)
    slots = [_decision(name, each) for name, each in answer["slots"].items()]
    return Decisions(
        user_id=answer["user_id"], known=answer["known"], version=Seq(answer["version"]), slots=slots
    )


def _decision(slot: str, found: dict[str, Value]) -> Decision:
    passed = [PassedOver(**each) for each in found["passed"]]
    return Decision(
        slot=slot,
        experience=found["experience"],
        variant=found["variant"],
        payload=json_of(found["payload"]),
        reason=found["reason"],
        text=found.get("text"),
        passed=passed,
    )
