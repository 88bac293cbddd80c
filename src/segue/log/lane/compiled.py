"""How the lane's functions are compiled: once, cached on disk, without the interpreter lock."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def _cache_folder() -> str:
    """A folder of its own for each version of the lane's source.

    numba looks only at the file of the outermost function when it decides whether a cached compilation is
    still good; an edit in another file would go unseen.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    base = os.environ.get("SEGUE_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return str(Path(base) / "segue" / f"lane-{digest.hexdigest()[:16]}")


CACHE_FOLDER = _cache_folder()
_njit: Any = numba.njit


def compiled(function: F) -> F:
    """Compile at first use; cached, releasing the interpreter lock.

    numba has one setting for the folder, read when a function is declared: it is lent for that moment.
    """
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = CACHE_FOLDER
    try:
        wrapped: F = _njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = before
    return wrapped


def called(function: F) -> F:
    """A part of a compiled function that is large enough to be called."""
    wrapped: F = _njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(
        function
    )
    return wrapped


def inlined(function: F) -> F:
    """A small part of a compiled function, put where it is named."""
    part = _njit(
        nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True
    )
    wrapped: F = part(function)
    return wrapped
