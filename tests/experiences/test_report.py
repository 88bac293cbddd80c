"""A report counts what the log holds, as a plain count of the history does."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.domain.time import DAY, HOUR, format_instant
from segue.experiences.report import Line, report
from segue.experiences.report_text import rendered
from segue.ingest.decode import decode_events
from segue.service.service import Service
from tests.cli.segue import here

NOON = 1_793_534_400_000
FILE = """
experience: hero
owner: o@x
description: W.
slot: hero
holdout: 0.5
goal: {event: Order, where: total > 10, within: 2d}
fallback: {}
variants:
  - {variant: a, weight: 1, payload: 1}
  - {variant: b, weight: 1, payload: 2}
"""
Happened = tuple[int, str, str, str, float]
"""(ms after the beginning, user, event, variant, total)."""


@contextmanager
def shop(text: str = FILE) -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "experiences").mkdir()
        (folder / "experiences" / "hero.yaml").write_text(text)
        with Service.open(folder, folder / "data") as opened:
            yield opened


def take(service: Service, found: list[Happened]) -> None:
    raws = []
    for number, (at, user, event, variant, total) in enumerate(found):
        properties: dict[str, Any] = {"total": total}
        if event != "Order":
            properties = {"experience": "other" if variant == "other" else "hero", "variant": variant}
        body = {"type": "track", "userId": user, "event": event, "properties": properties,
                "timestamp": format_instant(NOON + at), "messageId": f"m{number}"}  # fmt: skip
        raws.append(json.dumps(body).encode())
    with service.core.gate:
        taken = service.core.intake.accept(decode_events(raws), "tests", service.log.next_seq)
        service.core.append([taken.batch], [])


def plainly(
    found: list[Happened], variant: str | None, event: str, within: int = 2 * DAY
) -> tuple[int, int, int]:
    """(users, exposures, converted) of those whose first exposure was of this kind."""
    users = exposures = converted = 0
    for user in {each[1] for each in found}:
        own = sorted((each[0], at, each) for at, each in enumerate(found) if each[1] == user)
        seen = [each for each in own if each[2][2] != "Order" and each[2][3] != "other"]
        if not seen or seen[0][2][2] != event or variant not in (None, seen[0][2][3]):
            continue
        users += 1
        exposures += sum(each[2][2:4] == seen[0][2][2:4] for each in seen)
        converted += any(
            each[2][2] == "Order" and each[2][4] > 10
            and each[:2] > seen[0][:2] and each[0] - seen[0][0] <= within
            for each in own
        )  # fmt: skip
    return users, exposures, converted


def counted(line: Line) -> list[tuple[int, int, int]]:
    found = []
    for arm in (line.shown, line.withheld):
        assert arm.group is not None
        found.append((arm.users, arm.exposures, arm.group.converted))
    return found


_happened = st.lists(
    st.tuples(
        st.sampled_from([0, 1, HOUR, DAY, 2 * DAY, 2 * DAY + 1, 3 * DAY]),
        st.sampled_from(["u1", "u2", "u3", "u4"]),
        st.sampled_from(["Experience Viewed", "Experience Withheld", "Order"]),
        st.sampled_from(["a", "b", "gone", "other"]),
        st.sampled_from([5.0, 10.0, 10.5, 100.0]),
    ),
    min_size=1,
    max_size=20,
)


@given(_happened)
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
def test_it_counts_as_a_plain_count_does(found: list[Happened]) -> None:
    found = sorted(found)
    with shop() as service:
        take(service, found)
        told = report(service, service.workspace.experiences["hero"])
        kinds = ("Experience Viewed", "Experience Withheld")
        assert counted(told.total) == [plainly(found, None, kind) for kind in kinds]
        for line in told.lines:
            assert counted(line) == [plainly(found, line.variant, kind) for kind in kinds]
        later = report(service, service.workspace.experiences["hero"], since=NOON + DAY)
        recent = [each for each in found if each[0] >= DAY]
        assert counted(later.total) == [plainly(recent, None, kind) for kind in kinds]


EXAMPLE: list[Happened] = [
    *((number, f"t{number}", "Experience Viewed", "a", 0.0) for number in range(40)),
    *((number, f"c{number}", "Experience Withheld", "a", 0.0) for number in range(80)),
    *((DAY, f"t{number}", "Order", "", 60.0) for number in range(36)),
    *((DAY, f"c{number}", "Order", "", 60.0) for number in range(16)),
]


def test_the_published_example_as_people_read_it() -> None:
    with shop() as service:
        take(service, sorted(EXAMPLE))
        told = report(service, service.workspace.experiences["hero"])
        assert rendered(told).splitlines() == [
            "     users  shown  converted    rate  held out  converted    rate     lift                95 %",
            "a       40     40         36  90.00%        80         16  20.00%  +350.0%  +194.0% to +615.2%",
            "b        0      0          0                 0          0",
            "all     40     40         36  90.00%        80         16  20.00%  +350.0%  +194.0% to +615.2%",
            "",
            "hero as of 2026-11-02T12:00:00.000Z",
            "those who were given it reach the goal more often, beyond chance",
        ]


def test_users_who_merge_count_once() -> None:
    with shop() as service:
        take(service, [(0, "ann", "Experience Viewed", "a", 0), (1, "bob", "Experience Withheld", "a", 0)])
        body = {"type": "alias", "userId": "ann", "previousId": "bob", "messageId": "x",
                "timestamp": format_instant(NOON + 5)}  # fmt: skip
        with service.core.gate:
            taken = service.core.intake.accept(
                decode_events([json.dumps(body).encode()]), "tests", service.log.next_seq
            )
            service.core.append([taken.batch], [])
        told = report(service, service.workspace.experiences["hero"])
        assert (told.total.shown.users, told.total.withheld.users, told.mixed) == (1, 0, 1)


def test_a_condition_as_the_goal_is_asked_of_everyone_now() -> None:
    text = FILE.replace("{event: Order, where: total > 10, within: 2d}", "{when: 'count(\"Order\") >= 2'}")
    with shop(text) as service:
        take(service, [(0, "u", "Order", "", 1), (1, "u", "Experience Viewed", "a", 0),
                       (2, "v", "Experience Viewed", "a", 0), (3, "u", "Order", "", 1)])  # fmt: skip
        told = report(service, service.workspace.experiences["hero"])
        assert counted(told.total)[0] == (2, 2, 1)


def test_without_a_goal_it_says_so() -> None:
    with shop(FILE.replace("goal: {event: Order, where: total > 10, within: 2d}\n", "")) as service:
        take(service, [(0, "u", "Experience Viewed", "a", 0)])
        told = report(service, service.workspace.experiences["hero"])
        assert told.to_json()["goal"] is None
        assert "converted" not in told.to_json()["total"]["shown"]
        assert "it has no goal" in rendered(told)


def test_the_commands_list_and_report(tmp_path: Path) -> None:
    (tmp_path / "experiences").mkdir()
    (tmp_path / "experiences" / "hero.yaml").write_text(FILE)
    where = ("--workspace", tmp_path, "--data", tmp_path / "data")
    listed = here("experiences", *where)
    assert listed.out.splitlines() == [
        "slot  experience  variant  priority  weight  status  audience",
        "hero  hero        a               0       1  active  everyone",
        "hero  hero        b               0       1  active  everyone",
    ]
    assert here("experiences", "--json", *where).rows[0]["experience"] == "hero"
    told = here("experiences", "report", "hero", "--json", *where).rows[0]
    assert told["total"]["lift"] is None
    assert [each["variant"] for each in told["variants"]] == ["a", "b"]
    refused = here("experiences", "report", "heroo", *where)
    assert refused.status == 1
    assert "E837" in refused.err
    assert "did you mean hero?" in refused.err
    assert here("experiences", "report", "hero", "--since", "soon", *where).status == 1


@pytest.mark.parametrize("word", ["users", "held out", "nobody was held out"])
def test_nobody_to_compare_with(word: str) -> None:
    with shop(FILE.replace("holdout: 0.5\n", "")) as service:
        take(service, [(0, "u", "Experience Viewed", "a", 0)])
        assert word in rendered(report(service, service.workspace.experiences["hero"]))
