"""Item triggers: a price falls, and everyone it matters to is told of it once, as the interpreter says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.analysis.people import People
from segue.domain.number import MICRO
from segue.domain.time import DAY
from segue.engine.engine import Engine
from segue.engine.program.compile import Compiled
from segue.experiences.recommend.catalogue.item import Item
from segue.experiences.recommend.mattering import Mattering, meets, values_of_item
from segue.language.checker import check_condition
from segue.language.interpret import holds, membership
from segue.log.firings import Firing
from segue.segments.triggers.on import OnItem, read_on
from segue.service.program import definitions_of
from segue.service.suppressing import suppress
from tests.experiences.recommend.shop import HEAD, Shop, shop

ON = 'item price falls by 10 % for count("Product Viewed" where product_id == item.id, last 14d) > 0'


def trigger(on: str = ON, name: str = "cheaper") -> str:
    return f"- trigger: {name}\n  owner: a@b.example\n  description: Words.\n  to: stream\n  on: '{on}'\n"


def with_triggers(folder: Path, *triggers: str) -> None:
    (folder / "workspace" / "triggers").mkdir(parents=True)
    (folder / "workspace" / "triggers" / "all.yaml").write_text("".join(triggers), encoding="utf-8")


def work(one: Shop) -> list[tuple[str, str | None, object]]:
    """(trigger, user, item) of each firing that came of the catalogue's last changes."""
    before = len(firings(one))
    catalogue = one.recommender.catalogue
    assert catalogue is not None
    Mattering(one.service.core).work(catalogue)
    return [(each.trigger, user_of(one, each), each.detail["id"]) for each in firings(one)[before:]]


def firings(one: Shop) -> list[Firing]:
    return one.service.log.firings(0, 10_000)


def user_of(one: Shop, firing: Firing) -> str | None:
    return None if firing.row is None else one.service.core.intake.identity.user_id(firing.row)


def test_those_who_looked_at_it_are_told_once(tmp_path: Path) -> None:
    with_triggers(tmp_path, trigger())
    with shop(tmp_path) as one:
        one.stock(Item("a", price=20 * MICRO), Item("b", price=20 * MICRO))
        one.view("ann", "a")
        one.view("bob", "b")
        one.view("cleo", "a", "b")
        assert work(one) == []
        one.stock(Item("a", price=18 * MICRO), Item("b", price=19 * MICRO))
        assert work(one) == [("cheaper", "ann", "a"), ("cheaper", "cleo", "a")]
        assert work(one) == []
        assert firings(one)[0].detail == {"id": "a", "field": "price", "before": 20.0, "after": 18.0}
        assert firings(one)[0].action == "changed"


def test_windows_end_and_the_suppressed_are_not_told(tmp_path: Path) -> None:
    with_triggers(tmp_path, trigger())
    with shop(tmp_path) as one:
        one.stock(Item("a", price=20 * MICRO))
        one.view("long ago", "a")
        work(one)
        one.now += 15 * DAY
        one.view("ann", "a")
        one.view("quiet", "a")
        suppress(one.service.core, "quiet")
        one.stock(Item("a", price=10 * MICRO))
        assert work(one) == [("cheaper", "ann", "a")]


def test_what_the_catalogue_was_before_the_first_look_is_no_news(tmp_path: Path) -> None:
    with_triggers(tmp_path, trigger())
    with shop(tmp_path) as one:
        one.view("ann", "a")
        one.stock(Item("a", price=20 * MICRO))
        one.stock(Item("a", price=10 * MICRO))
        assert work(one) == []


def test_what_changed_while_nobody_looked_is_made_up_for_once(tmp_path: Path) -> None:
    with_triggers(tmp_path, trigger())
    with shop(tmp_path) as one:
        one.stock(Item("a", price=20 * MICRO))
        one.view("ann", "a")
        work(one)
    with shop(tmp_path) as again:
        again.stock(Item("a", price=10 * MICRO))
        assert work(again) == [("cheaper", "ann", "a")]
    with shop(tmp_path) as third:
        assert work(third) == []


def test_any_number_of_an_item_either_way_and_its_values_in_the_condition(tmp_path: Path) -> None:
    on = (
        'item stock rises by 1 for count("Product Viewed" where product_id == item.id) > 0'
        " and trait.budget >= item.price and trait.brand == item.brand"
    )
    with_triggers(tmp_path, trigger(on, "back"), trigger(name="cheaper"))
    with shop(tmp_path) as one:
        one.stock(Item("a", price=20 * MICRO, attributes={"stock": 0, "brand": "Acme"}))
        for user, budget, brand in (("ann", 20, "Acme"), ("bob", 19.99, "Acme"), ("cleo", 30, "Apex")):
            one.view(user, "a")
            one.post({"type": "identify", "userId": user, "traits": {"budget": budget, "brand": brand}})
        work(one)
        one.stock(Item("a", price=20 * MICRO, attributes={"stock": 2, "brand": "Acme"}))
        assert work(one) == [("back", "ann", "a")]


@pytest.mark.parametrize("sent", ["7", 7])
def test_an_id_of_digits_is_found_whichever_way_it_was_sent(tmp_path: Path, sent: object) -> None:
    with_triggers(tmp_path, trigger())
    with shop(tmp_path) as one:
        one.stock(Item("7", price=20 * MICRO), Item("07", price=20 * MICRO))
        one.post({"userId": "ann", "event": "Product Viewed", "properties": {"product_id": sent}})
        work(one)
        one.stock(Item("7", price=10 * MICRO), Item("07", price=10 * MICRO))
        assert work(one) == [("cheaper", "ann", "7")]


def test_a_draft_does_not_fire_and_an_item_whose_values_do_not_fit_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fits = "item price falls by 1 for trait.a contains item.b and trait.c starts with item.b"
    with_triggers(tmp_path, trigger() + "  status: draft\n", trigger(fits, "b"))
    with shop(tmp_path) as one:
        one.stock(
            Item("x", price=9 * MICRO, attributes={"b": 5}),
            Item("y", price=9 * MICRO, attributes={"b": "five"}),
        )
        one.view("ann", "x")
        one.post({"type": "identify", "userId": "ann", "traits": {"a": "five", "c": "fives"}})
        work(one)
        one.stock(
            Item("x", price=MICRO, attributes={"b": 5}), Item("y", price=MICRO, attributes={"b": "five"})
        )
        assert work(one) == [("b", "ann", "y")]
    assert "passes over the item 'x'" in caplog.text


CONDITIONS = (
    'count("Product Viewed" where product_id == item.id, last 14d) > 0',
    'count("Product Viewed" where product_id == item.id, last 14d) > 1 and segment("buyers")',
    'since(last("Product Viewed" where product_id == item.id)) > 2d',
    'latest("Product Viewed".product_id) == item.id and not segment("buyers")',
    'count("Product Viewed" where product_id == item.id) == 0',
    'count("Product Viewed" where product_id == item.id) > 0 and count("Order Completed") == 0',
    'count("Product Viewed" where item.id == product_id and place == 2, last 21d) > 0',
    'sum("Product Viewed".place where product_id == item.id) >= 4 or count("Order Completed") > 2',
    'sum("Product Viewed".place where product_id == item.id) / 2 >= 2 and trait.step > 20',
    'count("Product Viewed" where product_id == item.id or place == 3, last 2d) > 0',
    (
        'count("Product Viewed" where product_id == item.id, last 2d) > 0'
        ' or count("Product Viewed" where product_id == item.id and context.place == 3, last 21d) > 1'
    ),
    'not (count("Product Viewed" where product_id == item.id, last 14d) in [0, 1])',
    'days("Product Viewed" where product_id == item.id) > 1 and 7 > 3',
    'count("Product Viewed" where product_id == item.id, this session) > 0',
    'sequence("Product Viewed" where product_id == item.id then "Order Completed", within 30d) > 0',
)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_whom_it_matters_to_is_what_the_interpreter_says(tmp_path: Path, condition: str) -> None:
    with_triggers(tmp_path, trigger(f"item price falls by 1 for {condition}"))
    buyers = f'segment: buyers\n{HEAD}when: count("Order Completed") > 0\n'
    with shop(tmp_path, segments=buyers) as one:
        items = [f"i{number}" for number in range(4)] + ["7"]
        one.stock(*(Item(each, price=9 * MICRO) for each in items))
        work(one)
        for step in range(60):
            one.now += (step % 7) * DAY // 2
            look(one, f"u{step * 7 % 11}", items[step * 3 % 5], step)
            if step % 9 == 0:
                one.buy(f"u{step % 11}", items[step % 5])
            if step in (20, 40):
                one.service.log.close_stretch(1)
        one.post({"type": "alias", "previousId": "u1", "userId": "u2"})
        one.stock(*(Item(each, price=4 * MICRO) for each in items))
        assert sorted(work(one), key=str) == sorted(plainly(one, condition, items), key=str)


def look(one: Shop, user: str, item: str, step: int) -> None:
    """A look with a place, at ids of digits in both ways; and what the user has got to."""
    sent = int(item) if item.isdigit() and step % 2 else item
    properties = {"product_id": sent, "place": step % 4}
    one.post(
        {"userId": user, "event": "Product Viewed", "properties": properties, "context": {"place": step % 5}},
        {"userId": user, "type": "identify", "traits": {"step": step}},
    )


def plainly(one: Shop, condition: str, items: list[str]) -> list[tuple[str, str, str]]:
    """Who meets a condition for which item, by the interpreter over each person's events."""
    service = one.service
    form = read_on(f"item price falls by 1 for {condition}")
    assert isinstance(form, OnItem)
    texts = {item: form.condition_for(values_of_item(Item(item))).strip() for item in items}
    trees = {item: check_condition(text, service.workspace.scope) for item, text in texts.items()}
    found = []
    now, definitions = service.engine.now, definitions_of(service.workspace)
    with duckdb.connect() as connection:
        people = People(service.log, connection, upto=service.engine.evaluated_seq)
        for row, person in people.everyone():
            within = person.answering(membership(definitions, {}, person, now, service.rules))
            for item, tree in trees.items():
                if holds(tree, within, now, service.rules):
                    found.append(("cheaper", service.core.intake.identity.user_id(row), item))
    return found


prices = st.integers(0, 10**6).map(lambda cents: cents * MICRO // 100)


def test_items_named_at_several_places_of_one_event_count_it_once(tmp_path: Path) -> None:
    twice = (
        'count("Product Viewed" where product_id == item.id and deep.sku is present, last 14d) > 1'
        ' or count("Product Viewed" where deep.sku == item.id and product_id is present, last 14d) > 1'
    )
    with_triggers(tmp_path, trigger(f"item price falls by 1 for {twice}"))
    with shop(tmp_path) as one:
        one.stock(Item("a", price=9 * MICRO))
        work(one)
        for user, looks in (("ann", 1), ("bob", 2)):
            for _ in range(looks):
                properties = {"product_id": "a", "deep": {"sku": "a"}}
                one.post({"userId": user, "event": "Product Viewed", "properties": properties})
        one.stock(Item("a", price=MICRO))
        assert work(one) == [("cheaper", "bob", "a")]


def test_what_hangs_on_the_item_alone_is_found_without_an_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many items change, the log is not shown to an engine for them."""
    with_triggers(tmp_path, trigger(), trigger(ON + ' and segment("buyers")', "theirs"))
    buyers = f'segment: buyers\n{HEAD}when: count("Order Completed") > 0\n'
    with shop(tmp_path, segments=buyers) as one:
        items = [f"i{number}" for number in range(30)]
        one.stock(*(Item(each, price=9 * MICRO) for each in items))
        for item in items:
            one.view("ann", item)
            one.view("bob", item)
        one.buy("bob", "i1")
        work(one)
        one.stock(*(Item(each, price=4 * MICRO) for each in items))
        shown: list[int] = []

        def noted(engine: Engine, program: Compiled, *rest: Any, **more: Any) -> Engine:
            shown.append(len(program.names))
            return replayed(engine, program, *rest, **more)

        replayed = Engine.replayed
        monkeypatch.setattr(Engine, "replayed", noted)
        found = work(one)
        assert sorted(found) == sorted(
            [("cheaper", user, item) for item in items for user in ("ann", "bob")]
            + [("theirs", "bob", item) for item in items]
        )
        # One condition for all items, and the segment that it asks for.
        assert shown == [2]


@given(prices, st.integers(1, 99))
def test_a_share_is_exact(before: int, percent: int) -> None:
    form = OnItem("price", True, float(percent), True, "true")
    least = -(-before * (percent) // 100)
    assert meets(form, before, before - least) == (least > 0)
    assert not meets(form, before, before - least + 1)


@given(prices, prices, st.booleans())
def test_an_amount_is_exact(before: int, after: int, falls: bool) -> None:
    form = OnItem("price", falls, 0.1, False, "true")
    moved = before - after if falls else after - before
    assert meets(form, before, after) == (moved >= MICRO // 10)
