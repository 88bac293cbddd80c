"""Why a model says what it says of a profile: the features, in their own units, that add up to the score."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from segue.analysis.values import MISSING, Shown
from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.language.interpret import Person, Replacement, Rules
from segue.language.interpret.scene import Scene

DRIVERS_SHOWN_MAX = 5
"""Of one score in a text; JSON gives all."""
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Driver:
    """What one feature adds to a score.

    ``value`` and ``typical`` are in the feature's own unit; at what is typical it adds nothing (None where
    there is no such value). ``raw`` is in the unit in which the model adds, ``points`` in that of the score.
    """

    feature: str
    text: str
    value: Shown
    typical: Shown | None
    raw: float
    points: float

    def to_json(self) -> dict[str, Json]:
        """The driver as a JSON object."""
        return {
            "feature": self.feature,
            "text": self.text,
            "value": self.value.to_json(),
            "typical": None if self.typical is None else self.typical.to_json(),
            "raw": self.raw,
            "points": self.points,
        }


@dataclass(frozen=True, slots=True)
class Reasons:
    """What a version of a model says of a profile at the moment that is explained, and why.

    ``prediction`` is ``base_points`` and the points of all drivers; before its ``link`` it is ``raw``, which
    is ``base`` and their raw parts. Both are None where nothing is known of the model's inside; ``note`` says
    why. ``percentile`` is how many percent of those the version was judged on scored less. ``behind`` says
    of a model that keeps nobody in step any more why not, and until when it did.
    """

    model: str
    version: int
    made_at: int | None = None
    link: str = "identity"
    base: float | None = None
    base_points: float | None = None
    raw: float | None = None
    prediction: float | None = None
    drivers: tuple[Driver, ...] = ()
    note: str | None = None
    percentile: int | None = None
    behind: str | None = None

    def noted(self, note: str) -> Reasons:
        """The same with a note."""
        return replace(self, note=note)

    def to_json(self) -> dict[str, Json]:
        """The reasons as a JSON object; keys that say nothing are left out."""
        found: dict[str, Json] = {
            "model": self.model,
            "version": self.version,
            "made_at": None if self.made_at is None else format_instant(self.made_at),
            "link": self.link,
            "base": self.base,
            "base_points": self.base_points,
            "raw": self.raw,
            "prediction": self.prediction,
            "percentile": self.percentile,
            "drivers": [each.to_json() for each in self.drivers],
            "note": self.note,
            "behind": self.behind,
        }
        return {key: value for key, value in found.items() if value is not None}


Why = Callable[[str], Reasons | None]
"""The reasons behind what a model says of the profile that is explained, by the model's name."""


class Witness(Scene):
    """A scene that also knows why models say what they say."""

    def __init__(self, person: Person, now: int, rules: Rules, why: Why) -> None:
        super().__init__(person, now, rules)
        self.why = why

    def word(self, model: tuple[str, str]) -> Replacement | None:
        """What a person says in a model's place, if it stands."""
        found = self.person.replacements.get(model)
        return found if found is not None and found.stands(self.now) else None


def reasons(
    said: Reasons,
    features: Sequence[tuple[str, str, Shown, Shown | None]],
    base: float,
    parts: Sequence[float],
    link: str,
) -> Reasons:
    """The reasons: ``base`` and the ``parts`` that (name, text, value, typical) add to it before ``link``.

    In the score's own unit each feature has the share of the way from the base that it has of the raw one.
    """
    raw = base + math.fsum(parts)
    start, end = linked(base, link), linked(raw, link)
    slope = (end - start) / (raw - base) if raw != base else 0.0
    drivers = [
        Driver(*feature, raw=part, points=part * slope) for feature, part in zip(features, parts, strict=True)
    ]
    drivers.sort(key=lambda each: -abs(each.raw))
    return replace(
        said, link=link, base=base, base_points=start, raw=raw, prediction=end, drivers=tuple(drivers)
    )


def linked(raw: float, link: str) -> float:
    """A score from what the model adds up; "logit" is a chance, "log" an amount."""
    if link == "logit":
        return 1 / (1 + math.exp(-raw)) if raw >= 0 else math.exp(raw) / (1 + math.exp(raw))
    return math.exp(raw) if link == "log" else raw


def measured(value: float, unit: str) -> Shown:
    """A feature's value in its own unit: days, true or false, or a plain number; NaN is missing."""
    if math.isnan(value):
        return MISSING
    if unit == "truth":
        return Shown("truth", value > 0, "true" if value > 0 else "false")
    number = int(value) if value.is_integer() else value
    text = rounded(value)
    return Shown("number", number, f"{text} days" if unit == "days" else text)


def rounded(value: float) -> str:
    """A number as people read it."""
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def spoken(found: Reasons) -> list[str]:
    """The reasons as lines."""
    made = "" if found.made_at is None else f", made {format_instant(found.made_at)}"
    lines = [f"by version {found.version} of the model {found.model}{made}"]
    lines += [each for each in (found.behind, found.note) if each is not None]
    place = f"higher than {found.percentile} % of those it was judged on"
    if found.base_points is None or found.prediction is None:
        return lines if found.percentile is None else [*lines, place]
    lines.append(f"{rounded(found.base_points)}  where everybody starts")
    told, rest = found.drivers[:DRIVERS_SHOWN_MAX], found.drivers[DRIVERS_SHOWN_MAX:]
    for each in told:
        typical = "" if each.typical is None else f", typical is {each.typical.text}"
        lines.append(f"{_signed(each.points)}  {each.feature} is {each.value.text}{typical}")
    if rest:
        lines.append(f"{_signed(math.fsum(each.points for each in rest))}  from {len(rest)} more features")
    ranked = "" if found.percentile is None else f", {place}"
    lines.append(f"{rounded(found.prediction)}  together{ranked}")
    return lines


def _signed(points: float) -> str:
    text = rounded(points)
    return text if text.startswith("-") else f"+{text}"
