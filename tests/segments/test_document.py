"""YAML is read within bounds, and whatever the bytes are, the answer is a finding with a place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segue.domain import limits
from segue.domain.errors import Diagnostic, SegueError
from segue.segments.document import parse
from segue.segments.fields import Sheet
from segue.segments.nodes import Entries, Items, Node
from segue.segments.readers import DEFINITION_KINDS
from segue.segments.rewrite import definitions_of
from segue.segments.source import Source, decode, read_source
from segue.segments.user_table import read_user_table
from segue.segments.workspace import load_workspace

SCRAPS = (
    "segment: a", "feature: f", "when: |", "  count(\"X\") > 3", "- ", "? ", ": ", "&a ", "*a", "<<: *a",
    "!!str ", "{", "}", "[", "]", ",", "|", ">-", "'", '"', "\\", "#", "%YAML 1.1", "---", "...", "\n",
    "\n  ",
    "\t", "\r\n", "\u2028", "\x85", "\ufeff", "owner: no", "users: [1, 2]", "properties: {p: {enum: [1]}}",
    "priority: 9e99", "\\ud83d",
)  # fmt: skip


def codes_of(text: str) -> set[str]:
    with pytest.raises(SegueError) as refused:
        parse(Source("a.yaml", text))
    return {found.code for found in refused.value.diagnostics}


def test_an_alias_bomb_is_refused_before_it_opens() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 11)]
    assert codes_of("\n".join(lines)) == {"E411"}


def test_many_aliases_are_refused() -> None:
    assert codes_of("a: &a x\nb: [" + ", ".join(["*a"] * (limits.YAML_ALIASES_MAX + 1)) + "]") == {"E412"}


def test_aliases_within_bounds_are_taken() -> None:
    root = parse(Source("a.yaml", "a: &a {x: 1}\nb: *a\n"))
    assert root.plain() == {"a": {"x": 1}, "b": {"x": 1}}


def test_depth_counts_through_aliases() -> None:
    lines = ["a: &a0 " + "[" * 20 + "]" * 20]
    lines += [f"b{n}: &a{n} " + "[" * 20 + f"*a{n - 1}" + "]" * 20 for n in range(1, 4)]
    assert codes_of("\n".join(lines)) == {"E410"}


def test_ten_thousand_brackets() -> None:
    assert codes_of("a: " + "[" * 10_000) == {"E410"}


def test_more_values_than_a_file_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.segments.document.YAML_NODES_MAX", 100)
    assert codes_of("- a\n" * 101) == {"E411"}


def test_a_file_beyond_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("segue.segments.source.WORKSPACE_FILE_BYTES_MAX", 100)
    (tmp_path / "a.yaml").write_text("#" * 101)
    with pytest.raises(SegueError, match="E402"):
        read_source(tmp_path / "a.yaml", "a.yaml")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SegueError, match="E401"):
        load_workspace(tmp_path / "nowhere", environment={})


def test_a_file_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "segue.yaml").mkdir()
    with pytest.raises(SegueError, match="E401"):
        load_workspace(tmp_path, environment={})


def test_a_condition_of_a_megabyte(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    head = "segment: a\nowner: o@x\ndescription: Words.\nwhen: |\n"
    (tmp_path / "segments" / "a.yaml").write_text(head + "  true and\n" * 100_000 + "  true\n")
    with pytest.raises(SegueError) as refused:
        load_workspace(tmp_path, environment={})
    assert [found.place.file for found in refused.value.diagnostics if found.place] == ["segments/a.yaml"]


def test_places_count_characters_not_bytes() -> None:
    root = parse(Source("a.yaml", "ünï: 'é'  \nb:\n  - 😀x: 1\n"))
    assert isinstance(root, Entries)
    assert [(key.line, key.column, value.line, value.column) for key, value in root.entries.values()] == [
        (1, 1, 1, 6),
        (2, 1, 3, 3),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("yes", "yes"), ("010", "010"), ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("0x1F", "0x1F"), ("0o7", "0o7"), ("1_000", "1_000"), (".5", ".5"), ("1.", "1."),
        ("+1", "+1"), ("=", "="),
        (".inf", ".inf"), (".nan", ".nan"), ("9" * 400, "9" * 400), ("'1'", "1"), ('"true"', "true"),
        ("true", True), ("FALSE", False), ("~", None), ("null", None), ("-3", -3),
        ("1e3", 1000.0), ("0.5", 0.5),
    ],
)  # fmt: skip
def test_only_what_json_knows_is_no_text(text: str, value: object) -> None:
    root = parse(Source("a.yaml", f"a: {text}"))
    plain = root.plain()
    assert isinstance(plain, dict)
    assert plain["a"] == value
    assert type(plain["a"]) is type(value)


def all_nodes(root: Node) -> list[Node]:
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, Items):
            waiting.extend(node)
        elif isinstance(node, Entries):
            waiting.extend(part for pair in node.entries.values() for part in pair)
    return found


def read_all(data: bytes) -> list[Diagnostic]:
    """Reads bytes as a file of every kind; all that is said about them."""
    said: list[Diagnostic] = []
    try:
        source = Source("a.yaml", decode(data, "a.yaml"))
    except SegueError as refused:
        return list(refused.diagnostics)
    read_user_table(source, "press", said)
    try:
        root = parse(source)
    except SegueError as refused:
        return [*said, *refused.diagnostics]
    for node in all_nodes(root):
        assert 0 <= node.start <= node.end <= len(source.text)
    sheet = Sheet(source, said)
    for kind in DEFINITION_KINDS:
        for node in definitions_of(root):
            kind.read(node, sheet)
    return said


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf")
@example(b"\xff\xfe")
@example(b"a: \x00")
def test_random_bytes_are_answered(data: bytes) -> None:
    for found in read_all(data):
        assert found.render()


@given(st.lists(st.sampled_from(SCRAPS), max_size=25).map("".join))
@example('{"a": "\\ud83d\\ude00", "a": 1}')
@example("segment: &a !!python/name:os.system x")
def test_random_yaml_is_answered(text: str) -> None:
    for found in read_all(text.encode()):
        assert found.render()
        assert found.place is not None
        assert found.hint
