"""Published counts on real retailers' events, by the road users take: import, then members as of a moment.

The published tables count up to a moment and without it, which is Segue's one millisecond earlier. Of
three data sets one ships with the demo; the others are looked for beside the repository.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from segue.domain.number import micro_of
from segue.domain.time import parse_instant
from segue.service.service import Service
from tests.cli.segue import here
from tests.project.online_retail_expected import FILE, ROOT, WORKSPACE, members_at

BESIDE = ROOT.parent / "shared" / "data"

REES46_END = "2019-10-01T02:59:59.999Z"
REES46_HALF_PAST_TWO = "2019-10-01T02:29:59.999Z"
CDNOW_END = "1997-09-30T23:59:59.999Z"
RETAIL_END = "2010-11-30T23:59:59.999Z"

# (condition, as of, published count)
REES46: dict[str, tuple[str, str, int]] = {
    "everyone": ("true", REES46_END, 4505),
    "viewed_thrice": ('count("view") >= 3', REES46_END, 1988),
    "filled_a_cart": ('count("cart") >= 1', REES46_END, 111),
    "bought": ('count("purchase") >= 1', REES46_END, 193),
    "abandoned_a_cart": ('count("cart") >= 1 and count("purchase") == 0', REES46_END, 49),
    "only_looked": ('count("view") >= 5 and count("cart") == 0 and count("purchase") == 0', REES46_END, 1007),
    "cart_after_view": ('sequence("view" then "cart", within 1d) >= 1', REES46_END, 111),
    "first_cart_after_first_view": ('first("cart") >= first("view")', REES46_END, 111),
    "whole_funnel": (
        'first("cart") >= first("view") and first("purchase") >= first("cart")',
        REES46_END,
        60,
    ),
    "spent_500": ('sum("purchase".price) >= 500', REES46_END, 36),
    "three_products": ('distinct("view".product_id) >= 3', REES46_END, 1438),
    "smartphones": (
        'count("view" where category_code starts with "electronics.smartphone") >= 1',
        REES46_END,
        1467,
    ),
    "two_sessions": ("distinct(any.session_id) >= 2", REES46_END, 426),
    "active_in_ten_minutes": ("count(any, last 10m) >= 1", REES46_HALF_PAST_TWO, 1340),
    "busy_in_ten_minutes": ('count("view", last 10m) >= 5', REES46_HALF_PAST_TWO, 277),
}
REES46_EVENTS = {"view": 17056, "purchase": 214, "cart": 165}
REES46_PRICES_MICRO = 59_442_630_000

CDNOW: dict[str, tuple[str, str, int]] = {
    "everyone": ("true", CDNOW_END, 23570),
    "two_purchases": ('count("purchase") >= 2', CDNOW_END, 9616),
    "bought_in_30_days": ('count("purchase", last 30d) >= 1', CDNOW_END, 1739),
    "not_for_180_days": ('count("purchase", last 180d) == 0', CDNOW_END, 16321),
    "spent_200": ('sum("purchase".amount) >= 200', CDNOW_END, 1691),
    "thrice_in_90_days": ('count("purchase", last 90d) >= 3', CDNOW_END, 674),
    "spent_100_in_90_days": ('sum("purchase".amount, last 90d) >= 100', CDNOW_END, 759),
    "win_back": ('sum("purchase".amount) >= 100 and count("purchase", last 90d) == 0', CDNOW_END, 1976),
}
CDNOW_ROWS = 49086
CDNOW_AMOUNTS_MICRO = 1_723_354_500_000

RETAIL: dict[str, tuple[str, str, int]] = {
    "count_everyone": ("true", RETAIL_END, 4336),
    "count_five_invoices": ('distinct("purchase".invoice) >= 5', RETAIL_END, 1128),
    "count_returned": ('count("return") >= 1', RETAIL_END, 1766),
    "count_bought_in_30_days": ('count("purchase", last 30d) >= 1', RETAIL_END, 1607),
    "count_three_invoices": ('distinct("purchase".invoice, last 90d) >= 3', RETAIL_END, 696),
    "count_heart_holder": ('count("purchase" where sku == "85123A") >= 1', RETAIL_END, 1129),
    "count_germany": ('count(any where country == "Germany") >= 1', RETAIL_END, 66),
}
RETAIL_EVENTS = {"purchase": 393_190, "return": 9_541}


def published(name: str) -> Path:
    """A published file; the test is skipped, saying which, where it is not."""
    path = BESIDE / name
    if not path.is_file():
        pytest.skip(f"{name} is not in ../shared/data beside the repository")
    return path


def write_segments(folder: Path, table: Mapping[str, tuple[str, str, int]]) -> None:
    """Adds a segment for each row of a table to a workspace."""
    segments = [
        {"segment": name, "owner": "counts@segue.example", "description": "A published count.", "when": when}
        for name, (when, _, _) in table.items()
    ]
    (folder / "segments").mkdir(parents=True, exist_ok=True)
    (folder / "segments" / "counts.yaml").write_text(yaml.safe_dump(segments), encoding="utf-8")


def imported(folder: Path, file: Path, *options: str | Path) -> dict[str, Any]:
    """What ``segue import`` says of a file."""
    ended = here("import", file, "--workspace", folder, "--json", *options)
    assert ended.status == 0, ended.err
    row: dict[str, Any] = ended.row
    return row


def counted(service: Service, table: Mapping[str, tuple[str, str, int]]) -> dict[str, int]:
    return {name: len(service.members(name, service.moment(at))) for name, (_, at, _) in table.items()}


def counts_of(table: Mapping[str, tuple[str, str, int]]) -> dict[str, int]:
    return {name: count for name, (_, _, count) in table.items()}


def said_by_the_command(folder: Path, name: str, at: str) -> int:
    """How many ``segue members --as-of`` lists."""
    return len(here("members", name, "--as-of", at, "--workspace", folder, "--json").rows)


def exported(folder: Path) -> list[Any]:
    """All events, as ``segue export`` gives them."""
    return [json.loads(line) for line in here("export", "--all", "--workspace", folder).out.splitlines()]


def total_micro(events: list[Any], name: str, path: str) -> int:
    """The sum of a property over the events of a name, in millionths."""
    values = [micro_of(each["properties"].get(path)) for each in events if each["event"] == name]
    return sum(value for value in values if value is not None)


def test_rees46(tmp_path: Path) -> None:
    file = published("rees46_20191001.csv.gz")
    (tmp_path / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    write_segments(tmp_path, REES46)
    assert imported(tmp_path, file)["accepted"] == sum(REES46_EVENTS.values())
    with Service.open(tmp_path, tmp_path / ".segue") as service:
        assert counted(service, REES46) == counts_of(REES46)
    assert said_by_the_command(tmp_path, "busy_in_ten_minutes", REES46_HALF_PAST_TWO) == 277
    events = exported(tmp_path)
    assert Counter(each["event"] for each in events) == REES46_EVENTS
    assert total_micro(events, "purchase", "price") == REES46_PRICES_MICRO


def test_cdnow(tmp_path: Path) -> None:
    file = published("cdnow_full.csv.gz")
    (tmp_path / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    write_segments(tmp_path, CDNOW)
    assert imported(tmp_path, file)["quarantined"] == 0
    with Service.open(tmp_path, tmp_path / ".segue") as service:
        assert counted(service, CDNOW) == counts_of(CDNOW)
    assert said_by_the_command(tmp_path, "win_back", CDNOW_END) == 1976
    before = [each for each in exported(tmp_path) if each["timestamp"] <= CDNOW_END]
    assert len(before) == CDNOW_ROWS
    assert total_micro(before, "purchase", "amount") == CDNOW_AMOUNTS_MICRO


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's workspace with the year imported and the counted segments added."""
    folder = tmp_path_factory.mktemp("retail") / "workspace"
    shutil.copytree(WORKSPACE, folder, ignore=shutil.ignore_patterns(".*", "data"))
    write_segments(folder, RETAIL)
    tally = imported(folder, FILE, "--map", WORKSPACE / "map.yaml")
    assert tally["accepted"] == sum(RETAIL_EVENTS.values())
    return folder


def test_online_retail(retail: Path) -> None:
    assert said_by_the_command(retail, "count_three_invoices", RETAIL_END) == 696
    with Service.open(retail, retail / ".segue") as service:
        assert counted(service, RETAIL) == counts_of(RETAIL)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("2010-06-01", marks=pytest.mark.torture),
        pytest.param("2010-11-01", marks=pytest.mark.torture),
        "2010-11-15 14:30:00",
        "2010-12-01",
    ],
)
def test_members_are_those_of_sql(retail: Path, moment: str) -> None:
    expected = members_at(moment)
    at = parse_instant(moment)
    with Service.open(retail, retail / ".segue") as service:
        found = {name: [each.user_id for each in service.members(name, at)] for name in expected}
    assert found == expected
