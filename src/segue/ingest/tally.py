"""What became of the rows: the data-quality counts of a batch, a file, a day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class Tally:
    """``rows = accepted + duplicate + quarantined + refused + suppressed``; the others count oddities."""

    rows: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    """Events of a forgotten user from before the forgetting: nothing of them is kept."""
    suppressed: int = 0
    """Events of a suppressed user: nothing of them is kept."""
    late: int = 0
    """Kept events that happened more than five minutes before their receipt."""
    future_clamped: int = 0
    """Timestamps more than five minutes past the receipt, set to it."""
    unparsed_timestamp: int = 0
    """Times that could not be read; the receipt stands for them."""
    non_object: int = 0
    """Properties, traits or contexts that are no object, taken as empty."""
    long_message_id: int = 0
    mended: int = 0
    """Events that strict JSON refuses: NaN, half characters, numbers beyond 64 bits, wrong encodings."""
    unknown_event: int = 0
    """Track events that the tracking plan does not know."""
    violation: int = 0
    """Track events that break the tracking plan in another way."""
    breaches: Counter[str] = field(default_factory=Counter)
    """How they do: ``EVENT: PROPERTY CODE`` in words of the plan."""

    def add(self, other: Tally) -> None:
        """Count another batch in."""
        for part in fields(self):
            setattr(self, part.name, getattr(self, part.name) + getattr(other, part.name))

    def adds_up(self) -> bool:
        """Whether every row went somewhere."""
        gone = self.duplicate + self.quarantined + self.refused + self.suppressed
        return self.rows == self.accepted + gone

    def to_json(self) -> dict[str, int]:
        """The counts by name."""
        return {part.name: getattr(self, part.name) for part in fields(self) if part.name != "breaches"}
