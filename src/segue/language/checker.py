"""Syntax becomes a checked tree: names found, types agreed, features written out."""

from __future__ import annotations

from segue.domain.limits import CONDITION_DEPTH_MAX
from segue.language import syntax, tree
from segue.language.checking import Check, literal
from segue.language.cursor import too_deep
from segue.language.findings import Source, shorten, suggestion
from segue.language.operands import Setting, operand
from segue.language.parser import parse
from segue.language.printer import flat, inline, quoted
from segue.language.reading import MIRRORED
from segue.language.scope import Scope
from segue.language.tree import Kind
from segue.language.types import NAMES, VALUED, kind_of, read_as
from segue.language.walk import Node, measure

ORDERINGS = frozenset(("<", "<=", ">", ">="))
_ELEMENTS = (tree.Text, tree.Number, tree.TruthValue)
"""What an element of a JSON list can be compared with."""
_CONDITIONS = (syntax.Logic, syntax.Compare, syntax.In, syntax.Match, syntax.Presence, syntax.Not)
EXAMPLES = {
    Kind.NUMBER: "100",
    Kind.TEXT: '"gold"',
    Kind.TRUTH: "true",
    Kind.TIME: "2026-11-27",
    Kind.DURATION: "14d",
}


def check_condition(text: str, scope: Scope) -> tree.Condition:
    """The checked tree of a condition; SegueError with all findings (E1xx-E3xx) when there are any."""
    check, node = _read(text, scope)
    found = condition(check, node, _OPEN)
    _close(check, node, found)
    assert found is not None
    return found


def check_operand(text: str, scope: Scope) -> tree.Operand:
    """The checked tree of a named expression; SegueError with all findings when there are any.

    Its reading may stay open (``Kind.UNKNOWN``), as in ``trait.plan``: what it is compared with settles it.
    """
    check, node = _read(text, scope)
    value = operand(check, node, _OPEN)
    if isinstance(value, tree.Duration):
        _misplaced_duration(check, node)
    _close(check, node, value)
    assert value is not None
    return value


def check_either(text: str, scope: Scope) -> tree.Condition | tree.Operand:
    """The checked tree of a condition or of a value, whichever is written; SegueError with all findings."""
    _, node = _read(text, scope)
    if isinstance(node, _CONDITIONS) or (isinstance(node, syntax.Literal) and node.kind == "truth"):
        return check_condition(text, scope)
    if isinstance(node, syntax.Reference) and node.kind in ("segment", "list"):
        return check_condition(text, scope)
    return check_operand(text, scope)


def features_in(text: str) -> frozenset[str]:
    """The names of the features that a text uses; they are checked before it. SegueError E1xx."""
    names = []
    waiting: list[syntax.Expression | syntax.Pattern | syntax.Window | None] = [parse(Source(text))[0]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, syntax.Reference) and node.kind == "feature":
            names.append(node.name)
        if node is not None:
            waiting.extend(syntax.parts_of(node))
    return frozenset(names)


def _read(text: str, scope: Scope) -> tuple[Check, syntax.Expression]:
    source = Source(text)
    node, _, _ = parse(source)
    return Check(source, scope), node


def _close(check: Check, node: syntax.Expression, found: Node | None) -> None:
    """Raise what was found, if anything was, and bound the depth that features added."""
    if check.findings or found is None:
        raise check.findings.error()
    if check.inlined and measure(found)[1] > CONDITION_DEPTH_MAX:
        raise too_deep(check.source, node)


def condition(check: Check, node: syntax.Expression, setting: Setting) -> tree.Condition | None:
    """The condition a node stands for, or None after a finding."""
    check.count(1, node)
    match node:
        case syntax.Logic():
            return _logic(check, node, setting)
        case syntax.Compare():
            return _compare(check, node, setting)
        case syntax.In():
            return _in(check, node, setting)
        case syntax.Match():
            return _match(check, node, setting)
        case syntax.Presence():
            return _presence(check, node, setting)
        case syntax.Not():
            part = condition(check, node.part, setting)
            return None if part is None else tree.Not(part, check.place(node))
        case syntax.Literal(kind="truth"):
            return tree.Truth(node.text == "true", check.place(node))
        case syntax.Reference(kind="segment" | "list"):
            return _membership(check, node, setting)
        case _:
            _refuse_value(check, node, setting)
            return None


def _where(check: Check, node: syntax.Expression, event: syntax.Pattern) -> tree.Condition | None:
    return condition(check, node, Setting(_where, event))


_OPEN = Setting(_where)


def _logic(check: Check, node: syntax.Logic, setting: Setting) -> tree.Condition | None:
    parts: list[tree.Condition] = []
    nodes = flat(node)
    for each in nodes:
        part = condition(check, each, setting)
        if part is not None:
            parts.append(part)
    if len(parts) < len(nodes):
        return None
    return (tree.And if node.op == "and" else tree.Or)(tuple(parts), check.place(node))


def _compare(check: Check, node: syntax.Compare, setting: Setting) -> tree.Condition | None:
    left = operand(check, node.left, setting)
    right = operand(check, node.right, setting)
    if left is None or right is None:
        return None
    kinds = (kind_of(left), kind_of(right))
    if Kind.DURATION in kinds:
        sound = _elapsed_sound(check, node, left, right)
    else:
        sound = _kinds_sound(check, node, *kinds)
    if not sound:
        return None
    kind = kinds[1] if kinds[0] is Kind.UNKNOWN else kinds[0]
    if kind is Kind.UNKNOWN:
        kind = Kind.NUMBER if node.op in ORDERINGS else Kind.SCALAR
    return tree.Compare(node.op, read_as(left, kind), read_as(right, kind), check.place(node))


def _elapsed_sound(check: Check, node: syntax.Compare, left: tree.Operand, right: tree.Operand) -> bool:
    """Only ``since(…)`` or ``until(…)`` against a duration literal: else no due moment is known."""
    for value, other in ((left, right), (right, left)):
        if isinstance(value, tree.Elapsed) and isinstance(other, tree.Duration):
            return True
    elapsed = node.left if isinstance(left, tree.Elapsed) else node.right
    if isinstance(left, tree.Elapsed) or isinstance(right, tree.Elapsed):
        spelled = shorten(inline(elapsed))
        message = f"{spelled} compares with a duration literal only: else the moment it falls due is unknown"
        check.refuse("E208", message, f"write {spelled} {node.op} 14d", node)
        return False
    _misplaced_duration(check, node.left if isinstance(left, tree.Duration) else node.right)
    return False


def _kinds_sound(check: Check, node: syntax.Compare, left: Kind, right: Kind) -> bool:
    if Kind.UNKNOWN not in (left, right) and left is not right:
        message = (
            f"{shorten(inline(node.left))} is {NAMES[left]}, {shorten(inline(node.right))} is {NAMES[right]}"
        )
        check.refuse("E203", message, _agreeing(node, left, right), node.right)
        return False
    kind = right if left is Kind.UNKNOWN else left
    if node.op in ORDERINGS and kind in (Kind.TEXT, Kind.TRUTH):
        hint = "use ==, != or in; a number or time has an order, for example trait.age >= 18"
        check.refuse("E204", f"{node.op} asks for an order, {NAMES[kind]} has none", hint, node)
        return False
    return True


def _agreeing(node: syntax.Compare, left: Kind, right: Kind) -> str:
    """The remedy for two types that differ: the literal's side is the one to change."""
    kept, other, kind, op = node.left, node.right, left, node.op
    if isinstance(node.left, syntax.Literal) and not isinstance(node.right, syntax.Literal):
        kept, other, kind, op = node.right, node.left, right, MIRRORED.get(op, op)
    spelled = shorten(inline(kept))
    if kind is Kind.TIME and isinstance(other, syntax.Literal) and other.kind == "text":
        return f"write the date without quotes: {spelled} {op} 2026-11-27"
    if op in ORDERINGS and kind not in (Kind.NUMBER, Kind.TIME):
        op = "=="
    return f"compare it with {NAMES[kind]}, for example: {spelled} {op} {EXAMPLES[kind]}"


def _misplaced_duration(check: Check, node: syntax.Expression) -> None:
    hint = 'durations stand in windows and beside since or until: since(last("Login")) > 14d'
    check.refuse("E209", f"the duration {shorten(inline(node))} does not belong here", hint, node)


def _testable(check: Check, node: syntax.Expression, setting: Setting, test: str) -> tree.Operand | None:
    """The operand of a test other than a comparison; durations take part in none."""
    value = operand(check, node, setting)
    if isinstance(value, tree.Elapsed):
        spelled = shorten(inline(node))
        message = f"{spelled} compares with a duration literal, {test} does not apply"
        check.refuse("E208", message, f"write {spelled} > 14d, or test the time itself", node)
        return None
    if isinstance(value, tree.Duration):
        _misplaced_duration(check, node)
        return None
    return value


def _in(check: Check, node: syntax.In, setting: Setting) -> tree.Condition | None:
    value = _testable(check, node.operand, setting, "in")
    values: list[tree.Literal] = []
    for each in node.values:
        if each.kind in ("date", "duration"):
            hint = "use comparisons for times, for example trait.renews_at < 2026-11-27"
            check.refuse("E218", f"a list holds texts, numbers and truths, not {each.text}", hint, each)
            continue
        found = literal(check, each)
        if found is not None and (value is None or _element_sound(check, node, value, found, each)):
            values.append(found)
    if value is None or len(values) < len(node.values):
        return None
    return tree.In(value, tuple(values), node.negated, check.place(node))


def _element_sound(
    check: Check, node: syntax.In, value: tree.Operand, found: tree.Literal, at: syntax.Literal
) -> bool:
    left, right = kind_of(value), kind_of(found)
    if left in (right, Kind.UNKNOWN):
        return True
    message = f"{shorten(inline(node.operand))} is {NAMES[left]}, {shorten(inline(at))} is {NAMES[right]}"
    hint = (
        "a time has no list; use between or comparisons"
        if left is Kind.TIME
        else f"list values of its own type, for example [{EXAMPLES[left]}]"
    )
    check.refuse("E203", message, hint, at)
    return False


def _match(check: Check, node: syntax.Match, setting: Setting) -> tree.Condition | None:
    value = _testable(check, node.operand, setting, node.op)
    part = operand(check, node.part, setting)
    if value is None or part is None:
        return None
    kind = kind_of(value)
    if kind not in (Kind.TEXT, Kind.UNKNOWN):
        hint = 'use it on a text, for example trait.email ends with "@shop.example"'
        message = f"{node.op} looks into texts, {shorten(inline(node.operand))} is {NAMES[kind]}"
        check.refuse("E219", message, hint, node.operand)
        return None
    accepted: tuple[type, ...] = _ELEMENTS if node.op == "contains" and kind is Kind.UNKNOWN else (tree.Text,)
    if not isinstance(part, accepted):
        wanted = "a text in quotes" if len(accepted) == 1 else "a text, a number, true or false"
        hint = f'write {shorten(inline(node.operand))} {node.op} "…"'
        check.refuse("E218", f"{node.op} takes {wanted}, found {shorten(inline(node.part))}", hint, node.part)
        return None
    assert isinstance(part, _ELEMENTS)
    return tree.Match(node.op, value, part, check.place(node))


def _presence(check: Check, node: syntax.Presence, setting: Setting) -> tree.Condition | None:
    value = _testable(check, node.operand, setting, "is missing")
    return None if value is None else tree.Presence(value, node.missing, check.place(node))


def _membership(check: Check, node: syntax.Reference, setting: Setting) -> tree.Condition | None:
    if setting.event is not None:
        hint = "where sees one event: its properties by name, and context.…; join it outside with and"
        message = f"{shorten(inline(node))} looks beyond the one event that where sees"
        check.refuse("E213", message, hint, node)
        return None
    known = check.scope.segments if node.kind == "segment" else check.scope.lists
    if known is not None and node.name not in known:
        code = "E301" if node.kind == "segment" else "E302"
        hint = suggestion(
            node.name, known, f"define it in {node.kind}s/, or correct the name", f'{node.kind}("{{}}")'
        )
        check.refuse(code, f"there is no {node.kind} {quoted(node.name)}", hint, node)
        return None
    return (tree.SegmentRef if node.kind == "segment" else tree.ListRef)(node.name, check.place(node))


def _refuse_value(check: Check, node: syntax.Expression, setting: Setting) -> None:
    """A value stands where a condition belongs; what is wrong inside it comes first."""
    value = operand(check, node, setting)
    if value is None:
        return
    spelled = shorten(inline(node))
    hint = f"compare it, for example: {_example(value, spelled)}"
    check.refuse("E201", f"{spelled} is {NAMES[kind_of(value)]}, a condition was expected", hint, node)


def _example(value: tree.Operand, spelled: str) -> str:
    match value:
        case tree.Text():
            return f"count({spelled}) > 0"
        case tree.Duration():
            return f'since(last("Login")) > {spelled}'
        case tree.Trait() | tree.Property():
            return f"{spelled} == true"
        case tree.Aggregate() if value.name in VALUED:
            return f'{spelled} == "gold"'
    kind = kind_of(value)
    return f"{spelled} > {EXAMPLES.get(kind, '0')}" if kind is not Kind.NUMBER else f"{spelled} > 0"
