"""A comparison of a rule and a model as people read it."""

from __future__ import annotations

from collections.abc import Mapping

from segue.domain.event import Json
from segue.learned.gate import sentence

_TITLES = {"auc": "AUC of the choice"}
"""A rule only chooses; a model ranks everybody, and the gate goes by that."""


def render(found: Mapping[str, Json]) -> str:
    """The comparison as people read it."""
    rule, model = found["rule"], found["model"]
    version = f"{model['name']}, version {model['version']}"
    lines = [
        f"rule   {' '.join(rule['text'].split())}",
        f"model  {version} ({model['status']}), from {_number(model['threshold'])} on",
        "",
        *_accuracy(found["accuracy"]),
        "members now",
        *_members(rule, model, found["members"]),
        "",
        *_update(found["update"]),
        "",
        *_explanation(found["explanation"]),
    ]
    return "\n".join(lines)


def _accuracy(judged: Json) -> list[str]:
    if judged is None:
        return ["accuracy: nothing is foretold that could be judged", ""]
    users = f"{judged['users']:,} users of whom {judged['base_rate']:.1%} did"
    lines = [
        f"accuracy at {judged['cut_off']}, on {users}",
        f"  {'':<18}{'rule':>10}{'model':>10}",
    ]
    for key, shape in (
        ("size", ",d"),
        ("precision", ".3f"),
        ("recall", ".3f"),
        ("lift", ".2f"),
        ("auc", ".4f"),
    ):
        sides = [judged[side][key] for side in ("rule", "model")]
        cells = ["-" if value is None else format(value, shape) for value in sides]
        lines.append(f"  {_TITLES.get(key, key):<18}{cells[0]:>10}{cells[1]:>10}")
    return [*lines, f"  gate, by the ranking of all: {sentence(judged['verdict'])}", ""]


def _members(rule: Json, model: Json, shared: Json) -> list[str]:
    likeness = "-" if shared["likeness"] is None else f"{shared['likeness']:.0%}"
    alone = f"only the rule {shared['only_rule']:,}, only the model {shared['only_model']:,}"
    return [
        f"  rule {rule['members']:,}, model {model['members']:,} of {model['users']:,}",
        f"  both {shared['both']:,}, {alone} (alike {likeness})",
    ]


def _update(update: Json) -> list[str]:
    rule, model = update["rule"], update["model"]
    cost = "" if model["us_per_user"] is None else f", {model['us_per_user']:.1f} µs a user to score"
    return [
        "keeping up",
        f"  rule   {rule['when']}; {rule['us_per_event']:.2f} µs an event",
        f"  model  {model['when']}; {model['us_per_event']:.2f} µs an event for its features{cost}",
    ]


def _explanation(explanation: Json) -> list[str]:
    lines = ["explained by", f"  rule   {' '.join(explanation['rule'].split())}"]
    for each in explanation["model"][:5]:
        lines.append(f"  model  {each['importance']:8.4f}  {each['text']}")
    as_rule = explanation["model_as_rule"]
    if as_rule is not None:
        lines.append(
            f"  the model's choice, nearly as a rule (right for {as_rule['precision']:.0%} of it, "
            f"{as_rule['recall']:.0%} of the choice):"
        )
        lines += [f"    {line}" for line in as_rule["when"].splitlines()]
    return lines


def _number(value: Json) -> str:
    return "-" if value is None else f"{value:.4f}"
