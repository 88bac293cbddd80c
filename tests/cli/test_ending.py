"""However a command ends: a finding and an exit status, never a traceback."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import duckdb
import pytest
import typer

from segue.cli import ending, output
from segue.cli.ending import run
from segue.domain.errors import refusal
from tests.cli.segue import PROGRAM, segue


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["memers"], "memers"),
        (["members"], "SEGMENT"),
        (["members", "a", "b"], "b"),
        (["members", "a", "--limit", "many"], "'--limit': it should be a valid integer"),
        (["members", "a", "--limit", "-1"], "'--limit': it should be greater"),
        (["members", "a", "--colour"], "--colour"),
        (["override", "u", "s", "maybe"], "'in|out|none': 'maybe' is not one of"),
        (["quarantine", "show", "first"], "'ID'"),
        (["quarantine", "mend", "1"], "mend"),
        (["list", "press", "add"], "add whom?"),
        (["export"], "--all"),
        (["export", "u", "--all"], "--all"),
        (["serve", "--port", "99999"], "'--port': it should be"),
    ],
)
def test_wrong_use_is_2_in_our_words(arguments: list[str], message: str) -> None:
    ended = segue(*arguments)
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.startswith("E780  ")
    assert message in ended.err.splitlines()[0]
    assert ended.err.count("\n") == 2


def test_with_json_the_refusal_is_an_object_too() -> None:
    ended = segue("members", "--json")
    assert ended.status == 2
    assert [found["code"] for found in ended.row["error"]] == ["E780"]
    assert ended.err.startswith("E780")


def failing(fault: BaseException) -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None)

    @app.command("fail")
    def fail() -> None:
        raise fault

    @app.command("other")
    def other() -> None:
        raise AssertionError

    return app


def test_a_fault_of_our_own_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(ValueError("no such thing")), ["fail"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("E799  a fault in Segue itself")
    assert "ValueError: no such thing" in told
    assert "Traceback" not in told


def test_the_trace_is_shown_on_demand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ending.DEBUG_VARIABLE, "1")
    assert run(failing(ValueError("no such thing")), ["fail"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(KeyboardInterrupt()), ["fail"]) == 130
    assert capsys.readouterr().err == "interrupted; what was acknowledged is kept\n"


def test_an_interruption_behind_a_finding_is_an_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    found = refusal("E543", "cannot be read", "look at the file")
    found.__cause__ = duckdb.InterruptException("INTERRUPT Error: Interrupted!")
    assert run(failing(found), ["fail"]) == 130
    assert capsys.readouterr().err == "interrupted; what was acknowledged is kept\n"


def test_nobody_reads_on(tmp_path: Path) -> None:
    """A reader that goes away, as ``head`` does, is no failure."""
    folder = tmp_path / "shop"
    assert segue("init", folder).status == 0
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [*PROGRAM, "check", "--workspace", str(folder)],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_text_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("user",), [("\x1b[2J\u202emoc",)])
    assert capsys.readouterr().out == "user\n\\x1b[2J\\u202emoc\n"


def test_wide_letters_keep_the_columns(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("user", "n"), [("日本", "1"), ("ab", "1,000")], numbers=["n"])
    assert capsys.readouterr().out == "user      n\n日本      1\nab    1,000\n"
