"""Budgets of the tree. They are ratchets: a number here may go down, not up."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "segue"
MODULES = sorted(PACKAGE.rglob("*.py"))

MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "stuff"}

NOTES_FOR_LATER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.:/-])/(home|Users|root|work|tmp|var|opt|mnt)/\w")
SPEAKS_OF_PATHS = {"tests/project/test_tree.py"}

FUNCTION_LINES_GRANTED: dict[str, int] = {}
"""Functions that Numba must see as one: their size today, by path and name."""


def tracked_files() -> list[Path]:
    """Every text file under version control, or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git work tree")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    files = [ROOT / name for name in names if (ROOT / name).is_file()]
    return [path for path in files if b"\0" not in path.read_bytes()[:4096]]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions_of(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{relative(path)}::{node.name}", node.end_lineno - node.lineno + 1


def test_there_is_something_to_measure() -> None:
    assert len(MODULES) > 5


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_is_read_at_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES_MAX


def test_a_function_is_taken_in_at_a_glance() -> None:
    sizes = dict(pair for path in MODULES for pair in functions_of(path))
    too_long = {
        name: lines
        for name, lines in sizes.items()
        if lines > FUNCTION_LINES_GRANTED.get(name, FUNCTION_LINES_MAX)
    }
    assert too_long == {}
    assert set(FUNCTION_LINES_GRANTED) <= set(sizes), "a grant without its function"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_drawers(path: Path) -> None:
    words = {word for part in path.relative_to(PACKAGE).with_suffix("").parts for word in part.split("_")}
    assert not words & DRAWERS


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module begins with a sentence on what it holds"


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in MODULES}
    assert {relative(folder) for folder in folders if not (folder / "__init__.py").is_file()} == set()


def test_no_module_stands_on_itself() -> None:
    """Also by way of others, within functions and where only types are looked at."""
    graph = grimp.build_graph(PACKAGE.name, cache_dir=None)
    stands_on = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    TopologicalSorter(stands_on).prepare()


def test_no_notes_for_later() -> None:
    found = [
        f"{relative(path)}:{number}"
        for path in tracked_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if NOTES_FOR_LATER.search(line) and relative(path) not in SPEAKS_OF_PATHS
    ]
    assert found == []


def test_no_path_of_one_machine() -> None:
    found = [
        f"{relative(path)}:{number}: {line.strip()}"
        for path in tracked_files()
        if relative(path) not in SPEAKS_OF_PATHS
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert found == []


def test_no_large_file_slips_in() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = [name for name in listed.stdout.decode().split("\0") if name]
    large = {name for name in names if (ROOT / name).is_file() and (ROOT / name).stat().st_size > 3_000_000}
    assert large == set()
