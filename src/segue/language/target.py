"""Checking what a model is to foretell: it asks for the time ahead, all of it equally far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from segue.domain.time import parse_duration
from segue.language import syntax, tree
from segue.language.checker import check_either
from segue.language.checking import Check
from segue.language.findings import Source, shorten
from segue.language.parser import parse
from segue.language.printer import inline
from segue.language.scope import Scope

_HINT = 'ask for events ahead, for example count("Order Completed", next 90d) > 0'
_POPULATION = "what holds at the moment itself belongs under population or features"


def check_target(text: str, scope: Scope) -> tree.Condition | tree.Operand:
    """The checked tree of a target, with :class:`~segue.language.tree.Next` windows of one length.

    SegueError with all findings: those of any text of the language, and E312 to E314.
    """
    source = Source(text)
    node, _, _ = parse(source)
    check = Check(source, scope)
    windows = list(_ahead(check, node))
    if not windows and not check.findings:
        check.refuse("E313", "this target does not say how far it looks ahead", _HINT, node)
    for window in windows:
        if parse_duration(window.duration.text) != parse_duration(windows[0].duration.text):
            message = f"next {window.duration.text} and next {windows[0].duration.text} in one target"
            check.refuse("E314", message, "look equally far ahead everywhere", window)
    if check.findings:
        raise check.findings.error()
    return check_either(text, replace(scope, ahead=True))


def _ahead(check: Check, root: syntax.Expression) -> Iterator[syntax.LastWindow]:
    """The windows of a target; whatever asks for something else than the time ahead is noted."""
    waiting: list[syntax.Expression | syntax.Pattern | syntax.Window | None] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, syntax.Aggregate | syntax.Sequence):
            if isinstance(node.window, syntax.LastWindow) and node.window.direction == "next":
                yield node.window
            else:
                message = f"{shorten(inline(node))} does not look ahead"
                check.refuse("E312", message, f"give it a window `next D`; {_POPULATION}", node)
        elif isinstance(node, syntax.Path | syntax.Reference | syntax.Elapsed):
            message = f"{shorten(inline(node))} says something of the moment, a target of the time after it"
            check.refuse("E312", message, _POPULATION, node)
        elif node is not None:
            waiting.extend(reversed(syntax.parts_of(node)))
