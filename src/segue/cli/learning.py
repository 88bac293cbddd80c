"""The commands about models: train, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.bars import bar
from segue.cli.connection import connected
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import say, say_json
from segue.domain.event import Json

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="The name of a model.")]


def train(
    name: Annotated[str | None, typer.Argument(metavar="MODEL", help="One model; all if left out.")] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> int:
    """Learn models from the log, and put in force what beats its rule.

    Each is judged on a later cut-off against a simple rule; one that does not beat it beyond chance
    is kept as a candidate. Ends with 1 when a model could not be learned.

    \b
    Example:
      segue train
      segue train churn --json
    """
    refused = False
    arguments = {"model": name, "in_words": not as_json}
    with connected(workspace, data_folder(workspace, data), "train") as connection, bar("", "models") as told:
        for row in connection.call("train", arguments, told):
            refused = refused or "refused" in row
            if as_json:
                say_json(row)
            else:
                say(row["text"] if "text" in row else _refused(row))
    return int(refused)


def _refused(row: Json) -> str:
    first = row["refused"][0]
    return f"{row['model']}: not learned\n  {first['code']}  {first['message']}\n    {first['hint']}"


def compare(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A segment, or a condition in quotes.")],
    model: ModelArgument,
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", help="A version of it, not the one in force.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="The score from which on; as many as the rule takes.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Write the curve of gains there, as SVG.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold a model against a rule, side by side.

    Accuracy on the latest cut-off whose labels are known, the members of both now, how each keeps up,
    and what explains them.

    \b
    Example:
      segue compare win_back_targets churn
      segue compare 'count("Order Completed", last 60d) == 0' churn --plot churn.svg
    """
    arguments: dict[str, Json] = {
        "rule": rule, "model": model, "version": version, "threshold": threshold, "in_words": not as_json
    }  # fmt: skip
    with connected(workspace, data_folder(workspace, data), "compare") as connection:
        (found,) = connection.call("compare", arguments)
    if plot is not None:
        _draw(found, plot)
    if as_json:
        say_json(found)
    else:
        say(found["text"])


def _draw(found: Json, file: Path) -> None:
    from segue.domain.errors import refusal
    from segue.learned.plot import of_gains
    from segue.segments.write import write_file

    judged = found["accuracy"]
    if judged is None:
        hint = "compare a model with a target, once a horizon has passed"
        raise refusal("E864", "there is nothing to draw: nothing was judged", hint)
    held, name = judged["rule"], found["model"]["name"]
    point = (held["share"], held["recall"] or 0.0)
    curve = [(share, reached) for share, reached in judged["gains"]]
    write_file(file, of_gains(f"{name} against a rule", curve, point, (name, "the rule")).encode())
