"""Every route against every credential: who is let in, and who is not."""

from __future__ import annotations

import pytest

from segue.api.routes import ROUTES
from tests.api.guarded.guard import Guarded, basic, bearer

GOOD = {"write", "read", "scoped", "admin", "token", "stranger", "visitor"}
READ = {"read", "admin"}
SCOPED = READ | {"scoped"}
OWN = READ | {"token"}
DEAD = {"revoked", "revoked admin", "expired", "off", "another server's", "the server's own"}
WHO = ["none", *sorted(GOOD), *sorted(DEAD)]

SENDING = (
    *("identify", "track", "page", "screen", "group", "alias"),
    *"itpsgab",
    *("batch", "import"),
)
LET_IN: dict[str, set[str]] = {
    **{f"POST /v1/{name}": {"write"} for name in SENDING},
    "POST /beacon/v1/batch": {"write"},
    "GET /v1/users/{id}/segments": OWN | SCOPED,
    "GET /user/segments": OWN | SCOPED,
    "GET /v1/users/{id}": OWN | SCOPED,
    "GET /v1/users/{id}/explain/{segment}": OWN,
    "GET /v1/users/{id}/events": OWN,
    "GET /v1/users/{id}/export": OWN,
    "DELETE /v1/users/{id}": {"admin"},
    "GET /v1/users/{id}/suppression": {"admin"},
    "PUT /v1/users/{id}/suppression": {"admin"},
    "DELETE /v1/users/{id}/suppression": {"admin"},
    "GET /v1/segments": SCOPED,
    "POST /v1/segments/preview": READ,
    "GET /v1/segments/{name}": SCOPED,
    "PUT /v1/segments/{name}": {"admin"},
    "DELETE /v1/segments/{name}": {"admin"},
    "GET /v1/segments/{name}/members": SCOPED,
    "GET /v1/segments/{name}/history": SCOPED,
    "GET /v1/changes": SCOPED,
    "POST /v1/models/{name}/scores": {"admin"},
    "POST /v1/catalog/items": {"admin"},
    "GET /v1/catalog/items/{id}": READ,
    "DELETE /v1/catalog/items/{id}": {"admin"},
    "GET /v1/models": READ,
    "GET /v1/models/{name}": READ,
    "GET /v1/quality": READ,
    "GET /v1/quality/anomalies": READ,
    "GET /v1/deliveries": READ,
    "POST /v1/deliveries/replay": {"admin"},
    "GET /metrics": READ,
    "POST /v1/tokens": {"admin"},
    "GET /v1/stream": SCOPED | {"token", "stranger", "visitor"},
    "POST /v1/decide": SCOPED | {"token"},
    **{f"POST {prefix}/personalized-recommendations": SCOPED | {"token"} for prefix in ("", "/v1")},
    "POST /graphql": SCOPED | {"token", "stranger", "visitor"},
    "GET /graphql": SCOPED | {"token", "stranger", "visitor"},
    "POST /control": {"the server's own"},
}
"""Who is let in by each route. A new one has to be entered here."""

ALWAYS_OPEN = {
    "GET /healthz", "GET /readyz", "GET /openapi.json", "GET /docs", "POST /v1/m",
    "GET /sdk", "GET /sdk/{name}",
    "GET /analytics.js/v1/{writeKey}/analytics.min.js", "GET /analytics-next/bundles/{name}",
    # They tell a page's client whether its key is good: see test_sending.
    "GET /v1/projects/{writeKey}/settings", "GET /sourceConfig",
    # They answer with their picture in any case: see test_sending.
    "GET /v1/pixel/{type}", "GET /pixel/v1/track", "GET /pixel/v1/page",
}  # fmt: skip

BODIES = {
    "Event": {
        "userId": "ann", "event": "E", "groupId": "g", "previousId": "ann", "name": "n"
    },
    "Batch": {"batch": []},
    "Condition": {"when": "true"},
    "Definition": {"owner": "nobody"},
    "Command": {"command": "segments"},
    "Occasion": {"user_id": "ann", "slots": ["hero"]},
    "Question": {"query": "{ __typename }"},
    "DeadLetters": {"destination": "none"},
    "TokenOrder": {"user_id": "ann"},
    "RecommendationQuestion": {"user_id": "ann"},
    "ScoresHandedIn": {"scores": []},
    "ItemsHandedIn": {"items": []},
    "Any": {},
}  # fmt: skip
NAMES = {f"{route.method} {route.path}": route for route in ROUTES}
GUARDED = sorted(NAMES.keys() & LET_IN.keys())


def test_every_route_is_entered() -> None:
    assert NAMES.keys() == LET_IN.keys() | ALWAYS_OPEN


def header_of(guarded: Guarded, who: str, form: str) -> dict[str, str]:
    if who == "none":
        return {}
    word = guarded.server.said["token"] if who == "the server's own" else guarded.keys[who]
    return basic(word) if form == "basic" else bearer(word)


def asked(guarded: Guarded, name: str, headers: dict[str, str]) -> tuple[int, str]:
    """The status and code that a route answers with."""
    route = NAMES[name]
    path = route.path.replace("{id}", "ann" if route.method == "GET" else "sacrifice")
    path = path.replace("{segment}", "buyers")
    path = path.replace("{name}", "no_such_segment" if route.method == "DELETE" else "buyers")
    query = {"user_id": "ann"} if name == "GET /user/segments" else {}
    method = "HEAD" if name == "GET /v1/stream" else route.method
    body = BODIES[route.takes] if route.takes else None
    found = guarded.server.http.request(method, path, params=query, json=body, headers=headers)
    is_problem = found.headers.get("content-type") == "application/problem+json" and found.content
    return found.status_code, found.json()["code"] if is_problem else ""


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("name", GUARDED)
def test_who_is_let_in(guarded: Guarded, name: str, who: str) -> None:
    status, code = asked(guarded, name, header_of(guarded, who, "bearer"))
    if who in LET_IN[name]:
        assert status not in {401, 403}, code
    elif name == "POST /control":
        assert (status, code) == (403, "E746")
    elif who == "none":
        assert (status, code) == (401, "" if name == "GET /v1/stream" else "E760")
    elif who in GOOD and LET_IN[name] != {"write"}:
        assert (status, code) == (403, "" if name == "GET /v1/stream" else "E762")
    else:
        assert status in {401, 403}


@pytest.mark.parametrize("who", ["write", "read", "scoped", "admin", "token", "stranger", "revoked"])
@pytest.mark.parametrize("name", [name for name in GUARDED if name != "POST /control"])
def test_the_user_name_of_basic_says_the_same(guarded: Guarded, name: str, who: str) -> None:
    status, _ = asked(guarded, name, header_of(guarded, who, "basic"))
    assert (status not in {401, 403}) == (who in LET_IN[name])


@pytest.mark.parametrize("name", sorted(ALWAYS_OPEN))
def test_what_is_open_is_open_to_all(guarded: Guarded, name: str) -> None:
    assert asked(guarded, name, {})[0] not in {403}


@pytest.mark.parametrize("who", ["read", "admin", "token"])
def test_keys_to_read_are_not_taken_from_an_address_or_a_body(guarded: Guarded, who: str) -> None:
    word, http = guarded.keys[who], guarded.server.http
    for field in ("writeKey", "key", "access_token"):
        assert http.get("/v1/segments", params={field: word}).status_code == 401
        body = {"when": "true", field: word}
        assert http.post("/v1/segments/preview", json=body).status_code == 401
    assert http.get("/v1/segments", headers={"Cookie": f"key={word}"}).status_code == 401


def test_a_refusal_says_how_to_ask(guarded: Guarded) -> None:
    refused = guarded.server.http.get("/v1/segments")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.headers["content-type"] == "application/problem+json"
