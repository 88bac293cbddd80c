"""How a command ends: every failure as a finding and an exit status, never as a traceback."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from segue.cli import output
from segue.domain.errors import Diagnostic, SegueError, UsageError

GOOD, PROBLEMS, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses."""
DEBUG_VARIABLE = "SEGUE_DEBUG"

_WORDS = {": Value error, ": ": ", ": Input should be ": ": it should be "}
"""What its parser of values says, and how we say it."""


def run(app: typer.Typer, arguments: list[str]) -> int:
    """Runs the command that the arguments name; its exit status."""
    as_json = "--json" in arguments
    try:
        status = app(arguments or ["--help"], prog_name="segue", standalone_mode=False)
        output.flush()
    except output.OutputClosedError:
        _hush()
        return GOOD
    except KeyboardInterrupt:
        status = INTERRUPTED
    except SegueError as refused:
        if not _interrupted(refused):
            return _refused(refused, as_json)
        status = INTERRUPTED
    except typer.TyperException as misused:
        return _refused(_misuse(misused), as_json)
    except Exception as fault:  # noqa: BLE001 # the last door: whatever it is, people get a sentence
        if not _interrupted(fault):
            return _refused(_unexpected(fault), as_json)
        status = INTERRUPTED
    if status == INTERRUPTED:
        output.warn("interrupted; what was acknowledged is kept")
    return status if isinstance(status, int) else GOOD


def _refused(refused: SegueError, as_json: bool) -> int:
    output.warn(str(refused))
    if as_json:
        try:
            output.say_json({"error": [found.to_json() for found in refused.diagnostics]})
            output.flush()
        except output.OutputClosedError:
            _hush()
    return refused.exit_status


def _misuse(misused: typer.TyperException) -> UsageError:
    """Typer's own finding in our words."""
    context = getattr(misused, "ctx", None)
    command = context.command_path if context is not None else "segue"
    message = " ".join(misused.format_message().split()).rstrip(".")
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    hint = f"`{command} --help` shows an example"
    return UsageError(Diagnostic("E780", message[:1].lower() + message[1:], hint))


def _interrupted(fault: BaseException | None) -> bool:
    """Whether Ctrl-C is behind it, or what DuckDB makes of Ctrl-C."""
    while fault is not None:
        if isinstance(fault, KeyboardInterrupt) or type(fault).__name__ == "InterruptException":
            return True
        if isinstance(fault, RuntimeError) and str(fault) == "Query interrupted":
            return True
        fault = fault.__cause__ or fault.__context__
    return False


def _unexpected(fault: Exception) -> SegueError:
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(fault)
    what = f"{type(fault).__name__}: {fault}".strip().rstrip(":")
    where = _last_place(fault)
    hint = f"report this with the command you typed; {DEBUG_VARIABLE}=1 shows the whole trace"
    return SegueError(Diagnostic("E799", f"a fault in Segue itself{where}: {what}", hint))


def _last_place(fault: Exception) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    own = [frame for frame in frames if f"{os.sep}segue{os.sep}" in frame.filename]
    return f" (in {own[-1].name}, line {own[-1].lineno})" if own else ""


def _hush() -> None:
    """Nobody reads any more: what is still buffered goes nowhere, also at the end of the process."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)
