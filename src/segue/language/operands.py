"""Checking operands: what gives a value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from segue.language import syntax, tree
from segue.language.checking import Check, literal
from segue.language.findings import shorten, suggestion
from segue.language.patterns import (
    Where,
    fixed,
    pathless,
    pattern,
    planned_property,
    window,
)
from segue.language.printer import inline, key, quoted
from segue.language.scope import EITHER
from segue.language.tree import Kind
from segue.language.types import NAMES, PATHLESS, kind_of, read_as
from segue.language.walk import measure

WHERE_HINT = "where sees one event: its properties by name, and context.…"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where an operand stands: inside the ``where`` of ``event``, or in the open (None)."""

    where: Where
    event: syntax.Pattern | None = None


REQUEST = "request"
OPEN_ONLY = (syntax.Aggregate, syntax.Sequence, syntax.Elapsed, syntax.Reference)


def operand(check: Check, node: syntax.Expression, setting: Setting) -> tree.Operand | None:
    """The operand a node stands for, or None after a finding. Its ``read`` may still be open."""
    check.count(1, node)
    if setting.event is not None and isinstance(node, OPEN_ONLY):
        message = f"{shorten(inline(node))} looks beyond the one event that where sees"
        check.refuse("E213", message, f"{WHERE_HINT}; join it outside with and", node)
        return None
    match node:
        case syntax.Literal():
            return literal(check, node)
        case syntax.Path():
            return _path(check, node, setting)
        case syntax.Aggregate():
            return (
                _sessions(check, node) if node.event is None else _aggregate(check, node, node.event, setting)
            )
        case syntax.Sequence():
            return _sequence(check, node, setting)
        case syntax.Elapsed():
            return _elapsed(check, node, setting)
        case syntax.Arithmetic():
            return _arithmetic(check, node, setting)
        case syntax.Negative():
            return _negative(check, node, setting)
        case syntax.Reference() if node.kind not in ("segment", "list"):
            return _named(check, node)
        case _:
            hint = "a condition is true or false by itself; join conditions with and, or, not"
            check.refuse("E202", f"{shorten(inline(node))} is a condition, a value was expected", hint, node)
            return None


def _path(check: Check, node: syntax.Path, setting: Setting) -> tree.Operand | None:
    event = setting.event
    spelled = shorten(inline(node))
    if node.root in ("trait", "group"):
        if event is not None:
            message = f"{spelled} belongs to the profile, where sees one event only"
            check.refuse("E213", message, f"{WHERE_HINT}; join it outside with and", node)
            return None
        return tree.Trait(node.path, "user" if node.root == "trait" else "account", place=check.place(node))
    if _of_request(check, node):
        return _requested(check, node, event)
    if event is None:
        _refuse_bare(check, node, spelled)
        return None
    if node.root == "" and not planned_property(check, event, node.path, node):
        return None
    return tree.Property(node.path, node.root or "properties", place=check.place(node))


def _of_request(check: Check, node: syntax.Path) -> bool:
    """Whether a path is one of the request; ``.request.id`` is a property, also in an audience."""
    named = node.root == "" and len(node.path) > 1 and node.path[0] == REQUEST
    return named and check.scope.request and check.source.text[node.start] != "."


def _requested(check: Check, node: syntax.Path, event: syntax.Pattern | None) -> tree.Operand | None:
    spelled = shorten(inline(node))
    if event is not None:
        hint = f"join it outside with and; for a property of the event write .{spelled}"
        check.refuse("E213", f"{spelled} belongs to the request, where sees one event only", hint, node)
        return None
    return tree.Property(node.path[1:], REQUEST, place=check.place(node))


def _refuse_bare(check: Check, node: syntax.Path, spelled: str) -> None:
    if node.root == "context":
        hint = f'ask for events that have it: count("Login" where {spelled} == "…") > 0'
        check.refuse("E214", f"{spelled} belongs to an event, there is none here", hint, node)
        return
    if len(node.path) > 1 and node.path[0] == REQUEST:
        hint = "audiences of experiences alone ask the request; write trait.… for what is known of the user"
        check.refuse("E214", f"{spelled} belongs to a request for a decision, there is none here", hint, node)
        return
    roots = ("trait", "group", "context") if len(node.path) > 1 else ("true", "false")
    rest = "".join([f".{key(part)}" for part in node.path[1:]])
    path = f"{key(node.path[0])}{rest}"
    hint = f'write trait.{path} for a trait, or ask events: sum("Order Completed".{path})'
    near = suggestion(node.path[0], roots, "")
    if near:
        hint = f"{near[:-1]}{rest}?"
    check.refuse("E214", f"{spelled} is a property of an event, there is none here", hint, node)


def _aggregate(
    check: Check, node: syntax.Aggregate, event: syntax.Pattern, setting: Setting
) -> tree.Operand | None:
    sound = pathless(check, event, node.name) if node.name in PATHLESS else _pathed(check, node, event)
    seen = pattern(check, event, setting.where)
    within = window(check, node.window, setting.where)
    if not sound or seen is None or within is None:
        return None
    return tree.Aggregate(node.name, seen, event.path, within, place=check.place(node))


def _pathed(check: Check, node: syntax.Aggregate, event: syntax.Pattern) -> bool:
    if event.path:
        return planned_property(check, event, event.path, event)
    name = event.type if event.name is None else quoted(event.name)
    hint = f"write which property: {node.name}({name}.revenue)"
    check.refuse("E211", f"{node.name} needs a property of the event", hint, event)
    return False


def _sessions(check: Check, node: syntax.Aggregate) -> tree.Operand | None:
    within = fixed(check, node.window, "sessions")
    if within is None:
        return None
    place = check.place(node)
    return tree.Aggregate("sessions", tree.EventPattern("any", place=place), (), within, place=place)


def _sequence(check: Check, node: syntax.Sequence, setting: Setting) -> tree.Operand | None:
    sound = len(node.steps) > 1
    if not sound:
        hint = 'name what comes after it: sequence("A" then "B", within 1h)'
        check.refuse("E118", "a sequence has two steps at least", hint, node)
    steps: list[tree.EventPattern] = []
    for step in node.steps:
        sound = pathless(check, step, "sequence") and sound
        seen = pattern(check, step, setting.where)
        if seen is not None:
            steps.append(seen)
    span = literal(check, node.within)
    within = fixed(check, node.window, "sequence")
    if not sound or len(steps) < len(node.steps) or within is None or not isinstance(span, tree.Duration):
        return None
    return tree.Sequence(tuple(steps), span.ms, within, check.place(node))


def _elapsed(check: Check, node: syntax.Elapsed, setting: Setting) -> tree.Operand | None:
    time = operand(check, node.time, setting)
    if time is None:
        return None
    kind = kind_of(time)
    if kind not in (Kind.TIME, Kind.UNKNOWN):
        message = f"{node.direction} takes a time, {shorten(inline(node.time))} is {NAMES[kind]}"
        example = f'{node.direction}(last("Login")) or {node.direction}(trait.renews_at)'
        hint = f"give it a time, for example {example}"
        check.refuse("E207", message, hint, node.time)
        return None
    return tree.Elapsed(node.direction, read_as(time, Kind.TIME), check.place(node))


def _arithmetic(check: Check, node: syntax.Arithmetic, setting: Setting) -> tree.Operand | None:
    left = _numeric(check, node.left, setting, node.op)
    right = _numeric(check, node.right, setting, node.op)
    if left is None or right is None:
        return None
    return tree.Arithmetic(node.op, left, right, check.place(node))


def _negative(check: Check, node: syntax.Negative, setting: Setting) -> tree.Operand | None:
    if isinstance(node.operand, syntax.Literal) and node.operand.kind == "duration":
        hint = f"ask from the other side: until(…) < {node.operand.text}"
        check.refuse("E209", "a duration is never negative", hint, node)
        return None
    value = _numeric(check, node.operand, setting, "-")
    if value is None:
        return None
    if isinstance(value, tree.Number):
        return tree.Number(-value.micro, check.place(node))
    check.count(1, node)
    return tree.Arithmetic("-", tree.Number(0, check.place(node)), value, check.place(node))


def _numeric(check: Check, node: syntax.Expression, setting: Setting, op: str) -> tree.Operand | None:
    """A side of an arithmetic operator: a number, or a value that is read as one."""
    value = operand(check, node, setting)
    if value is None:
        return None
    kind = kind_of(value)
    if kind in (Kind.NUMBER, Kind.UNKNOWN):
        return read_as(value, Kind.NUMBER)
    spelled = shorten(inline(node))
    if kind in (Kind.TIME, Kind.DURATION):
        message = (
            f"{op} does not take {spelled}, {NAMES[kind]}: the moment it falls due could not be computed"
        )
        hint = 'compare since(…) or until(…) with a duration, for example since(last("Login")) > 14d'
        check.refuse("E206", message, hint, node)
    else:
        hint = "use numbers around + - * /, for example 2 * trait.visits"
        check.refuse("E205", f"{op} takes numbers, {spelled} is {NAMES[kind]}", hint, node)
    return None


def _predicted(check: Check, node: syntax.Reference) -> tree.Operand | None:
    """What a model says of the profile: a score is a number, a cluster a text."""
    models = check.scope.models
    if models.get(node.name) not in (node.kind, EITHER):
        others = [name for name, gives in models.items() if gives in (node.kind, EITHER)]
        otherwise = "define it in models/, or correct the name"
        hint = suggestion(node.name, others, otherwise, f'{node.kind}("{{}}")')
        if node.name in models:
            hint = f'write {models[node.name]}("{node.name}")'
        check.refuse("E309", f"there is no model {quoted(node.name)} that gives a {node.kind}", hint, node)
        return None
    read = Kind.NUMBER if node.kind == "score" else Kind.TEXT
    return tree.Trait((node.name,), node.kind, read, check.place(node))


def _named(check: Check, node: syntax.Reference) -> tree.Operand | None:
    if node.kind != "feature":
        return _predicted(check, node)
    found = check.scope.features.get(node.name)
    if found is None:
        otherwise = "define it in features/, or correct the name"
        hint = suggestion(node.name, check.scope.features, otherwise, 'feature("{}")')
        check.refuse("E303", f"there is no feature {quoted(node.name)}", hint, node)
        return None
    size, _ = measure(found)
    check.count(size, node)
    check.inlined = True
    return replace(found, place=check.place(node))
