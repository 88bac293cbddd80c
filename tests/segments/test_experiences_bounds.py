"""The bounds of an experience, each reached and each passed by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.domain.limits import PAYLOAD_BYTES_MAX, VARIANTS_MAX
from segue.segments.workspace import load_workspace

HEAD = "experience: hero\nowner: o@x\ndescription: W.\nslot: hero\nfallback: {}\nvariants:\n"


def load(folder: Path, variants: str) -> None:
    (folder / "experiences").mkdir()
    (folder / "experiences" / "hero.yaml").write_text(HEAD + variants)
    load_workspace(folder)


def many(count: int) -> str:
    return "".join(f"  - {{variant: v{number}, weight: 1, payload: {number}}}\n" for number in range(count))


def large(size: int) -> str:
    return f"  - variant: v\n    payload: {'x' * (size - 2)}\n"


def test_as_many_variants_as_there_may_be(tmp_path: Path) -> None:
    load(tmp_path, many(VARIANTS_MAX))


def test_one_variant_too_many(tmp_path: Path) -> None:
    with pytest.raises(SegueError, match=rf"E494 .*a list of 1 to {VARIANTS_MAX} variants"):
        load(tmp_path, many(VARIANTS_MAX + 1))


def test_the_largest_payload(tmp_path: Path) -> None:
    load(tmp_path, large(PAYLOAD_BYTES_MAX))


def test_a_payload_of_one_more(tmp_path: Path) -> None:
    with pytest.raises(SegueError, match=r"E494 .*larger than 65,536"):
        load(tmp_path, large(PAYLOAD_BYTES_MAX + 1))
