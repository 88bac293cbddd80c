"""Lots that fall the same way for the same user every time, on every machine: hashes in place of dice."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

Lot = TypeVar("Lot")
_SPAN = 2**64


def fraction(*words: str) -> float:
    """A number in (0, 1) that some words always give, evenly spread over all words."""
    # Each word with its length, so that no two lists of words run together to one text.
    text = "".join([f"{len(word)}:{word}" for word in words])
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / _SPAN


def held_out(experience: str, user_id: str, share: float) -> bool:
    """Whether a user is in the holdout of an experience; independent of what is drawn for them in it."""
    return share > 0 and fraction("holdout", experience, user_id) < share


def drawn(
    lots: Sequence[Lot], words: Callable[[Lot], tuple[str, ...]], weight: Callable[[Lot], float]
) -> Lot:
    """One of some lots, each with a chance in proportion to its weight (above 0).

    Every lot has a time of its own, exponentially distributed with its weight as the rate, and the first
    one wins. So a lot that comes or goes moves nobody between the others.
    """
    return min(lots, key=lambda lot: (-math.log(fraction("draw", *words(lot))) / weight(lot), words(lot)))
