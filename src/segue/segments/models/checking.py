"""Holds models against the rest of the workspace: their texts are checked, and the engine follows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from segue.domain.errors import Diagnostic, SegueError
from segue.domain.time import format_duration
from segue.language import tree
from segue.language.ahead import horizons
from segue.language.checker import check_condition, check_either, features_in
from segue.language.interpret import Definition, Rules, needed
from segue.language.reading import is_literal
from segue.language.scope import EITHER, Scope
from segue.language.target import check_target
from segue.language.tree import Kind
from segue.language.types import kind_of, read_as
from segue.language.walk import references, walk
from segue.learned.models import KINDS
from segue.learned.models.remote import unreachable
from segue.learned.spec import EVERYBODY, FeatureSpec, Guards, ModelSpec
from segue.segments.check import Checking
from segue.segments.definitions import EventPlan, SegmentDefinition
from segue.segments.models.definition import ModelDefinition
from segue.segments.models.ready import Measured, filled, planned, seen
from segue.segments.origin import Origin
from segue.settings import Settings

Tree = TypeVar("Tree")
_NOTHING = tree.Number(0)
_GUESSES = ("score", "cluster")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What models are checked in: the workspace's settings and segments, in order, and events for `auto`.

    ``private_targets`` is the setting that says which private addresses may be asked.
    """

    rules: Rules
    private_targets: str
    segments: Sequence[Definition]
    measured: Sequence[Measured]


def surroundings(
    settings: Settings,
    segments: Mapping[str, SegmentDefinition],
    conditions: Mapping[str, tree.Condition],
    plan: Mapping[str, EventPlan],
    expressions: Mapping[str, tree.Operand],
) -> Surroundings:
    """Those of a workspace: `auto` takes the tracking plan's events, else those that conditions name."""
    definitions = [
        Definition(each.name, conditions[each.name], each.exclusive, each.priority or 0, each.status)
        for each in segments.values()
    ]
    measured = planned(plan) if plan else seen([*conditions.values(), *expressions.values()])
    rules = Rules(settings.timezone, settings.session_gap_ms)
    return Surroundings(rules, str(settings.private_targets), definitions, measured)


def gives(models: Mapping[str, ModelDefinition], claims: Iterable[str]) -> dict[str, str]:
    """What each model says of a profile, for those who name it; also of models that could not be read."""
    return {name: models[name].gives if name in models else EITHER for name in claims}


def exact(
    checking: Checking, segments: Mapping[str, SegmentDefinition], conditions: Mapping[str, tree.Condition]
) -> None:
    """Refuse scores and clusters in segments that promise to be exact (E537)."""
    for name, condition in conditions.items():
        segment = segments[name]
        found = _guessed(condition) if segment.kind == "operational" else None
        if found is not None:
            message = f'{name} is operational and uses {found.owner}("{found.path[0]}"), which is a guess'
            hint = "write `kind: strategic`, or test what was observed"
            checking.refuse("E537", message, hint, segment.when_origin)


def checked_models(
    models: Mapping[str, ModelDefinition], checking: Checking, surroundings: Surroundings
) -> dict[str, ModelSpec]:
    """The models that are sound, those in use followed from now on; what is wrong with others is noted."""
    found = {}
    for name, model in models.items():
        spec = _Model(model, checking, surroundings).spec()
        if spec is not None:
            found[name] = spec
    for spec in found.values():
        if models[spec.name].live:
            checking.watches.update(spec.watches())
            checking.watched_values.update(spec.values())
    return found


def _guessed(root: tree.Condition | tree.Operand) -> tree.Trait | None:
    """What models say of a profile, where a tree asks for it."""
    asked = (node for node in walk(root) if isinstance(node, tree.Trait) and node.owner in _GUESSES)
    return next(asked, None)


class _Model:
    """One model."""

    def __init__(self, model: ModelDefinition, checking: Checking, surroundings: Surroundings) -> None:
        self.model = filled(model, surroundings.measured)
        self.checking = checking
        self.here = surroundings
        self.sound = True

    def spec(self) -> ModelSpec | None:
        """The model as it is learned, or None after noting what is wrong."""
        model = self.model
        self._whole()
        population = self._text("population", model.population, check_condition) or EVERYBODY
        seed = self._text("seed", model.seed, check_condition)
        target = self._text("target", model.target, check_target)
        baseline = self._text("baseline", model.baseline, check_either)
        features = tuple(self._features())
        horizon = self._horizon(target)
        trees = [each for each in (population, seed, baseline) if each is not None]
        segments = self._segments([*trees, *(each.tree for each in features)])
        self._used()
        if not self.sound:
            return None
        return ModelSpec(
            name=model.name,
            kind=model.kind,
            gives=model.gives,
            features=features,
            population=population,
            target=target,
            horizon_ms=horizon,
            seed=seed,
            baseline=baseline,
            threshold=model.threshold,
            guards=_guards(model),
            segments=segments,
            rules=self.here.rules,
            options={**model.options, **_about(model), **self._reachable()},
        )

    def _refuse(self, code: str, message: str, hint: str, key: str = "") -> None:
        self.sound = False
        self.checking.refuse(code, message, hint, self.model.origins.get(key) or self.model.origin)

    def _note(self, refused: SegueError, origin: Origin | None) -> None:
        self.sound = False
        self.checking.note(refused, origin, f"model {self.model.name}")

    def _text(self, key: str, text: str | None, check: Callable[[str, Scope], Tree]) -> Tree | None:
        """The checked tree of one of its texts; a text that was filled in is blamed on the event."""
        if text is None:
            return None
        try:
            return check(text, self.checking.scope)
        except SegueError as refused:
            origin = self.model.origins.get(key)
            if origin is None:
                whole = self.model.origins.get("event") or self.model.origin
                found = [Diagnostic(each.code, each.message, each.hint) for each in refused.diagnostics]
                self._note(SegueError(*found), whole)
            else:
                self._note(refused, origin)
            return None

    def _whole(self) -> None:
        """Refuse a model without what its kind needs.

        One that was restored from the log may be anywhere: the log does not keep what private addresses were
        allowed, and its address is looked at again when it is asked.
        """
        model, name = self.model, self.model.name
        if model.kind in ("propensity", "churn", "value") and model.target is None:
            hint = 'write `event: Order Completed`, or `target: count("Order Completed", next 90d) > 0`'
            self._refuse("E531", f"{name} says neither a target nor the event it is about", hint)
        if model.kind == "value" and model.event is None:
            hint = "write `event: Order Completed` and `amount: revenue`"
            self._refuse("E531", f"{name} does not say which event is a purchase", hint)
        elif self._is_vague():
            hint = "write `amount: revenue`, the property that holds it, or `measure: purchases`"
            self._refuse("E531", f"{name} does not say what a purchase comes to", hint)
        if model.kind in ("propensity", "churn") and model.target is not None:
            self._chance()
        if model.kind == "lookalike" and model.seed is None:
            hint = 'write `seed: list("press")`, or any condition that holds for the examples'
            self._refuse("E531", f"{name} does not say whom to look like", hint)
        if model.kind == "remote" and "url" not in model.options:
            self._refuse("E531", f"{name} does not say where it is served", "write `url: https://…`")
        if model.kind == "remote" and "url" in model.options and model.origin is not None:
            why = unreachable(str(model.options["url"]), self.here.private_targets)
            if why is not None:
                hint = "correct the address, or allow its network with the setting private_targets"
                self._refuse("E875", f"{name} cannot be asked: {why}", hint)
        if model.kind != "upload" and not model.features:
            hint = "write features by name, or put events into the tracking plan for `features: auto`"
            self._refuse("E534", f"{name} has nothing to learn from: no event is known", hint, "features")

    def _is_vague(self) -> bool:
        """Whether a value says neither an amount nor what else is meant; the log may hold an older one."""
        model = self.model
        unsaid = model.amount is None and "measure" not in model.options
        return model.kind == "value" and unsaid and model.origin is not None

    def _chance(self) -> None:
        """Refuse an amount where a chance is to be learned."""
        with suppress(SegueError):  # reported where the target is checked
            found = check_target(self.model.target or "", self.checking.scope)
            if not isinstance(found, tree.Condition):
                hint = "compare it with a number, for example `> 0`; amounts are for `kind: value`"
                self._refuse("E531", f"the target of {self.model.name} is no condition", hint, "target")

    def _features(self) -> Iterator[FeatureSpec]:
        for name, text in (self.model.features or {}).items():
            found = self._text(name, text, check_either)
            if found is None:
                continue
            node = found if isinstance(found, tree.Condition) else _column(found)
            if node is None:
                hint = 'write a number, a time or a condition, for example trait.plan == "pro"'
                self._refuse("E533", f"the feature {name} is no number of the profile", hint, name)
            else:
                yield FeatureSpec(name, text.strip(), node)

    def _horizon(self, target: tree.Condition | tree.Operand | None) -> int | None:
        """How far the target looks ahead; what the definition says must not differ."""
        if target is None:
            return None
        (ahead,) = horizons(target)
        said = self.model.horizon_ms
        if said is not None and said != ahead:
            message = (
                f"horizon is {format_duration(said)}, but the target looks {format_duration(ahead)} ahead"
            )
            self._refuse("E314", message, "take horizon out: the target says it", "target")
        return ahead

    def _reachable(self) -> dict[str, str]:
        """What a model that is served elsewhere may ask, beside public addresses."""
        return {"private_targets": self.here.private_targets} if self.model.kind == "remote" else {}

    def _used(self) -> None:
        """Note which named features the model asks for."""
        model = self.model
        texts = [model.population, model.seed, model.baseline, *(model.features or {}).values()]
        names: set[str] = set()
        for text in texts:
            if text is not None and "feature" in text:
                with suppress(SegueError):  # reported where the text was checked
                    names |= features_in(text)
        self.checking.used_features[f"model {model.name}"] = frozenset(names)

    def _segments(self, trees: Sequence[tree.Condition | tree.Operand]) -> tuple[Definition, ...]:
        """The segments that decide what the trees say; none of them may hang on a model."""
        names = {name for each in trees for name in references(each).segments}
        segments = needed(self.here.segments, names)
        for each in trees:
            self._observed(each, "")
        for definition in segments:
            self._observed(definition.condition, f" through the segment {definition.name}")
        return segments

    def _observed(self, root: tree.Condition | tree.Operand, how: str) -> None:
        found = _guessed(root)
        if found is not None:
            message = f'{self.model.name} uses {found.owner}("{found.path[0]}"){how}'
            self._refuse("E538", message, "let it learn from what was observed: events, traits and lists")


def _column(operand: tree.Operand) -> tree.Operand | None:
    """The operand so that the engine keeps it as a number; None for what is no number or time."""
    if is_literal(operand):
        return None
    if isinstance(operand, tree.Elapsed):
        return None if is_literal(operand.time) else operand
    settled = read_as(operand, Kind.NUMBER)
    if kind_of(settled) not in (Kind.NUMBER, Kind.TIME):
        return None
    raw = isinstance(settled, tree.Trait) or (
        isinstance(settled, tree.Aggregate) and settled.name in ("latest", "earliest")
    )
    # A bare trait is read where it is asked for; in arithmetic it has a column, as a model needs it.
    return tree.Arithmetic("+", settled, _NOTHING) if raw else settled


def _guards(model: ModelDefinition) -> Guards | None:
    given = model.guards
    if given is None or model.kind not in KINDS:
        return None
    own = KINDS[model.kind].guards
    return Guards(
        own.users_min if given.users is None else given.users,
        own.events_min if given.events is None else given.events,
        own.positives_min if given.positives is None else given.positives,
        given.reason,
        given.boosting,
    )


def _about(model: ModelDefinition) -> dict[str, str]:
    """What the model is about, for the rule of recency, frequency and money."""
    found = {} if model.event is None else {"event": model.event}
    return found if model.amount is None else {**found, "amount": model.amount}
