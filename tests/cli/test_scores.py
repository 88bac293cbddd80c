"""Groups become segments, and scores come in, from the command line: alone and beside a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.cli.shop import Shop, serving
from tests.service.learning.grouped import HABITS, SIZES, shop

BANK = """
model: bank
owner: crm@shop.example
description: What our bank says.
kind: upload
"""


@pytest.fixture(params=["alone", "beside"])
def taught(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    shop(tmp_path, HABITS, BANK).close()
    found = Shop(tmp_path / "ws")
    (tmp_path / "data").rename(tmp_path / "ws/.segue")
    with serving(found) if request.param == "beside" else nullcontext():
        yield found


def test_a_group_is_adopted(taught: Shop) -> None:
    labels = _groups(taught)
    assert len(labels) == 3
    for label in sorted(labels):
        said = taught.row("adopt", "habits", label)
        assert said["segment"] == label
        assert taught.members(label)
    ended = taught("adopt", "habits", sorted(labels)[0], "--as", "again")
    assert "segment again is in" in ended.out
    assert "are in the group" in ended.out
    assert taught("adopt", "habits", "nobody").status == 1


def _groups(taught: Shop) -> set[str]:
    """What the groups are called, after a training."""
    assert taught("train", "habits").status == 0
    assert taught.row("preview", 'cluster("habits") is present')["count"] == sum(SIZES.values())
    users = (f"{kind}-1" for kind in SIZES)
    return {taught.row("export", user)["attributes"]["scores"]["habits"] for user in users}


def test_scores_are_imported(taught: Shop) -> None:
    file = taught.folder / "scores.csv"
    file.write_text("user_id,score\nregulars-1,0.9\nstranger,0.1\n,1\n")
    refused = taught("scores", "import", "bank", file)
    assert (refused.status, "E878" in refused.err) == (1, True)
    ended = taught("scores", "import", "bank", file, "--by", "ada", "--why", "they come from our bank")
    assert ended.status == 0, ended.err
    assert "bank: 3 rows, 1 written, version 1 is champion" in ended.out
    assert "1 of users of whom nothing was received: stranger" in ended.out
    assert "row 3 was not taken: it names no user" in ended.out
    assert taught.row("preview", 'score("bank") > 0.5')["sample"] == ["regulars-1"]
    assert taught.row("scores", "import", "bank", file)["written"] == 1
    assert taught.rows("scores") == [{"model": "bank", "version": 1, "users": 1}]
    assert taught("scores").out.splitlines() == ["model  in force  users", "bank          1      1"]
