"""What the code can say or be told is explained in docs/, under a heading of its own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from segue.settings import OPTIONS
from tests.project.test_tree import relative, tracked_files

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "segue"

_CODE = re.compile(r"""["']([EW]\d{3})["']""")
_HEADING = re.compile(r"^#{1,6} +(.*)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
_PAGES = sorted(
    path
    for folder in (
        "",
        "docs",
        "docs/decisions",
        "examples/online-retail",
        "examples/online-retail/data",
        "examples/shop",
    )
    for path in (ROOT / folder).glob("*.md")
)


def headings(folder: Path) -> str:
    """All headings of the pages of a folder, one a line."""
    pages = (path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.md")))
    return "\n".join(heading for page in pages for heading in _HEADING.findall(page))


def codes_in_source() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    return {code for text in texts for code in _CODE.findall(text)}


def test_every_error_code_has_its_heading() -> None:
    explained = set(re.findall(r"\b[EW]\d{3}\b", headings(ROOT / "docs")))
    assert codes_in_source() - explained == set()


def test_no_heading_for_a_code_that_is_gone() -> None:
    explained = set(re.findall(r"\b[EW]\d{3}\b", headings(ROOT / "docs")))
    assert explained - codes_in_source() == set()


@pytest.mark.parametrize("name", [option.name for option in OPTIONS])
def test_every_setting_has_its_heading(name: str) -> None:
    assert f"`{name}`" in headings(ROOT / "docs").splitlines()


def test_every_folder_is_on_the_map() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    folders = {path.parent.relative_to(PACKAGE).parts[0] for path in PACKAGE.glob("*/__init__.py")}
    assert {folder for folder in folders if f"{folder}/" not in architecture} == set()


def test_every_folder_beside_the_code_is_on_the_map() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    folders = {relative(path).partition("/")[0] for path in tracked_files() if path.parent != ROOT}
    shown = {folder for folder in folders if not folder.startswith(".")} - {"src"}
    assert {folder for folder in shown if f"\n{folder}/" not in architecture} == set()
    examples = {path.name for path in (ROOT / "examples").iterdir() if path.is_dir()}
    assert {name for name in examples if f"{name}:" not in architecture} == set()


def test_every_layer_is_in_the_contract_of_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = " ".join(project["tool"]["importlinter"]["contracts"][0]["layers"])
    names = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    names |= {path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    assert names - set(re.findall(r"segue\.(\w+)", layers)) == set()


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = _LINK.findall(page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_decisions_are_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted(folder.glob("0*.md")) if path.name not in index] == []


def test_every_page_is_named_where_people_begin() -> None:
    named = set(_LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} - named == set()


def test_a_word_has_one_row_in_the_glossary() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", page, re.MULTILINE)
    assert len(words) > 50
    assert words == sorted(words)
    assert len({word.removesuffix("s") for word in words}) == len(words)
