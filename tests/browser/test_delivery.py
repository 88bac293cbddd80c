"""Every event arrives exactly once, whatever becomes of the page, its tabs, the network and the server.

Each claim has a control beside it: the same assertion has to fail when what it rests on is taken away.
"""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path

import pytest

from tests.api.serving import eventually, serving
from tests.browser.chromium import INSECURE_HOST, Chromium
from tests.browser.site import Site
from tests.browser.tracked import Shop, lost, sends
from tests.sdk.driving import assert_each_once
from tests.sdk.proxy import BUSY, CUT, PASS, REFUSE, RESET, SLOW, Post, Weather, first_time

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


NO_FAREWELL = """
const own = EventTarget.prototype.addEventListener;
EventTarget.prototype.addEventListener = function (kind, ...rest) {
  if (kind != "pagehide" && kind != "visibilitychange") own.call(this, kind, ...rest);
};
"""
"""A page that is not told when it goes."""
NO_STORAGE = 'Object.defineProperty(window, "localStorage", { get() { throw new DOMException("none"); } });'
NO_LOCKS = 'Object.defineProperty(Navigator.prototype, "locks", { value: undefined });'
NO_KEEPALIVE = """
delete Request.prototype.keepalive;
const own = window.fetch;
window.fetch = (url, { keepalive, ...options }) => own(url, options);
"""
"""A browser whose requests end with their page; its beacons do not."""
NO_BEACON = "navigator.sendBeacon = () => false;"

LEAVING = {
    "closed": "0",
    "left": "void (location.href = 'about:blank')",
}


@pytest.mark.parametrize("end", LEAVING)
@pytest.mark.parametrize("before", ["", NO_KEEPALIVE, NO_STORAGE], ids=["keepalive", "beacon", "no storage"])
def test_a_page_that_goes_right_after_the_event(shop: Shop, end: str, before: str) -> None:
    """Nobody visits the site again, so nothing but the farewell can have sent it."""
    shop.site.put(shop.tag())
    tab = shop.open(before=before)
    visitor = tab.run("segue.anonymousId")
    tab.run(f"{sends(0, 1)}; {LEAVING[end]}")
    tab.close()
    shop.told({0, 1})
    assert_each_once(shop.events(visitor), {0, 1})


@pytest.mark.parametrize("before", [NO_FAREWELL, NO_KEEPALIVE + NO_BEACON], ids=["not told", "cannot"])
def test_without_a_farewell_the_next_visit_sends_it(shop: Shop, before: str) -> None:
    """The control of the farewell: without it nothing arrives, until the store is looked into again."""
    shop.weather.fate = lambda _: BUSY
    shop.site.put(shop.tag())
    tab = shop.open(before=before)
    visitor = tab.run("segue.anonymousId")
    tab.run(f"{sends(0)}; {LEAVING['left']}")
    tab.close()
    lost(shop.events(visitor), {0})
    shop.weather.fate = lambda _: PASS
    shop.open()
    shop.told({0})
    assert_each_once(shop.events(visitor), {0})


def test_more_than_a_farewell_can_hold(shop: Shop) -> None:
    """Requests that outlive their page hold 64 KiB together: the rest waits for the next visit."""
    shop.site.put(shop.tag())
    tab = shop.open()
    visitor = tab.run("segue.anonymousId")
    tab.run(
        "for (let n = 0; n < 60; n++) segue.track('Sent', {n, text: '\\u00e9'.repeat(1500)});"
        + LEAVING["left"]
    )
    tab.close()
    shop.told({0})
    first = {number for _, post in shop.weather.record for number in post.numbers}
    assert 10 < len(first) < 30
    assert sum(len(post.text) for _, post in shop.weather.record) < 64 * 1024
    lost(shop.events(visitor), set(range(60)))
    shop.open()
    shop.told(set(range(60)))
    assert_each_once(shop.events(visitor), set(range(60)))


def test_offline_and_online_again(shop: Shop) -> None:
    shop.site.put(shop.tag())
    tab = shop.open(offline=True)
    visitor = tab.run("segue.anonymousId")
    tab.run(sends(0, 1))
    tab.run("segue.flush()")
    lost(shop.events(visitor), {0, 1})
    tab.offline(False)
    shop.told({0, 1})
    assert_each_once(shop.events(visitor), {0, 1})


@pytest.mark.parametrize("kept", [True, False])
def test_a_page_that_is_closed_offline(shop: Shop, kept: bool) -> None:
    """The next visit sends it. The control of the store: where nothing is kept, it is gone."""
    shop.site.put(shop.tag())
    tab = shop.open(offline=True, before="" if kept else NO_STORAGE)
    visitor = tab.run("segue.anonymousId")
    tab.run(sends(0, 1))
    tab.run("segue.flush()")
    tab.close()
    after = shop.open()
    after.run(sends(2))
    shop.told({2})
    if kept:
        assert after.run("segue.anonymousId") == visitor
        assert_each_once(shop.events(visitor), {0, 1, 2})
    else:
        lost(shop.events(visitor), {0, 1})


def test_a_server_that_asks_for_time(shop: Shop) -> None:
    """It is asked again when that time is over, and not before: not by another tab or page either."""
    met: list[float] = []

    def busy_once(_: Post) -> str:
        met.append(time.monotonic())
        return BUSY if len(met) == 1 else PASS

    shop.weather.fate = busy_once
    shop.site.put(shop.tag())
    tab = shop.open()
    tab.run(sends(0))
    eventually(lambda: met)
    other = shop.open()
    other.run(sends(1))
    tab.run(f"{sends(2)}; {LEAVING['left']}")
    shop.told({0, 1, 2})
    assert_each_once(shop.events(other.run("segue.anonymousId")), {0, 1, 2})
    assert met[1] - met[0] >= 1, "Retry-After: 1"


def test_a_server_that_gives_no_time_is_asked_sooner(shop: Shop) -> None:
    """The control of Retry-After: after a reset the tracker's own wait is a random half to one and a half."""
    shop.weather.fate = first_time(RESET)
    shop.site.put(shop.tag())
    tab = shop.open(before="Math.random = () => 0;")
    began = time.monotonic()
    tab.run(sends(0))
    shop.told({0})
    assert "wait" not in "".join(tab.stored()["local"])
    assert time.monotonic() - began >= 0.5


def test_a_server_that_is_away(site: Site, browser: Chromium, tmp_path: Path) -> None:
    """Nothing listens at all, then the server is there again, with what it knew."""
    with serving(tmp_path) as server:
        shop = Shop(server, site, str(server.http.base_url).rstrip("/"), Weather(), browser)
        site.put(shop.tag())
        tab = shop.open()
        visitor = tab.run("segue.anonymousId")
        tab.run(sends(0))
        assert_each_once(eventually(lambda: shop.events(visitor)), {0})
        port = server.http.base_url.port
        assert server.stop() == 0
    tab.run(sends(1))
    tab.run("segue.flush()")
    with serving(tmp_path, "--port", str(port)) as server:
        shop.server = server
        eventually(lambda: len(shop.events(visitor)) == 2)
        assert_each_once(shop.events(visitor), {0, 1})


@pytest.mark.parametrize("locks", [True, False])
def test_two_tabs(shop: Shop, locks: bool) -> None:
    """Each sends what both have kept, one at a time. The control of the lock: else they send the same."""
    shop.weather.fate = lambda _: SLOW
    shop.site.put(shop.tag())
    tabs = [shop.open(before="" if locks else NO_LOCKS) for _ in range(2)]
    visitor = tabs[0].run("segue.anonymousId")
    assert tabs[1].run("segue.anonymousId") == visitor
    for n in range(6):
        tabs[n % 2].run(f"{sends(n)}; void segue.flush()")
    shop.told(set(range(6)))
    twice = {n for n in range(6) if shop.posts(n) > 1}
    assert (twice == set()) is locks
    assert_each_once(shop.events(visitor), set(range(6)))


def test_a_site_without_tls(shop: Shop) -> None:
    """Where the browser gives neither locks nor random ids."""
    shop.weather.fate = first_time(CUT)
    shop.site.put(shop.tag())
    tab = shop.browser.tab()
    tab.visit(shop.site.url(host=INSECURE_HOST))
    assert tab.run("[isSecureContext, navigator.locks, crypto.randomUUID]") == [False, None, None]
    tab.run(sends(0))
    shop.told({0})
    assert_each_once(shop.events(tab.run("segue.anonymousId")), {0})


def test_a_queue_that_is_full_lets_the_oldest_go(shop: Shop) -> None:
    shop.site.put(shop.tag())
    tab = shop.open(offline=True)
    visitor = tab.run("segue.anonymousId")
    tab.run("for (let n = 0; n < 510; n++) segue.track('Sent', {n})")
    tab.offline(False)
    tab.run("dispatchEvent(new Event('online'))")
    shop.told(set(range(10, 510)))
    assert_each_once(shop.events(visitor), set(range(10, 510)))
    lost(shop.events(visitor), {9})


def test_what_has_waited_for_a_week_is_not_sent(shop: Shop) -> None:
    """It may have arrived long ago, and the server knows a message id for seven days."""
    shop.site.put(shop.tag())
    tab = shop.open(offline=True)
    visitor = tab.run("segue.anonymousId")
    for n, days in enumerate((7, 5)):
        tab.run(f"own = Date.now, Date.now = () => own() - {days} * 864e5; {sends(n)}; Date.now = own; 0")
    tab.offline(False)
    tab.run("dispatchEvent(new Event('online'))")
    shop.told({1})
    assert_each_once(shop.events(visitor), {1})
    lost(shop.events(visitor), {0})


def late_once(text: bytes, met: list[bytes]) -> bytes:
    """The first request is half a second on its way, as over a connection that has yet to be made."""
    met.append(text)
    if len(met) == 1:
        time.sleep(0.5)
    return text


NAIVE = """
(async () => {
  const post = (n, at) => fetch("%s/v1/batch", { method: "POST", body: JSON.stringify({ writeKey: "wk_test",
    sentAt: new Date(), batch: [{ type: "track", event: "Sent", anonymousId: "naive", timestamp: at,
      properties: { n } }] }) });
  const first = post(0, new Date());
  await new Promise((go) => setTimeout(go, 100));
  const at = new Date();
  await first;
  await post(1, at);
})()
"""


@pytest.mark.parametrize("naive", [False, True])
def test_a_slow_request_does_not_turn_events_around(shop: Shop, naive: bool) -> None:
    """The server adds its time on the wire to its events' times. The control: those who let it, turn them."""
    met: list[bytes] = []
    shop.weather.change = lambda text: late_once(text, met)
    shop.site.put(shop.tag())
    tab = shop.open()
    if naive:
        tab.run(NAIVE % shop.host)
    else:
        tab.run(f"{sends(0)}; void segue.flush(); new Promise((go) => setTimeout(go, 100))")
        tab.run(sends(1))
        shop.told({0, 1})
    events = shop.events("naive" if naive else tab.run("segue.anonymousId"))
    assert [each["properties"]["n"] for each in events] == ([1, 0] if naive else [0, 1])


def test_a_lock_that_never_comes(shop: Shop) -> None:
    """Chromium may give it to a page that is on its way out; then it is not waited for."""
    shop.site.put(shop.tag())
    holder, tab = shop.open(), shop.open()
    name = f"segue{shop.host}/v1/batch"
    holder.run(f"void navigator.locks.request('{name}', () => new Promise(() => {{}}))")
    tab.run(sends(0))
    shop.told({0})
    assert_each_once(shop.events(tab.run("segue.anonymousId")), {0})
    assert tab.run("navigator.locks.query().then(({held}) => held.length)") == 1, "it is still held"
