"""One server with keys for all stories that do not change its keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.guarded.guard import Guarded, bearer, guard
from tests.api.serving import serving


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with serving(tmp_path_factory.mktemp("guarded")) as server:
        made = guard(server)
        for user in ("ann", "bob", "ANN", "ann/x", "sacrifice"):
            made.send(user, properties={"total": 200})
        identify = {"userId": "ann", "traits": {"plan": "pro", "email": "ann@shop.example"}}
        server.http.post("/v1/identify", json=identify, headers=bearer(made.keys["write"]))
        for visitor in ("v1", "v2"):
            page = {"anonymousId": visitor, "name": "Home"}
            server.http.post("/v1/page", json=page, headers=bearer(made.keys["write"]))
        made.keys["token"] = made.token("ann")
        made.keys["stranger"] = made.token("mallory")
        made.keys["visitor"] = made.token("v1", "--visitor")
        made.await_users("ann", "bob", "ann/x", "sacrifice", "anon:v1", "anon:v2")
        yield made
