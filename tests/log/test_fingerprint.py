"""The fingerprint is the same in Python and in DuckDB, and tells ids apart."""

from __future__ import annotations

from pathlib import Path

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.log.fingerprint import fingerprint, fingerprint_sql
from tests.log.stories import batch, opened, stretch_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60)
@given(source=TEXTS, message_id=TEXTS)
def test_both_sides_agree(source: str, message_id: str) -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        sql = fingerprint_sql("(SELECT ? AS source, ? AS message_id, 7 AS received_at)")
        found = connection.execute(sql, [source, message_id]).fetchall()
    assert found == [(*fingerprint(source, message_id), 7)]


def test_the_source_ends_where_it_ends() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc")


def test_every_stored_event_is_given_once(tmp_path: Path) -> None:
    with opened(tmp_path) as log, duckdb.connect() as connection:
        log.append([batch(1, [{"messageId": "a"}, {"messageId": "b"}])])
        log.close_stretch(1)
        log.append_stretch(stretch_of(log, batch(3, [{"messageId": "c"}], source="file")))
        log.append([batch(4, [{"messageId": "d"}], source="\u00e9"), batch(5, [{"messageId": "e"}])])
        expected = [
            (*fingerprint(source, name), 2_000 + seq)
            for seq, source, name in [
                (1, "web", "a"), (2, "web", "b"), (3, "file", "c"), (4, "\u00e9", "d"), (5, "web", "e"),
            ]
        ]  # fmt: skip
        every = zip(*(column.tolist() for column in log.message_hashes(connection, None)), strict=True)
        assert sorted(every) == sorted(expected)
        late = zip(*(column.tolist() for column in log.message_hashes(connection, 2_002)), strict=True)
        assert sorted(late) == sorted(expected[1:])
