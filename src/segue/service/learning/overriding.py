"""A person's word in the place of a score or a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.domain.errors import refusal
from segue.language.findings import shorten, suggestion
from segue.learned.registry import Registry
from segue.log.said import CLUSTER, SCORE
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


def _is_a_group(service: Service, override: ScoreOverride) -> None:
    """Refuse a group that nobody can be in; of groups that are handed in nobody knows which there are."""
    if override.gives != CLUSTER or override.value is None:
        return
    version = Registry(service.data).champion(override.model)
    labels: list[str] = [] if version is None else list(version.document.get("labels", ()))
    if labels and override.value not in labels:
        found = f"the model {override.model} has no group {shorten(str(override.value))}"
        raise refusal(
            "E880", found, suggestion(str(override.value), labels, f"its groups are {', '.join(labels)}")
        )


def override_score(service: Service, override: ScoreOverride) -> None:
    """Have everybody read this value, or take that back: durable and evaluated when it returns.

    E461, E462, E463 or E880 for what cannot be, a group that the version in force has not among it.
    """
    core = service.core
    override.checked()
    _is_a_group(service, override)
    with core.gate:
        row = core.intake.identity.rows.get(override.user_id)
        done = core.record("override", {"until": None, **override.to_json(), "row": row})
    done.result()
