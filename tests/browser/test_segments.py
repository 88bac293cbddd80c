"""A page follows its visitor's segments: at once, by whatever way is open, whatever the network does."""

from __future__ import annotations

import pytest

from tests.api.serving import eventually
from tests.browser.gate import EVENTS, OTHER, SOCKET
from tests.browser.personal import Visit, visible

PAGE = """<p id="full" data-segue-show="basket_open" hidden>Your basket waits</p>
<p id="empty" data-segue-hide="basket_open">Nothing in it yet</p>"""
ADD = "segue.track('Product Added', {sku: 'p1'})"
WAYS = {
    "WebSocket": (frozenset[str](), SOCKET),
    "server-sent events": (frozenset({SOCKET}), EVENTS),
    "asking": (frozenset({SOCKET, EVENTS}), OTHER),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_change_shows_without_a_reload(visit: Visit, way: str) -> None:
    """The fallbacks are the way that is left when the better ones are refused."""
    visit.gate.refused, kind = WAYS[way]
    visit.put(PAGE + visit.tag())
    tab = visit.settled(visit.open())
    assert (visible(tab, "#full"), visible(tab, "#empty")) == ("", "Nothing in it yet")
    eventually(lambda: visit.gate.count(kind, "/v1/stream" if kind != OTHER else "/v1/users") >= 1)
    tab.run("window.same = true")
    tab.run(ADD)
    eventually(lambda: visible(tab, "#full") == "Your basket waits")
    assert visible(tab, "#empty") == ""
    assert tab.run("window.same && segue.segments.join() == 'basket_open' && segue.is('basket_open')")
    refused = {each for each in (SOCKET, EVENTS) if visit.gate.count(each)} - visit.gate.refused
    assert refused == ({kind} if kind != OTHER else set())
