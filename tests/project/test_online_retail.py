"""The shipped file holds what the published figures say, and the demo's segments what SQL says."""

from __future__ import annotations

import duckdb
import pytest

from tests.project.online_retail_expected import COUNTS, FILE, definitions, exact, members_at, sql_parts

# Published for the moment 2010-12-01, "purchase in last 30 d" and the like counted up to it.
PUBLISHED = {
    "count(distinct user_id)": 4336,
    "count(*) filter (event = 'purchase')": 393190,
    "count(*) filter (event = 'return')": 9541,
    "count(distinct user_id) filter (event = 'return')": 1766,
    "count(distinct user_id) filter (event = 'purchase' and ts > timestamp '2010-11-01')": 1607,
    "count(distinct user_id) filter (event = 'purchase' and sku = '85123A')": 1129,
    "count(distinct user_id) filter (country = 'Germany')": 66,
}
PUBLISHED_GROUPS = {
    "event = 'purchase'": (5, 1128),
    "event = 'purchase' and ts > timestamp '2010-09-02'": (3, 696),
}


def rows_of(select: str) -> list[tuple[object, ...]]:
    return duckdb.connect().execute(select).fetchall()


@pytest.mark.parametrize(("expression", "count"), PUBLISHED.items())
def test_published_figures_come_out_of_the_shipped_file(expression: str, count: int) -> None:
    assert rows_of(f"select {expression} from '{FILE}'") == [(count,)]


@pytest.mark.parametrize(("where", "published"), PUBLISHED_GROUPS.items())
def test_published_invoice_counts(where: str, published: tuple[int, int]) -> None:
    invoices, users = published
    having = f"having count(distinct invoice) >= {invoices}"
    found = rows_of(f"select user_id from '{FILE}' where {where} group by user_id {having}")
    assert len(found) == users


def test_amount_is_quantity_times_price_in_pence() -> None:
    wrong = f"select count(*) from '{FILE}' where abs(amount - quantity * price) > 0.005000001"
    assert rows_of(wrong) == [(0,)]


def test_rows_stand_in_order_of_time() -> None:
    backwards = (
        f"select count(*) from (select ts, lag(ts) over (order by n) as before "
        f"from (select ts, row_number() over () as n from '{FILE}')) where ts < before"
    )
    assert rows_of(backwards) == [(0,)]


def test_every_segment_has_its_sql_and_the_other_way_round() -> None:
    in_sql = {name for is_segment, name, _ in sql_parts() if is_segment}
    assert exact() == in_sql


@pytest.mark.parametrize("moment", COUNTS)
def test_counts_of_the_demo_segments(moment: str) -> None:
    assert {name: len(users) for name, users in members_at(moment).items()} == COUNTS[moment]


def test_every_segment_has_members_at_some_moment() -> None:
    seen = {name for counts in COUNTS.values() for name, count in counts.items() if count}
    assert exact() == seen


@pytest.mark.parametrize("group", ["lifecycle", "value"])
def test_exclusive_groups_share_no_customer(group: str) -> None:
    names = [each["segment"] for each in definitions("segments") if each.get("exclusive") == group]
    members = members_at("2010-12-01")
    everyone = [user for name in names for user in members[name]]
    assert len(names) >= 3
    assert len(everyone) == len(set(everyone))
