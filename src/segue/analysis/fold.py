"""The change log folded into the memberships it tells of, with every break of its order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from segue.domain.event import Json
from segue.log.changes import ChangePage

Row = int


@dataclass(frozen=True, slots=True)
class Difference:
    """Two accounts of a membership that do not agree, or a break in the change log.

    ``kind`` is membership (the engine against the recomputation), changes (the change log against the
    engine), order (an entering or leaving that follows its like) or gap (numbers left out). ``engine`` is
    what the engine or the log says, ``truth`` what was to be expected; ``seq`` the change it is about.
    """

    kind: str
    text: str
    user_id: str | None = None
    segment: str | None = None
    engine: bool | None = None
    truth: bool | None = None
    seq: int | None = None

    def to_json(self) -> dict[str, Json]:
        """The difference as a JSON object; keys that do not apply are left out."""
        found = {
            "kind": self.kind,
            "text": self.text,
            "user_id": self.user_id,
            "segment": self.segment,
            "engine": self.engine,
            "truth": self.truth,
            "seq": self.seq,
        }
        return {key: value for key, value in found.items() if value is not None}


class Fold:
    """Who is in what by the change log alone; a byte for each row and segment that was ever entered."""

    def __init__(self) -> None:
        self._inside: dict[str, bytearray] = {}
        self._upcoming = 1

    def take(self, page: ChangePage) -> Iterator[Difference]:
        """Fold changes in order, and tell where they are not what must follow."""
        for seq, row, user_id, segment, entered in zip(
            page.seqs, page.rows, page.user_ids, page.segments, page.entered, strict=True
        ):
            if seq != self._upcoming:
                text = f"change {self._upcoming} is expected where {seq} stands"
                yield Difference("gap", text, seq=seq)
            self._upcoming = seq + 1
            inside = self._room(segment, row)
            if bool(inside[row]) is entered:
                yield _out_of_order(seq, user_id, segment, entered)
            inside[row] = entered

    def segments_of(self, row: Row) -> set[str]:
        """The segments that a row is in."""
        return {name for name, inside in self._inside.items() if row < len(inside) and inside[row]}

    def _room(self, segment: str, row: Row) -> bytearray:
        inside = self._inside.setdefault(segment, bytearray())
        if row >= len(inside):
            inside.extend(bytes(max(row + 1, 2 * len(inside)) - len(inside)))
        return inside


def _out_of_order(seq: int, user_id: str, segment: str, entered: bool) -> Difference:
    state = "enters where it is in already" if entered else "leaves where it is not in"
    text = f"change {seq}: {user_id} {state}, {segment}"
    return Difference("order", text, user_id, segment, entered, not entered, seq)


def folded(pages: Iterable[ChangePage], fold: Fold) -> Iterator[Difference]:
    """Fold all pages."""
    for page in pages:
        yield from fold.take(page)
