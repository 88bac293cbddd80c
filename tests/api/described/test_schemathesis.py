"""Random requests made from the OpenAPI document, against a real server: what comes back is what it says.

No 5xx, no status that is not described, no body of another type or shape. Each operation gets a bounded
number of cases; `make torture` tries many more.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from segue.api.openapi import document
from segue.api.route import Access
from segue.api.routes import ROUTES
from tests.api.serving import Running, serving

NIGHT = os.environ.get("SEGUE_TEST_PROFILE") == "night"
CASES = 300 if NIGHT else 12

KEPT: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
UNTRIED = {
    ("GET", "/v1/stream"): "it never ends; tests/api/stream tries it",
    ("POST", "/control"): "commands are no part of what is published; tests/api/test_control.py tries them",
}

DOCUMENT = schemathesis.openapi.from_dict(document(ROUTES))
"""As it is served: another test holds the two together."""


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, dict[Access, str]]]:
    """A server with keys, and what opens each kind of route."""
    with serving(tmp_path_factory.mktemp("described")) as server:
        made = {
            kind: server.control("keys create", name=kind, kind=kind)[0]["key"]
            for kind in ("write", "read", "admin")
        }
        for number in range(3):
            body = {"userId": f"u{number}", "event": "Order Completed", "properties": {"total": 70 * number}}
            server.http.post("/v1/track", json=body, auth=(made["write"], ""))
        yield (
            server,
            {
                Access.OPEN: made["read"],
                Access.WRITE: made["write"],
                Access.READ: made["read"],
                Access.USER: made["read"],
                Access.READER: made["read"],
                Access.ADMIN: made["admin"],
            },
        )


OPENS = {(route.method, route.path): route.access for route in ROUTES}
SETTINGS = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=not NIGHT,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def tried(case: Any, keyed: tuple[Running, dict[Access, str]]) -> None:
    server, opens = keyed
    key = (case.operation.method.upper(), case.operation.path)
    if key in UNTRIED:
        return
    access = OPENS[key]
    if access is Access.WRITE:
        case.call_and_validate(base_url=server.said["url"], checks=KEPT, auth=(opens[access], ""))
        return
    headers = {"Authorization": f"Bearer {opens[access]}"}
    case.call_and_validate(base_url=server.said["url"], checks=KEPT, headers=headers)


@DOCUMENT.parametrize()
@SETTINGS
def test_what_comes_back_is_described(case: Any, keyed: tuple[Running, dict[Access, str]]) -> None:
    tried(case, keyed)


USER, CHANGES = "/user/segments", "/v1/changes"
TEXT_ONLY: Any = {"content": {"text/plain": {}}}
WRONG: dict[str, tuple[Callable[[Any], object], str, dict[str, Any]]] = {
    "type": (lambda found: shape(found, "User")["properties"].update(known={"type": "string"}), USER, {}),
    "key": (lambda found: shape(found, "User")["required"].append("nothing"), USER, {}),
    "status": (lambda found: responses(found, CHANGES).pop("400"), CHANGES, {"limit": 0}),
    "media type": (lambda found: responses(found, CHANGES)["400"].update(TEXT_ONLY), CHANGES, {"limit": 0}),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_answer_that_is_not_described_is_seen(
    wrong: str, keyed: tuple[Running, dict[Access, str]]
) -> None:
    """The control: the same answers, held to a document that is wrong."""
    break_it, path, query = WRONG[wrong]
    asked = query or {"user_id": "u1"}
    right = copy.deepcopy(document(ROUTES))
    tried(schemathesis.openapi.from_dict(right)[path]["GET"].Case(query=asked), keyed)
    break_it(right)
    with pytest.raises(FailureGroup):
        tried(schemathesis.openapi.from_dict(right)[path]["GET"].Case(query=asked), keyed)


def shape(found: Any, name: str) -> Any:
    return found["components"]["schemas"][name]


def responses(found: Any, path: str) -> Any:
    return found["paths"][path]["get"]["responses"]
