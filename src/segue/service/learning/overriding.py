"""A person's word in the place of a score or a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.domain.errors import refusal
from segue.language.findings import suggestion
from segue.log.said import SCORE
from segue.segments.override import ScoreOverride

if TYPE_CHECKING:
    from segue.service.service import Service


def gives(service: Service, model: str) -> str:
    """What a model of the workspace gives, "score" or "cluster"; E881 when there is none of this name."""
    models = service.workspace.scope.models
    if model not in models:
        hint = suggestion(model, models, "`segue models` lists those there are")
        raise refusal("E881", f"there is no model {model!r}", hint)
    return models[model]


def value_of(kind: str, text: str) -> float | str | None:
    """A value as people write it: a number for a score, else a name; ``none`` is no value."""
    if text == "none":
        return None
    if kind != SCORE:
        return text
    try:
        return float(text)
    except ValueError:
        return text


def override_score(service: Service, override: ScoreOverride) -> None:
    """Have everybody read this value, or take that back: durable and evaluated when it returns."""
    core = service.core
    override.checked()
    with core.gate:
        row = core.intake.identity.rows.get(override.user_id)
        done = core.record("override", {"until": None, **override.to_json(), "row": row})
    done.result()
