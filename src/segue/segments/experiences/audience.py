"""An audience taken apart: what the engine follows by itself, and what only a request can tell.

The engine knows of every user whether a watch holds, so asking about one costs a bit. What a condition
says of the request (``request.``) is seen when it comes, like the ``where`` of an event sees the event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.language import tree
from segue.language.interpret import event_predicate
from segue.language.walk import Node, walk

MIXED = "E495"
REQUEST = "request"
Meets = Callable[[AbstractSet[str], Mapping[str, Json]], bool]
"""Whether (names of the watches that hold, the request's context) is who an audience means."""


@dataclass(frozen=True, slots=True)
class Audience:
    """``whole`` is the checked condition. ``form`` is the same with ``segment(WATCH)`` for each part that
    knows no request; those parts are ``watches``, and what is left reads the request as properties.
    """

    whole: tree.Condition
    form: tree.Condition
    watches: Mapping[str, tree.Condition]


def asks(node: Node) -> bool:
    """Whether a part looks at the request."""
    return any(isinstance(each, tree.Property) and each.root == REQUEST for each in walk(node))


def taken_apart(condition: tree.Condition, name: Callable[[int], str]) -> Audience:
    """An audience of a condition; ``name`` gives the names of its watches by their number.

    E495 for a comparison of the request with what is known of the user: no watch can tell it.
    """
    watches: dict[str, tree.Condition] = {}

    def watched(part: tree.Condition) -> tree.Condition:
        if isinstance(part, tree.Truth):
            return part
        found = next((known for known, each in watches.items() if each == part), None)
        if found is None:
            found = name(len(watches))
            watches[found] = part
        return tree.SegmentRef(found)

    def form(part: tree.Condition) -> tree.Condition:
        if not asks(part):
            return watched(part)
        match part:
            case tree.And() | tree.Or():
                return _joined(part)
            case tree.Not():
                return tree.Not(form(part.part))
            case _:
                return _of_request(part)

    def _joined(part: tree.And | tree.Or) -> tree.Condition:
        """What knows no request stands together, as one watch."""
        same = type(part)
        apart = [each for each in part.parts if not asks(each)]
        asking = tuple(form(each) for each in part.parts if asks(each))
        if not apart:
            return same(asking)
        whole = apart[0] if len(apart) == 1 else same(tuple(apart))
        return same((watched(whole), *asking))

    return Audience(condition, form(condition), watches)


def _of_request(leaf: tree.Condition) -> tree.Condition:
    for node in walk(leaf):
        if isinstance(node, tree.Trait | tree.Aggregate | tree.Sequence | tree.Elapsed):
            hint = 'compare it with a literal, for example request.device == "mobile"'
            message = "the request is compared here with what is known of the user"
            raise refusal(MIXED, message, hint, node.place)
    return _rooted(leaf)


def _rooted(leaf: tree.Condition) -> tree.Condition:
    """The leaf as a ``where`` over the request's context: its paths are bare ones."""
    match leaf:
        case tree.Compare():
            return replace(leaf, left=_bare(leaf.left), right=_bare(leaf.right))
        case tree.In() | tree.Match() | tree.Presence():
            return replace(leaf, operand=_bare(leaf.operand))
    raise TypeError(f"not about a request: {leaf}")


def _bare(operand: tree.Operand) -> tree.Operand:
    match operand:
        case tree.Property():
            return replace(operand, root="properties")
        case tree.Arithmetic():
            return replace(operand, left=_bare(operand.left), right=_bare(operand.right))
    return operand


def meets(form: tree.Condition, zone: ZoneInfo) -> Meets:
    """A form as a closure: said once, asked for every request."""
    match form:
        case tree.Truth():
            constant = form.value
            return lambda _held, _request: constant
        case tree.SegmentRef():
            watch = form.name
            return lambda held, _request: watch in held
        case tree.Not():
            part = meets(form.part, zone)
            return lambda held, request: not part(held, request)
        case tree.And():
            every = tuple(meets(each, zone) for each in form.parts)
            return lambda held, request: all(part(held, request) for part in every)
        case tree.Or():
            either = tuple(meets(each, zone) for each in form.parts)
            return lambda held, request: any(part(held, request) for part in either)
    seen = event_predicate(form, zone)
    return lambda _held, request: seen(request, request)
