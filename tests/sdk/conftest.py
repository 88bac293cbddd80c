"""One server for all SDKs, which also serves the script that the operator named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.serving import Running, serving, write_workspace
from tests.sdk.driving import STANDALONE


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("sdk")
    workspace = write_workspace(folder / "workspace")
    with (workspace / "segue.yaml").open("a", encoding="utf-8") as file:
        file.write(f"analytics_js: {STANDALONE}\n")
    with serving(folder) as running:
        yield running
