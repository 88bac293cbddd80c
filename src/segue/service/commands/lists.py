"""``segue list``: users put together by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.segments.override import ListEdit
from segue.service.commands.arguments import text, text_or_none, texts, word, wrong
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``name``: its users, a row each; without a name the lists with their sizes."""
    name = text_or_none(arguments, "name")
    if name is None:
        for each, users in sorted(service.lists().items()):
            yield {"list": each, "users": len(users)}
        return
    for user_id in service.list_users(name):
        yield {"list": name, "user_id": user_id}


def run_edit(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``name``, ``action`` (add or remove), ``users``: who was put on the list or taken off it."""
    name, users = text(arguments, "name"), texts(arguments, "users")
    on = word(arguments, "action", "add", "remove") == "add"
    if not users:
        raise wrong("users", "one user id or more")
    edits = [ListEdit(name, user_id, on).checked() for user_id in users]
    for edit in edits:
        service.edit_list(edit)
    yield {"list": name, "added" if on else "removed": users}
