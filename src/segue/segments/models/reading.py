"""How models are read from files: their keys, and which of them each kind takes."""

from __future__ import annotations

from typing import Any

from segue.domain.limits import REMOTE_BATCH_MAX
from segue.domain.time import format_duration
from segue.language.findings import shorten
from segue.learned.models.value import MEASURES
from segue.learned.spec import RESERVED
from segue.segments.definitions import STATUSES
from segue.segments.fields import (
    Field,
    Sheet,
    duration,
    every,
    expression,
    head,
    integer,
    is_name,
    number,
    one_of,
    read_fields,
    text,
)
from segue.segments.models.definition import AUTO, KINDS, READY, GuardsGiven, ModelDefinition
from segue.segments.models.ready import READY_KINDS
from segue.segments.nodes import Entries, Node, Scalar
from segue.segments.origin import Origin

FEATURES_MAX = 200


def count(node: Node, key: str, sheet: Sheet) -> int | None:
    """A whole number, 0 or more."""
    found = integer(node, key, sheet)
    if found is not None and found < 0:
        sheet.refuse("E535", node, f"{key} is below zero", "write a whole number, 0 or more")
        return None
    return found


def groups(node: Node, key: str, sheet: Sheet) -> int | None:
    """How many clusters there are to be."""
    found = integer(node, key, sheet)
    if found is not None and not 2 <= found <= 20:
        sheet.refuse("E535", node, f"{key} is out of range", "write a number from 2 to 20")
        return None
    return found


def batch(node: Node, key: str, sheet: Sheet) -> int | None:
    """How many profiles are asked for at once."""
    found = integer(node, key, sheet)
    if found is not None and not 1 <= found <= REMOTE_BATCH_MAX:
        sheet.refuse("E535", node, f"{key} is out of range", f"write a number from 1 to {REMOTE_BATCH_MAX:,}")
        return None
    return found


def threshold(node: Node, key: str, sheet: Sheet) -> float | None:
    """The score from which on people act."""
    value = number(node, key, sheet)
    if value is None:
        return None
    if not 0 <= value < 1e15:
        sheet.refuse("E535", node, f"{key} is out of range", "a chance lies between 0 and 1: 0.5")
        return None
    return float(value)


def features(node: Node, key: str, sheet: Sheet) -> dict[str, str] | str | None:
    """``auto``, or expressions and conditions by name."""
    if isinstance(node, Scalar) and node.text == AUTO:
        return AUTO
    if not isinstance(node, Entries) or not node.entries:
        hint = f'write `{key}: {AUTO}`, or names with expressions: `orders: count("Order Completed")`'
        sheet.wrong_type(key, node, f"`{AUTO}` or a mapping of names and expressions", hint)
        return None
    if len(node.entries) > FEATURES_MAX:
        sheet.refuse("E535", node, f"more than {FEATURES_MAX} features", "leave out those that say little")
        return None
    found = {}
    for each, (key_node, value) in node.entries.items():
        if not is_name(each) or each in RESERVED:
            why = "means something else in a model" if each in RESERVED else "is no name in lower_snake_case"
            sheet.refuse("E532", key_node, f'"{shorten(each)}" {why}', "give the feature another name")
            return None
        spelled = expression(value, each, sheet)
        if spelled is None:
            return None
        found[each] = spelled
    return found


_GUARD_FIELDS = (
    Field("users", count, "the fewest users to learn from"),
    Field("events", count, "the fewest events that each of them has"),
    Field("positives", count, "the fewest users of whom the target holds"),
    Field("boosting", count, "the fewest users, of 10 events each, to try boosting with"),
    Field("reason", text, "why it is not what the kind asks for", required=True),
)


def guards(node: Node, key: str, sheet: Sheet) -> GuardsGiven | None:
    """The guards of this model alone; they say why."""
    noted = len(sheet.findings)
    values = read_fields(node, key, _GUARD_FIELDS, sheet)
    return None if values is None or len(sheet.findings) > noted else GuardsGiven(**values)


def _path(node: Node, key: str, sheet: Sheet) -> str | None:
    found = text(node, key, sheet)
    if found is not None and not all(part.isidentifier() for part in found.split(".")):
        sheet.refuse("E535", node, f"{key} is no property", "write its path, for example revenue")
        return None
    return found


def _event(node: Node, key: str, sheet: Sheet) -> str | None:
    return text(node, key, sheet)


_KEYS_OF: dict[str, frozenset[str]] = {
    "target": frozenset(("propensity", "churn", "value", "upload", "remote")),
    "horizon": frozenset(("propensity", "churn", "value", "upload", "remote")),
    "seed": frozenset(("lookalike",)),
    "features": frozenset(("propensity", "churn", "clusters", "lookalike", "value", "remote")),
    "guards": frozenset(("propensity", "churn", "clusters", "lookalike", "value")),
    "baseline": frozenset(("propensity", "churn", "lookalike", "value", "upload", "remote")),
    "threshold": frozenset(("propensity", "churn", "lookalike", "value", "upload", "remote")),
    "amount": frozenset(("value", "propensity", "churn", "clusters", "lookalike", "remote")),
    "groups": frozenset(("clusters",)),
    "measure": frozenset(("value",)),
    "gives": frozenset(("upload", "remote")),
    "url": frozenset(("remote",)),
    "timeout": frozenset(("remote",)),
    "retries": frozenset(("remote",)),
    "batch": frozenset(("remote",)),
    "fallback": frozenset(("remote",)),
    "token": frozenset(("remote",)),
}
"""The kinds that take a key; a key that does not stand here is taken by all."""
_OPTIONS = ("groups", "measure", "gives", "url", "timeout", "retries", "batch", "fallback", "token")

MODEL_FIELDS = (
    *head("model"),
    Field("kind", one_of(*KINDS), "what kind of model it is"),
    Field("ready", one_of(*READY), "a ready-made model instead of a kind"),
    Field(
        "status", one_of(*STATUSES), "draft and archived models are checked and neither trained nor scored"
    ),
    Field("event", _event, "the event that a ready-made model, and the features of a value, are about"),
    Field("amount", _path, "the property of that event that holds what was spent"),
    Field("target", expression, "what is foretold, with windows `next D`"),
    Field("horizon", duration, "how far ahead it looks"),
    Field("population", expression, "whom it is about"),
    Field("seed", expression, "who is taken as an example"),
    Field("features", features, "what it learns from: `auto`, or expressions by name"),
    Field("baseline", expression, "the rule that it has to beat"),
    Field("threshold", threshold, "the score from which on people act"),
    Field("guards", guards, "how much there must be to learn from, and why not as much as the kind asks for"),
    Field("schedule", every, "how often it is trained again"),
    Field("rescore", every, "how often everybody is scored again, for what time alone changes"),
    Field("groups", groups, "how many groups there are to be"),
    Field("measure", one_of(*MEASURES), "what a value is: an amount, a number of purchases, or a chance"),
    Field("gives", one_of("score", "cluster"), "what it says of a profile"),
    Field("url", text, "where a model that is served elsewhere is asked"),
    Field("timeout", duration, "how long one request to it may take"),
    Field("retries", count, "how often a request that failed is made again"),
    Field("batch", batch, "how many profiles are asked for at once"),
    Field(
        "fallback", one_of("keep", "missing"), "what counts while it does not answer: the last score or none"
    ),
    Field("token", text, "the environment variable that holds its bearer token"),
)


def make_model(values: dict[str, Any], node: Entries, sheet: Sheet) -> ModelDefinition | None:
    """The definition; None after noting what does not belong together."""
    kind = _kind(values, node, sheet)
    if kind is None or not _belongs(values, kind, node, sheet):
        return None
    given = values.get("features", AUTO)
    return ModelDefinition(
        name=values["model"],
        owner=values["owner"],
        description=values["description"],
        kind=kind,
        ready=values.get("ready"),
        title=values.get("title"),
        status=values.get("status", "active"),
        event=values.get("event"),
        amount=values.get("amount"),
        target=values.get("target"),
        horizon_ms=values.get("horizon"),
        population=values.get("population"),
        seed=values.get("seed"),
        features=None if given == AUTO else given,
        baseline=values.get("baseline"),
        threshold=values.get("threshold"),
        guards=values.get("guards"),
        schedule_ms=values.get("schedule"),
        rescore_ms=values.get("rescore"),
        options={
            key: format_duration(values[key]) if key == "timeout" else values[key]
            for key in _OPTIONS
            if key in values
        },
        origin=sheet.origin(node.value("model")),
        origins=_origins(node, sheet),
    )


def _kind(values: dict[str, Any], node: Entries, sheet: Sheet) -> str | None:
    ready, kind = values.get("ready"), values.get("kind")
    if any(key in node.entries and key not in values for key in ("kind", "ready")):
        return None
    if (ready is None) is (kind is None):
        hint = "write `kind: propensity`, or `ready: churn` and the event it is about"
        found = "no kind" if kind is None else "a kind and is ready-made too"
        sheet.refuse("E531", node.key("kind") or node.key("model") or node, f"this model has {found}", hint)
        return None
    return kind if ready is None else READY_KINDS[ready]


def _belongs(values: dict[str, Any], kind: str, node: Entries, sheet: Sheet) -> bool:
    sound = True
    for key in values:
        kinds = _KEYS_OF.get(key)
        if kinds is not None and kind not in kinds:
            hint = f"{key} is for {', '.join(sorted(kinds))}"
            sheet.refuse("E530", node.key(key) or node, f"a model of kind {kind} takes no {key}", hint)
            sound = False
    return sound


def _origins(node: Entries, sheet: Sheet) -> dict[str, Origin | None]:
    texts = ("target", "population", "seed", "baseline", "event")
    found = {key: sheet.origin(node.value(key)) for key in texts}
    given = node.value("features")
    if isinstance(given, Entries):
        found.update({each: sheet.origin(value) for each, (_, value) in given.entries.items()})
    return found
