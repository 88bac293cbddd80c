"""What people decide by hand, as it is logged: overrides of membership, and edits of lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from segue.domain.errors import refusal
from segue.domain.limits import ID_CHARACTERS_MAX
from segue.domain.number import micro_of
from segue.domain.time import format_instant, parse_instant
from segue.segments.fields import is_name

NOTE_CHARACTERS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Override:
    """A user is in a segment, or out of it, whatever its condition says.

    ``member`` None takes the override back. ``until`` is the moment, in ms, from which it no longer
    holds; None is without end. ``by`` and ``why`` say who decided it and for what reason.
    """

    user_id: str
    segment: str
    member: bool | None
    until: int | None = None
    by: str | None = None
    why: str | None = None

    def checked(self) -> Self:
        """The override itself; E461 (user), E462 (segment's name) or E463 (note) when it cannot be one."""
        check_user(self.user_id)
        _check_name("segment", self.segment)
        for note in (self.by, self.why):
            if note is not None and (len(note) > NOTE_CHARACTERS_MAX or not _is_text(note)):
                message = f"a note is longer than {NOTE_CHARACTERS_MAX} characters, or is no text"
                raise refusal("E463", message, "say it in a sentence")
        return self

    def holds(self, now: int) -> bool:
        """Whether it is in force at a moment, in ms."""
        return self.member is not None and (self.until is None or now < self.until)

    def to_json(self) -> dict[str, object]:
        """The override as it is logged and shown."""
        found: dict[str, object] = {"user_id": self.user_id, "segment": self.segment, "member": self.member}
        if self.until is not None:
            found["until"] = format_instant(self.until)
        found.update((key, note) for key, note in (("by", self.by), ("why", self.why)) if note is not None)
        return found

    @classmethod
    def from_json(cls, value: object) -> Self:
        """What :meth:`to_json` wrote; E464 when it is something else."""
        fields = _object(value, "an override", ("user_id", "segment"), ("until", "by", "why"))
        member = value.get("member") if isinstance(value, dict) else None
        until = fields.get("until")
        end = None if until is None else parse_instant(until)
        if not (member is None or isinstance(member, bool)) or (until is not None and end is None):
            raise refusal(
                "E464", "this is no override", 'send {"user_id", "segment", "member": true|false|null}'
            )
        return cls(
            fields["user_id"], fields["segment"], member, end, fields.get("by"), fields.get("why")
        ).checked()


@dataclass(frozen=True, slots=True)
class ScoreOverride:
    """A person's word in the place of what a model says of a user, wherever it is read.

    ``gives`` is "score" (``value`` a number) or "cluster" (a text); ``value`` None takes the word back.
    The rest is as in :class:`Override`.
    """

    user_id: str
    gives: str
    model: str
    value: float | str | None
    until: int | None = None
    by: str | None = None
    why: str | None = None

    def checked(self) -> Self:
        """The override itself; E461, E462 or E463 as of :class:`Override`, E880 for no value."""
        Override(self.user_id, self.model, None, self.until, self.by, self.why).checked()
        if self.value is not None and not self._fits(self.value):
            what = "a number" if self.gives == "score" else "the name of a group"
            found = f"{self.value!r} is no value of the {self.gives} {self.model}"
            raise refusal("E880", found, f"give {what}, or none to take the override back")
        return self

    def _fits(self, value: float | str) -> bool:
        if self.gives == "score":
            return micro_of(value) is not None and not isinstance(value, str)
        return isinstance(value, str) and _is_text(value) and 0 < len(value) <= NOTE_CHARACTERS_MAX

    def to_json(self) -> dict[str, object]:
        """The override as it is logged and shown."""
        found: dict[str, object] = {
            "user_id": self.user_id, "gives": self.gives, "model": self.model, "value": self.value
        }  # fmt: skip
        if self.until is not None:
            found["until"] = format_instant(self.until)
        found.update((key, note) for key, note in (("by", self.by), ("why", self.why)) if note is not None)
        return found


@dataclass(frozen=True, slots=True)
class ListEdit:
    """A user is put on a list, or taken off it, beside what the list's file says."""

    list: str
    user_id: str
    on: bool

    def checked(self) -> Self:
        """The edit itself; E461 (user) or E462 (list's name) when it cannot be one."""
        check_user(self.user_id)
        _check_name("list", self.list)
        return self

    def to_json(self) -> dict[str, object]:
        """The edit as it is logged and shown."""
        return {"list": self.list, "user_id": self.user_id, "on": self.on}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """What :meth:`to_json` wrote; E464 when it is something else."""
        fields = _object(value, "an edit of a list", ("list", "user_id"), ())
        on = value.get("on") if isinstance(value, dict) else None
        if not isinstance(on, bool):
            raise refusal("E464", "this is no edit of a list", 'send {"list", "user_id", "on": true|false}')
        return cls(fields["list"], fields["user_id"], on).checked()


def _object(value: object, what: str, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, str]:
    hint = f"it is an object with {', '.join(required)} and may have {', '.join(optional) or 'nothing else'}"
    if not isinstance(value, dict):
        raise refusal("E464", f"this is not {what}", hint)
    found = {}
    for key in (*required, *optional):
        each = value.get(key)
        if isinstance(each, str):
            found[key] = each
        elif each is not None or key in required:
            raise refusal("E464", f"this is not {what}: {key} is missing, or no text", hint)
    return found


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_user(user_id: str) -> None:
    """E461 when that is no user id."""
    if not user_id.strip() or len(user_id) > ID_CHARACTERS_MAX or not _is_text(user_id):
        message = f"a user id is text of 1 to {ID_CHARACTERS_MAX} characters"
        raise refusal(
            "E461", message, "give the id as it is sent with events, or anon:ID for an anonymous one"
        )


def _check_name(kind: str, name: str) -> None:
    if not is_name(name):
        raise refusal(
            "E462", f"that is no name of a {kind}", "names are lower_snake_case, as in the workspace"
        )
