"""What the law asks for: suppression of a user, and a copy of all that is held of them."""

from __future__ import annotations

import logging

from segue.api.answer import JSON, NO_STORE, Answer, json_answer
from segue.api.control import beside
from segue.api.doors import Doors
from segue.api.lines import Lines, ReaderLeftError
from segue.api.request import Request, bad_parameter
from segue.service import suppressing
from segue.service.export import parts_of_user
from segue.service.export_text import as_csv, as_json

_log = logging.getLogger("segue.api")


def suppression(doors: Doors, request: Request) -> Answer:
    """Whether the user is suppressed."""
    user_id = request.params["id"]
    return _answer(user_id, doors.service.core.intake.identity.suppresses(user_id))


def suppress(doors: Doors, request: Request) -> Answer:
    """From now on nothing of the user is stored."""
    suppressing.suppress(doors.service.core, request.params["id"])
    return _answer(request.params["id"], True)


def admit(doors: Doors, request: Request) -> Answer:
    """What comes of the user is stored again."""
    suppressing.admit(doors.service.core, request.params["id"])
    return _answer(request.params["id"], False)


def _answer(user_id: str, suppressed: bool) -> Answer:
    return json_answer({"user_id": user_id, "suppressed": suppressed}, headers=(NO_STORE,))


# ---- a copy ----------------------------------------------------------------------------------

_FORMS = {"json": (JSON, as_json), "csv": (b"text/csv; charset=utf-8", as_csv)}


async def export(doors: Doors, request: Request) -> Answer:
    """All that is held of the user, written as it is read."""
    form = request.query.get("format", "json")
    if form not in _FORMS:
        raise bad_parameter(f"the format is {form[:16]!r}", "format is json or csv")
    kind, written = _FORMS[form]
    service, user_id = doors.service, request.params["id"]

    def work(to: Lines) -> None:
        try:
            for piece in written(parts_of_user(service, user_id)):
                to.write(piece.encode("utf-8", "replace"))
        except ReaderLeftError:
            pass
        except Exception:  # noqa: BLE001 -- the thread's last door; the text ends before its closing bracket
            _log.exception("an export failed")

    return Answer(200, type=kind, headers=(NO_STORE,), stream=beside(doors, work, "segue-export"))
