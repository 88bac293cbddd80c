"""Every event arrives exactly once, whatever becomes of the page, its tabs, the network and the server.

Each claim has a control beside it: the same assertion has to fail when what it rests on is taken away.
"""

from __future__ import annotations

import re
import uuid

import pytest

from tests.browser.tracked import Shop, lost, sends
from tests.sdk.driving import assert_each_once
from tests.sdk.proxy import BUSY, CUT, PASS, REFUSE, RESET, SLOW, first_time

_ID = re.compile(rb'"messageId":\s*"[^"]*"')


def test_every_event_arrives_once(shop: Shop) -> None:
    """Of five batches one passes, one loses its answer, one is put off, one waits, one never gets there."""
    shop.weather.fate = first_time(CUT, BUSY, SLOW, RESET, PASS)
    shop.site.put(shop.tag())
    tab = shop.open()
    visitor = tab.run("segue.anonymousId")
    for n in range(5):
        tab.run(sends(n))
        shop.told({n})
    assert_each_once(shop.events(visitor), set(range(5)))
    assert all(shop.weather.met(fate) for fate in (CUT, BUSY, SLOW, RESET, PASS))


def test_a_lost_answer_and_another_id_are_two_events(shop: Shop) -> None:
    """The control of the ids."""
    shop.weather.fate = first_time(CUT)
    shop.weather.change = lambda text: _ID.sub(
        lambda _: b'"messageId":"%s"' % uuid.uuid4().hex.encode(), text
    )
    shop.site.put(shop.tag())
    tab = shop.open()
    tab.run(sends(0))
    shop.told({0})
    with pytest.raises(AssertionError, match="0: 2"):
        assert_each_once(shop.events(tab.run("segue.anonymousId")), {0})


def test_what_is_refused_for_good_is_lost(shop: Shop) -> None:
    """The control of the answers: for a 400 in the place of the 503 the tracker lets its events go."""
    shop.weather.fate = first_time(REFUSE)
    shop.site.put(shop.tag())
    tab = shop.open()
    tab.run(sends(0))
    shop.told({0})
    lost(shop.events(tab.run("segue.anonymousId")), {0})
