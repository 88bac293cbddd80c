"""A page follows its visitor's segments: at once, by whatever way is open, whatever the network does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest

from segue.runners.demo import shop
from tests.api.serving import eventually, serving
from tests.browser.chromium import PageError, Tab
from tests.browser.gate import EVENTS, OTHER, SOCKET
from tests.browser.personal import Visit, visible
from tests.browser.tracked import settled

PAGE = """<p id="full" data-segue-show="basket_open" hidden>Your basket waits</p>
<p id="empty" data-segue-hide="basket_open">Nothing in it yet</p>"""
FULL, EMPTY = ("Your basket waits", ""), ("", "Nothing in it yet")
SIGNED = re.compile(r"[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}")
ADD = "segue.track('Product Added', {sku: 'p1'})"
REMOVE = "segue.track('Product Removed', {sku: 'p1'})"
WAYS = {
    "WebSocket": (frozenset[str](), SOCKET),
    "server-sent events": (frozenset({SOCKET}), EVENTS),
    "asking": (frozenset({SOCKET, EVENTS}), OTHER),
}


def shown(tab: Tab) -> tuple[str, str]:
    """What can be seen of both paragraphs."""
    return visible(tab, "#full"), visible(tab, "#empty")


def person(tab: Tab) -> str:
    """Whose events the page sends."""
    return str(tab.run("segue.userId || 'anon:' + segue.anonymousId"))


def listening(visit: Visit, tab: Tab) -> None:
    """Once a change is heard by push: the state was read after the line stood, and has changed since."""
    eventually(lambda: visit.gate.count(OTHER, "/v1/users") >= 2)
    tab.run(ADD)
    eventually(lambda: tab.run("segue.is('basket_open')"))
    tab.run(REMOVE)
    eventually(lambda: tab.run("!segue.is('basket_open')"))


@pytest.mark.parametrize("way", WAYS)
def test_a_change_shows_without_a_reload(visit: Visit, way: str) -> None:
    """The fallbacks are the way that is left when the better ones are refused."""
    visit.gate.refused, kind = WAYS[way]
    visit.put(PAGE + visit.tag())
    tab = visit.settled(visit.open())
    assert shown(tab) == EMPTY
    tab.run("window.same = true")
    tab.run(ADD)
    eventually(lambda: shown(tab) == FULL)
    assert tab.run("window.same && segue.segments.join() == 'basket_open' && segue.is('basket_open')")
    came = {each for each in (SOCKET, EVENTS) if visit.gate.count(each)} - visit.gate.refused
    assert came == ({kind} if kind != OTHER else set())
    assert_no_secret_in(said for _, said in visit.gate.came)


def assert_no_secret_in(addresses: Iterable[str]) -> None:
    """Addresses stand in the logs of whatever is between; a signed token has two dots between long words."""
    assert [each for each in addresses if "token" in each or SIGNED.search(each)] == []


def test_a_secret_in_an_address_would_be_seen() -> None:
    """The control."""
    for address in ("GET /v1/stream?user_id=u&token=x", f"GET /x?y={'a' * 30}.{'b' * 30}.{'c' * 43}"):
        with pytest.raises(AssertionError):
            assert_no_secret_in([address])


def test_a_page_is_told_what_happened(visit: Visit) -> None:
    """The change as the stream has it; also to who asked before the module had come, and not any more."""
    visit.put(
        "<script>segue = []; segue.push(['on', 'entered', '*', (c) => early = c])</script>" + visit.tag()
    )
    tab = visit.settled(visit.open())
    tab.run("heard = []; off = segue.on('entered', 'basket_open', (change) => heard.push(change))")
    tab.run("segue.on('left', 'basket_open', (change) => { heard.push(change); throw new Error('own') })")
    tab.run("segue.on('entered', 'vip', (change) => heard.push(change))")
    tab.run(ADD)
    first = eventually(lambda: tab.run("heard[0]"))
    assert {**first, "seq": 0, "id": "", "at": "", "cause": {"type": first["cause"]["type"]}} == {
        "segment": "basket_open",
        "action": "entered",
        "user_id": person(tab),
        "seq": 0,
        "id": "",
        "at": "",
        "cause": {"type": "event"},
    }
    assert tab.run("early.seq") == first["seq"]
    tab.run("off()")
    tab.run(REMOVE)
    eventually(lambda: tab.run("heard.length == 2"))
    tab.run(f"{ADD}; segue.track('Order Completed')")
    eventually(lambda: tab.run("heard.length == 3 && segue.is('vip') && segue.is('basket_open')"))
    assert tab.run("heard.map((change) => change.action + ' ' + change.segment)") == [
        "entered basket_open",
        "left basket_open",
        "entered vip",
    ]


@pytest.mark.parametrize("way", ["WebSocket", "server-sent events"])
def test_a_trigger_speaks_to_the_page(visit: Visit, way: str) -> None:
    visit.gate.refused, _ = WAYS[way]
    visit.put(PAGE + visit.tag())
    tab = visit.settled(visit.open())
    listening(visit, tab)
    tab.run("said = []; segue.on('fired', 'thanks', (message) => said.push(message))")
    tab.run("segue.on('fired', 'other', (message) => said.push(message))")
    tab.run("segue.track('Order Completed')")
    (message,) = eventually(lambda: tab.run("said"))
    assert message["fired"] == {"text": "Thank you for vip"}
    assert (message["trigger"], message["user_id"]) == ("thanks", person(tab))


@pytest.mark.parametrize("way", ["WebSocket", "server-sent events"])
def test_the_server_goes_away_and_comes_back(visit: Visit, way: str) -> None:
    """What happened meanwhile is there when it is back, and what happens after it."""
    visit.gate.refused, _ = WAYS[way]
    visit.put(PAGE + visit.tag())
    tab = visit.settled(visit.open())
    listening(visit, tab)
    visit.gate.away = True
    visit.gate.cut()
    visitor = person(tab)
    visit.home.track("Product Added", anonymousId=visitor.removeprefix("anon:"))
    eventually(lambda: visit.home.segments_of(visitor) == ["basket_open"])
    assert shown(tab) == EMPTY
    visit.gate.away = False
    eventually(lambda: shown(tab) == FULL)
    tab.run(REMOVE)
    eventually(lambda: shown(tab) == EMPTY)


def test_the_network_goes_away_and_comes_back(visit: Visit) -> None:
    """What a page does offline is sent, and shows, once it is online."""
    visit.put(PAGE + visit.tag())
    tab = visit.settled(visit.open())
    listening(visit, tab)
    tab.offline(True)
    visit.gate.cut()
    tab.run(ADD)
    tab.run("segue.flush()")
    assert shown(tab) == EMPTY
    tab.offline(False)
    eventually(lambda: shown(tab) == FULL)


def test_a_server_that_says_nothing(visit: Visit) -> None:
    """A line that is open and tells nothing is given up for the next way; when it answers, all is well."""
    visit.put(PAGE + visit.tag())
    visit.gate.silent = True
    tab = visit.settled(visit.open())
    assert shown(tab) == EMPTY
    eventually(lambda: visit.gate.count(SOCKET) and visit.gate.count(EVENTS))
    visit.gate.silent = False
    visit.gate.cut()
    tab.run(ADD)
    eventually(lambda: shown(tab) == FULL)


# ---- who may ---------------------------------------------------------------------------------


FOREIGN = """new Promise((go) => {
  const socket = new WebSocket(%r.replace("http", "ws") + "/v1/stream", ["segue", "token." + %r]);
  socket.onmessage = ({data}) => go(data);
  socket.onclose = () => go("refused");
})"""


@pytest.mark.parametrize("foreign", [True, False])
def test_a_page_of_a_foreign_site_gets_nothing(visit: Visit, foreign: bool) -> None:
    """Even with a good token: neither by push nor by asking. The control: the site that is named does."""
    visit.put(visit.tag())
    own = visit.settled(visit.open())
    own.run(ADD)
    eventually(lambda: own.run("segue.is('basket_open')"))
    token = visit.home.site.token(person(own))["token"]
    user = person(own)
    visit.put(PAGE + visit.tag(token=token), "stolen.html")
    with shop.opened(shop.Shop(visit.home.site.folder)) as other:
        tab = visit.settled(visit.open("stolen.html", site=other if foreign else None))
        address = f"{visit.gate.url}/v1/users/{user}/segments"
        headers = f"{{headers: {{authorization: 'Bearer {token}'}}}}"
        socket = tab.run(FOREIGN % (visit.gate.url, token))
        if foreign:
            settled(lambda: len(visit.gate.came))
            assert shown(tab) == EMPTY
            assert tab.run("segue.segments") == []
            assert socket == "refused"
            with pytest.raises(PageError, match="Failed to fetch"):
                tab.run(f"fetch('{address}', {headers}).then((answer) => answer.text())")
        else:
            assert shown(tab) == FULL
            assert "listening" in socket
            found: Any = tab.run(f"fetch('{address}', {headers}).then((answer) => answer.json())")
            assert [each["name"] for each in found["segments"]] == ["basket_open"]


def test_nobody_sees_another_visitors_page(visit: Visit) -> None:
    """A page that claims somebody else's id gets a token for that id only from a site that believes it."""
    visit.put(visit.tag())
    own = visit.settled(visit.open())
    own.run("segue.identify('ada'); segue.track('Order Completed')")
    eventually(lambda: visit.home.segments_of("ada") == ["vip"])
    assert own.run("segue.ready.then(() => segue.segments)") == []
    with visit.browser.visitor():
        tab = visit.settled(visit.open())
        tab.run("segue.identify('ada')")
        tab.run("new Promise((go) => setTimeout(go, 1500)).then(() => segue.ready)")
        assert tab.run("segue.segments") == []


def test_who_signs_in_is_known_by_the_site(visit: Visit) -> None:
    """The user's segments come with the user's token, by the session; signing out leaves nothing."""
    visit.home.track("Order Completed", userId="grace")
    eventually(lambda: visit.home.segments_of("grace") == ["vip"])
    visit.put('<b id="v" data-segue-show="vip" hidden>Welcome back</b>' + PAGE + visit.tag())
    tab = visit.settled(visit.open())
    tab.run(ADD)
    eventually(lambda: shown(tab) == FULL)
    post = "fetch('/%s', {method: 'POST', body: JSON.stringify({user: 'grace'})}).then(() => {})"
    tab.run(post % "sign-in")
    tab.run("segue.identify('grace')")
    eventually(lambda: visible(tab, "#v") == "Welcome back")
    assert shown(tab) == FULL, "the visitor's basket is the user's now"
    tab.run(post % "sign-out")
    tab.run("segue.reset()")
    assert (visible(tab, "#v"), *shown(tab)) == ("", *EMPTY)
    assert "grace" not in str(tab.stored()["local"])
    tab.run(ADD)
    eventually(lambda: shown(tab) == FULL)
    assert visible(tab, "#v") == ""


def test_a_token_that_ends_is_renewed(visit: Visit) -> None:
    visit.put(PAGE + visit.tag())
    tab = visit.settled(visit.open())
    listening(visit, tab)
    kept = tab.run("localStorage['segue..token']")
    visit.home.server.control("token rotate", overlap="0s")
    eventually(lambda: tab.run("localStorage['segue..token']") not in {None, kept})
    tab.run(ADD)
    eventually(lambda: shown(tab) == FULL)


def test_a_kept_token_that_is_good_no_more(visit: Visit) -> None:
    """The next page gets another, and does not keep to the way that it fell back to with the old one."""
    visit.put(PAGE + visit.tag())
    visit.settled(visit.open()).close()
    visit.home.server.control("token rotate", overlap="0s")
    before = len(visit.gate.came)
    tab = visit.settled(visit.open())
    tab.run(ADD)
    eventually(lambda: shown(tab) == FULL)

    def ways() -> list[str]:
        return [kind for kind, said in visit.gate.came[before:] if "/v1/stream" in said]

    eventually(lambda: len(ways()) >= 2 and ways()[-1] == SOCKET)


def test_a_site_that_gives_no_token(visit: Visit) -> None:
    """It is nobody's page then; the server is not asked. Later it is, for who comes to be somebody."""
    visit.put(PAGE + visit.tag(tokens="/nowhere"))
    tab = visit.settled(visit.open())
    assert shown(tab) == EMPTY
    assert visit.gate.count(SOCKET) + visit.gate.count(OTHER, "/v1/users") == 0
    own = "import('%s/sdk/segue.js').then(({load}) => load('%s', {host: '%s', pages: 'off'}))"
    load = own % (visit.home.site.segue, visit.home.write_key, visit.gate.url)
    visit.put("<p></p>", "bare.html")
    bare = visit.open("bare.html")
    start = "import('%s/sdk/personalize.js').then(({personalize}) => { personalize(segue, {tokens}) })"
    bare.run("tokens = async (person) => { asked = person; return null }")
    bare.run(load + ".then((found) => { segue = found })")
    bare.run(start % visit.home.site.segue)
    bare.run("segue.ready")
    assert bare.run("asked") == {"anonymousId": bare.run("segue.anonymousId")}
    assert visit.gate.count(SOCKET) == 0


def test_without_keys_this_machine_needs_no_token(visit: Visit, tmp_path: Any) -> None:
    """As while one builds a site: the tracker's ids say who it is."""
    with serving(tmp_path, environment={"SEGUE_STREAM_ORIGINS": visit.home.url}) as server:
        url = str(server.http.base_url).rstrip("/")
        source = f"<script type=module src={url}/sdk/"
        visit.put(f"{source}segue.js data-write-key=any></script>{source}personalize.js></script>")
        tab = visit.settled(visit.open())
        tab.run("heard = new Promise((go) => segue.on('entered', 'buyers', go)); 0")
        tab.run("segue.track('Order Completed', {total: 5})")
        assert tab.run("heard.then(({segment}) => segment)") == "buyers"


# ---- what is kept ----------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [True, False])
def test_the_next_page_shows_what_was_known(visit: Visit, kept: bool) -> None:
    """Also while the server is away. The control: without what was stored, the page is nobody's."""
    visit.put(PAGE + visit.tag())
    tab = visit.settled(visit.open())
    tab.run(ADD)
    eventually(lambda: shown(tab) == FULL)
    visitor = person(tab)
    visit.gate.away = True
    visit.gate.cut()
    if not kept:
        tab.run("localStorage.removeItem('segue..segments')")
    tab.visit(visit.home.url)
    tab.run("segue.ready")
    assert shown(tab) == (FULL if kept else EMPTY)
    tab.run("heard = new Promise((go) => segue.on('left', 'basket_open', go)); 0")
    visit.home.track("Product Removed", anonymousId=visitor.removeprefix("anon:"))
    eventually(lambda: visit.home.segments_of(visitor) == [])
    visit.gate.away = False
    tab.run("dispatchEvent(new Event('online'))")
    if kept:
        assert tab.run("heard.then(({segment, action}) => [segment, action])") == ["basket_open", "left"]
    eventually(lambda: shown(tab) == EMPTY)


def test_without_consent_nothing_is_asked_or_stored(visit: Visit) -> None:
    """Then it begins; withdrawn, it ends in all tabs, and the page is nobody's again."""
    visit.put(PAGE + visit.tag(consent="wait"))
    tab, other = visit.settled(visit.open()), visit.settled(visit.open())
    tab.run(f"{ADD}; segue.refresh()")
    with pytest.raises(PageError, match="no consent"):
        tab.run("segue.decide('hero')")
    settled(lambda: len(visit.gate.came))
    assert visit.gate.came == []
    assert tab.stored() == {}
    assert [url for url in tab.requests() if url.endswith("/token")] == []
    tab.run("segue.consent(true)")
    eventually(lambda: shown(tab) == FULL and shown(other) == FULL)
    tab.run("segue.consent(false)")
    eventually(lambda: shown(tab) == EMPTY and shown(other) == EMPTY)
    seen = settled(lambda: len(visit.gate.came))
    tab.run(f"{ADD}; segue.refresh()")
    assert settled(lambda: len(visit.gate.came)) == seen
    assert tab.stored() == {}


@pytest.mark.parametrize("asked", [True, False])
def test_a_browser_that_asks_not_to_be_tracked(visit: Visit, asked: bool) -> None:
    """The control: without the signal the server is asked."""
    visit.put(PAGE + visit.tag())
    before = 'Object.defineProperty(navigator, "doNotTrack", { value: "1" });' if asked else ""
    tab = visit.settled(visit.open(before=before))
    assert shown(tab) == EMPTY
    settled(lambda: len(visit.gate.came))
    assert (visit.gate.came == []) is asked


def test_a_page_that_is_left_gives_its_line_back(visit: Visit) -> None:
    """And takes it up again when its visitor returns, as a browser's cache of pages makes it."""
    visit.put(PAGE + visit.tag())
    tab = visit.settled(visit.open())
    listening(visit, tab)
    tab.run("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    before = visit.gate.count(SOCKET)
    visit.home.track("Product Added", anonymousId=person(tab).removeprefix("anon:"))
    eventually(lambda: visit.home.segments_of(person(tab)) == ["basket_open"])
    assert shown(tab) == EMPTY
    tab.run("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    eventually(lambda: shown(tab) == FULL)
    assert visit.gate.count(SOCKET) == before + 1


GUESSED = """
let guessed = true;
Object.defineProperty(Document.prototype, "prerendering", { get: () => guessed });
const looked = () => { guessed = false; document.dispatchEvent(new Event("prerenderingchange")); };
"""


def test_a_page_that_is_got_ready_on_a_guess_asks_nothing(visit: Visit) -> None:
    """What nobody sees must not count as shown; it begins when somebody looks."""
    visit.put(PAGE + visit.tag())
    tab = visit.settled(visit.open(before=GUESSED))
    settled(lambda: len(visit.gate.came))
    assert [said for _, said in visit.gate.came if "/v1/batch" not in said] == []
    tab.run("looked()")
    tab.run(ADD)
    eventually(lambda: shown(tab) == FULL)


@pytest.mark.parametrize("early", [True, False])
def test_without_the_tracker_it_leaves_the_page_alone(visit: Visit, early: bool) -> None:
    """A blocked script, or one that stands in the wrong place; what is for everyone is seen."""
    list_ = "<script>segue = []</script>" if early else ""
    visit.put(list_ + PAGE + visit.tag().replace("/sdk/segue.js", "/gone.js"))
    tab = visit.open()
    assert tab.run("typeof window.segue?.on") == "undefined"
    assert shown(tab) == EMPTY


def test_two_tabs_follow_the_same_visitor(visit: Visit) -> None:
    """Who is identified in one of them is so in the other."""
    visit.put(PAGE + visit.tag())
    tab, other = visit.settled(visit.open()), visit.settled(visit.open())
    tab.run(ADD)
    eventually(lambda: shown(tab) == shown(other) == FULL)
    tab.run("segue.reset()")
    eventually(lambda: shown(tab) == shown(other) == EMPTY)
    assert tab.run("segue.anonymousId") == other.run("segue.anonymousId")


def test_elements_that_come_later(visit: Visit) -> None:
    """They are sorted before anybody sees them; another name in the attribute is another segment."""
    visit.put(PAGE + visit.tag())
    tab = visit.settled(visit.open())
    tab.run(ADD)
    eventually(lambda: shown(tab) == FULL)
    tab.run(
        "document.body.insertAdjacentHTML('beforeend', '<i id=late data-segue-show=\"vip, x\">for few</i>')"
    )
    assert visible(tab, "#late") == ""
    tab.run("late.setAttribute('data-segue-show', 'vip basket_open')")
    assert visible(tab, "#late") == "for few"
    tab.run("late.setAttribute('data-segue-hide', 'basket_open')")
    assert visible(tab, "#late") == ""
