"""A decision as it is told: to keys with the conditions that decided, to a user's own page without them."""

from __future__ import annotations

import json

import msgspec

from segue.domain.event import EXPOSURE, WITHHELD, Json
from segue.experiences.choosing import Choice, Passed, Why
from segue.experiences.deciding import Decision
from segue.experiences.slots import Candidate

_encode = msgspec.json.Encoder().encode
_SAID = {
    Why.EARLY: "it has not started",
    Why.OVER: "it has ended",
    Why.AUDIENCE: "the user is not in its audience",
    Why.CAP: "the user was given it often enough",
    Why.HOLDOUT: "the user is in the holdout of the experience",
    Why.DRAW: "the lot fell on another variant",
    Why.OUTRANKED: "another variant comes first",
    Why.FALLBACK: "no variant is for the user",
    Why.SUPPRESSED: "the user is suppressed",
}


def told(decision: Decision, brief: bool) -> dict[str, Json]:
    """The answer. ``brief`` leaves out the texts, which say what segments and conditions there are."""
    return {
        "user_id": decision.user_id,
        "known": decision.known,
        "slots": {each.slot.name: _choice(each, brief) for each in decision.choices},
        "version": decision.version,
    }


def encoded(value: Json) -> bytes:
    """JSON of anything that a workspace can hold, integers beyond 64 bits included."""
    try:
        return _encode(value)
    except (OverflowError, ValueError):
        return json.dumps(value, separators=(",", ":")).encode()


def _choice(choice: Choice, brief: bool) -> dict[str, Json]:
    names = (None, None) if choice.candidate is None else choice.candidate.names
    found: dict[str, Json] = {
        "experience": names[0],
        "variant": names[1],
        "payload": choice.payload,
        "reason": choice.why.value,
        "passed": [_passed(each, brief) for each in choice.passed],
    }
    if not brief:
        found["text"] = _chosen(choice)
    return found


def _chosen(choice: Choice) -> str:
    if choice.candidate is None:
        return _SAID[choice.why]
    audience = _audience(choice.candidate)
    return f"drawn by lot; {audience}" if choice.why is Why.DRAW else audience


def _passed(passed: Passed, brief: bool) -> dict[str, Json]:
    experience, variant = passed.candidate.names
    found: dict[str, Json] = {"experience": experience, "variant": variant, "why": passed.why.value}
    if not brief:
        said = _SAID[passed.why]
        text = passed.candidate.variant.definition.audience
        found["text"] = f"{said}: {_line(text)}" if passed.why is Why.AUDIENCE and text else said
    return found


def _audience(candidate: Candidate) -> str:
    text = candidate.variant.definition.audience
    return "it is for everyone" if text is None else f"the user is in its audience: {_line(text)}"


def _line(text: str) -> str:
    return " ".join(text.split())


def exposures(decision: Decision) -> list[dict[str, Json]]:
    """The name and properties of every event that says what was shown, or withheld."""
    if decision.suppressed:
        return []
    found = []
    for choice in decision.choices:
        if choice.candidate is not None:
            found.append(_exposure(EXPOSURE, choice, choice.candidate))
        found += [_exposure(WITHHELD, choice, each) for each in choice.withheld]
    return found


def _exposure(event: str, choice: Choice, candidate: Candidate) -> dict[str, Json]:
    experience, variant = candidate.names
    properties = {"experience": experience, "slot": choice.slot.name, "variant": variant}
    return {"event": event, "properties": properties}
