"""Rows without a message id are named by what they hold, the same by every road."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import md5
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from segue.ingest.dedupe import Seen
from segue.ingest.files.rows import RowNames, RowRoad
from segue.ingest.identity import Identity
from segue.ingest.intake import Intake
from segue.log.batch import EventBatch
from segue.log.lane.cuts import Cuts, cut_texts, put_together
from segue.log.lane.digest import digests

NOW = 1_795_341_600_000


def test_rows_are_named_alike_by_both_roads(tmp_path: Path) -> None:
    plain = b'{"type":"track","event":"Login","userId":"u","timestamp":"2026-11-22T10:00:00Z"}'
    odd = b'{"type":"track","event":"Login","userId":"\\u0075","timestamp":"2026-11-22T10:00:00Z"}'
    raws: Sequence[bytes] = [plain, odd, plain, odd, plain]

    class Log:
        next_seq = 1

        def history_path(self, _first_seq: int) -> Path:
            return tmp_path

    found = []
    for change in (Cuts.own, Cuts.all_odd):
        road = RowRoad(tmp_path / "x.jsonl", Intake(Identity(), Seen()), Log(), "file", NOW)
        portion = road.take_cuts(change(cut_texts(raws)), range(1, 6), 5, 5)
        assert isinstance(portion.entry, EventBatch)
        found.append(list(portion.entry.message_ids))
    assert found[0] == found[1]
    assert len(set(found[0])) == 5


@given(st.lists(st.lists(st.binary(max_size=200) | st.sampled_from([b"a", b"b"]), max_size=40), max_size=3))
def test_rows_are_named_by_their_content_and_number(portions: list[list[bytes]]) -> None:
    names, counted = RowNames(), Counter[bytes]()
    for rows in portions:
        expected = []
        for row in rows:
            counted[row] += 1
            digest = md5(row, usedforsecurity=False).hexdigest()
            expected.append(digest if counted[row] == 1 else f"{digest}-{counted[row]}")
        assert names.of(digests(*put_together(rows))) == expected
