"""One server for the stories about streams; each has users of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.serving import Running, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("serving")) as running:
        yield running
