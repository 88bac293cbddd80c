"""What a model is asked to be: checked trees and numbers, whichever file they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from segue.domain.event import Json
from segue.domain.time import DAY
from segue.domain.watch import watch_name
from segue.language import tree
from segue.language.interpret import Definition, Rules
from segue.language.speller import spell
from segue.language.walk import references

EVERYBODY = tree.Truth(True)
POPULATION = "population"
"""The part of a model's watches that says whom it is about; no feature is called so."""
SEED = "seed"
"""The part that says who is taken as an example; no feature is called so."""
RESERVED = frozenset((POPULATION, SEED, "target", "baseline"))


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One input of a model: its name, how it is written, and what is read.

    ``unit`` is that of its numbers: "" for a plain number, "days" for a time (how long ago) or a length of
    time, "truth" for a condition (1 or 0).
    """

    name: str
    text: str
    tree: tree.Condition | tree.Operand

    @property
    def unit(self) -> str:
        """What its numbers count."""
        if isinstance(self.tree, tree.Condition):
            return "truth"
        timed = isinstance(self.tree, tree.Elapsed) or (
            isinstance(self.tree, tree.Aggregate) and self.tree.name in ("last", "first")
        )
        return "days" if timed else ""


@dataclass(frozen=True, slots=True)
class Guards:
    """How much there must be to learn from: users, events of each of them, users who are positive.

    ``boosting_min`` is how many users boosting asks for, None for what it asks for by itself. ``reason`` says
    why somebody set them lower than they stand by themselves; it is shown on the card.
    """

    users_min: int
    events_min: int = 0
    positives_min: int = 0
    reason: str | None = None
    boosting_min: int | None = None


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as it is declared, everything checked.

    ``gives`` is "score" or "cluster". ``population`` says whom it is about, at the moment that is looked at.
    ``target`` (None for kinds that need none) looks ahead with :class:`segue.language.tree.Next` windows, all
    of ``horizon_ms``; a condition is learned as a chance, a value as an amount. ``seed`` are examples to be
    like. ``baseline`` is the rule to beat, None for the one that is found. ``segments`` are the definitions
    that these trees refer to, each after those it refers to. ``options`` are the keys of one kind alone, as
    they stand in the file. ``guards`` None are those of the kind.
    """

    name: str
    kind: str
    gives: str
    features: tuple[FeatureSpec, ...]
    population: tree.Condition = EVERYBODY
    target: tree.Condition | tree.Operand | None = None
    horizon_ms: int | None = None
    seed: tree.Condition | None = None
    baseline: tree.Condition | tree.Operand | None = None
    threshold: float | None = None
    guards: Guards | None = None
    segments: tuple[Definition, ...] = ()
    rules: Rules = field(default_factory=Rules)
    options: Mapping[str, Json] = field(default_factory=dict)

    @property
    def horizon_days(self) -> float | None:
        """How far ahead the target looks, in days."""
        return None if self.horizon_ms is None else self.horizon_ms / DAY

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features in the order in which matrices have them."""
        return tuple(each.name for each in self.features)

    def meanings(self) -> dict[str, str]:
        """What is learned, and from what, each by what it is and spelled one way.

        A version says nothing under others. Whom it is about may change: that is no matter of what it says.
        """
        trees = {f"feature {each.name}": each.tree for each in self.features}
        trees |= {} if self.target is None else {"target": self.target}
        trees |= {} if self.seed is None else {"seed": self.seed}
        asked = set[str]().union(*(references(each).segments for each in trees.values()))
        for each in reversed(self.segments):
            if each.name in asked:
                trees[f"segment {each.name}"] = each.condition
                asked |= set(references(each.condition).segments)
        given = {key: str(self.options[key]) for key in ("measure", "url") if key in self.options}
        return {what: spell(each) for what, each in trees.items()} | given

    def watch(self, part: str) -> str:
        """The name under which the live engine follows a feature, the population or the seed."""
        return watch_name("model", self.name, part)

    def watches(self) -> Iterator[tuple[str, tree.Condition]]:
        """The conditions that the engine follows for this model, by their names there."""
        yield self.watch(POPULATION), self.population
        if self.seed is not None:
            yield self.watch(SEED), self.seed
        for each in self.features:
            if isinstance(each.tree, tree.Condition):
                yield self.watch(each.name), each.tree

    def values(self) -> Iterator[tuple[str, tree.Operand]]:
        """The values that the engine keeps for this model, by their names there."""
        for each in self.features:
            if not isinstance(each.tree, tree.Condition):
                yield self.watch(each.name), each.tree
