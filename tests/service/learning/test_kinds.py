"""Likeness and worth, from the workspace's files to scores that conditions read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from segue.learned.registry import Registry
from segue.service.learning.training import promote, train
from segue.service.service import Service
from tests.service.learning.grouped import SIZES, shop

LIKE = """
model: like_friends
owner: crm@shop.example
description: Who is like our friends.
kind: lookalike
event: Order
amount: revenue
seed: list("friends")
guards: {users: 100, positives: 10, reason: A small shop.}
"""
WORTH = """
model: worth
owner: crm@shop.example
description: What a customer will spend within 30 days.
ready: lifetime_value
event: Order
amount: revenue
horizon: 30d
guards: {users: 50, positives: 20, reason: A small shop.}
"""
ALIVE = WORTH.replace("model: worth", "model: alive") + "measure: alive\n"
FRIENDS = 20


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    names = [f"regulars-{number}" for number in range(FRIENDS)]
    (tmp_path / "ws/lists").mkdir(parents=True)
    (tmp_path / "ws/lists/friends.yaml").write_text(
        f"list: friends\nowner: crm@shop.example\ndescription: Picked by hand.\nusers: [{', '.join(names)}]\n"
    )
    with shop(tmp_path, LIKE, WORTH, ALIVE) as found:
        yield found


def scores(service: Service, model: str, kind: str, first: int = 0) -> np.ndarray:
    users = (service.user(f"{kind}-{number}") for number in range(first, SIZES[kind]))
    return np.array([user.scores.get(model, np.nan) for user in users])


def in_force(service: Service, model: str) -> None:
    """Trained; what the gate does not let in of so few people, a person does."""
    trained = train(service, model)
    if not trained.promoted:
        promote(service, model, trained.version.number, "tests", "a small shop")


def test_those_who_are_like_the_examples_score_above_those_who_are_not(service: Service) -> None:
    in_force(service, "like_friends")
    others = scores(service, "like_friends", "regulars", FRIENDS)
    strangers = np.concatenate([scores(service, "like_friends", kind) for kind in ("browsers", "lapsed")])
    assert others.min() > strangers.max()
    version = Registry(service.data).champion("like_friends")
    assert version is not None
    assert version.card["verdict"]["users"] == sum(SIZES.values())


def test_a_seed_is_a_list_that_people_edit(service: Service) -> None:
    in_force(service, "like_friends")
    first = Registry(service.data).champion("like_friends")
    (service.folder / "lists/friends.yaml").write_text(
        "list: friends\nowner: crm@shop.example\ndescription: Others.\n"
        f"users: [{', '.join(f'lapsed-{number}' for number in range(30))}]\n"
    )
    service.apply()
    in_force(service, "like_friends")
    again = Registry(service.data).champion("like_friends")
    assert first is not None
    assert again is not None
    assert first.document != again.document
    assert (
        scores(service, "like_friends", "lapsed", 30).min()
        > scores(service, "like_friends", "regulars").max()
    )


def test_worth_is_expected_of_those_who_come_often_and_lately(service: Service) -> None:
    for model in ("worth", "alive"):
        in_force(service, model)
    worth = {kind: scores(service, "worth", kind) for kind in SIZES}
    assert worth["regulars"].min() > worth["lapsed"].max()
    alive = {kind: scores(service, "alive", kind) for kind in SIZES}
    assert alive["lapsed"].max() < 0.5 < alive["regulars"].min()
    # Who bought once may always come again: the model lets people stop only after a purchase that repeats.
    assert (alive["browsers"] == 1).all()
