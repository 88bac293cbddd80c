"""``segue fmt``: conditions and expressions in their one spelling, the rest of each file as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from segue.domain.errors import Diagnostic, SegueError
from segue.language.formatter import format_condition
from segue.segments.document import parse
from segue.segments.folder import YAML_ENDINGS
from segue.segments.nodes import Entries, Items, Node, Plain, Scalar
from segue.segments.origin import Origin
from segue.segments.readers import DEFINITION_KINDS, DefinitionKind
from segue.segments.rewrite import Edit, cannot_edit, definitions_of, edited, reread, stripped, value_edit
from segue.segments.source import Source, read_source
from segue.segments.write import write_file


def format_workspace(folder: Path, check: bool = False) -> list[str]:
    """The files with conditions in another spelling, by path in the folder; ``check`` writes none of them.

    Raises SegueError with all findings when a file or a condition cannot be read, and writes
    nothing then. Names and types are not looked at. What stands behind an anchor is left alone.
    """
    findings: list[Diagnostic] = []
    changed: dict[str, str] = {}
    for kind in DEFINITION_KINDS:
        if not (kind.expression_keys or kind.inner):
            continue
        for path in sorted((folder / kind.folder).glob("*")):
            if path.suffix.lower() in YAML_ENDINGS and not path.name.startswith("."):
                try:
                    source = read_source(path, f"{kind.folder}/{path.name}")
                    text = format_source(source, kind)
                except SegueError as refused:
                    findings.extend(refused.diagnostics)
                    continue
                if text != source.text:
                    changed[source.file] = text
    if findings:
        raise SegueError(*findings)
    for file, text in changed.items():
        if not check:
            write_file(folder / file, text.encode())
    return list(changed)


def format_source(source: Source, kind: DefinitionKind) -> str:
    """The text of a file with its conditions, or expressions, in their one spelling."""
    findings: list[Diagnostic] = []
    edits: list[Edit] = []
    nodes = definitions_of(parse(source))
    wanted = [_content(node, kind) for node in nodes]
    for node, (_, texts) in zip(nodes, wanted, strict=True):
        for number, (holder, keys) in enumerate(kind.expressions(node)):
            for key, spelling in _spelled(source, holder, keys, findings):
                edits.append(value_edit(source, holder, key, spelling))
                texts[number][key] = spelling
    if findings:
        raise SegueError(*findings)
    text = edited(source, edits)
    if edits and [_content(node, kind) for node in reread(source, text)] != wanted:
        raise cannot_edit(source)
    return text


def _spelled(
    source: Source, node: Entries, keys: tuple[str, ...], findings: list[Diagnostic]
) -> Iterator[tuple[str, str]]:
    """The keys of a definition whose text has another spelling, with it; what cannot be read is noted."""
    for key in keys:
        value = node.value(key)
        if not isinstance(value, Scalar) or not _own(source, value):
            continue
        try:
            spelling = format_condition(value.text)
        except SegueError as refused:
            findings.extend(Origin(source, value).moved(found) for found in refused.diagnostics)
            continue
        if spelling != value.text.strip():
            yield key, spelling


def _own(source: Source, value: Node) -> bool:
    """Whether a value stands here and nowhere else: not through an alias, nor with an anchor."""
    return value.alias is None and source.text[value.start : value.start + 1] != "&"


def _content(node: Node, kind: DefinitionKind) -> tuple[Plain, list[dict[str, str]]]:
    """What a definition says: all but its expressions, and the texts of those, mapping by mapping."""
    held = [
        {key: value for key in keys if isinstance(value := holder.value(key), Scalar)}
        for holder, keys in kind.expressions(node)
    ]
    expressions = {id(value) for values in held for value in values.values()}
    texts = [{key: value.text.strip() for key, value in values.items()} for values in held]
    return stripped(_without(node, expressions)), texts


def _without(node: Node, expressions: set[int]) -> Plain:
    """The value of a node with nothing in the place of its expressions."""
    if id(node) in expressions:
        return None
    if isinstance(node, Entries):
        return {name: _without(value, expressions) for name, (_, value) in node.entries.items()}
    return [_without(each, expressions) for each in node] if isinstance(node, Items) else node.plain()
