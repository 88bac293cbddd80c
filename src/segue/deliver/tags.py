"""Surrogate keys: the names under which caches file answers, and by which they are told to drop them."""

from __future__ import annotations

import hashlib
import secrets

EVERYTHING = "segue"
"""On every answer that a cache may hold."""


class Tags:
    """Keys of profiles and segments, of letters, digits, ``_`` and ``-`` alone.

    A profile's key is a keyed hash of its row: it neither names the user nor tells how many there are.
    It holds for one run of the server, which drops everything from its caches when it starts.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)

    def profile(self, row: int) -> str:
        """The key of all answers about one profile."""
        digest = hashlib.blake2b(row.to_bytes(8, "big"), digest_size=8, key=self._secret)
        return "u-" + digest.hexdigest()

    def segment(self, name: str) -> str:
        """The key of all answers about one segment."""
        return "s-" + name
