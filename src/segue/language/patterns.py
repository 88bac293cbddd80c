"""Checking events and windows: which events an aggregate sees."""

from __future__ import annotations

from collections.abc import Callable

from segue.language import syntax, tree
from segue.language.checking import Check, duration, moment
from segue.language.findings import suggestion
from segue.language.printer import key, quoted

Where = Callable[[Check, syntax.Expression, syntax.Pattern], tree.Condition | None]
"""The check of a condition that sees one event; given from above, since conditions hold patterns."""

ALL_TIME = tree.AllTime()


def pattern(check: Check, node: syntax.Pattern, where: Where) -> tree.EventPattern | None:
    """The events of an aggregate, a step or a window; the path is the caller's."""
    check.count(1, node)
    known = _planned(check, node)
    if node.where is None:
        return tree.EventPattern(node.type, node.name, None, check.place(node)) if known else None
    condition = where(check, node.where, node)
    if condition is None or not known:
        return None
    return tree.EventPattern(node.type, node.name, condition, check.place(node))


def pathless(check: Check, node: syntax.Pattern, what: str) -> bool:
    """Refuse a path where the event alone is meant."""
    if not node.path:
        return True
    name = node.type if node.name is None else quoted(node.name)
    hint = f"leave .{'.'.join([key(part) for part in node.path])} away: {what}({name})"
    check.refuse("E212", f"{what} takes an event without a path", hint, node)
    return False


def planned_property(
    check: Check, event: syntax.Pattern, path: tuple[str, ...], at: syntax.Path | syntax.Pattern
) -> bool:
    """Refuse a property that the tracking plan does not name for this event."""
    plan = check.scope.events
    if plan is None or event.name is None:
        return True
    names = plan.get(event.name)
    spelled = ".".join(path)
    beginnings = [".".join(path[:end]) for end in range(1, len(path) + 1)]
    if names is None or any(each in names for each in beginnings):
        return True
    if any(name.startswith(f"{spelled}.") for name in names):
        return True
    otherwise = "add it to the event's plan in events/, or correct the name"
    within = f"{path[0]}."
    parts = [name.removeprefix(within) for name in names if name.startswith(within)]
    if parts:
        hint = suggestion(".".join(path[1:]), parts, otherwise, within + "{}")
    else:
        hint = suggestion(path[0], names, otherwise)
    message = f"the tracking plan knows no property {spelled} of {quoted(event.name)}"
    check.refuse("E305", message, hint, at)
    return False


def _planned(check: Check, node: syntax.Pattern) -> bool:
    plan = check.scope.events
    if plan is None or node.name is None or node.name in plan:
        return True
    hint = suggestion(node.name, plan, "add it to the plan in events/, or correct the name", '"{}"')
    check.refuse("E304", f"the tracking plan knows no event {quoted(node.name)}", hint, node)
    return False


def window(check: Check, node: syntax.Window | None, where: Where) -> tree.Window | None:
    """A window, or None after a finding."""
    match node:
        case syntax.EventWindow():
            bare = pathless(check, node.event, f"since {node.which}")
            event = pattern(check, node.event, where)
            inner = fixed(check, node.window, f"since {node.which}")
            if event is None or inner is None or not bare:
                return None
            assert not isinstance(inner, tree.Next), "a target is refused before"
            return tree.SinceEvent(node.which, event, inner)
        case syntax.SessionWindow():
            return tree.ThisSession()
        case _:
            return _plain(check, node)


def fixed(
    check: Check, node: syntax.Window | None, what: str
) -> tree.AllTime | tree.Last | tree.Between | tree.Next | None:
    """A window that hangs on no other event."""
    if isinstance(node, syntax.EventWindow | syntax.SessionWindow):
        hint = "use last D, between DATE and DATE or since DATE here"
        check.refuse("E216", f"{check.source.quote(node)} cannot be the window of {what}", hint, node)
        return None
    return _plain(check, node)


def _plain(
    check: Check, node: syntax.LastWindow | syntax.DatesWindow | None
) -> tree.AllTime | tree.Last | tree.Between | tree.Next | None:
    match node:
        case None:
            return ALL_TIME
        case syntax.LastWindow(direction="next") if check.scope.ahead:
            length = duration(check, node.duration)
            return None if length is None else tree.Next(length.ms)
        case syntax.LastWindow(direction="next"):
            hint = f"look back instead: last {node.duration.text}"
            check.refuse("E215", "next looks into the future, which only a model's target can", hint, node)
            return None
        case syntax.LastWindow():
            length = duration(check, node.duration)
            return None if length is None else tree.Last(length.ms)
        case syntax.DatesWindow():
            return _dates(check, node)


def _dates(check: Check, node: syntax.DatesWindow) -> tree.Between | None:
    start = moment(check, node.since)
    if node.until is None:
        return None if start is None else tree.Between(start.ms, None, start.text)
    end = moment(check, node.until)
    if start is None or end is None:
        return None
    if end.ms <= start.ms:
        hint = "put the earlier date first; the second one is not part of the window"
        check.refuse("E217", "this window ends before it begins, nothing can be in it", hint, node)
        return None
    return tree.Between(start.ms, end.ms, start.text, end.text)
