"""What the tracker keeps and sends, and when it does neither."""

from __future__ import annotations

import pytest

from tests.api.serving import eventually
from tests.browser.chromium import Tab
from tests.browser.tracked import Shop, lost, sends, settled
from tests.sdk.driving import assert_each_once
from tests.sdk.proxy import PASS, SLOW

SIGNALS = {
    "Do-Not-Track": 'Object.defineProperty(navigator, "doNotTrack", { value: "1" });',
    "Global Privacy Control": 'Object.defineProperty(navigator, "globalPrivacyControl", { value: true });',
}


def assert_no_trace(shop: Shop, tab: Tab) -> None:
    """Nothing is stored, and nothing was asked of the host that takes events, however long one looks."""
    settled(lambda: len(shop.weather.record))
    assert tab.stored() == {}
    assert [url for url in tab.requests() if url.startswith(shop.host)] == []
    assert shop.weather.record == []


def busy(tab: Tab) -> None:
    """What a visitor may do on a page."""
    tab.run(sends(0))
    tab.run("segue.identify('u1', {plan: 'pro'}); segue.page(); segue.group('g')")
    tab.run("segue.alias('u2'); segue.reset()")
    tab.run("history.pushState({}, '', '/other'); segue.flush()")
    tab.run("[segue.anonymousId, segue.userId, segue.sessionId]")
    tab.run("dispatchEvent(new Event('online')); dispatchEvent(new Event('pagehide'))")
    tab.run("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")


@pytest.mark.parametrize("consent", ["wait", "drop"])
def test_without_consent_nothing_is_stored_or_sent(shop: Shop, consent: str) -> None:
    shop.site.put(shop.tag("auto", "datalayer", consent=consent, pages="auto", cookie="127.0.0.1"))
    tab = shop.open()
    busy(tab)
    assert_no_trace(shop, tab)
    tab.visit(shop.site.url("/next"))
    busy(tab)
    assert_no_trace(shop, tab)


@pytest.mark.parametrize("options", [{"consent": "given"}, {"signals": "ignore"}], ids=str)
def test_the_look_for_traces_finds_them(shop: Shop, options: dict[str, str]) -> None:
    """The control of the two tests around it."""
    shop.site.put(shop.tag(**options))
    tab = shop.open(before="".join(SIGNALS.values()) if "signals" in options else "")
    busy(tab)
    with pytest.raises(AssertionError):
        assert_no_trace(shop, tab)


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_browser_that_asks_not_to_be_tracked(shop: Shop, signal: str) -> None:
    """Consent changes nothing, and what an earlier visit has left is removed."""
    shop.site.put(shop.tag(pages="auto"))
    tab = shop.open()
    tab.run("segue.flush()")
    assert tab.stored()
    seen = len(shop.weather.record)
    tab.close()
    tab = shop.open(before=SIGNALS[signal])
    busy(tab)
    tab.run("segue.consent(true)")
    busy(tab)
    assert settled(lambda: len(shop.weather.record)) == seen
    assert tab.stored() == {}


@pytest.mark.parametrize("consent", ["wait", "drop"])
def test_consent_is_given(shop: Shop, consent: str) -> None:
    """What was held is sent with the moment it happened at; what was let go is not."""
    shop.site.put(shop.tag(consent=consent))
    tab = shop.open()
    tab.run(sends(0))
    before = tab.run("new Promise((go) => setTimeout(() => go(new Date().toISOString()), 2000))")
    tab.run("segue.consent(true)")
    tab.run(sends(1))
    shop.told({1})
    events = shop.events(tab.run("segue.anonymousId"))
    if consent == "wait":
        assert_each_once(events, {0, 1})
        assert events[0]["timestamp"] <= before
    else:
        assert_each_once(events, {1})
        lost(events, {0})


def test_consent_holds_for_the_next_page_and_for_other_tabs(shop: Shop) -> None:
    shop.site.put(shop.tag(consent="wait"))
    other, tab = shop.open(), shop.open()
    other.run(sends(0))
    tab.run("segue.consent(true)")
    visitor = tab.run("segue.anonymousId")
    shop.told({0})
    tab.visit(shop.site.url("/next"))
    tab.run(sends(1))
    shop.told({1})
    assert_each_once(shop.events(visitor), {0, 1})
    assert {tab.run("segue.anonymousId"), other.run("segue.anonymousId")} == {visitor}


@pytest.mark.parametrize("consent", ["wait", "given"])
def test_consent_is_withdrawn(shop: Shop, consent: str) -> None:
    """All is removed, also what waits and what is on its way, in all tabs; the next page is quiet too."""
    shop.weather.fate = lambda _: SLOW
    shop.site.put(shop.tag(consent=consent, cookie="127.0.0.1"))
    tab, other = shop.open(), shop.open()
    tab.run("segue.consent(true)")
    eventually(lambda: "yes" in other.stored()["local"].values())
    visitor = tab.run("segue.anonymousId")
    assert other.run("segue.anonymousId") == visitor
    tab.offline(True)
    tab.run(sends(0))
    tab.run("segue.consent(false)")
    tab.offline(False)
    mark = {"segue..consent": "no"}
    eventually(lambda: other.run("segue.anonymousId") != visitor)
    busy(other)
    busy(tab)
    tab.visit(shop.site.url("/next"))
    busy(tab)
    assert settled(lambda: len(shop.weather.record)) == 0
    assert tab.stored() == ({"local": mark} if consent == "given" else {})
    lost(shop.events(visitor), {0})
    tab.run("segue.consent(true)")
    tab.run(sends(1))
    shop.told({1})
    assert tab.run("segue.anonymousId") != visitor


def test_no_cookie_unless_one_is_asked_for(shop: Shop) -> None:
    """With one, hosts of a domain share the visitor; other ports are other stores here, but share cookies."""
    shop.site.put(shop.tag())
    shop.site.put(shop.tag(cookie="127.0.0.1"), "/cookie")
    tab = shop.open()
    busy(tab)
    assert "cookies" not in tab.stored()
    tab.visit(shop.site.url("/cookie"))
    (cookie,) = tab.stored()["cookies"]
    assert (cookie["name"], cookie["value"], cookie["sameSite"]) == (
        "segue_id",
        tab.run("segue.anonymousId"),
        "Lax",
    )
    tab.run("localStorage.clear()")
    tab.visit(shop.site.url("/cookie"))
    assert tab.run("segue.anonymousId") == cookie["value"]
    tab.run("segue.consent(false)")
    assert "cookies" not in tab.stored()


SAMPLE = """
import("{modules}/segue.js").then(({{ load }}) => {{
  for (let n = 0; n < {count}; n++) {{
    const options = {{ host: "{host}", pages: "off", name: "v" + n, sample: {share} }};
    load("wk_test", options).track("Sent", {{ n }});
  }}
}})
"""


def test_a_sample_of_visitors(shop: Shop) -> None:
    """About the share that was asked for, the same visitors on the next page; 1 is everybody, 0 nobody."""
    shop.site.put("")

    def sampled(share: float, count: int = 60) -> set[int]:
        shop.weather.record.clear()
        tab.visit(shop.site.url())
        tab.run(SAMPLE.format(modules=shop.modules, host=shop.host, count=count, share=share))
        settled(lambda: len(shop.weather.record))
        return {n for fate, post in shop.weather.record for n in post.numbers if fate == PASS}

    tab = shop.open()
    half = sampled(0.5)
    assert 12 <= len(half) <= 48, "all but one in a million times"
    assert sampled(0.5) == half
    assert half < sampled(1) == set(range(60))
    assert sampled(0) == set()


def test_sessions(shop: Shop) -> None:
    """One for all tabs, a new one after half an hour of nothing, and for somebody else."""
    shop.site.put(shop.tag())
    tab, other = shop.open(), shop.open()
    clock = "Date.now = ((own) => () => own() + {} * 6e4)(Date.now);"
    tab.run(sends(0))
    # A browser tells its tabs of what one of them has stored a moment later.
    eventually(lambda: other.run("segue.sessionId") == tab.run("segue.sessionId"))
    other.run(sends(1))
    tab.run(f"{clock.format(29)} {sends(2)}")
    tab.run(f"{clock.format(29)} {sends(3)}")
    tab.run(f"{clock.format(31)} {sends(4)}")
    visitor = tab.run("segue.anonymousId")
    assert tab.run("segue.sessionId")
    shop.told(set(range(5)))
    sessions = {each["properties"]["n"]: each["context"]["sessionId"] for each in shop.events(visitor)}
    assert sessions[0] == sessions[1] == sessions[2] == sessions[3] != sessions[4]
    tab.run(f"segue.reset(); {sends(5)}")
    shop.told({5})
    (event,) = shop.events(tab.run("segue.anonymousId"))
    assert event["context"]["sessionId"] not in sessions.values()
    assert tab.run("segue.anonymousId") != visitor
