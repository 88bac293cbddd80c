"""Slots and lists are filled with what the server decides, as text unless it was marked safe."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.serving import eventually
from tests.browser.chromium import Tab
from tests.browser.gate import EVENTS, OTHER, SOCKET
from tests.browser.personal import SNIPPET, Visit, visible
from tests.browser.tracked import settled

SLOT = '<div id="hero" data-segue-slot="hero" data-segue-refresh="Looked, Product Added">For everyone</div>'
TEMPLATE = """<div id="hero" data-segue-slot="hero"><i>For everyone</i><template>
  <h2 data-segue-field="title"></h2><a data-segue-attr="href:link onclick:click data-price:deep.price">x</a>
  <img data-segue-attr="src:image"><a data-segue-attr="href:to">sale</a><u data-segue-field="missing">gone</u>
</template></div>"""


def add(sku: str) -> str:
    return f"segue.track('Product Added', {{sku: '{sku}'}})"


def exposures(visit: Visit, tab: Tab) -> list[str]:
    """The variants that count as shown to the page's visitor, in order."""
    found: list[Any] = visit.home.events_of(str(tab.run("'anon:' + segue.anonymousId")))
    return [each["properties"]["variant"] for each in found if each.get("name") == "Experience Viewed"]


def test_a_slot_follows_a_change(visit: Visit) -> None:
    """Own content until there is something for the visitor, without a reload, and own content after it."""
    visit.put(SLOT + visit.tag())
    tab = visit.settled(visit.open())
    assert visible(tab, "#hero") == "For everyone"
    tab.run(add("any"))
    eventually(lambda: visible(tab, "#hero") == "Your basket waits")
    assert tab.run("hero.dataset.segueVariant") == "basket"
    tab.run("segue.track('Product Removed')")
    eventually(lambda: visible(tab, "#hero") == "For everyone")
    assert exposures(visit, tab) == ["basket"]


@pytest.mark.parametrize(
    ("sku", "text", "bold"),
    [
        ("unsafe", "<img src=x onerror='window.hurt = 1'><b>bold</b>", False),
        ("nearly", "<b>bold</b>", False),
        ("safe", "bold", True),
    ],
)
def test_html_comes_in_only_where_it_was_marked_safe(visit: Visit, sku: str, text: str, bold: bool) -> None:
    """Anything but `true` is no mark; the control is what was marked."""
    visit.put(SLOT + visit.tag())
    tab = visit.settled(visit.open())
    tab.run(add(sku))
    eventually(lambda: visible(tab, "#hero") == text)
    assert tab.run("!!hero.querySelector('b')") is bold
    settled(lambda: len(tab.requests()))
    assert tab.run("[window.hurt, document.images.length]") == [None, 0]


def test_a_template_is_filled_with_text_and_harmless_addresses(visit: Visit) -> None:
    """Neither markup nor scripts come in by a field or an attribute; what is missing is hidden."""
    visit.put(TEMPLATE + visit.tag())
    tab = visit.settled(visit.open())
    assert visible(tab, "#hero") == "For everyone"
    tab.run(add("fields"))
    eventually(lambda: tab.run("hero.dataset.segueVariant == 'fields'"))
    assert visible(tab, "#hero h2") == "<i>A title</i>"
    links = tab.run(
        "[...hero.querySelectorAll('a')].map((a) => [a.getAttribute('href'), a.onclick, a.dataset.price])"
    )
    assert links == [[None, None, "9.5"], ["/sale", None, None]]
    assert tab.run("hero.querySelector('img').getAttribute('src')") is None
    assert visible(tab, "#hero u") == ""
    tab.run("hero.querySelector('a').click(); hero.querySelector('img').click()")
    assert tab.run("window.hurt") is None
    tab.run(f"{add('any')}; segue.track('Product Removed'); segue.track('Product Removed')")
    eventually(lambda: visible(tab, "#hero") == "For everyone")
    tab.run(add("fields"))
    eventually(lambda: visible(tab, "#hero h2") == "<i>A title</i>")


def test_a_page_may_draw_by_itself(visit: Visit) -> None:
    visit.put(SLOT + visit.tag())
    tab = visit.settled(visit.open())
    tab.run(
        "addEventListener('segue:slot', (e) => { e.preventDefault(); drawn = e.detail; hero.append('!') })"
    )
    tab.run(add("any"))
    eventually(lambda: visible(tab, "#hero") == "For everyone!")
    found = tab.run("drawn")
    assert (found["slot"], found["experience"], found["variant"]) == ("hero", "greeting", "basket")
    assert (found["payload"], found["reason"]) == ("Your basket waits", "audience")


def test_what_is_asked_together_is_one_request(visit: Visit) -> None:
    """With what the page says of itself; a slot that nobody fills leaves the others as they are."""
    visit.put(SLOT + '<p id="side" data-segue-slot="side"></p>' + visit.tag(), "side.html")
    tab = visit.settled(visit.open("side.html"))
    assert visible(tab, "#side") == "Elsewhere"
    assert visit.gate.count(OTHER, "/v1/decide") - _preflights(visit) == 1
    both = "Promise.all([segue.decide('side', {mood: 'good'}), segue.decide('hero')])"
    assert tab.run(f"{both}.then((found) => found.map((each) => each.payload))") == [{"text": "Here"}, {}]
    assert visit.gate.count(OTHER, "/v1/decide") - _preflights(visit) == 2
    wrong = "Promise.allSettled([segue.decide('nowhere'), segue.decide('side')])"
    assert tab.run(f"{wrong}.then((found) => found.map((each) => each.status))") == ["rejected", "fulfilled"]


def _preflights(visit: Visit) -> int:
    return sum(said == "OPTIONS /v1/decide" for _, said in visit.gate.came)


def test_what_is_shown_once_is_not_taken_away_for_having_been_shown(visit: Visit) -> None:
    """A cap holds for the next page, and the same content that is found again is not shown again."""
    visit.put('<p id="once" data-segue-slot="once">Own</p>' + SLOT + visit.tag())
    tab = visit.settled(visit.open())
    assert visible(tab, "#once") == "Nothing new"
    tab.run(add("any"))
    eventually(lambda: visible(tab, "#once") == "Look here")
    eventually(lambda: sorted(exposures(visit, tab)) == ["basket", "only"])
    tab.run("segue.track('Order Completed')")
    eventually(lambda: tab.run("segue.is('vip')"))
    tab.run("segue.refresh()")
    assert visible(tab, "#once") == "Look here"
    assert sorted(exposures(visit, tab)) == ["basket", "only"]
    tab.visit(visit.home.url)
    tab.run("segue.ready")
    assert visible(tab, "#once") == "Nothing new"


LIST = """<ul id="list" data-segue-recommend='{"count": 2}' data-segue-refresh="Product Viewed">
  <li>Our classics</li>
  <template><li><a data-segue-attr="href:url data-segue-prop-sku:id" data-segue-field="title"></a></template>
</ul>"""
ROWS = """[...list.querySelectorAll('a')].map((a) =>
  [a.innerText, a.getAttribute('href'), a.dataset.seguePropSku])"""


def test_a_list_is_filled(visit: Visit) -> None:
    """With items of the catalogue, as text; and anew after an event that it names."""
    visit.put(LIST + visit.tag())
    tab = visit.settled(visit.open())
    known = {
        "p1": ["Tea pot", "/p1", "p1"],
        "p2": ["Tea cup", "/p2", "p2"],
        "p3": ["<b>Bold</b> mug", None, "p3"],
    }
    first = tab.run(ROWS)
    assert len(first) == 2
    assert all(row == known[row[2]] for row in first)
    seen = first[0][2]
    tab.run(
        "new Promise((go) => { list.addEventListener('segue:recommend', (e) => go(items = e.detail.items));"
        f" segue.track('Product Viewed', {{product_id: '{seen}'}}) }})"
    )
    assert len(tab.run("items")) == 2
    assert tab.run(ROWS) == [known[each["id"]] for each in tab.run("items")]


@pytest.mark.parametrize("kind", ["slot", "list"])
def test_own_content_stays_while_the_server_cannot_say(visit: Visit, kind: str) -> None:
    visit.put(SLOT + LIST + visit.tag())
    visit.gate.away = True
    tab = visit.settled(visit.open())
    assert visible(tab, "#hero" if kind == "slot" else "#list li") == (
        "For everyone" if kind == "slot" else "Our classics"
    )


def test_a_page_with_a_strict_policy(visit: Visit) -> None:
    """Scripts by nonce and from the server alone, held to their hashes; lines to the server alone."""
    server, gate = visit.home.site.segue, visit.gate.url
    policy = (
        f"default-src 'none'; script-src {server} 'nonce-n1'; style-src 'nonce-n1'; img-src data:;"
        f" connect-src 'self' {gate} {gate.replace('http', 'ws')}"
    )
    modules = visit.home.server.http.get("/sdk").json()["modules"]
    tags = visit.tag()
    for name in ("segue.js", "personalize.js"):
        own = f'{server}{modules[name]["path"]}" crossorigin integrity="{modules[name]["integrity"]}"'
        tags = tags.replace(f'{server}/sdk/{name}"', own)
    snippet = SNIPPET.replace("<script>", '<script nonce="n1">').replace("<style>", '<style nonce="n1">')
    visit.put(f'<meta http-equiv="Content-Security-Policy" content="{policy}">{snippet}{SLOT}{tags}')
    tab = visit.settled(visit.open())
    assert visible(tab, "#hero") == "For everyone"
    tab.run(add("safe"))
    eventually(lambda: visible(tab, "#hero") == "bold")
    assert visit.gate.count(SOCKET) == 1
    assert visit.gate.count(EVENTS) == 0
