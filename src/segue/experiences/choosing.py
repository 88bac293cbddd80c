"""The choice itself: who sees what in a slot, by what is known of them. Nothing here waits or remembers."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum

from segue.domain.event import Json
from segue.experiences.drawing import drawn, held_out
from segue.experiences.slots import Candidate, Slot


class Why(Enum):
    """Why a variant was passed over, or what was shown."""

    EARLY = "not_started"
    OVER = "ended"
    AUDIENCE = "audience"
    CAP = "cap"
    HOLDOUT = "holdout"
    DRAW = "draw"
    OUTRANKED = "outranked"
    FALLBACK = "fallback"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Passed:
    """A candidate that was not chosen."""

    candidate: Candidate
    why: Why


@dataclass(frozen=True, slots=True)
class Choice:
    """What a slot shows: a candidate, or the fallback (None).

    ``withheld`` are the candidates that would have been shown if the user were not in the holdout of
    their experience, one for each such experience.
    """

    slot: Slot
    candidate: Candidate | None
    why: Why
    passed: tuple[Passed, ...] = ()
    withheld: tuple[Candidate, ...] = ()

    @property
    def payload(self) -> Json:
        """What the page is to show."""
        return self.slot.fallback if self.candidate is None else self.candidate.variant.definition.payload

    @property
    def rests_on_a_cap(self) -> bool:
        """Whether one more exposure may change the next choice."""
        return any(
            each is not None and each.variant.cap is not None for each in (self.candidate, *self.withheld)
        )


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when somebody is to be shown something; ``held`` names the watches that hold of them."""

    user_id: str
    held: AbstractSet[str]
    request: Mapping[str, Json]
    now: int


def choose(slot: Slot, situation: Situation) -> Choice:
    """The first candidate, by priority, whom nothing speaks against; of several at once, one by lot.

    The lot falls before the holdout is looked at, so that who is in it is compared with those who were
    given the same.
    """
    passed: list[Passed] = []
    withheld: list[Candidate] = []
    levels = iter(slot.levels)
    for level in levels:
        open_ones = _open(level, situation, passed)
        while open_ones:
            winner = drawn(open_ones, lambda each: (*each.names, situation.user_id), _weight)
            if not held_out(winner.experience.name, situation.user_id, winner.holdout):
                passed += [Passed(each, Why.DRAW) for each in open_ones if each is not winner]
                passed += [Passed(each, Why.OUTRANKED) for below in levels for each in below]
                why = Why.AUDIENCE if len(open_ones) == 1 else Why.DRAW
                return Choice(slot, winner, why, tuple(passed), tuple(withheld))
            if not any(each.experience is winner.experience for each in withheld):
                withheld.append(winner)
            passed += [Passed(each, Why.HOLDOUT) for each in open_ones if _together(each, winner)]
            open_ones = [each for each in open_ones if not _together(each, winner)]
    return Choice(slot, None, Why.FALLBACK, tuple(passed), tuple(withheld))


def _open(level: tuple[Candidate, ...], situation: Situation, passed: list[Passed]) -> list[Candidate]:
    found = []
    for each in level:
        why = objection(each, situation)
        if why is None:
            found.append(each)
        else:
            passed.append(Passed(each, why))
    return found


def objection(candidate: Candidate, situation: Situation) -> Why | None:
    """What speaks against a candidate by itself; None when nothing does."""
    variant = candidate.variant
    if variant.starts is not None and situation.now < variant.starts:
        return Why.EARLY
    if variant.ends is not None and situation.now >= variant.ends:
        return Why.OVER
    if not candidate.meets(situation.held, situation.request):
        return Why.AUDIENCE
    return Why.CAP if variant.cap is not None and variant.cap in situation.held else None


def _weight(candidate: Candidate) -> float:
    return candidate.weight


def _together(one: Candidate, other: Candidate) -> bool:
    return one.experience is other.experience
