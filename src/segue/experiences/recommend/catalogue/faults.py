"""What can be wrong with a catalogue, in the words of the one who has to mend it."""

from __future__ import annotations

from segue.domain.errors import SegueError, refusal
from segue.domain.limits import ITEMS_MAX

NOT_AN_ITEM = "E841"
NO_ITEM = "E842"
TOO_MANY = "E846"


def no_item(identifier: str) -> SegueError:
    """The catalogue has no item of this id."""
    return refusal(
        NO_ITEM,
        f"the catalogue has no item {identifier!r}",
        "`segue catalog list` shows those there are; `segue catalog import FILE` and"
        " `POST /v1/catalog/items` bring more",
    )


def too_many() -> SegueError:
    """More items than a catalogue holds."""
    return refusal(TOO_MANY, f"a catalogue has at most {ITEMS_MAX:,} items", "leave out what is not sold")


def nothing_left() -> SegueError:
    """A file that is to hold everything holds no item."""
    return refusal(
        NOT_AN_ITEM,
        "no row of the file is an item, so the catalogue would be left empty; nothing was changed",
        "look at the columns: `--map id=COLUMN` names the one with the ids",
    )
