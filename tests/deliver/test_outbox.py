"""The outbox: what is put in comes out in order, once, and never goes from one end to the other by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from segue.deliver.outbox import Delivery, Outbox, Outcome, State, Wanted, shared, wall_ms
from segue.domain.errors import SegueError
from segue.log import outbox_file

SOON = 60_000


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(tmp_path)
    yield opened
    opened.close()


def delivery(
    number: int, user: str = "ada", destination: str = "crm", state: State = State.PENDING
) -> Delivery:
    return Delivery(
        id=f"chg_{number}",
        trigger="welcome",
        destination=destination,
        row=sum(user.encode()),
        user_id=user,
        at=number,
        moment=number,
        state=state,
        body=b"{}",
    )


def ids(found: list[Delivery]) -> list[str]:
    return [each.id for each in found]


def due(outbox: Outbox, destination: str = "crm", at: int | None = None) -> list[Delivery]:
    return outbox.pending(destination, wall_ms() if at is None else at, 100)


def test_what_is_put_in_comes_with_the_cursor_and_in_order(outbox: Outbox) -> None:
    heard: list[frozenset[str]] = []
    outbox.listeners.append(heard.append)
    outbox.put([delivery(1), delivery(2), delivery(3, destination="mail")], cursor=7)
    assert ids(due(outbox)) == ["chg_1", "chg_2"]
    assert ids(due(outbox, "mail")) == ["chg_3"]
    assert outbox.cursor() == 7
    assert heard == [frozenset({"crm", "mail"})]


def test_a_firing_is_put_in_once(outbox: Outbox) -> None:
    outbox.put([delivery(1)], cursor=1)
    (first,) = due(outbox)
    outbox.note([Outcome(first.number, State.SENT)])
    outbox.put([delivery(1)], cursor=1)
    assert due(outbox) == []
    assert [each.state for each in outbox.deliveries()] == [State.SENT]


def test_neither_delivery_nor_cursor_is_kept_when_one_cannot_be(outbox: Outbox) -> None:
    nobody = replace(delivery(2), user_id=None)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
        outbox.put([delivery(1), nobody, delivery(3)], cursor=3)
    assert outbox.cursor() == 0
    assert outbox.deliveries() == []


def test_later_ones_of_a_user_stand_back_while_an_earlier_one_waits(outbox: Outbox) -> None:
    outbox.put([delivery(1, "ada"), delivery(2, "bob"), delivery(3, "ada"), delivery(4, "bob")])
    first = due(outbox)[0]
    later = wall_ms() + SOON
    outbox.note([Outcome(first.number, State.PENDING, "refused the connection", later)])
    outbox.put([delivery(5, "ada")])
    assert ids(due(outbox)) == ["chg_2", "chg_4"]
    found = due(outbox, at=later)
    assert ids([each for each in found if each.user_id == "ada"]) == ["chg_1"]
    assert next(each for each in found if each.id == "chg_1").attempts == 1
    outbox.note([Outcome(first.number, State.SENT)])
    assert ids(due(outbox)) == ["chg_2", "chg_3", "chg_4", "chg_5"]


def test_another_destination_does_not_stand_back(outbox: Outbox) -> None:
    outbox.put([delivery(1), delivery(2, destination="mail")])
    outbox.note([Outcome(due(outbox)[0].number, State.PENDING, "down", wall_ms() + SOON)])
    assert ids(due(outbox, "mail")) == ["chg_2"]
    assert outbox.next_due("mail") is not None
    assert outbox.next_due("nowhere") is None


def test_a_dead_one_is_left_until_it_is_replayed(outbox: Outbox) -> None:
    outbox.put([delivery(1), delivery(2)])
    outbox.note([Outcome(each.number, State.DEAD, "410 Gone") for each in due(outbox)])
    assert due(outbox) == []
    dead = outbox.deliveries(Wanted(state=State.DEAD))
    assert [(each.id, each.reason) for each in dead] == [("chg_2", "410 Gone"), ("chg_1", "410 Gone")]
    assert outbox.replay(Wanted(destination="crm", id=dead[0].id)) == 1
    assert ids(due(outbox)) == ["chg_2"]
    assert outbox.replay(Wanted(destination="crm")) == 1
    first = due(outbox)[0]
    assert (first.id, first.attempts) == ("chg_1", 0)
    outbox.note([Outcome(first.number, State.SENT)])
    assert ids(due(outbox)) == ["chg_2"]
    assert outbox.replay(Wanted(destination="crm")) == 0


def test_what_ended_is_not_ended_again(outbox: Outbox) -> None:
    outbox.put([delivery(1)])
    (found,) = due(outbox)
    outbox.note([Outcome(found.number, State.SENT)])
    outbox.note([Outcome(found.number, State.DEAD, "too late")])
    assert outbox.counts() == {("crm", State.SENT): 1}


def test_what_waits_is_judged_again_at_its_time_and_takes_a_new_place(outbox: Outbox) -> None:
    waiting = replace(delivery(1, state=State.WAITING), due=5_000)
    outbox.put([waiting], cursor=1)
    outbox.put([delivery(2)], cursor=2)
    assert outbox.next_waiting() == 5_000
    assert outbox.waiting(4_999, 10) == []
    assert ids(outbox.waiting(5_000, 10)) == ["chg_1"]
    outbox.put([delivery(1)])
    assert outbox.next_waiting() is None
    assert ids(due(outbox)) == ["chg_2", "chg_1"]


def test_contacts_are_what_was_not_passed_over(outbox: Outbox) -> None:
    passed = replace(delivery(3, state=State.PASSED), reason="holdout")
    outbox.put([delivery(1), delivery(2), passed, delivery(4, "bob")])
    row = delivery(1).row
    assert ids(outbox.contacts([row], 1)) == ["chg_2"]
    assert ids(outbox.contacts([row], 0)) == ["chg_1", "chg_2"]


def test_deliveries_are_found_by_what_they_are(outbox: Outbox) -> None:
    outbox.put([delivery(1), delivery(2, "bob"), delivery(3, destination="mail")])
    assert ids(outbox.deliveries(Wanted(user_id="bob"))) == ["chg_2"]
    assert ids(outbox.deliveries(Wanted(destination="mail"))) == ["chg_3"]
    assert ids(outbox.deliveries(Wanted(trigger="other"))) == []
    newest = outbox.deliveries(limit=2)
    assert ids(newest) == ["chg_3", "chg_2"]
    assert ids(outbox.deliveries(before=newest[-1].number)) == ["chg_1"]


def test_old_ends_are_dropped_and_nothing_else(outbox: Outbox) -> None:
    outbox.put([delivery(1), delivery(2), delivery(3)])
    first, second, _ = due(outbox)
    outbox.note([Outcome(first.number, State.SENT), Outcome(second.number, State.DEAD, "no")])
    later = wall_ms() + SOON
    assert outbox.prune(wall_ms() - SOON, 10) == 0
    assert outbox.prune(later, first.moment) == 0
    assert outbox.prune(later, 10) == 1
    assert ids(outbox.deliveries()) == ["chg_3", "chg_2"]


def test_erasing_leaves_nothing_of_someone(outbox: Outbox, tmp_path: Path) -> None:
    marked = replace(delivery(1, "Zq7ada"), body=b'{"email": "zq7ada@person.example"}')
    outbox.put([marked, delivery(2, "bob")])
    assert any(b"q7ada" in each.read_bytes() for each in tmp_path.iterdir())
    outbox_file.erase(tmp_path, {marked.row}, {"Zq7ada"})
    assert not any(b"q7ada" in each.read_bytes() for each in tmp_path.iterdir())
    assert ids(due(outbox)) == ["chg_2"]


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    with outbox._store.transaction() as connection:
        connection.execute("PRAGMA user_version = 99")
    outbox.close()
    with pytest.raises(SegueError) as refused:
        Outbox(tmp_path)
    assert refused.value.diagnostics[0].code == "E602"


def test_whoever_holds_it_at_the_same_time_holds_the_same_one(tmp_path: Path) -> None:
    with shared(tmp_path) as one:
        with shared(tmp_path / ".") as other:
            assert one is other
        one.put([delivery(1)])
    with shared(tmp_path) as again:
        assert again is not one
        assert ids(due(again)) == ["chg_1"]
