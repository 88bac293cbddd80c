"""Page views, also of apps that change their address without loading, and what every event says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.serving import eventually
from tests.browser.chromium import Tab
from tests.browser.tracked import Shop, sends
from tests.sdk.proxy import SLOW

APP = """
const go = (path, title) => { history.pushState({}, "", path); document.title = title; };
"""


def views(shop: Shop, tab: Tab, count: int) -> list[tuple[str, str, str]]:
    """(path with query, title, referrer's path) of the visitor's page views, when there are so many."""
    visitor = tab.run("segue.anonymousId")

    def look() -> list[Any] | None:
        found = [each for each in shop.events(visitor) if each["type"] == "page"]
        return found if len(found) >= count else None

    tab.run("new Promise((go) => setTimeout(go, 20)).then(() => segue.flush())")
    own = shop.site.url("")
    pages = [each["properties"] for each in eventually(look)]
    return [
        (each["path"] + each["search"], each["title"], each["referrer"].removeprefix(own)) for each in pages
    ]


def test_an_app_of_one_page(shop: Shop) -> None:
    """Each change of path or query is a view, once, with the title that the app sets after it."""
    shop.site.put(f"<script>{APP}</script>" + shop.tag(pages="auto"))
    tab = shop.open()
    tab.run("go('/shoes', 'Shoes')")
    tab.run("go('/shoes?size=42', 'Shoes, 42')")
    tab.run("history.replaceState({scroll: 9}, '', location.href)")
    tab.run("location.hash = 'reviews'")
    tab.run(
        "go('/login', 'never seen'); history.replaceState({}, '', '/account'); document.title = 'Account'"
    )
    tab.run("new Promise((go) => { addEventListener('popstate', () => go(0)); history.back() })")
    assert views(shop, tab, 5) == [
        ("/", "Shop", ""),
        ("/shoes", "Shoes", "/"),
        ("/shoes?size=42", "Shoes, 42", "/shoes"),
        ("/account", "Account", "/shoes?size=42"),
        ("/shoes?size=42", "Account", "/account"),
    ]


def test_a_history_that_is_not_watched(shop: Shop) -> None:
    """The control: what the test above sees comes from watching the history."""
    shop.site.put(f"<script>{APP}</script>" + shop.tag(pages="off"))
    tab = shop.open()
    tab.run("go('/shoes', 'Shoes'); segue.page('By hand')")
    assert views(shop, tab, 1) == [("/shoes", "Shoes", "")]


def test_pages_told_apart_by_their_fragment(shop: Shop) -> None:
    shop.site.put(shop.tag(pages="hash"))
    tab = shop.open()
    tab.run(
        "new Promise((go) => { addEventListener('hashchange', go); location.hash = '/cart' }).then(() => 0)"
    )
    assert [path for path, _, _ in views(shop, tab, 2)] == ["/", "/"]
    last = shop.events(tab.run("segue.anonymousId"))[-1]
    assert last["context"]["page"]["url"].endswith("/#/cart")


def test_a_view_right_before_the_page_goes(shop: Shop) -> None:
    """While the view before it is still on its way."""
    shop.weather.fate = lambda _: SLOW
    shop.site.put(f"<script>{APP}</script>" + shop.tag(pages="auto"))
    tab = shop.open()
    visitor = tab.run("segue.anonymousId")
    tab.run("go('/shoes', 'Shoes'); void (location.href = 'about:blank')")
    tab.close()
    eventually(lambda: len(shop.events(visitor)) == 2)


def test_a_page_that_comes_back_from_the_cache(shop: Shop) -> None:
    """Going back shows a page that was never loaded again; it is seen again."""
    shop.site.put(shop.tag(pages="auto"))
    tab = shop.open()
    tab.run("segue.flush()")
    tab.run("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    tab.run("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: false}))")
    assert len(views(shop, tab, 2)) == 2


def test_what_an_event_says(shop: Shop) -> None:
    """The shape of the Segment specification."""
    shop.site.put(shop.tag())
    tab = shop.open("/shoes?utm_source=mail&utm_campaign=autumn&q=1#top")
    visitor = tab.run("segue.anonymousId")
    more = "{timestamp: '2026-01-02T03:04:05Z', context: {ip: '1.2.3.4'}}"
    tab.run(f"segue.track('Product Viewed', {{price: 9.5}}, {more})")
    (event,) = eventually(lambda: shop.events(visitor))
    assert (event["type"], event["name"], event["properties"]) == ("track", "Product Viewed", {"price": 9.5})
    assert re.fullmatch(r"[0-9a-f]{32}", event["message_id"])
    context = event["context"]
    assert context.pop("sessionId") == tab.run("segue.sessionId")
    assert context == {
        "page": {
            "path": "/shoes",
            "referrer": "",
            "search": "?utm_source=mail&utm_campaign=autumn&q=1",
            "title": "Shop",
            "url": shop.site.url("/shoes?utm_source=mail&utm_campaign=autumn&q=1"),
        },
        "campaign": {"source": "mail", "name": "autumn"},
        "library": {"name": "segue.js", "version": context["library"]["version"]},
        "locale": tab.run("navigator.language"),
        "timezone": tab.run("Intl.DateTimeFormat().resolvedOptions().timeZone"),
        "userAgent": tab.run("navigator.userAgent"),
        "ip": "1.2.3.4",
    }


def test_who_an_event_is_of(shop: Shop) -> None:
    """The visitor's events become the user's; after a reset somebody else begins."""
    shop.site.put(shop.tag())
    tab = shop.open()
    tab.run(sends(0))
    tab.run("segue.identify('who-1', {plan: 'pro'}); segue.group('acme', {size: 9})")
    tab.run(sends(1))
    tab.run("segue.identify({plan: 'team'})")
    assert tab.run("segue.userId") == "who-1"
    tab.visit(shop.site.url("/next"))
    assert tab.run("segue.userId") == "who-1"
    tab.run("segue.alias('who-2')")
    tab.run("segue.reset()")
    assert tab.run("segue.userId") is None
    tab.run(sends(2))
    shop.told({0, 1, 2})
    (stranger,) = shop.events(tab.run("segue.anonymousId"))
    assert stranger["properties"] == {"n": 2}
    for user in ("who-1", "who-2"):
        found = eventually(lambda: shop.server.http.get(f"/v1/users/{user}/segments").json())  # noqa: B023
        assert found["attributes"]["traits"] == {"plan": "team"}
    kinds = [each["type"] for each in shop.server.http.get("/v1/users/who-2/events").json()["events"]]
    assert kinds[::-1] == ["track", "identify", "group", "track", "identify", "alias"]


def test_calls_before_the_script_has_come(shop: Shop) -> None:
    shop.site.put("<script>segue = []; segue.push(['track', 'Early', {n: 0}])</script>" + shop.tag())
    tab = shop.open()
    (event,) = eventually(lambda: shop.events(tab.run("segue.anonymousId")))
    assert event["name"] == "Early"


@pytest.mark.parametrize("value", ["10n", "(() => { const a = {}; a.a = a; return a; })()"])
def test_what_cannot_be_sent_does_not_break_the_page(shop: Shop, value: str) -> None:
    shop.site.put(shop.tag())
    tab = shop.open()
    assert tab.run(f"segue.track('Odd', {{value: {value}}}); 7") == 7
    tab.run(sends(0))
    shop.told({0})


def test_a_look_at_each_event_first(shop: Shop) -> None:
    """`before` may change an event or drop it."""
    shop.site.put("")
    tab = shop.open()
    tab.run(
        f"""import("{shop.modules}/segue.js").then(({{ load }}) => {{
          const before = (event) => event.event == "Secret" ? null : void delete event.context.userAgent;
          window.segue = load("wk_test", {{ host: "{shop.host}", pages: "off", before }});
          segue.track("Secret"); segue.track("Sent", {{ n: 0 }});
        }})"""
    )
    shop.told({0})
    (event,) = shop.events(tab.run("segue.anonymousId"))
    assert (event["name"], "userAgent" in event["context"]) == ("Sent", False)
