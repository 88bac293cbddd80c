"""Looks are kept beside the versions: the first always, the others up to a bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.learned import looks as module
from segue.learned.looks import Kept, Looks


def test_a_folder_without_versions_has_no_looks(tmp_path: Path) -> None:
    looks = Looks(tmp_path)
    assert looks.first("m", 1) is None
    assert looks.all("m", 1) == []
    assert list(tmp_path.iterdir()) == []


def test_the_first_stays_and_the_oldest_others_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOKS_KEPT_MAX", 3)
    looks = Looks(tmp_path)
    for at in range(6):
        looks.add("m", 1, Kept(at, {"n": at}))
        looks.add("m", 2, Kept(at + 100, {}))
    assert [each.at for each in looks.all("m", 1)] == [0, 4, 5]
    first, last = looks.first("m", 1), looks.last("m", 1)
    assert (first, last) == (Kept(0, {"n": 0}), Kept(5, {"n": 5}))
    assert len(looks.all("m", 2)) == 3


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "models.db").write_bytes(b"no database at all, by any means")
    with pytest.raises(SegueError) as refused:
        Looks(tmp_path).first("m", 1)
    assert refused.value.diagnostics[0].code == "E603"
