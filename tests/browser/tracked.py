"""Pages with the tracker, and what the server holds of their visitors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.serving import Running, eventually
from tests.browser.chromium import Chromium, Tab
from tests.browser.site import Site
from tests.sdk.driving import assert_each_once, events_of
from tests.sdk.proxy import Weather

KEY = "wk_test"


@dataclass
class Shop:
    """A site, the server its pages send to, the weather between the two, and a visitor's browser."""

    server: Running
    site: Site
    host: str
    weather: Weather
    browser: Chromium

    @property
    def modules(self) -> str:
        """Where the tracker's modules come from."""
        return str(self.server.http.base_url).rstrip("/") + "/sdk"

    def tag(self, *more: str, **options: str) -> str:
        """The snippet, with options and more modules; page views are off unless asked for."""
        said = {"write_key": KEY, "host": self.host, "pages": "off", **options}
        attributes = "".join(f' data-{name.replace("_", "-")}="{value}"' for name, value in said.items())
        first = f'<script type="module" src="{self.modules}/segue.js"{attributes}></script>'
        rest = (f'<script type="module" src="{self.modules}/{each}.js"></script>' for each in more)
        return first + "".join(rest)

    def open(self, path: str = "/", before: str = "", offline: bool = False) -> Tab:
        """A tab on a page of the site."""
        tab = self.browser.tab(before=before)
        tab.visit(self.site.url(path))
        if offline:
            tab.offline(True)
        return tab

    def events(self, visitor: str) -> list[Any]:
        """What the server holds of an anonymous visitor, oldest first."""
        return events_of(self.server, f"anon:{visitor}")[::-1]

    def told(self, numbers: set[int]) -> None:
        """Waits until somebody was answered for all of these."""
        eventually(lambda: self.weather.answered >= numbers)

    def posts(self, number: int) -> int:
        """How many requests held an event."""
        return sum(number in post.numbers for _, post in self.weather.record)


def sends(*numbers: int) -> str:
    """A script that tracks these."""
    return ";".join(f"segue.track('Sent', {{n: {each}}})" for each in numbers)


def lost(events: list[Any], numbers: set[int]) -> None:
    """The control: the same assertion has to fail."""
    with pytest.raises(AssertionError, match="lost"):
        assert_each_once(events, numbers)


def settled(look: Callable[[], int]) -> int:
    """A count that has not moved for a while."""
    seen: list[int] = []

    def still() -> bool:
        seen.append(look())
        return len(seen) > 25 and len(set(seen[-25:])) == 1

    eventually(still)
    return seen[-1]
