"""``POST /v1/decide``: what a user should see in some slots, and why."""

from __future__ import annotations

from segue.access import faults
from segue.access.principal import Principal
from segue.api.access import opens
from segue.api.answer import NO_STORE, Answer
from segue.api.doors import Doors
from segue.api.request import Request
from segue.experiences.asked import HINT, Asked, asked
from segue.experiences.recording import SOURCE, to_be_recorded
from segue.experiences.remembering import Told


async def decide(doors: Doors, request: Request) -> Answer:
    """The choice for each slot; durably recorded as shown, unless the request says otherwise."""
    found = asked(request.json(HINT), request.principal.user_id)
    if not opens(doors, request.principal, found.user_id):
        raise faults.not_for_you()
    told = await _told(doors, found, is_brief(request.principal))
    return Answer(200, told.body, headers=(NO_STORE,))


def is_brief(principal: Principal) -> bool:
    """Whether conditions are kept from an asker: they name segments, which not everybody may see."""
    return principal.scope.limited or not principal.reads_all


async def _told(doors: Doors, found: Asked, brief: bool) -> Told:
    recording = doors.recording
    answers = recording.answers
    told = answers.fresh(found, brief)
    if told is None:
        # Recent events are weighed with the whole history, which takes its time.
        wait = doors.read if found.events else doors.glance
        told = await wait(lambda: answers.answer(found, brief))
    if not to_be_recorded(found, told):
        return told
    if told.capped:
        return await doors.read(lambda: recording.recorded(found, brief))
    await doors.service.posted(recording.events(told), SOURCE)
    return told
