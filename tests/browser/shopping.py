"""The example shop on the demo's workspace, and somebody who walks through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from segue.runners.demo.furnished import furnished
from segue.runners.demo.retail import shipped
from tests.api.serving import Running, eventually, serving
from tests.browser.chromium import Chromium, Tab
from tests.browser.personal import visible

LINE = {"sku": "22423", "quantity": 100, "price": 12.75, "amount": 1275.0}
YES = "document.querySelector('#consent [value=yes]').click()"
MEASURED = """new Promise((told) => {
  const steps = [], began = performance.now(), banner = document.querySelector("#basket-banner");
  const off = segue.on("entered", "basket_open", () => steps.push("heard"));
  const watch = new MutationObserver(() => {
    if (!banner.checkVisibility({ visibilityProperty: true })) return;
    steps.push("shown");
    watch.disconnect();
    off();
    told({ steps, ms: performance.now() - began });
  });
  watch.observe(banner, { attributes: true });
  steps.push("clicked");
  document.querySelector("#products .add").click();
})"""
"""Puts the first product into the basket; tells what happened then, and how long it took."""


@dataclass(frozen=True)
class Demo:
    """The shop's address, and the server that it runs on."""

    url: str
    server: Running

    def open(self, browser: Chromium) -> Tab:
        """A new visitor, who is asked for consent."""
        tab = browser.tab(self.url)
        eventually(lambda: visible(tab, "#consent"))
        return tab

    def visit(self, browser: Chromium) -> Tab:
        """One who has given it."""
        tab = self.open(browser)
        tab.run(YES)
        eventually(lambda: "segue..segments" in tab.stored()["local"] and tab.sockets())
        return tab


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    """As `segue demo` sets it up, with one event of the year in place of all, so that it is 2010."""
    shipped().copy_to(folder / "workspace")
    with (
        furnished(folder / "workspace", folder / "data", 0) as (shop, url),
        serving(folder, "--clock", "log") as server,
    ):
        shop.segue = str(server.http.base_url).rstrip("/")
        first = {**LINE, "invoice": "0"}
        event = {"userId": "1", "event": "purchase", "properties": first, "timestamp": "2010-11-01T08:00:00Z"}
        assert server.http.post("/v1/track", json=event).json() == {"success": True}
        yield Demo(url, server)
