"""The example shop on the demo's workspace, as somebody walks through it in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.serving import eventually
from tests.browser import shopping
from tests.browser.chromium import Chromium
from tests.browser.personal import SNIPPET, visible
from tests.browser.shopping import LINE, MEASURED, Demo
from tests.browser.tracked import settled
from tests.sdk.driving import ROOT


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with shopping.demo(tmp_path_factory.mktemp("shop")) as running:
        yield running


def test_the_banner_follows_the_basket(
    demo: Demo, browser: Chromium, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a reload, when the change is heard. How soon is told; the bench `page` has the bound."""
    tab = demo.visit(browser)
    assert visible(tab, "#basket-banner") == ""
    tab.run("window.same = true")
    found = tab.run(MEASURED)
    assert found["steps"] == ["clicked", "heard", "shown"]
    assert visible(tab, "#basket-banner").startswith("Your basket waits: 1 for £2.95")
    assert tab.run("window.same")
    with capsys.disabled():
        print(f"\n  from the click to the banner: {found['ms']:.0f} ms")
    tab.run("document.querySelector('#empty').click()")
    eventually(lambda: visible(tab, "#basket-banner") == "")


def test_slot_and_list_follow_the_visit(demo: Demo, browser: Chromium) -> None:
    tab = demo.visit(browser)
    assert visible(tab, "#hero").startswith("Welcome")
    for product in ("22423", "21843", "22138"):
        tab.run(f"document.getElementById('{product}').querySelector('.look').click()")
    eventually(lambda: visible(tab, "#hero").startswith("Something in the oven?"))
    eventually(lambda: tab.run("document.querySelectorAll('#for-you button').length") == 4)
    listed = tab.run(
        "[...document.querySelectorAll('#for-you button')].map((b) => b.dataset.seguePropProductId)"
    )
    assert len(set(listed)) == 4
    tab.run("document.querySelector('#for-you button').click()")
    eventually(lambda: visible(tab, "#basket-banner").startswith("Your basket waits: 1 for"))


def test_an_order_empties_the_basket(demo: Demo, browser: Chromium) -> None:
    """Twenty pounds earn free postage, and an order takes them away again."""
    tab = demo.visit(browser)
    for _ in range(2):
        tab.run("document.getElementById('22423').querySelector('.add').click()")
    postage = "[data-segue-show=free_postage]"
    eventually(lambda: visible(tab, postage) and visible(tab, "#hero").startswith("Postage is on us"))
    tab.run("document.querySelector('#order').click()")
    eventually(lambda: not visible(tab, postage) and not visible(tab, "#basket-banner"))
    eventually(lambda: visible(tab, "#hero").startswith("Welcome"))


def test_nothing_before_consent(demo: Demo, browser: Chromium) -> None:
    """Nothing is asked of Segue but its modules, and nothing of it is stored; a no stays a no."""
    tab = demo.open(browser)
    tab.run("document.querySelector('#products .add').click()")
    settled(lambda: len(tab.requests()))
    server = str(demo.server.http.base_url)
    asked = [each for each in tab.requests() if each.startswith(server) or each.endswith("/token")]
    assert [each for each in asked if "/sdk/" not in each] == []
    assert "local" not in tab.stored()
    tab.run("document.querySelector('#consent [value=no]').click()")
    tab.visit(demo.url)
    assert visible(tab, "#consent") == ""
    assert "local" not in tab.stored()


def test_who_signs_in_sees_what_is_theirs(demo: Demo, browser: Chromium) -> None:
    """The retailer's own segments; after signing out it is nobody's page."""
    for invoice in ("1", "2"):
        demo.server.track("17850", "purchase", **{**LINE, "invoice": invoice})
    eventually(lambda: "wholesale_buyers" in demo.server.segments_of("17850"))
    tab = demo.visit(browser)
    trade = "[data-segue-show=wholesale_buyers]"
    assert visible(tab, trade) == ""
    tab.run("document.querySelector('#sign-in [name=user]').value = '17850'")
    tab.run("document.querySelector('#sign-in button').click()")
    eventually(lambda: visible(tab, trade))
    tab.run("document.querySelector('#sign-out button').click()")
    eventually(lambda: not visible(tab, trade) and visible(tab, "#sign-in button"))


def test_who_signs_out_leaves_no_basket_behind(demo: Demo, browser: Chromium) -> None:
    """What the next visitor puts in is all there is: nothing of the one before is taken out in their name."""
    tab = demo.visit(browser)
    tab.run("document.querySelector('#sign-in [name=user]').value = '17851'")
    tab.run("document.querySelector('#sign-in button').click()")
    eventually(lambda: tab.run("segue.userId") == "17851")
    tab.run("document.querySelector('#products .add').click()")
    eventually(lambda: visible(tab, "#basket-banner").startswith("Your basket waits: 1 for"))
    tab.run("document.querySelector('#sign-out button').click()")
    eventually(lambda: visible(tab, "#basket-banner") == "" and visible(tab, "#sign-in button"))
    tab.run("document.querySelector('#empty').click()")
    tab.run("document.querySelector('#products .add').click()")
    eventually(lambda: visible(tab, "#basket-banner").startswith("Your basket waits: 1 for"))


def test_the_page_carries_the_snippet_as_it_is_documented(demo: Demo) -> None:
    page = demo.server.http.get(demo.url).text
    documented = (ROOT / "docs" / "personalizer.md").read_text(encoding="utf-8")
    assert SNIPPET.strip() in page
    assert SNIPPET.strip() in documented
