"""docs/workspace.md explains every key, and its examples are good."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from segue.domain.errors import Diagnostic
from segue.domain.planned import PROPERTY_TYPES
from segue.segments.document import parse
from segue.segments.experiences.reading import GOAL_FIELDS, VARIANT_FIELDS
from segue.segments.fields import Field, Sheet
from segue.segments.folder import read_folder
from segue.segments.property_fields import PROPERTY_FIELDS
from segue.segments.readers import DEFINITION_KINDS, DefinitionKind
from segue.segments.recommendations.fields import (
    BLEND_FIELDS,
    FILTER_FIELDS,
    INTEREST_FIELDS,
    RULE_FIELDS,
)
from segue.segments.source import Source

PAGE = (Path(__file__).parents[2] / "docs" / "workspace.md").read_text(encoding="utf-8")
_EXAMPLE = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
WITHIN = (*INTEREST_FIELDS, *BLEND_FIELDS, *RULE_FIELDS, *FILTER_FIELDS)
"""The keys within a recommendation."""
_ROW = re.compile(r"^\| `(\w+)` \| *(yes)?", re.MULTILINE)


def section(kind: DefinitionKind) -> str:
    heading = "Tracking plan" if kind.key == "event" else kind.folder.capitalize()
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("kind", DEFINITION_KINDS, ids=lambda kind: kind.key)
def test_every_key_has_its_row(kind: DefinitionKind) -> None:
    table = section(kind).partition("\nOf a property")[0].partition("\nOf a variant")[0]
    table = table.partition("\nOf an event that tells of interest")[0]
    assert _ROW.findall(table) == [(field.key, "yes" if field.required else "") for field in kind.fields]


def test_every_key_of_a_property_has_its_row() -> None:
    table = PAGE.partition("\nOf a property")[2].partition("\n## ")[0]
    assert [key for key, _ in _ROW.findall(table)] == [field.key for field in PROPERTY_FIELDS]
    assert all(f"`{word}`" in table for word in PROPERTY_TYPES)


def test_every_key_of_a_variant_has_its_row() -> None:
    table = PAGE.partition("\nOf a variant")[2].partition("\n## ")[0]
    assert _ROW.findall(table) == [(field.key, "yes" if field.required else "") for field in VARIANT_FIELDS]


def test_every_key_within_a_recommendation_has_its_row() -> None:
    table = PAGE.partition("\nOf an event that tells of interest")[2].partition("\n## ")[0]
    assert _ROW.findall(table) == [(field.key, "yes" if field.required else "") for field in WITHIN]


@pytest.mark.parametrize("kind", DEFINITION_KINDS, ids=lambda kind: kind.key)
def test_the_example_is_good(kind: DefinitionKind) -> None:
    examples = _EXAMPLE.findall(section(kind))
    assert examples
    for example in examples:
        findings: list[Diagnostic] = []
        source = Source("docs/workspace.md", example)
        assert kind.read(parse(source), Sheet(source, findings)) is not None
        assert findings == []


@pytest.mark.parametrize(
    "field",
    [
        *(field for kind in DEFINITION_KINDS for field in kind.fields),
        *PROPERTY_FIELDS,
        *VARIANT_FIELDS,
        *GOAL_FIELDS,
        *WITHIN,
    ],
)
def test_every_key_says_what_it_means(field: Field) -> None:
    assert field.meaning
    assert not field.meaning.endswith(".")


def test_every_folder_is_on_the_map(tmp_path: Path) -> None:
    folders = [kind.folder for kind in DEFINITION_KINDS]
    assert all(f"{folder}/" in PAGE for folder in folders)
    assert set(read_folder(tmp_path, environment={}).definitions) == {kind.key for kind in DEFINITION_KINDS}
