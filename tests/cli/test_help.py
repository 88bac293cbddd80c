"""Every command shows an example that it would take, and stands in docs/commands.md."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from segue.cli.app import app
from tests.cli.segue import segue

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
GROUP: Any = typer.main.get_command(app)


def all_commands() -> dict[str, Any]:
    """Every command with its full name, those of groups too."""
    return dict(_commands(GROUP, ""))


def _commands(group: Any, before: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield before + name, command
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")


COMMANDS = all_commands()


def parse(line: str) -> None:
    """Parses a command line without running it; raises what the program would refuse it with."""
    words = shlex.split(line.partition(" > ")[0])
    assert words[0] == "segue"
    group, rest = GROUP, words[1:]
    context = group.make_context("segue", list(rest))
    while hasattr(group, "commands") and rest and rest[0] in group.commands:
        group, rest = group.commands[rest[0]], rest[1:]
        context = group.make_context(group.name, list(rest), parent=context)


def help_of(name: str) -> str:
    context = COMMANDS[name].make_context(name, [], resilient_parsing=True)
    text: str = COMMANDS[name].get_help(context)
    return text


def examples(text: str) -> list[str]:
    """The lines below "Example:" in a help text."""
    after = text.partition("Example:\n")[2].partition("\n\n")[0]
    return [line.strip() for line in after.splitlines()]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example_that_parses(name: str) -> None:
    shown = examples(help_of(name))
    assert any(line.startswith(f"segue {name}") for line in shown)
    for line in shown:
        parse(line)


def test_an_example_that_is_wrong_would_be_noticed() -> None:
    with pytest.raises(typer.TyperException):
        parse("segue members one two")


def test_every_command_has_its_heading_and_no_other() -> None:
    assert set(re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("line", re.findall(r"^segue .*$", PAGE, re.MULTILINE))
def test_every_example_of_the_page_parses(line: str) -> None:
    parse(line)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_heading_has_an_example(name: str) -> None:
    section = PAGE.partition(f"### `{name}`\n")[2].partition("\n#")[0]
    assert re.search(rf"^segue {name}\b", section, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_both_folders(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert {"--workspace", "--data"} <= options


def test_the_program_without_arguments_shows_its_help() -> None:
    ended = segue()
    assert ended.status == 0
    assert set(COMMANDS) >= {"members"}
    assert all(f"\n  {name} " in ended.out for name in COMMANDS if " " not in name)


def test_help_loads_nothing_heavy() -> None:
    ended = segue("--help", environment={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip() for line in ended.err.splitlines()}
    assert "typer" in loaded
    assert not loaded & {"numpy", "numba", "duckdb", "starlette", "uvicorn", "segue.log.sqlite"}
