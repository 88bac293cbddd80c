"""Small edits of a YAML text: one value, one key, one definition at a time; all else stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from segue.domain.errors import Diagnostic, Place, SegueError
from segue.segments.document import parse
from segue.segments.nodes import Entries, Items, Node, Plain, Scalar
from segue.segments.source import Source

Edit = tuple[int, int, str]
"""Replace the text from one index to another."""

# Text that YAML takes as it stands: no indicator first, no colon or remark within.
_PLAIN_TEXT = re.compile(r"""(?![-?:,\[\]{}#&*!|>'"%@`\s])(?!.*(?:: | \#|:$)).*\S""")
_NOT_AS_IT_IS = re.compile(
    "[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_SHORT_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_REMARK = re.compile(r"[ \t]+#.*$")
STEP = 2


def edited(source: Source, edits: list[Edit]) -> str:
    """The text with all edits made; they do not overlap."""
    text = source.text
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new.replace("\n", source.newline) + text[end:]
    return text


def definitions_of(root: Node) -> list[Node]:
    """The definitions of a document: it is one, or a list of them."""
    return list(root) if isinstance(root, Items) else [root]


def reread(source: Source, text: str) -> list[Node]:
    """The definitions of an edited text; E452 when the edit broke it."""
    try:
        return definitions_of(parse(Source(source.file, text)))
    except SegueError as fault:
        raise cannot_edit(source) from fault


def cannot_edit(source: Source) -> SegueError:
    """What is said when an edit would do more, or else, than was asked for."""
    message = "is written in a form that cannot be edited without touching more than was asked for"
    hint = "edit the file by hand; anchors are the usual reason"
    return SegueError(Diagnostic("E452", message, hint, Place(1, 1, 1, source.file), source.line(1)))


def stripped(value: Plain) -> Plain:
    """A value without the blanks around its texts, which depend on how it is written."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [stripped(each) for each in value]
    if isinstance(value, dict):
        return {key: stripped(each) for key, each in value.items()}
    return value


# ---- how values are written ----------------------------------------------------------------


def mapping_text(values: Mapping[str, object], indent: int) -> str:
    """A definition in block style; no indentation on its first line, no line end at its end."""
    lines = [f"{key}: {_spelled(value, indent + STEP, False)}" for key, value in values.items()]
    return ("\n" + " " * indent).join(lines)


def _spelled(value: object, indent: int, as_block: bool) -> str:
    """A value where blocks are allowed; a text of several lines is one."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    lines = value.split("\n")
    if (len(lines) > 1 or as_block) and _fits_a_block(lines):
        return "|\n" + "\n".join(" " * indent + line if line else "" for line in lines)
    return value if _stands_plain(value) else quoted(value)


def _stands_plain(value: str) -> bool:
    if _NOT_AS_IT_IS.search(value) or not _PLAIN_TEXT.fullmatch(value):
        return False
    return isinstance(Scalar(value, "", (0, 0, 0, 0)).plain(), str)


def _fits_a_block(lines: list[str]) -> bool:
    starts = bool(lines[0]) and lines[0][0] != " " and bool(lines[-1])
    return starts and not any(line != line.rstrip() or _NOT_AS_IT_IS.search(line) for line in lines)


def quoted(value: str) -> str:
    """A text in double quotes, on one line, as YAML and nearly always also JSON."""

    def escaped(found: re.Match[str]) -> str:
        sign = found[0]
        code = ord(sign)
        return _SHORT_ESCAPES.get(sign) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")

    return '"' + _NOT_AS_IT_IS.sub(escaped, value.replace("\\", "\\\\").replace('"', '\\"')) + '"'


# ---- edits ---------------------------------------------------------------------------------


def value_edit(source: Source, container: Entries, key: str, new: object) -> Edit:
    """Replaces the value under a key and keeps the remark behind it."""
    key_node, value = container.entries[key]
    start, end = value.extent
    if container.flow:
        return (start, end, quoted(new) if isinstance(new, str) else json.dumps(new, ensure_ascii=False))
    text = source.text
    in_block = isinstance(value, Scalar) and value.style in ("|", ">") and value.alias is None
    stop = end if not in_block else text.find("\n", start)
    head = text[start:stop].rstrip("\r")
    line_end = _line_end(text, end)
    remark = (_REMARK.search(head) if in_block else _REMARK.fullmatch(text, end, line_end)) or None
    spelling, _, body = _spelled(new, container.column - 1 + STEP, in_block).partition("\n")
    gap = " " if start == key_node.end + 1 else ""
    if start - (text.rfind("\n", 0, start) + 1) < container.column:
        # Items may stand right below their key; nothing else may.
        gap = " " * STEP
    written = gap + spelling + (remark[0] if remark else "") + ("\n" + body if body else "")
    return (start, end if in_block or not remark else line_end, written)


def mapping_edits(source: Source, node: Entries, changed: Mapping[str, object]) -> list[Edit]:
    """The edits that give some keys new values; None takes a key out. No other key is touched."""
    if node.flow:
        values = {**node.plain(), **changed}
        left = {key: value for key, value in values.items() if value is not None}
        return [
            (*node.extent, json.dumps(left, ensure_ascii=False, indent=STEP if "\n" in source.text else None))
        ]
    edits = []
    for key in node.entries:
        if key in changed:
            gone = changed[key] is None
            edits.append(
                _without_entry(source, node, key) if gone else value_edit(source, node, key, changed[key])
            )
    added = {key: value for key, value in changed.items() if key not in node.entries and value is not None}
    if added:
        # Before the last key, which is the condition as a rule and reads best at the end.
        indent = node.column - 1
        last = [key for key in node.entries if changed.get(key, ...) is not None][-1]
        start = node.entries[last][0].start
        edits.append((start, start, mapping_text(added, indent) + "\n" + " " * indent))
    return edits


def without_item(source: Source, root: Items, node: Node) -> list[Edit]:
    """Takes one item out of a list; remarks above it stay."""
    if root.flow:
        left = [each.plain() for each in root if each is not node]
        return [(*root.extent, json.dumps(left, ensure_ascii=False, indent=STEP))]
    text = source.text
    start = text.rfind("\n", 0, text.rfind("-", 0, node.start)) + 1
    return [(start, _past_line(text, node.extent[1]), "")]


def _without_entry(source: Source, node: Entries, key: str) -> Edit:
    """Takes one entry out with its line; the first of an item leaves the item's dash to the next."""
    text = source.text
    key_node, value = node.entries[key]
    keys = list(node.entries)
    if key == keys[0] and len(keys) > 1:
        return (key_node.start, node.entries[keys[1]][0].start, "")
    return (text.rfind("\n", 0, key_node.start) + 1, _past_line(text, value.extent[1]), "")


def _line_end(text: str, index: int) -> int:
    while index < len(text) and text[index] not in "\r\n":
        index += 1
    return index


def _past_line(text: str, index: int) -> int:
    end = _line_end(text, index)
    return end + 2 if text[end : end + 2] == "\r\n" else min(end + 1, len(text))
