"""What an installation brings along is used."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.project.test_tree import MODULES, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def plain(name: str) -> str:
    """A distribution's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: list[str]) -> set[str]:
    """The distributions of some requirements, without those that name our own extras."""
    return {plain(re.split(r"[\[<>=!~; ]", each, maxsplit=1)[0]) for each in requirements} - {PROJECT["name"]}


TO_COME = ("spark", "flink")
"""Extras of engines that are still to come; `all` leaves them out."""
LIBRARIES = named(PROJECT["dependencies"]).union(
    *(
        named(each)
        for extra, each in PROJECT["optional-dependencies"].items()
        if extra not in ("dev", *TO_COME)
    )
)


@functools.cache
def brought() -> dict[str, set[str]]:
    """The packages that each installed distribution brings."""
    found: dict[str, set[str]] = {}
    for module, names in packages_distributions().items():
        for name in names:
            found.setdefault(plain(name), set()).add(module)
    return found


@functools.cache
def imported() -> set[str]:
    """Every package that the source imports, wherever in a module it does."""
    found: set[str] = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_every_library_is_imported(library: str) -> None:
    """A dependency that nothing imports is weight, and an extra of it is a promise that nobody keeps."""
    brings = brought().get(library, set())
    assert brings, "it is not installed"
    assert brings & imported()


def test_all_is_everything_but_the_large_engines() -> None:
    extras = PROJECT["optional-dependencies"]
    (everything,) = extras["all"]
    held = set(re.findall(r"[\w-]+", everything.removeprefix("segue")))
    assert held == set(extras) - {"all", "dev", *TO_COME}
