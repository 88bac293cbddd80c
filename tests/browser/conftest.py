"""One server and one browser for all; a fresh site, so fresh storage, for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.serving import Running, serving
from tests.browser import chromium as driven
from tests.browser import gate as gates
from tests.browser import personal
from tests.browser.chromium import Chromium
from tests.browser.personal import Home, Visit
from tests.browser.site import Site, opened
from tests.browser.tracked import Shop
from tests.sdk.proxy import Weather, proxy


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("tracked")) as running:
        yield running


@pytest.fixture(scope="session")
def started() -> Iterator[Chromium]:
    if driven.found() is None:
        pytest.skip("there is no chromium on this machine: run python3 scripts/setup_sdks.py")
    with driven.chromium() as running:
        yield running


@pytest.fixture
def browser(started: Chromium) -> Iterator[Chromium]:
    with started.visitor():
        yield started


@pytest.fixture
def site() -> Iterator[Site]:
    with opened() as running:
        yield running


@pytest.fixture
def weather() -> Weather:
    return Weather()


@pytest.fixture
def host(server: Running, weather: Weather) -> Iterator[str]:
    """Where pages send: before the server, the weather."""
    with proxy(str(server.http.base_url).rstrip("/"), weather) as address:
        yield address


@pytest.fixture
def shop(server: Running, site: Site, host: str, weather: Weather, browser: Chromium) -> Shop:
    return Shop(server, site, host, weather, browser)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with personal.home(tmp_path_factory.mktemp("personal")) as running:
        yield running


@pytest.fixture
def visit(home: Home, browser: Chromium) -> Iterator[Visit]:
    address = home.server.http.base_url
    with gates.opened(address.host, address.port or 80) as gate:
        yield Visit(home, gate, browser)
