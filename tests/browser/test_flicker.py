"""Nobody sees what is not for them, not for a frame; and nothing is kept from sight for good."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.serving import eventually
from tests.browser.chromium import Tab
from tests.browser.personal import SNIPPET, Visit, visible

PAGE = """<h1>Shop</h1><p id="full" data-segue-show="basket_open" hidden>Your basket waits</p>
<p id="empty" data-segue-hide="basket_open">Nothing in it yet</p>
<p id="hero" data-segue-slot="hero">For everyone</p>"""
FRAMES = """
frames_ = [];
const frame = () => {
  const seen = [...document.querySelectorAll("#full, #empty, #hero")]
    .filter((each) => each.checkVisibility({visibilityProperty: true})).map((each) => each.innerText);
  if (document.querySelector("h1")) frames_.push(seen.join(", "));
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""
"""Notes what can be seen, from the first frame on that has anything."""
SORTED = "Your basket waits"
BASKET = f"{SORTED}, Your basket waits"
NOBODY = "Nothing in it yet, For everyone"


def frames(tab: Tab) -> list[Any]:
    """What could be seen, in order, each state once."""
    tab.run("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go))).then(() => 0)")
    found: list[Any] = tab.run("frames_.filter((each, place) => each != frames_[place - 1])")
    return found


def with_a_basket(visit: Visit) -> None:
    """A visitor who has something in the basket, and whose browser knows nothing of it."""
    visit.put(visit.tag(), "before.html")
    tab = visit.settled(visit.open("before.html"))
    tab.run("segue.track('Product Added')")
    eventually(lambda: tab.run("segue.is('basket_open')"))
    tab.run("localStorage.removeItem('segue..segments')")
    tab.close()


@pytest.mark.parametrize("snippet", [True, False])
def test_nothing_is_seen_before_it_is_known(visit: Visit, snippet: bool) -> None:
    """Answers wait until the page was painted. The control: without the snippet, it is nobody's first."""
    with_a_basket(visit)
    visit.put((SNIPPET if snippet else "") + PAGE + visit.tag())
    go = visit.held("/v1/")
    tab = visit.open(before=FRAMES)
    tab.run("new Promise((go) => setTimeout(go, 200))")
    seen = frames(tab)
    go.set()
    tab.run("segue.ready")
    if snippet:
        assert seen == [""]
        assert frames(tab)[-1] == BASKET
        assert set(frames(tab)) <= {"", SORTED, BASKET}
    else:
        assert seen[0] == NOBODY


def test_what_is_known_is_seen_at_once(visit: Visit) -> None:
    """On the next page segments come out of the store, before any answer."""
    with_a_basket(visit)
    visit.put(SNIPPET + PAGE + visit.tag())
    visit.settled(visit.open()).close()
    go = visit.held("/v1/")
    tab = visit.open(before=FRAMES)
    tab.run("new Promise((go) => setTimeout(go, 200))")
    assert [each for each in frames(tab) if each] == [SORTED]
    go.set()
    tab.run("segue.ready")
    assert frames(tab)[-1] == BASKET


@pytest.mark.parametrize("dead", ["refuses", "says nothing", "has no script"])
def test_a_dead_server_hides_nothing_for_good(visit: Visit, dead: str) -> None:
    """After a second at the latest the page is what it is for everyone."""
    visit.gate.away, visit.gate.silent = dead == "refuses", dead == "says nothing"
    script = visit.tag() if dead != "has no script" else visit.tag().replace("/sdk/", "/gone/")
    visit.put(SNIPPET + PAGE + script)
    tab = visit.open(before=FRAMES)
    eventually(lambda: frames(tab)[-1] == NOBODY)
    assert set(frames(tab)) <= {"", "For everyone", NOBODY}
    assert visible(tab, "h1") == "Shop"


def test_an_answer_that_comes_late_is_shown(visit: Visit) -> None:
    """As a change is that is heard later."""
    with_a_basket(visit)
    visit.put(SNIPPET + PAGE + visit.tag())
    go = visit.held("/v1/")
    tab = visit.open(before=FRAMES)
    eventually(lambda: frames(tab)[-1] == NOBODY)
    go.set()
    eventually(lambda: frames(tab)[-1] == BASKET)


def test_content_that_is_found_again_is_not_drawn_again(visit: Visit) -> None:
    """A visitor's place in it, a video that plays: what is the same stays as it is."""
    with_a_basket(visit)
    visit.put(SNIPPET + PAGE + visit.tag())
    tab = visit.settled(visit.open())
    tab.run("own = hero.firstChild; segue.track('Order Completed')")
    eventually(lambda: tab.run("segue.is('vip')"))
    tab.run("segue.refresh()")
    assert tab.run("hero.firstChild === own")
