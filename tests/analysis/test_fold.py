"""The change log folded: every break of its order is told."""

from __future__ import annotations

from segue.analysis.fold import Fold, folded
from segue.domain.change import Cause
from segue.language.interpret import Flip
from tests.analysis.logged import page_of

USERS = ["ann", "bob"]


def flip(row: int, segment: str, entered: bool) -> Flip:
    return Flip(0, row, segment, entered, Cause.EVENT)


def test_what_is_in_order_says_nothing() -> None:
    fold = Fold()
    pages = [
        page_of([flip(0, "big", True), flip(1, "big", True), flip(0, "new", True)], USERS),
        page_of([flip(0, "big", False), flip(0, "big", True), flip(1, "big", False)], USERS, 4),
    ]
    assert list(folded(pages, fold)) == []
    assert (fold.segments_of(0), fold.segments_of(1), fold.segments_of(7)) == ({"big", "new"}, set(), set())


def test_a_gap_is_told_once() -> None:
    pages = [page_of([flip(0, "big", True)], USERS), page_of([flip(0, "big", False)], USERS, 3)]
    (found,) = folded(pages, Fold())
    assert found.to_json() == {"kind": "gap", "text": "change 2 is expected where 3 stands", "seq": 3}


def test_entering_twice_and_leaving_from_outside_are_told() -> None:
    flips = [flip(0, "big", True), flip(0, "big", True), flip(1, "big", False)]
    found = list(folded([page_of(flips, USERS)], Fold()))
    assert [(each.kind, each.user_id, each.seq, each.engine) for each in found] == [
        ("order", "ann", 2, True),
        ("order", "bob", 3, False),
    ]
    assert found[0].text == "change 2: ann enters where it is in already, big"
