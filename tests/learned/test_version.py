"""A version says nothing once the model means something else; whom it is about may change, and spelling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from segue.domain.errors import SegueError
from segue.domain.time import DAY
from segue.language.checker import check_condition, check_operand
from segue.language.interpret import Definition
from segue.language.scope import Scope
from segue.learned.spec import FeatureSpec, ModelSpec
from segue.learned.version import Version, hold

SCOPE = Scope(segments=frozenset(("vip", "rich", "regular")))


def feature(name: str, text: str) -> FeatureSpec:
    return FeatureSpec(name, text, check_operand(text, SCOPE))


def segment(name: str, text: str) -> Definition:
    return Definition(name, check_condition(text, SCOPE))


SPEC = ModelSpec(
    "churn",
    "propensity",
    "score",
    (feature("orders", 'count("Order")'), FeatureSpec("vip", "…", check_condition('segment("vip")', SCOPE))),
    population=check_condition('segment("regular")', SCOPE),
    target=check_condition("trait.left == true", SCOPE),
    horizon_ms=30 * DAY,
    segments=(
        segment("rich", "trait.money > 5"),
        segment("regular", 'count("Order") > 1'),
        segment("vip", 'segment("rich") and trait.known == true'),
    ),
    options={"measure": "again", "url": "https://a.example"},
)


def learned(spec: ModelSpec) -> Version:
    card = {"horizon_ms": spec.horizon_ms, "meanings": spec.meanings()}
    return Version("churn", 3, "propensity", "score", 1, {}, card)


def with_segments(*others: Definition) -> ModelSpec:
    named = {each.name: each for each in others}
    return replace(SPEC, segments=tuple(named.get(each.name, each) for each in SPEC.segments))


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (replace(SPEC, horizon_ms=20 * DAY), "foretells 30d, its target now looks 20d ahead"),
        (replace(SPEC, target=check_condition("trait.left == false", SCOPE)), "the target being"),
        (replace(SPEC, options={"measure": "alive"}), "the measure being again, which is now alive"),
        (replace(SPEC, options={"url": "https://b.example"}), "the url being https://a.example"),
        (replace(SPEC, features=(feature("orders", 'count("Order", last 7d)'),)), "the feature orders being"),
        (with_segments(segment("vip", "trait.known == true")), "the segment vip being"),
        (with_segments(segment("rich", "trait.money > 6")), "the segment rich being"),
    ],
)
def test_another_meaning_is_refused(now: ModelSpec, told: str) -> None:
    with pytest.raises(SegueError, match=f"E864.*{told}"):
        hold(learned(SPEC), now)


@pytest.mark.parametrize(
    "now",
    [
        SPEC,
        replace(SPEC, features=(*SPEC.features, feature("spent", 'sum("Order".revenue)'))),
        replace(SPEC, features=(feature("orders", '  count( "Order" )'), SPEC.features[1])),
        replace(SPEC, population=check_condition("trait.x == 1", SCOPE)),
        with_segments(segment("regular", 'count("Order") > 9')),
        replace(SPEC, baseline=check_condition("trait.x == 1", SCOPE), threshold=0.7),
    ],
)
def test_what_it_is_about_or_held_against_may_change(now: ModelSpec) -> None:
    hold(learned(SPEC), now)


def test_a_version_that_does_not_tell_is_held_to_its_horizon() -> None:
    silent = replace(learned(SPEC), card={"horizon_ms": 30 * DAY})
    hold(silent, replace(SPEC, features=()))
    with pytest.raises(SegueError, match="E864"):
        hold(silent, replace(SPEC, horizon_ms=DAY))
