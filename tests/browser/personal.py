"""Pages with the personalizer: the site that gives out tokens, the gate before the server, and a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from segue.runners.demo import shop
from tests.api.serving import Running, eventually, serving, write_workspace
from tests.browser.chromium import Chromium, Tab
from tests.browser.gate import Gate
from tests.cli.segue import here

FRAME = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Shop</title>{}'
SNIPPET = (Path(__file__).parents[2] / "sdk" / "snippet.html").read_text(encoding="utf-8")
"""What keeps a page from flickering, as it is to be copied."""
SEGMENTS = """
- segment: basket_open
  owner: crm@shop.example
  description: Something lies in the basket.
  when: count("Product Added") > count("Product Removed")
- segment: vip
  owner: crm@shop.example
  description: Has ordered.
  when: count("Order Completed") >= 1
"""
EXPERIENCES = """
- experience: greeting
  owner: content@shop.example
  description: Every kind of payload, by what has just been added.
  slot: hero
  fallback: {}
  variants:
    - {variant: unsafe, priority: 50, audience: 'latest("Product Added".sku) == "unsafe"',
       payload: {html: "<img src=x onerror='window.hurt = 1'><b>bold</b>"}}
    - {variant: nearly, priority: 40, audience: 'latest("Product Added".sku) == "nearly"',
       payload: {html: "<b>bold</b>", safe: false}}
    - {variant: safe, priority: 30, audience: 'latest("Product Added".sku) == "safe"',
       payload: {html: "<b>bold</b>", safe: true}}
    - {variant: fields, priority: 20, audience: 'latest("Product Added".sku) == "fields"',
       payload: {title: "<i>A title</i>", link: "javascript:window.hurt=1", image: "data:text/html,x",
                 to: "/sale", click: "window.hurt=1", deep: {price: 9.5}}}
    - {variant: basket, priority: 10, audience: basket_open, payload: Your basket waits}
- experience: once
  owner: content@shop.example
  description: Shown once a day to somebody with a basket, and to nobody again.
  slot: once
  fallback: {text: Nothing new}
  variants:
    - {variant: only, audience: basket_open, cap: 1 per 1d, payload: {text: Look here}}
- experience: side_note
  owner: content@shop.example
  description: Tells what the page said of itself.
  slot: side
  fallback: {text: Elsewhere}
  variants:
    - {variant: here, audience: 'request.page.path == "/side.html" and request.mood == "good"',
       payload: {text: Here}}
"""
TRIGGERS = """
- trigger: thanks
  owner: crm@shop.example
  description: Says thank you to who has ordered for the first time.
  on: segment("vip") entered
  to: stream
  payload: {text: "Thank you for {{segment}}"}
"""
ITEMS = """id,title,price,category,url
p1,Tea pot,19.9,tea,/p1
p2,Tea cup,4.5,tea,/p2
p3,<b>Bold</b> mug,3,coffee,javascript:window.hurt=1
"""


@dataclass(frozen=True)
class Home:
    """A server with keys, and the one site whose pages may read there."""

    server: Running
    site: shop.Shop
    url: str
    write_key: str
    admin_key: str

    def segments_of(self, user: str) -> list[str]:
        """What the server itself says of somebody."""
        return [each["name"] for each in self._asked(user, "segments")["segments"]]

    def events_of(self, user: str) -> list[Any]:
        """The events of somebody, oldest first."""
        found: list[Any] = self._asked(user, "events")["events"]
        return found[::-1]

    def _asked(self, user: str, what: str) -> Any:
        headers = {"Authorization": f"Bearer {self.admin_key}"}
        return httpx.get(f"{self.site.segue}/v1/users/{user}/{what}", headers=headers).json()

    def track(self, event: str, **who: str) -> None:
        """An event that comes from elsewhere than the page."""
        body = {"writeKey": self.write_key, "event": event, **who}
        assert httpx.post(f"{self.site.segue}/v1/track", json=body).json() == {"success": True}


@contextmanager
def home(folder: Path) -> Iterator[Home]:
    """The site first: the server has to know its origin."""
    pages = folder / "pages"
    pages.mkdir(parents=True)
    site = shop.Shop(pages)
    with shop.opened(site) as url:
        workspace = write_workspace(folder / "workspace")
        (workspace / "segments" / "shop.yaml").write_text(SEGMENTS, encoding="utf-8")
        (workspace / "experiences").mkdir()
        (workspace / "experiences" / "shop.yaml").write_text(EXPERIENCES, encoding="utf-8")
        (workspace / "triggers").mkdir()
        (workspace / "triggers" / "shop.yaml").write_text(TRIGGERS, encoding="utf-8")
        (folder / "items.csv").write_text(ITEMS, encoding="utf-8")
        options = ("--workspace", workspace, "--data", folder / "data")
        assert here("catalog", "import", folder / "items.csv", *options).status == 0
        with (workspace / "segue.yaml").open("a", encoding="utf-8") as settings:
            settings.write(f"stream_origins: {url}\n")
        with serving(folder) as server:
            site.segue = str(server.http.base_url).rstrip("/")
            (admin,) = server.control("keys create", name="site", kind="admin")
            (write,) = server.control("keys create", name="pages", kind="write", public=True)
            site.key = admin["key"]
            yield Home(server, site, url, write["key"], admin["key"])


@dataclass
class Visit:
    """A visitor of the site: what its pages hold, and what happens between them and the server."""

    home: Home
    gate: Gate
    browser: Chromium

    def tag(self, module: str = "personalize", **options: str) -> str:
        """Tracker and personalizer, with a token from the site unless said otherwise."""
        own = {"write_key": self.home.write_key, "host": self.gate.url, "pages": "off"}
        for name in ("consent", "signals"):
            if name in options:
                own[name] = options.pop(name)
        source = f"{self.home.site.segue}/sdk"
        return _script(f"{source}/segue.js", own) + _script(
            f"{source}/{module}.js", options if "token" in options else {"tokens": "/token", **options}
        )

    def put(self, body: str, name: str = "index.html") -> None:
        """Writes a page."""
        (self.home.site.folder / name).write_text(FRAME.format(body), encoding="utf-8")

    def open(self, name: str = "", before: str = "", offline: bool = False, site: str | None = None) -> Tab:
        """A tab on a page of the site."""
        tab = self.browser.tab(before=before)
        tab.visit(f"{site or self.home.url}/{name}")
        if offline:
            tab.offline(True)
        return tab

    def settled(self, tab: Tab) -> Tab:
        """Once the page shows what it should."""
        tab.run("segue.ready")
        return tab

    def listening(self, tab: Tab, kind: str, times: int = 1) -> None:
        """Once the page has come that way, and has read the state after it."""
        eventually(lambda: self.gate.count(kind, "/v1/stream") >= times)
        del tab

    def held(self, path: str) -> threading.Event:
        """From now on requests of this path wait for the event that is given."""
        self.gate.held = path, threading.Event()
        return self.gate.held[1]


def _script(source: str, options: dict[str, str]) -> str:
    attributes = "".join(f' data-{name.replace("_", "-")}="{value}"' for name, value in options.items())
    return f'<script type="module" src="{source}"{attributes}></script>'


def visible(tab: Tab, selector: str) -> str:
    """The text that can be seen of an element; none when it is hidden in whatever way."""
    found: Any = tab.run(
        f"(() => {{ const e = document.querySelector({selector!r}); return e && e.checkVisibility("
        "{visibilityProperty: true}) ? e.innerText.trim() : '' })()"
    )
    return str(found)
