"""Recommendations in the graph: the same question and the same answer as over REST."""

from __future__ import annotations

import json
from typing import Annotated

import strawberry

from segue.access import faults
from segue.api.graphql.asking import Asking
from segue.api.graphql.types import Json, json_of
from segue.domain.event import Json as Value
from segue.experiences.recommend.question import read_question

Count = Annotated[int, strawberry.argument(description="How many items; 200 at most.")]


@strawberry.input(
    description="What else the question is about, as in the body of POST /v1/personalized-recommendations."
)
class About:
    """The parts of a question that are JSON."""

    recent: Json | None = None
    vector: Json | None = None
    context: Json | None = None
    filters: Json | None = None


@strawberry.type(description="Why an item is recommended.")
class RecommendationReason:
    """A reason."""

    kind: str
    text: str
    item: str | None = None
    category: str | None = None


@strawberry.type(description="One recommended item.")
class RecommendedItem:
    """An item with its score."""

    id: str
    score: float
    reason: RecommendationReason
    available: bool
    title: str | None = None
    price: float | None = None
    category: str | None = None
    url: str | None = None
    image: str | None = None
    attributes: Json | None = None


@strawberry.type(description="What to show a user of the catalogue, best first.")
class Recommendations:
    """An answer."""

    user_id: str | None
    known: bool
    recommendation: str
    items: list[RecommendedItem]
    model: Json
    catalog_version: int


def recommended(
    asking: Asking, user_id: str | None, count: int, recommendation: str, about: About | None
) -> Recommendations:
    """The answer to a question; E762 for a token of another user."""
    body: dict[str, Value] = {} if about is None else dict(vars(about))
    body |= {"user_id": user_id or asking.principal.user_id, "count": count, "recommendation": recommendation}
    question = read_question(body)
    if question.user_id is not None:
        asking.require_user(question.user_id)
    elif not asking.principal.reads_all:
        raise faults.not_for_you()
    found = json.loads(asking.doors.recommender.answer(question, asking.principal.scope.limited))
    items = [
        RecommendedItem(**_raw(each, "attributes"), reason=RecommendationReason(**each.pop("reason")))
        for each in found.pop("items")
    ]
    return Recommendations(**_raw(found, "model"), items=items)


def _raw(values: dict[str, Value], key: str) -> dict[str, Value]:
    return {name: json_of(each) if name == key else each for name, each in values.items() if name != "reason"}
