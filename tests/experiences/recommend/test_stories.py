"""Stories of one shop: what is recommended after what was done, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.domain.number import MICRO
from segue.domain.time import DAY
from segue.experiences.recommend.catalogue.item import Item
from segue.experiences.recommend.question import Question
from segue.service.forgetting import forget
from segue.service.suppressing import admit, suppress
from tests.experiences.recommend.shop import HEAD, Shop, shop, tastes

TEA, POTS = [f"tea-{n}" for n in range(6)], [f"pot-{n}" for n in range(6)]
PLAIN = f"recommendation: default\n{HEAD}diversity: 0\n"


def test_what_goes_together_comes_first_and_says_so(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA, POTS])
        one.view("ann", "tea-0")
        one.train()
        answer = one.ask("ann", count=5)
        assert answer["known"]
        assert answer["model"]["kind"] == "ease"
        assert {each["id"] for each in answer["items"]} == set(TEA) - {"tea-0"}
        assert {each["reason"]["text"] for each in answer["items"]} == {"viewed with tea-0"}
        scores = [each["score"] for each in answer["items"]]
        assert scores == sorted(scores, reverse=True)


def test_the_very_next_answer_goes_by_the_last_click(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA, POTS])
        one.view("ann", "tea-0")
        one.train()
        assert one.ids("ann", count=1)[0].startswith("tea")
        one.view("ann", "pot-0")
        assert one.ids("ann", count=1)[0].startswith("pot")
        assert one.ids("bob", count=1, recent=["tea-3"])[0].startswith("tea")


def test_a_restart_loses_nothing_that_was_done(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA, POTS])
        one.ids("ann")
        one.view("ann", "pot-0", "tea-0")
        one.buy("ann", "tea-1")
        one.train()
        before = one.ask("ann")
    with shop(tmp_path, PLAIN) as again:
        again.train()
        after = again.ask("ann")
    assert [each["id"] for each in after["items"]] == [each["id"] for each in before["items"]]
    assert "tea-1" not in [each["id"] for each in after["items"]]


def test_the_strongest_deed_names_the_reason(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA, POTS])
        one.view("ann", "tea-0")
        one.view("bob", "tea-0", event="Product Added")
        one.buy("cleo", "tea-0")
        one.train()
        assert one.reasons("ann", count=1) == {one.ids("ann", count=1)[0]: "viewed with tea-0"}
        assert "added with tea-0" in one.reasons("bob", count=3).values()
        assert "bought with tea-0" in one.reasons("cleo", count=3).values()


def test_a_reason_calls_an_item_by_its_title_and_tells_everybodys_taste_from_ones_own(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        one.stock(*(Item(name, title=f"The {name}", category=name[:3]) for name in (*TEA, *POTS)))
        tastes(one, [TEA, POTS])
        one.view("ann", "tea-0")
        one.train()
        first = one.ask("ann", count=1)["items"][0]
        assert first["reason"] == {"kind": "viewed_with", "text": "viewed with The tea-0", "item": "tea-0"}
        new = one.ask("nobody", count=3)
        assert {each["reason"]["kind"] for each in new["items"]} == {"popular"}


def test_who_may_not_know_what_was_done_is_not_told(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA, POTS])
        one.view("ann", "tea-0")
        one.train()
        brief = json.loads(one.recommender.answer(Question("ann", count=2), brief=True))
        whole = one.ask("ann", count=2)
        assert [each["id"] for each in brief["items"]] == [each["id"] for each in whole["items"]]
        assert {each["reason"]["text"] for each in brief["items"]} == {"goes with what they turned to"}
        assert "tea-0" not in json.dumps(brief)


def test_what_was_bought_is_left_out_for_as_long_as_is_said(tmp_path: Path) -> None:
    definitions = "".join(
        f"- recommendation: {name}\n  owner: a@b.example\n  description: Words.\n  exclude_bought: {spell}\n"
        for name, spell in (("week", "7d"), ("for_ever", "always"), ("not_at_all", "never"))
    )
    with shop(tmp_path, definitions) as one:
        tastes(one, [TEA])
        one.buy("ann", "tea-0")
        assert "tea-0" not in one.ids("ann", recommendation="week")
        assert "tea-0" in one.ids("ann", recommendation="not_at_all")
        one.now += 8 * DAY
        one.view("bob", "tea-1")
        assert "tea-0" in one.ids("ann", recommendation="week")
        assert "tea-0" not in one.ids("ann", recommendation="for_ever")


def test_nobody_gets_what_is_popular_and_a_bestseller_is_first(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA, POTS])
        for person in range(5):
            one.buy(f"buyer-{person}", "pot-3")
        answer = one.ask("never heard of", count=3)
        assert not answer["known"]
        assert answer["items"][0]["id"] == "pot-3"
        assert answer["items"][0]["reason"] == {"kind": "popular", "text": "popular"}
        assert one.ids(None, count=3) == [each["id"] for each in answer["items"]]


def test_interest_fades(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN + "half_life: 1d\n") as one:
        for person in range(9):
            one.view(f"p{person}", "old")
        one.now += 10 * DAY
        one.view("ann", "new")
        assert one.ids(None, count=2) == ["new", "old"]


def test_items_that_nobody_knows_are_found_by_category_and_as_new(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        one.stock(*(Item(name, category="tea") for name in TEA), Item("rare", category="tea"), Item("odd"))
        tastes(one, [TEA])
        one.view("ann", "tea-0")
        answer = one.reasons("ann", count=8)
        assert answer["rare"] == "popular in tea"
        assert answer["odd"] == "new in the catalogue"
        assert list(answer).index("rare") < list(answer).index("odd")


def test_only_what_is_to_be_had_is_shown(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA])
        one.stock(Item("tea-0"), Item("tea-1", available=False), Item("tea-2"))
        assert set(one.ids("ann")) == {"tea-0", "tea-2"}
        assert set(one.ids("ann", filters={"unavailable": True})) == {"tea-0", "tea-1", "tea-2"}
        one.stock(Item("tea-1"), Item("tea-2", available=False))
        one.recommender.publish()
        assert set(one.ids("ann")) == {"tea-0", "tea-1"}


def test_filters_context_and_vector(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA, POTS])
        one.stock(
            *(
                Item(name, price=n * MICRO, category="tea", attributes={"loose": n % 2 == 0})
                for n, name in enumerate(TEA)
            ),
            *(
                Item(name, price=20 * MICRO, category="pots", attributes={"size": ["s", "m"]})
                for name in POTS
            ),
        )
        one.train()
        assert set(one.ids("ann", filters={"category": "pots"})) == set(POTS)
        assert set(one.ids("ann", filters={"price": {"min": 2, "max": 3}})) == {"tea-2", "tea-3"}
        assert set(one.ids("ann", filters={"attributes": {"loose": True}})) == {"tea-0", "tea-2", "tea-4"}
        assert set(one.ids("ann", filters={"attributes": {"size": ["m", "l"]}})) == set(POTS)
        assert set(one.ids("ann", filters={"ids": ["tea-1", "pot-1"], "exclude": ["pot-1"]})) == {"tea-1"}
        shown = one.ids("ann", context={"item": "pot-2", "page": "product"}, count=5)
        assert set(shown) == set(POTS) - {"pot-2"}
        assert set(one.ids("ann", vector={"tea-1": 1}, count=5)) == set(TEA) - {"tea-1"}


def test_rules_hold_for_whom_they_are_meant(tmp_path: Path) -> None:
    rules = (
        "rules:\n"
        "- {boost: 100, items: {ids: [tea-5]}, when: 'segment(\"buyers\")'}\n"
        "- {exclude: true, items: {category: gone}}\n"
        "- {bury: 0, items: {ids: [tea-0]}}\n"
    )
    buyers = f'segment: buyers\n{HEAD}when: count("Order Completed") > 0\n'
    with shop(tmp_path, PLAIN + rules, buyers) as one:
        tastes(one, [TEA])
        one.stock(*(Item(name, category="tea") for name in TEA), Item("x", category="gone"))
        assert one.ids("g0-0")[-1] == "tea-0"
        assert "x" not in one.ids("g0-0")
        before = one.ids("g0-0")
        one.buy("g0-0", "tea-1")
        assert before[0] != "tea-5"
        assert one.ids("g0-0")[0] == "tea-5"


def test_an_answer_is_spread_over_categories(tmp_path: Path) -> None:
    with shop(tmp_path, f"recommendation: default\n{HEAD}diversity: 0.9\n") as one:
        one.stock(*(Item(n, category="tea") for n in TEA), *(Item(n, category="pots") for n in POTS))
        tastes(one, [TEA], people=30)
        tastes(one, [POTS])
        one.view("ann", "tea-0")
        one.train()
        kinds = [name.split("-")[0] for name in one.ids("ann", count=4)]
        assert kinds[0] == "tea"
        assert "pot" in kinds[:2]


def test_an_answer_with_too_few_items_is_filled_up(tmp_path: Path) -> None:
    definition = f"recommendation: default\n{HEAD}fallback: [tea-4, tea-5, nowhere]\nrules:\n"
    rule = "- {exclude: true, items: {category: tea}}\n"
    with shop(tmp_path, definition + rule) as one:
        one.stock(*(Item(name) for name in TEA))
        one.view("ann", "tea-0")
        answer = one.ask("ann", filters={"ids": ["tea-4"]})
        assert [each["id"] for each in answer["items"]] == ["tea-4"]


def test_visitors_bring_their_deeds_along_when_they_are_known(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA, POTS])
        one.train()
        one.post({"anonymousId": "v", "event": "Product Viewed", "properties": {"product_id": "pot-1"}})
        one.view("ann", "nothing")
        assert one.ids("anon:v", count=1)[0].startswith("pot")
        one.post({"type": "identify", "anonymousId": "v", "userId": "ann"})
        assert one.ids("ann", count=1)[0].startswith("pot")


def test_the_forgotten_have_done_nothing_and_teach_nothing(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA, POTS])
        one.view("ann", "tea-0")
        one.view("bob", "tea-0")
        one.train()
        assert one.ids("ann", count=1)[0].startswith("tea")
        people = one.recommender.view.models.values()
        assert forget(one.service.core, one.service.folder, "ann").found
        assert not one.ask("ann")["known"]
        assert [each.lesson.users for each in people] == [26]
        one.view("bob", "tea-1")
        one.train()
        assert [each.lesson.users for each in one.recommender.view.models.values()] == [25]


def test_the_suppressed_are_nobody(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        tastes(one, [TEA, POTS])
        one.view("ann", "tea-0")
        one.train()
        suppress(one.service.core, "ann")
        assert not one.ask("ann")["known"]
        assert learned_from(one) == 24
        admit(one.service.core, "ann")
        assert one.ask("ann")["known"]
        assert learned_from(one) == 25


def learned_from(one: Shop) -> int:
    """How many people the next model knows."""
    one.train()
    (model,) = one.recommender.view.models.values()
    return model.lesson.users


def test_a_definition_that_changes_is_in_the_next_answer(tmp_path: Path) -> None:
    with shop(tmp_path, PLAIN) as one:
        one.view("ann", "tea-0", "tea-0", "tea-1")
        one.post({"userId": "bob", "event": "Song Played", "properties": {"song": "la"}})
        assert "la" not in one.ids(None)
        path = one.service.folder / "recommendations" / "all.yaml"
        path.write_text(PLAIN + "events: {Song Played: {weight: 1, item: song}}\n", encoding="utf-8")
        one.service.apply()
        assert one.ids(None)[0] == "la"


def test_an_unknown_recommendation_is_refused(tmp_path: Path) -> None:
    with shop(tmp_path) as one, pytest.raises(SegueError) as refused:
        one.ask("ann", recommendation="homepage")
    assert refused.value.diagnostics[0].code == "E843"
