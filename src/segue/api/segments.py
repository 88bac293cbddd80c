"""Segments: what they are, who is in them, who came and went; and their definitions, to be edited."""

from __future__ import annotations

from itertools import islice

from segue.api.answer import NO_STORE, Answer, json_answer
from segue.api.caching import may_be_held, tag_of, unless_known
from segue.api.doors import Doors
from segue.api.paging import cursor, limit_of, read_cursor, whole_number
from segue.api.request import BAD_BODY, Request, bad_parameter
from segue.domain.errors import refusal
from segue.service.roster import roster

_PREVIEW_HINT = 'send {"when": "count(\\"Login\\", last 30d) >= 3"}, with "as_of" if you like'
_SEGMENT_HINT = 'send {"owner": …, "description": …, "when": …}'


def every(doors: Doors, request: Request) -> Answer:
    """All segments that the asker sees, with their sizes."""
    sees = request.principal.scope.sees
    found = [each.to_json() for each in doors.service.segments() if sees(each.name)]
    return json_answer({"segments": found})


def one(doors: Doors, request: Request) -> Answer:
    """One segment; E701 when there is none of this name."""
    return json_answer(doors.service.segment(request.params["name"]).to_json())


def members(doors: Doors, request: Request) -> Answer:
    """A page of members in order of user id. A cursor keeps the moment that was asked for."""
    service = doors.service
    limit = limit_of(request)
    as_of = request.query.get("as_of")
    start = read_cursor(request, str, str)
    if start:
        if as_of not in {None, start[0]}:
            raise bad_parameter("the cursor belongs to another as_of", "leave as_of out beside a cursor")
        as_of = start[0] or None
    moment = None if as_of is None else service.moment(as_of)
    page = roster(service, request.params["name"], moment, start[1] if start else None, limit)
    following = cursor(as_of or "", page.members[-1].user_id) if page.more else None
    rows = [each.to_json() for each in page.members]
    answer = json_answer({"members": rows, "total": page.total, "next": following})
    if as_of is not None:
        return answer.with_headers((NO_STORE,))
    tag = tag_of(answer.body)
    headers = ((b"etag", tag), *doors.caching.segment(request.params["name"], may_be_held(request.principal)))
    return unless_known(request, tag, answer.with_headers(headers))


def history(doors: Doors, request: Request) -> Answer:
    """Who entered and left one segment, in order; E701 when there is none of this name."""
    name = doors.service.segment(request.params["name"]).name
    return _changes(doors, request, name)


def changes(doors: Doors, request: Request) -> Answer:
    """The changes after a number, of all segments or of one."""
    return _changes(doors, request, request.query.get("segment"))


def _changes(doors: Doors, request: Request, segment: str | None) -> Answer:
    limit = limit_of(request)
    after = whole_number(request, "after", 0)
    scope = request.principal.scope
    # Asked before the changes: what is evaluated meanwhile may be among them, never the other way round.
    evaluated = doors.service.core.progress.log_seq
    if segment is None and scope.segments is not None:
        seen = (each for each in doors.service.changes(after) if scope.sees(each.segment))
        found = list(islice(seen, limit))
    else:
        found = list(doors.service.changes(after, segment, limit))
    last = found[-1].seq if found else after
    page = {"changes": [each.to_json() for each in found], "next": last, "evaluated": evaluated}
    return json_answer(page, headers=(NO_STORE,))


def preview(doors: Doors, request: Request) -> Answer:
    """What a condition would select, without anything being kept."""
    service = doors.service
    asked = request.json(_PREVIEW_HINT)
    unknown = sorted(asked.keys() - {"when", "as_of"})
    when, as_of = asked.get("when"), asked.get("as_of")
    if unknown or not isinstance(when, str) or not isinstance(as_of, str | None):
        finding = f"{unknown[0][:64]} is not known" if unknown else '"when" is missing, or a value is no text'
        raise refusal(BAD_BODY, finding, _PREVIEW_HINT)
    return json_answer(service.preview(when, None if as_of is None else service.moment(as_of)).to_json())


def put(doors: Doors, request: Request) -> Answer:
    """Writes the definition into the workspace's files and applies it; 201 when the segment is new."""
    service = doors.service
    name = request.params["name"]
    definition = request.json(_SEGMENT_HINT)
    if definition.setdefault("segment", name) != name:
        raise refusal(BAD_BODY, '"segment" and the path name different segments', "give both the same name")
    is_new = name not in service.workspace.segments
    service.put_segment(definition)
    return json_answer(service.segment(name).to_json(), 201 if is_new else 200)


def delete(doors: Doors, request: Request) -> Answer:
    """Takes the definition out of the workspace's files and applies that."""
    doors.service.delete_segment(request.params["name"])
    return Answer(204)
