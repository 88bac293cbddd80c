"""YAML text to placed nodes, in one bounded pass over the C parser's events.

Only what a list of definitions needs is taken: mappings, lists, scalars, and aliases within
bounds. Tags, merge keys, repeated keys and a second document are refused, for each of them
can make a file mean something else than it seems to.
"""

from __future__ import annotations

import copy
import re
from typing import Any

import yaml
from yaml import CSafeLoader

from segue.domain.errors import Place, SegueError
from segue.domain.limits import YAML_ALIASES_MAX, YAML_DEPTH_MAX, YAML_NODES_MAX
from segue.language.findings import shorten
from segue.segments.nodes import Entries, Items, Node, Scalar
from segue.segments.source import Source

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN_TAG = "!"


def parse(source: Source) -> Node:
    """The one document of a text; E404 to E413 for what is not one."""
    _refuse_unprintable(source)
    builder = _Builder(source)
    try:
        parser = CSafeLoader(source.text)  # only its events are read, nothing is constructed
        while (event := parser.get_event()) is not None:
            builder.take(event)
    except yaml.YAMLError as fault:
        raise _broken(source, fault) from fault
    if builder.root is None or (isinstance(builder.root, Scalar) and builder.root.plain() is None):
        hint = "write a definition into it, or delete the file"
        raise source.refusal("E404", "is empty: it holds no definition", hint)
    return builder.root


def _refuse_unprintable(source: Source) -> None:
    found = _UNPRINTABLE.search(source.text)
    if found is None:
        return
    line = sum(start <= found.start() for start in source.starts())
    place = source.place(line, found.start() - source.starts()[line - 1] + 1)
    message = f"a control character stands here (U+{ord(found[0]):04X})"
    raise source.refusal(
        "E405", message, "remove it; inside double quotes it can be written as an escape", place
    )


def _broken(source: Source, fault: yaml.YAMLError) -> SegueError:
    problem = getattr(fault, "problem", None) or "is no YAML"
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    place = source.place(mark.line + 1, mark.column + 1) if mark else source.place(1, 1)
    line = source.line(place.line)
    if "\t" in line[: place.column]:
        return source.refusal(
            "E405", "a tab stands in the indentation", "indent with spaces, never tabs", place
        )
    context = getattr(fault, "context", None)
    message = "broken YAML: " + (f"{problem} {context}" if context else problem)
    hint = "check the indentation, the colons and the quotes of this line and the one above"
    return source.refusal("E405", message, hint, place)


class _Open:
    """A mapping or list that is still being read."""

    __slots__ = ("anchor", "count_before", "height", "key", "node")

    def __init__(self, node: Entries | Items, anchor: str | None, count_before: int) -> None:
        self.node = node
        self.anchor = anchor
        self.count_before = count_before
        self.height = 1
        self.key: Scalar | None = None


class _Builder:
    """Puts nodes together from events and keeps every bound; an alias counts with all it stands for."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.root: Node | None = None
        self.documents = 0
        self.count = 0
        self.aliases = 0
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int, int]] = {}  # name -> node, nodes in it, height

    def take(self, event: Any) -> None:
        """One event of the parser."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._finish(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            hint = "keep one document a file; a file may hold a list of definitions"
            raise self.source.refusal("E406", "a second document begins here", hint, self._place(event))

    def _scalar(self, event: Any) -> None:
        self._refuse_tag(event)
        start, end = event.start_mark, event.end_mark
        style = event.style or ""
        stop = end.index
        if style in ("|", ">"):
            # The parser reads on to the next content; what an edit replaces ends with the text.
            stop = start.index + len(self.source.text[start.index : stop].rstrip())
        place = (start.line + 1, start.column + 1, start.index, stop)
        node = Scalar(event.value, style, place)
        self._count(event, 1)
        if event.anchor:
            self.anchors[event.anchor] = (node, 1, 0)
        self._attach(node, 0)

    def _start(self, event: Any) -> None:
        self._refuse_tag(event)
        if len(self.stack) >= YAML_DEPTH_MAX:
            raise self._too_deep(event)
        mark = event.start_mark
        shape = Entries if isinstance(event, yaml.MappingStartEvent) else Items
        node = shape(
            bool(event.flow_style), (mark.line + 1, mark.column + 1, mark.index, event.end_mark.index)
        )
        self._count(event, 1)
        self.stack.append(_Open(node, event.anchor, self.count - 1))

    def _finish(self, event: Any) -> None:
        opened = self.stack.pop()
        node = opened.node
        if node.flow:
            node.end = event.end_mark.index
        if opened.anchor:
            self.anchors[opened.anchor] = (node, self.count - opened.count_before, opened.height)
        self._attach(node, opened.height)

    def _alias(self, event: Any) -> None:
        self.aliases += 1
        if self.aliases > YAML_ALIASES_MAX:
            message = f"more than {YAML_ALIASES_MAX} aliases"
            raise self.source.refusal("E412", message, "write the values out", self._place(event))
        known = self.anchors.get(event.anchor)
        if known is None:
            message = f"the alias *{event.anchor} stands inside its own anchor, or has none"
            raise self.source.refusal("E412", message, "write the value out", self._place(event))
        node, count, height = known
        if len(self.stack) + height > YAML_DEPTH_MAX:
            raise self._too_deep(event)
        self._count(event, count)
        through = copy.copy(node)
        through.alias = (event.start_mark.index, event.end_mark.index)
        self._attach(through, height)

    def _attach(self, node: Node, height: int) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        parent.height = max(parent.height, height + 1)
        container = parent.node
        if isinstance(container, Items):
            container.items.append(node)
        elif parent.key is None:
            parent.key = self._key(container, node)
            return
        else:
            container.entries[parent.key.text] = (parent.key, node)
            parent.key = None
        if not container.flow:
            container.end = max(container.end, node.extent[1])

    def _key(self, container: Entries, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            raise self._refused_key("E413", node, "a key must be text", "write the key as one word")
        if node.text == "<<" and not node.style:
            message = "merge keys (<<) are not taken: they hide where a value comes from"
            raise self._refused_key("E409", node, message, "write the keys out")
        if node.text in container.entries:
            first = container.entries[node.text][0]
            message = f'the key "{shorten(node.text)}" stands here again, first in line {first.line}'
            raise self._refused_key("E408", node, message, "keep one of the two")
        return node

    def _refused_key(self, code: str, node: Node, message: str, hint: str) -> SegueError:
        place = self.source.place(node.line, node.column, node.end - node.start)
        return self.source.refusal(code, message, hint, place)

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None and event.tag != _PLAIN_TAG:
            hint = "remove the tag: the kind of a value follows from how it is written"
            raise self.source.refusal(
                "E407", f"the tag {shorten(event.tag)} is not taken", hint, self._place(event)
            )

    def _count(self, event: Any, more: int) -> None:
        self.count += more
        if self.count > YAML_NODES_MAX:
            message = f"more than {YAML_NODES_MAX:,} values, counting what aliases repeat"
            hint = "split the file, or write without aliases"
            raise self.source.refusal("E411", message, hint, self._place(event))

    def _too_deep(self, event: Any) -> SegueError:
        message = f"nested deeper than {YAML_DEPTH_MAX} levels"
        hint = "a definition needs three or four; check the brackets"
        return self.source.refusal("E410", message, hint, self._place(event))

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return self.source.place(mark.line + 1, mark.column + 1)
