"""Scores that were computed elsewhere, handed in over HTTP."""

from __future__ import annotations

from segue.api.answer import Answer, json_answer
from segue.api.doors import Doors
from segue.api.request import BAD_BODY, Request
from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.domain.limits import SCORES_A_REQUEST_MAX
from segue.service.learning.handed import of_rows
from segue.service.learning.uploading import Terms, uploaded, uploading

_HINT = 'send {"scores": [{"user_id": "13085", "score": 0.7}]}, with "as_of", or "by" and "why", if you like'
_TEXTS = ("as_of", "by", "why")


def put(doors: Doors, request: Request) -> Answer:
    """Takes scores for an upload model and tells what became of them."""
    service, name = doors.service, request.params["name"]
    asked = request.json(_HINT)
    rows = asked.get("scores")
    unknown = sorted(asked.keys() - {"scores", *_TEXTS})
    if unknown:
        raise refusal(BAD_BODY, f"{unknown[0][:64]} is not known", _HINT)
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise refusal(BAD_BODY, '"scores" is no list of objects', _HINT)
    if not all(isinstance(asked.get(key), str | None) for key in _TEXTS):
        raise refusal(BAD_BODY, "as_of, by and why are texts", _HINT)
    if len(rows) > SCORES_A_REQUEST_MAX:
        hint = "send them in several requests, or use `segue scores import`"
        raise refusal(BAD_BODY, f"more than {SCORES_A_REQUEST_MAX:,} scores", hint)
    spec, as_of = uploading(service, name), asked.get("as_of")
    moment = None if as_of is None else service.moment(as_of)
    handed = of_rows(spec.gives, ((each.get("user_id"), _value(each)) for each in rows))
    terms = Terms(moment, asked.get("by"), asked.get("why"))
    return json_answer(uploaded(service, name, handed, terms).to_json())


def _value(row: Json) -> Json:
    """The score, or the name of the group; a row without either hands in nothing that could be meant."""
    return row.get("score", row.get("cluster", ()))
