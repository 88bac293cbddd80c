"""One after another: which events complete a sequence of steps."""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter

from segue.domain.event import Event
from segue.language.interpret.scene import Scene
from segue.language.tree import AllTime, Sequence


def completions(sequence: Sequence, scene: Scene) -> list[Event]:
    """The events of the last step, in the window, that the other steps lead up to within the time.

    Going backwards and always taking the newest event that fits leaves the first step as new as
    it can be, so when that one is too old, every other choice would be too.
    """
    earlier = [scene.matching(step, AllTime()) for step in sequence.steps[:-1]]
    return [
        event
        for event in scene.matching(sequence.steps[-1], sequence.window)
        if _led_up_to(event, earlier, sequence.within)
    ]


def _led_up_to(completing: Event, earlier: list[list[Event]], within: int) -> bool:
    bound = completing
    for events in reversed(earlier):
        before = bisect_left(events, bound.order, key=attrgetter("order"))
        if not before:
            return False
        bound = events[before - 1]
    return completing.timestamp - bound.timestamp <= within
