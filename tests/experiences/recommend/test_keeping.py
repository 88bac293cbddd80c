"""When a model is trained anew; answers go on meanwhile, and none is older than what it rests on."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from segue.experiences.recommend.catalogue.item import Item
from segue.experiences.recommend.keeping import HASTE_MS, PATIENCE_SECONDS, Keeper, Training
from segue.experiences.recommend.question import Question
from tests.api.serving import eventually
from tests.experiences.recommend.shop import HEAD, Shop, shop, tastes

TEA, POTS = [f"tea-{n}" for n in range(6)], [f"pot-{n}" for n in range(6)]
HOUR_MS = 3_600_000


class Turned:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def number(one: Shop) -> int:
    (model,) = one.recommender.view.models.values()
    return model.number


def test_a_model_is_trained_anew_when_it_is_old_or_knows_little(tmp_path: Path) -> None:
    with shop(tmp_path) as one:
        tastes(one, [TEA, POTS])
        one.ids(None)
        clock = Turned()
        training = Training(one.recommender, HOUR_MS, 1, clock)
        training.work()
        assert number(one) == 1
        clock.seconds += HOUR_MS / 1_000
        training.work()
        assert number(one) == 1
        one.view("ann", "tea-1")
        one.ids(None)
        training.work()
        assert number(one) == 2
        one.view("ann", "tea-2")
        one.ids(None)
        clock.seconds += HASTE_MS / 1_000
        training.work()
        assert number(one) == 2
        one.view("ann", *TEA * 20)
        one.ids(None)
        training.work()
        assert number(one) == 3


def test_a_training_that_failed_is_tried_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop(tmp_path) as one:
        tastes(one, [TEA])
        one.ids(None)
        clock = Turned()
        training = Training(one.recommender, HOUR_MS, 1, clock)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        (tmp_path / "scipy.py").write_text("raise ImportError('no SciPy here')\n", encoding="utf-8")
        training.work()
        assert number(one) == 0
        assert one.ids("ann")
        monkeypatch.delenv("PYTHONPATH")
        training.work()
        assert number(one) == 0
        clock.seconds += PATIENCE_SECONDS
        training.work()
        assert number(one) == 1


def test_definitions_that_count_alike_share_a_model_and_others_do_not(tmp_path: Path) -> None:
    definitions = "".join(
        f"- recommendation: {name}\n  owner: a@b.example\n  description: Words.\n{more}"
        for name, more in (
            ("a", ""),
            ("b", "  diversity: 0.5\n"),
            ("c", "  model: neighbours\n"),
            ("d", "  model: none\n"),
        )
    )
    with shop(tmp_path, definitions) as one:
        tastes(one, [TEA])
        one.train()
        kinds = {
            name: one.ask("ann", recommendation=name)["model"] for name in ("default", "a", "b", "c", "d")
        }
        assert {name: each["kind"] for name, each in kinds.items()} == {
            "default": "ease", "a": "ease", "b": "ease", "c": "neighbours", "d": "none"
        }  # fmt: skip
        assert kinds["a"] == kinds["b"] == kinds["default"]


def test_answers_go_on_while_a_model_is_trained(tmp_path: Path) -> None:
    with shop(tmp_path) as one:
        tastes(one, [TEA, POTS])
        one.view("ann", "tea-0")
        keeper = Keeper(one.recommender, HOUR_MS, 1)
        kinds = [one.ask("ann")["model"]["kind"]]
        keeper.start()
        try:
            kinds += eventually(lambda: trained(one))
        finally:
            keeper.stop()
        assert kinds[0] == "none"
        assert kinds[-1] == "ease"


def trained(one: Shop) -> list[str] | None:
    kind = one.ask("ann")["model"]["kind"]
    return [kind] if kind == "ease" else None


def test_stopping_ends_the_threads_in_the_middle_of_a_training(tmp_path: Path) -> None:
    with shop(tmp_path) as one:
        tastes(one, [TEA, POTS])
        one.ids(None)
        keeper = Keeper(one.recommender, HOUR_MS, 1)
        keeper.start()
        keeper.stop()
        assert not any("segue-recommend" in each.name for each in threading.enumerate())
        assert one.ids("ann")


def test_an_answer_is_kept_until_what_it_rests_on_changes(tmp_path: Path) -> None:
    tea = f'segment: tea\n{HEAD}when: trait.likes == "tea"\n'
    rule = "rules:\n- {boost: 5, items: {category: tea}, when: 'segment(\"tea\")'}\n"
    with shop(tmp_path, f"recommendation: default\n{HEAD}{rule}", tea) as one:
        one.stock(*(Item(name, category="tea") for name in TEA), *(Item(name) for name in POTS))
        tastes(one, [TEA, POTS])
        one.train()
        question, recommender = Question("ann", count=12), one.recommender
        held = recommender.answer(question)
        assert recommender.answer(question) is held
        assert recommender.answer(Question("bob", count=12)) is not held
        steps = (
            lambda: one.view("ann", "pot-1"),
            lambda: one.post({"type": "identify", "userId": "ann", "traits": {"likes": "tea"}}),
            lambda: one.buy("ann", "tea-3"),
            lambda: one.stock(Item("tea-1", available=False)),
            one.train,
        )
        for step in steps:
            step()
            fresh = recommender.answer(question)
            assert fresh != held
            held = fresh
            assert recommender.answer(question) is held


def test_the_oldest_answers_go_when_too_many_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue.experiences.recommend.recommender.ANSWERS_KEPT_MAX", 2)
    with shop(tmp_path) as one:
        one.view("ann", "a")
        held = [one.recommender.answer(Question(f"u{n}")) for n in range(3)]
        assert one.recommender.answer(Question("u2")) is held[2]
        assert one.recommender.answer(Question("u0")) is not held[0]
