"""Puts a file in place whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from segue.domain.errors import refusal


def write_file(path: Path, data: bytes) -> None:
    """Writes a file beside its place, then renames it; E451 when that cannot be done."""
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        handle, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(part).chmod(mode)
        Path(part).replace(path)
    except OSError as fault:
        if part is not None:
            with contextlib.suppress(OSError):
                Path(part).unlink()
        hint = "check that you may write there and that the disk is not full"
        raise refusal("E451", f"{path} cannot be written: {fault.strerror}", hint) from fault


def remove_file(path: Path) -> None:
    """Removes a file; E451 when that cannot be done."""
    try:
        path.unlink()
    except OSError as fault:
        hint = "check that you may write to its folder"
        raise refusal("E451", f"{path} cannot be removed: {fault.strerror}", hint) from fault
