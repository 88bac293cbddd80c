"""Events from attributes of the page, and from a data layer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.serving import eventually
from tests.browser.chromium import Tab
from tests.browser.tracked import Shop, settled

BUTTON = """<main data-segue-track="Area Clicked"><button id="b" data-segue-track="Product Added"
  data-segue-props='{"price": 9.5}' data-segue-prop-product-id="p1"><b id="inner">Add</b></button></main>"""


def tracked(shop: Shop, tab: Tab, count: int) -> list[tuple[str, Any]]:
    """(name, properties) of a visitor's events, when there are so many and no more come."""
    visitor = tab.run("segue.anonymousId")
    eventually(lambda: len(shop.events(visitor)) >= count)
    settled(lambda: len(shop.weather.record))
    return [(each["name"], each.get("properties", {})) for each in shop.events(visitor)]


def test_clicks(shop: Shop) -> None:
    """From the inside out, also when the page stops the event; elements that come later count too."""
    shop.site.put(BUTTON + shop.tag("auto"))
    tab = shop.open()
    tab.run("document.querySelector('main').addEventListener('click', (e) => e.stopPropagation())")
    tab.run("inner.click()")
    tab.run("document.body.insertAdjacentHTML('beforeend', '<a id=late data-segue-track=Late>x</a>')")
    tab.run("late.click()")
    assert tracked(shop, tab, 3) == [
        ("Product Added", {"price": 9.5, "product_id": "p1"}),
        ("Area Clicked", {}),
        ("Late", {}),
    ]


def test_a_click_that_leaves_the_page(shop: Shop) -> None:
    shop.site.put('<a id="out" href="about:blank" data-segue-track="Left">out</a>' + shop.tag("auto"))
    tab = shop.open()
    visitor = tab.run("segue.anonymousId")
    tab.run("out.click()")
    tab.close()
    eventually(lambda: [each["name"] for each in shop.events(visitor)] == ["Left"])


def test_without_the_module_attributes_mean_nothing(shop: Shop) -> None:
    """The control."""
    shop.site.put(BUTTON + shop.tag())
    tab = shop.open()
    tab.run("inner.click(); segue.track('By hand')")
    assert tracked(shop, tab, 1) == [("By hand", {})]


FORM = """<form id="f" data-segue-track="Signed Up" data-segue-fields="email plan secret topics">
  <input name="email" value="a@shop.example"><input name="card" value="4111"><input name="plan" value="pro">
  <input name="secret" type="password" value="hidden"><input name="topics" value="a">
  <input name="topics" value="b"><button id="send"></button></form>"""


def test_submits(shop: Shop) -> None:
    """Only the fields that are named, and never a password; a click into the form is no submit."""
    shop.site.put(FORM + shop.tag("auto"))
    tab = shop.open()
    tab.run("f.addEventListener('submit', (e) => e.preventDefault()); f.email.click(); send.click()")
    expected = {"email": "a@shop.example", "plan": "pro", "topics": ["a", "b"]}
    assert tracked(shop, tab, 1) == [("Signed Up", expected)]


SEEN = '<p data-segue-track="{}" data-segue-on="view" style="height: {}">x</p>'
TALL = '<div style="height: 3000px"></div>'


def test_what_was_seen(shop: Shop) -> None:
    """In sight for a second, once; what lies below the fold, or passes quickly, was not seen."""
    body = SEEN.format("Top", "50px") + SEEN.format("Long", "5000px") + SEEN.format("Bottom", "50px")
    shop.site.put(body + shop.tag("auto"))
    tab = shop.open()
    assert {name for name, _ in tracked(shop, tab, 2)} == {"Top", "Long"}
    tab.run("scrollTo(0, 9999); new Promise((go) => setTimeout(go, 300)).then(() => scrollTo(0, 0))")
    assert len(tracked(shop, tab, 2)) == 2
    tab.run("scrollTo(0, 9999)")
    assert [name for name, _ in tracked(shop, tab, 3)][2:] == ["Bottom"]


def test_how_far_was_scrolled(shop: Shop) -> None:
    """Each depth once for each page, nothing without scrolling; another page begins anew."""
    shop.site.put(
        f'<article data-segue-scroll="50 100" data-segue-prop-kind="story">{TALL}</article>{shop.tag("auto")}'
    )
    tab = shop.open()
    scroll = "new Promise((go) => { scrollTo(0, %d); setTimeout(go, 200); })"
    for place in (10, 1500, 100, 1500, 9999):
        tab.run(scroll % place)
    deep = [("Page Scrolled", {"kind": "story", "depth": depth}) for depth in (50, 100)]
    assert tracked(shop, tab, 2) == deep
    tab.run("history.pushState({}, '', '/next')")
    tab.run(scroll % 1500)
    assert tracked(shop, tab, 3) == [*deep, deep[0]]


LAYER = """<script>
  dataLayer = [{event: "gtm.js"}, {event: "add_to_cart", product_id: "p1"}];
  function gtag() { dataLayer.push(arguments); }
</script>"""


@pytest.mark.parametrize("start", ["tag", "import"])
def test_a_data_layer(shop: Shop, start: str) -> None:
    """What was there before and what comes, as objects or from gtag(); the tag manager's own is left out."""
    names = '{"add_to_cart": "Product Added"}'
    own = f"<script type=module src={shop.modules}/datalayer.js data-names='{names}'></script>"
    shop.site.put(LAYER + shop.tag() + (own if start == "tag" else ""))
    tab = shop.open()
    if start == "import":
        tab.run(
            f'import("{shop.modules}/datalayer.js").then((own) => void own.listen(segue, {{names: {names}}}))'
        )
    assert tab.run("dataLayer.push({event: 'search', term: 'shoes', eventCallback() {}}, {no: 'event'})") == 4
    tab.run(
        "gtag('event', 'toString', {value: 3}); gtag('config', 'G-1'); dataLayer.push({event: 'gtm.load'})"
    )
    assert tracked(shop, tab, 3) == [
        ("Product Added", {"product_id": "p1"}),
        ("search", {"term": "shoes"}),
        ("toString", {"value": 3}),
    ]


def test_a_layer_that_nobody_listens_to(shop: Shop) -> None:
    """The control."""
    shop.site.put(LAYER + shop.tag())
    tab = shop.open()
    tab.run("dataLayer.push({event: 'search'}); segue.track('By hand')")
    assert tracked(shop, tab, 1) == [("By hand", {})]


ENDED = {"auto": ("capture", "inner.click()"), "datalayer": ("listen", "dataLayer.push({event: 'search'})")}


@pytest.mark.parametrize("module", ENDED)
def test_a_module_can_be_ended(shop: Shop, module: str) -> None:
    name, act = ENDED[module]
    shop.site.put(BUTTON + shop.tag())
    tab = shop.open()
    tab.run(f'window.dataLayer = []; import("{shop.modules}/{module}.js").then((own) => own.{name}(segue)())')
    tab.run(f"{act}; segue.track('By hand')")
    assert tracked(shop, tab, 1) == [("By hand", {})]
