"""The list of routes: each explained, each described, none shadowed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from segue.api.openapi import document
from segue.api.page import POLICY, render
from segue.api.routes import ROUTES
from segue.api.schemas import SCHEMAS

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)


def test_every_route_has_its_heading() -> None:
    explained = {route for heading in HEADINGS for route in re.findall(r"`([A-Z]+ /[^`]*)`", heading)}
    assert explained == {f"{route.method} {route.path}" for route in ROUTES}


def test_no_route_twice() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"].rpartition("/")[2]} if "$ref" in value else set()
        return own.union(*(references(each) for each in value.values()))
    return set().union(*(references(each) for each in value)) if isinstance(value, list) else set()


def test_every_schema_is_there_and_is_used() -> None:
    assert references(document(ROUTES)) == SCHEMAS.keys()


def test_the_description_is_json_with_unique_names() -> None:
    described = json.loads(json.dumps(document(ROUTES)))
    names = [operation["operationId"] for each in described["paths"].values() for operation in each.values()]
    assert len(names) == len(set(names)) == len(ROUTES)


def test_every_parameter_of_a_path_is_described() -> None:
    for path, methods in document(ROUTES)["paths"].items():
        for operation in methods.values():
            said = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
            assert said == set(re.findall(r"\{(\w+)\}", path))


def test_the_page_names_every_route_and_loads_nothing() -> None:
    text = render(document(ROUTES)).decode()
    assert all(f"<code>{route.path}</code>" in text for route in ROUTES)
    assert not re.search(r"<script|<link|<img|src=|@import|url\(", text)
    assert b"default-src 'none'" in POLICY


@pytest.mark.parametrize(
    ("path", "asked", "found"),
    [
        ("/v1/users/{id}/segments", "/v1/users/a/segments", {"id": "a"}),
        ("/v1/users/{id}/segments", "/v1/users/a/b/segments", {"id": "a/b"}),
        ("/v1/users/{id}/segments", "/v1/users/a%2Fsegments", None),
        (
            "/v1/users/{id}/explain/{segment}",
            "/v1/users/x/explain/y/explain/z",
            {"id": "x/explain/y", "segment": "z"},
        ),
        ("/v1/segments/{name}", "/v1/segments/a/b", None),
        ("/v1/users/{id}", "/v1/users/", None),
    ],
)
def test_patterns(path: str, asked: str, found: dict[str, str] | None) -> None:
    pattern = next(route for route in ROUTES if route.path == path).pattern()
    match = pattern.fullmatch(asked)
    assert (match and match.groupdict()) == found
