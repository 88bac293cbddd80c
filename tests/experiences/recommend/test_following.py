"""What is followed event by event is what a reading of the whole log finds, whatever happened."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.domain.time import DAY
from segue.experiences.recommend.live import Recent
from segue.experiences.recommend.recommender import Recommender
from segue.experiences.recommend.taste import taste_of
from segue.segments.recommendations.definition import DEFAULT
from segue.service.forgetting import forget
from tests.experiences.recommend.shop import Shop, shop

USERS, ITEMS = ["u0", "u1", "u2"], ["a", "b", "c", "d"]
looks = st.tuples(
    st.just("view"),
    st.sampled_from(USERS),
    st.sampled_from(ITEMS),
    st.sampled_from(["Product Viewed", "Product Added"]),
    st.integers(0, 3 * DAY),
)
steps = st.one_of(
    looks,
    looks,
    st.tuples(st.just("buy"), st.sampled_from(USERS), st.lists(st.sampled_from(ITEMS), max_size=3)),
    st.tuples(st.just("merge"), st.sampled_from(USERS), st.sampled_from(USERS)),
    st.tuples(st.just("forget"), st.sampled_from(USERS)),
    st.tuples(st.just("close")),
)


def do(one: Shop, step: tuple[Any, ...]) -> None:
    match step:
        case ("view", user, item, event, ago):
            at = f"{np.datetime64(max(one.now - ago, 0), 'ms')}Z"
            one.view(user, item, event=event, timestamp=at)
        case ("buy", user, items):
            one.buy(user, *items)
        case ("merge", user, other):
            one.post({"type": "alias", "previousId": user, "userId": other})
        case ("forget", user):
            forget(one.service.core, one.service.folder, user)
        case _:
            one.service.log.close_stretch(1)


def seen(recommender: Recommender, user: str) -> list[tuple[str, str, int]]:
    """(item, event, when) of what a user did, in order."""
    identity = recommender.core.intake.identity
    row = identity.row_of(user)
    if row is None:
        return []
    deeds: Recent = recommender.live.of(identity.rows_of(row))
    ids = recommender.known.ids
    return [
        (ids[item], deeds.known_sights[sight].event, at)
        for item, sight, at in zip(
            deeds.items.tolist(), deeds.sights.tolist(), deeds.at.tolist(), strict=True
        )
    ]


@settings(max_examples=20)
@given(st.lists(steps, max_size=12), st.integers(0, 12))
def test_following_is_reading(history: list[tuple[Any, ...]], begin: int) -> None:
    with tempfile.TemporaryDirectory() as name, shop(Path(name)) as one:
        one.now = 40 * DAY
        followed = one.recommender
        for number, step in enumerate(history):
            if number == begin:
                followed.read()
            do(one, step)
            followed.live.follow(one.service.engine.evaluated_seq)
        if len(history) <= begin:
            followed.read()
        before = {user: seen(followed, user) for user in USERS}
        followed.renew()
        assert {user: seen(followed, user) for user in USERS} == before
        fresh = Recommender(one.service.core, one.service.data)
        fresh.read()
        for user in USERS:
            assert sorted(seen(followed, user)) == sorted(seen(fresh, user))
            times = [at for _, _, at in seen(followed, user)]
            assert times == sorted(times)
        assert popular(followed) == popular(fresh)


def popular(recommender: Recommender) -> dict[str, float]:
    """How popular each item is, without those that nobody turned to."""
    taste = taste_of(DEFAULT)
    recommender.publish(anew=True)
    shares = recommender.view.stocks[taste].popular.tolist()
    named = {recommender.known.ids[place]: round(share, 4) for place, share in enumerate(shares)}
    return {name: share for name, share in named.items() if share > 0}
