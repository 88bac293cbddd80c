"""Holds experiences against each other and against the segments; what is left is ready to decide by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from segue.domain.errors import SegueError
from segue.domain.event import EXPOSURE
from segue.domain.number import MICRO
from segue.domain.time import parse_instant
from segue.domain.watch import watch_name
from segue.language import tree
from segue.language.checker import features_in
from segue.language.findings import suggestion
from segue.language.printer import quoted
from segue.language.scope import Scope
from segue.segments.check import Checking
from segue.segments.experiences.audience import Audience, taken_apart
from segue.segments.experiences.definition import ExperienceDefinition, Goal, VariantDefinition
from segue.segments.experiences.overlap import Segments, excludes, implies, settled
from segue.segments.fields import is_name
from segue.segments.origin import Origin
from segue.segments.restraint import Cap

UNSEEN = "E490"
AMBIGUOUS = "E491"
FALLBACK = "E492"
KIND = "experience"


@dataclass(frozen=True, slots=True)
class Variant:
    """A checked variant. ``starts`` and ``ends`` (ms, None is open) are its own within its experience's.

    ``cap`` is the watch that holds of whoever has been given it often enough. ``seen`` is the audience in
    the one spelling.
    """

    definition: VariantDefinition
    audience: Audience
    seen: tree.Condition
    starts: int | None = None
    ends: int | None = None
    cap: str | None = None

    @property
    def name(self) -> str:
        """Its name within the experience."""
        return self.definition.name


@dataclass(frozen=True, slots=True)
class Experience:
    """A checked experience. ``goal`` is an event, or the name of the watch that holds where it is reached."""

    definition: ExperienceDefinition
    variants: tuple[Variant, ...]
    goal: tree.EventPattern | str | None = None

    @property
    def name(self) -> str:
        """Its one name."""
        return self.definition.name


def check_experiences(
    checking: Checking, definitions: Mapping[str, ExperienceDefinition], segments: Segments
) -> dict[str, Experience]:
    """Every experience with its trees; what the engine is to follow for live ones is put into the watches."""
    check = _Check(checking, segments)
    found = {name: check.experience(each) for name, each in definitions.items()}
    slots: dict[str, list[Experience]] = {}
    for each in found.values():
        if each.definition.live:
            slots.setdefault(each.definition.slot, []).append(each)
    for name, sharing in slots.items():
        check.slot(name, sharing)
    return found


class _Check:
    def __init__(self, checking: Checking, segments: Segments) -> None:
        self._checking = checking
        self._segments = segments
        self._scope = replace(checking.scope, request=True)

    # ---- one experience ----------------------------------------------------------------------

    def experience(self, found: ExperienceDefinition) -> Experience:
        checked = [self._variant(found, each) for each in found.variants]
        texts = [each.audience for each in found.variants]
        if found.goal is not None:
            texts += [found.goal.where, found.goal.when]
        self._checking.used_features[f"{KIND} {found.name}"] = _features(texts)
        variants = tuple(each for each in checked if each is not None)
        return Experience(found, variants, None if found.goal is None else self._goal(found, found.goal))

    def _variant(self, found: ExperienceDefinition, variant: VariantDefinition) -> Variant | None:
        origin = variant.origins.get("audience")
        what = f"{found.name}, variant {variant.name}"
        condition = self._condition(variant.audience or "true", origin, what, self._scope)
        starts, ends = self._dates(found, variant)
        if condition is None:
            return None
        part = f"{variant.name}."
        try:
            audience = taken_apart(condition, lambda number: watch_name(KIND, found.name, f"{part}{number}"))
        except SegueError as refused:
            self._checking.note(refused, origin, what)
            return None
        cap = None if variant.cap is None else watch_name(KIND, found.name, f"{part}cap")
        if found.live:
            self._checking.watches.update(audience.watches)
            if cap is not None and variant.cap is not None:
                self._checking.watches[cap] = had_enough(found.name, variant.name, variant.cap)
        return Variant(variant, audience, settled(condition, self._segments), starts, ends, cap)

    def _condition(self, text: str, origin: Origin | None, what: str, scope: Scope) -> tree.Condition | None:
        """A condition, or a segment's name in its place."""
        bare = text.strip()
        if is_name(bare) and bare not in ("true", "false"):
            if bare in self._segments:
                return tree.SegmentRef(bare)
            hint = suggestion(bare, self._segments, "define it in segments/, or write a condition")
            self._checking.refuse("E301", f'there is no segment "{bare}"', hint, origin)
            return None
        return self._checking.condition(text, origin, what, scope)

    def _dates(
        self, found: ExperienceDefinition, variant: VariantDefinition
    ) -> tuple[int | None, int | None]:
        zone = self._scope.zone
        starts = [parse_instant(text, zone) for text in (found.starts, variant.starts) if text is not None]
        ends = [parse_instant(text, zone) for text in (found.ends, variant.ends) if text is not None]
        return max((at for at in starts if at is not None), default=None), min(
            (at for at in ends if at is not None), default=None
        )

    def _goal(self, found: ExperienceDefinition, goal: Goal) -> tree.EventPattern | str | None:
        what = f"{found.name}, goal"
        if goal.when is not None:
            condition = self._condition(goal.when, goal.origin, what, self._checking.scope)
            watch = watch_name(KIND, found.name, "goal")
            if condition is not None and found.live:
                self._checking.watches[watch] = condition
            return watch
        assert goal.event is not None
        before = f"count({quoted(goal.event)}"
        if goal.where is not None:
            before += " where "
        # The line break ends a remark behind the last word.
        text = f"{before}{goal.where or ''}\n) > 0"
        condition = self._checking.condition(
            text, goal.origin, what, self._checking.scope, before=len(before) if goal.where else 0
        )
        if not isinstance(condition, tree.Compare) or not isinstance(condition.left, tree.Aggregate):
            return None
        return condition.left.event

    # ---- what shares a slot ------------------------------------------------------------------

    def slot(self, name: str, sharing: list[Experience]) -> None:
        self._fallback(name, sharing)
        rivals = [(each, variant) for each in sharing for variant in each.variants]
        for each, variant in rivals:
            reason = _unseen(variant) or self._covered(each, variant, rivals)
            if reason is not None:
                hint = "correct it, or remove the variant"
                self._refuse(variant, UNSEEN, f"nobody can see {each.name}, {variant.name}: {reason}", hint)
        for (one, first), (other, second) in combinations(rivals, 2):
            if self._ambiguous(first, second):
                message = (
                    f"{other.name}, {second.name} and {one.name}, {first.name} may be for the same user, "
                    f"and both have priority {second.definition.priority}"
                )
                hint = "give one a larger priority, or give both a weight, so that it is drawn by lot"
                self._refuse(second, AMBIGUOUS, message, hint)

    def _fallback(self, name: str, sharing: list[Experience]) -> None:
        having = [each for each in sharing if each.definition.fallback is not None]
        if not having:
            hint = "add `fallback:` with what is shown when no variant is for the user; {} is nothing at all"
            origin = sharing[0].definition.origins.get("slot")
            self._checking.refuse(FALLBACK, f"the slot {name} has no fallback", hint, origin)
        for each in having[1:]:
            message = f"the slot {name} has a fallback already, that of {having[0].name}"
            hint = "keep one of the two"
            self._checking.refuse(FALLBACK, message, hint, each.definition.origins.get("slot"))

    def _covered(
        self, experience: Experience, variant: Variant, rivals: Iterable[tuple[Experience, Variant]]
    ) -> str | None:
        for other, over in rivals:
            if (
                over.definition.priority > variant.definition.priority
                and over.cap is None
                and over.definition.weight != 0
                and (other is experience or not other.definition.holdout)
                and _spans(over, variant)
                and implies(variant.seen, over.seen)
            ):
                return f"whoever might sees {other.name}, {over.name}, which has a larger priority"
        return None

    def _ambiguous(self, one: Variant, other: Variant) -> bool:
        return (
            one.definition.priority == other.definition.priority
            and (one.definition.weight is None or other.definition.weight is None)
            and not _one_after_the_other(one, other)
            and not excludes(one.seen, other.seen, self._segments)
        )

    def _refuse(self, variant: Variant, code: str, message: str, hint: str) -> None:
        self._checking.refuse(code, message, hint, variant.definition.origins.get("variant"))


def had_enough(experience: str, variant: str, cap: Cap) -> tree.Condition:
    """Whether someone was given a variant so often that the cap is reached."""
    where = tree.And((_is("experience", experience), _is("variant", variant)))
    pattern = tree.EventPattern("track", EXPOSURE, where)
    given = tree.Aggregate("count", pattern, (), tree.Last(cap.per_ms))
    return tree.Compare(">=", given, tree.Number(cap.times * MICRO))


def _is(path: str, text: str) -> tree.Condition:
    return tree.Compare("==", tree.Property((path,), read=tree.Kind.TEXT), tree.Text(text))


def _unseen(variant: Variant) -> str | None:
    if variant.seen == tree.Truth(False):
        return "its audience is empty, whatever happens"
    if variant.definition.weight == 0:
        return "its weight is 0"
    if variant.starts is not None and variant.ends is not None and variant.starts >= variant.ends:
        return "its time ends before it begins"
    return None


def _spans(over: Variant, variant: Variant) -> bool:
    """Whether one lives as long as the other at least."""
    from_then = over.starts is None or (variant.starts is not None and over.starts <= variant.starts)
    return from_then and (over.ends is None or (variant.ends is not None and over.ends >= variant.ends))


def _one_after_the_other(one: Variant, other: Variant) -> bool:
    return any(
        first.ends is not None and second.starts is not None and first.ends <= second.starts
        for first, second in ((one, other), (other, one))
    )


def _features(texts: Iterable[str | None]) -> frozenset[str]:
    return frozenset(name for text in texts if text is not None for name in _named(text))


def _named(text: str) -> Iterator[str]:
    try:
        yield from features_in(text)
    except SegueError:
        return
