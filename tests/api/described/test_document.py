"""The committed document is the one that is served, and no change of it lets a client down."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from segue.api.examples import EXAMPLES
from segue.api.openapi import document
from segue.api.routes import ROUTES
from segue.api.schemas import SCHEMAS
from tests.api.described.compatibility import Document, breaks

PAGE = Path(__file__).parents[3] / "docs" / "openapi.json"
REFRESH = "python -m tests.api.described.test_document"


def served() -> Document:
    """The document as a client reads it; its version is that of the package."""
    found: Document = json.loads(json.dumps(document(ROUTES)))
    return found


def committed() -> Document:
    found: Document = json.loads(PAGE.read_text(encoding="utf-8"))
    return found


def test_the_page_is_what_is_served() -> None:
    assert committed() == served(), f"write it down: {REFRESH}"


def test_no_client_is_let_down() -> None:
    assert breaks(committed(), served()) == []


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_is_of_its_shape(name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    jsonschema_rs.validate(schema, EXAMPLES[name])


def test_most_shapes_have_an_example() -> None:
    """Parts of others, and what is different for each, have none."""
    without = SCHEMAS.keys() - EXAMPLES.keys()
    parts = {"Change", "Delivery", "Finding", "Member", "Membership", "StoredEvent"}
    assert without <= parts | {"Any", "Anomalies", "Quality", "Suppression"}


USER = "/v1/users/{id}/segments"
EDITS: dict[str, Callable[[Any], object]] = {
    "a path goes": lambda found: found["paths"].pop(USER),
    "a method goes": lambda found: found["paths"]["/v1/segments/{name}"].pop("delete"),
    "a parameter goes": lambda found: found["paths"]["/v1/changes"]["get"]["parameters"].pop(),
    "a parameter is asked for": lambda found: found["paths"][USER]["get"]["parameters"].append(
        {"name": "x", "in": "query", "required": True, "schema": {"type": "string"}}
    ),
    "a parameter is of another type": lambda found: found["paths"]["/v1/changes"]["get"]["parameters"][
        0
    ].update(schema={"type": "boolean"}),
    "an answer goes": lambda found: found["paths"][USER]["get"]["responses"].pop("200"),
    "a key of an answer goes": lambda found: shape(found, "User")["properties"].pop("known"),
    "a key of an answer may be missing": lambda found: shape(found, "User")["required"].remove("known"),
    "a key of an answer is of another type": lambda found: shape(found, "User")["properties"].update(
        known={"type": "string"}
    ),
    "a key deep in an answer goes": lambda found: shape(found, "Membership")["properties"].pop("since"),
    "an answer has a new value": lambda found: shape(found, "Change")["properties"]["action"]["enum"].append(
        "x"
    ),
    "a key of a body is asked for": lambda found: shape(found, "Condition")["required"].append("as_of"),
    "a key of a body goes": lambda found: shape(found, "Definition")["properties"].pop("title"),
    "a value of a body goes": lambda found: shape(found, "Definition")["properties"]["kind"]["enum"].pop(),
    "a body is of another media type": lambda found: found["paths"]["/v1/segments/preview"]["post"][
        "requestBody"
    ].update(content={"text/plain": {}}),
    "an answer is of another media type": lambda found: found["paths"][USER]["get"]["responses"][
        "200"
    ].update(content={"text/plain": {}}),
    "a credential does not do any more": lambda found: found["paths"][USER]["get"]["security"].pop(),
    "a credential is asked for": lambda found: found["paths"]["/healthz"]["get"].update(
        security=[{"read_key": []}]
    ),
}


def shape(found: Document, name: str) -> Any:
    return found["components"]["schemas"][name]


@pytest.mark.parametrize("name", EDITS)
def test_a_breaking_change_is_seen(name: str) -> None:
    """The control: each of these is found."""
    changed = copy.deepcopy(served())
    EDITS[name](changed)
    assert breaks(served(), changed)


ADDITIONS: dict[str, Callable[[Any], object]] = {
    "nothing": lambda found: found,
    "a path": lambda found: found["paths"].update({"/v2/x": {"get": {"responses": {"200": {}}}}}),
    "a parameter": lambda found: found["paths"][USER]["get"]["parameters"].append(
        {"name": "x", "in": "query", "schema": {"type": "string"}}
    ),
    "a key of an answer": lambda found: shape(found, "User")["properties"].update(x={"type": "string"}),
    "a required key of an answer": lambda found: shape(found, "User")["required"].append("x"),
    "a key of a body": lambda found: shape(found, "Condition")["properties"].update(x={"type": "string"}),
    "a value of a body": lambda found: shape(found, "Definition")["properties"]["kind"]["enum"].append("x"),
    "a refusal": lambda found: found["paths"][USER]["get"]["responses"].update({"418": {"description": ""}}),
    "a credential that does, too": lambda found: found["paths"][USER]["get"]["security"].append({"x": []}),
    "another text": lambda found: found["info"].update(title="Another"),
}


@pytest.mark.parametrize("name", ADDITIONS)
def test_an_addition_lets_nobody_down(name: str) -> None:
    changed = copy.deepcopy(served())
    ADDITIONS[name](changed)
    assert breaks(served(), changed) == []


if __name__ == "__main__":
    broken = breaks(committed(), served()) if PAGE.exists() else []
    if broken and "--break" not in sys.argv:
        sys.exit("clients would be let down; with --break it is written all the same:\n" + "\n".join(broken))
    PAGE.write_text(json.dumps(served(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
