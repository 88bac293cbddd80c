"""Regular expressions that people write, matched in time that only grows with the text.

They run over what strangers send, so a matcher that goes back and forth would let ``(a+)+$`` and thirty
letters hold up everyone. RE2 does not, and bounds the memory of what it compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import re2

_MEMORY_BYTES_MAX = 1 << 20


class PatternError(ValueError):
    """A text that is no regular expression of RE2; the message says why."""


@lru_cache(maxsize=1_024)
def compiled(pattern: str) -> Callable[[str], bool]:
    """A function that tells whether a whole text matches; :class:`PatternError`."""
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES_MAX
    options.log_errors = False
    options.never_capture = True
    try:
        found = re2.compile(pattern, options=options)
    except re2.error as fault:
        said = fault.args[0] if fault.args else "not understood"
        raise PatternError(said.decode("utf-8", "replace") if isinstance(said, bytes) else said) from None
    match = found.fullmatch
    # Bytes spare the library a way back from places in bytes to places in the text.
    return lambda text: match(text.encode("utf-8", "replace")) is not None
