"""What a user should be shown of the catalogue."""

from __future__ import annotations

from dataclasses import replace

from segue.access import faults
from segue.api.access import opens
from segue.api.answer import NO_STORE, Answer
from segue.api.doors import Doors
from segue.api.request import Request
from segue.experiences.recommend.question import Question, read_question

_HINT = 'send {"user_id": "…", "count": 20}'


async def recommend(doors: Doors, request: Request) -> Answer:
    """Items for one user, with score and reason; a token asks for its own user alone."""
    question = owned(doors, request, read_question(request.json(_HINT)))
    recommender = doors.recommender
    wait = doors.glance if recommender.quick else doors.read
    brief = request.principal.scope.limited
    return Answer(200, await wait(lambda: recommender.answer(question, brief)), headers=(NO_STORE,))


def owned(doors: Doors, request: Request, question: Question) -> Question:
    """The question, about the token's own user unless it names one; E762 for a token of another."""
    principal = request.principal
    if question.user_id is None:
        return replace(question, user_id=principal.user_id)
    if not opens(doors, principal, question.user_id):
        raise faults.not_for_you()
    return question
