"""What models say of profiles: numbers and names of groups, until they say something else."""

from __future__ import annotations

from collections.abc import Iterable

from segue.domain.event import Json

Model = tuple[str, str]
"""("score" or "cluster", the model's name)."""


class Predictions:
    """Values by model and row. Who was absorbed takes theirs along; the survivor's own stand."""

    def __init__(self) -> None:
        self._held: dict[Model, dict[int, Json]] = {}

    def write(self, model: Model, row: int, value: Json) -> None:
        """Take up what a model says of a profile; None takes it back."""
        held = self._held.setdefault(model, {})
        held.pop(row, None)
        if value is not None:
            held[row] = value

    def of(self, row: int) -> dict[Model, Json]:
        """What each model says of a profile."""
        return {model: held[row] for model, held in self._held.items() if row in held}

    def forget(self, row: int) -> None:
        """Erase what is said of a profile."""
        for held in self._held.values():
            held.pop(row, None)

    def items(self) -> Iterable[tuple[Model, dict[int, Json]]]:
        """All that is held, by model."""
        return self._held.items()

    def restore(self, held: Iterable[tuple[Model, dict[int, Json]]]) -> None:
        """Put back what :meth:`items` gave."""
        self._held = dict(held)
