"""The catalogue over HTTP: what is put in is shown, counted and told like what a file brings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.domain.limits import FINDINGS_MAX, ITEMS_A_REQUEST_MAX
from tests.api.serving import Running, eventually, serving, write_workspace
from tests.api.test_recommendations import CHEAPER, ids
from tests.cli.segue import segue

PATH = "/v1/catalog/items"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("catalogue")) as running:
        yield running


def put(running: Running, *items: Any) -> dict[str, Any]:
    answer = running.http.post(PATH, json={"items": list(items)})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_item_is_put_in_shown_changed_and_taken_out(shop: Running) -> None:
    assert code(shop.http.get(f"{PATH}/pot")) == (404, "E842")
    pot = {"id": "pot", "title": "Tea pot", "price": 19.9, "brand": "Acme", "available": "out of stock"}
    first = put(shop, pot)
    assert (first["added"], first["changed"], first["refused"]) == (1, 0, 0)
    shown = shop.http.get(f"{PATH}/pot").json()
    assert shown["item"] == {
        "id": "pot", "title": "Tea pot", "price": 19.9, "available": False, "attributes": {"brand": "Acme"}
    }  # fmt: skip
    assert shown["version"] == first["version"]
    assert put(shop, pot) == {**first, "added": 0, "same": 1}
    assert put(shop, shown["item"]) == {**first, "added": 0, "same": 1}
    second = put(shop, {"id": "pot", "price": 15})
    assert (second["changed"], second["version"]) == (1, first["version"] + 1)
    assert shop.http.get(f"{PATH}/pot").json()["item"] == {"id": "pot", "price": 15, "available": True}
    assert shop.http.delete(f"{PATH}/pot").status_code == 204
    assert code(shop.http.delete(f"{PATH}/pot")) == (404, "E842")
    assert code(shop.http.get(f"{PATH}/pot")) == (404, "E842")


def test_the_next_answer_has_what_was_put_in_and_not_what_was_taken_out(shop: Running) -> None:
    put(shop, {"id": "a/b ü", "title": "Odd"}, {"id": 7})
    assert {"a/b ü", "7"} <= set(ids(shop, user_id="nobody"))
    assert shop.http.get(f"{PATH}/a%2Fb%20%C3%BC").json()["item"]["title"] == "Odd"
    shop.http.delete(f"{PATH}/a%2Fb%20%C3%BC").raise_for_status()
    assert "a/b ü" not in ids(shop, user_id="nobody")
    put(shop, {"id": 7, "available": False})
    assert "7" not in ids(shop, user_id="nobody")


def test_what_is_no_item_is_told_and_keeps_nothing_else_back(shop: Running) -> None:
    bad: list[Any] = [{}, "x", None, {"id": ""}, {"id": "p", "price": "free"}, {"id": "q", "title": {}}]
    found = put(shop, {"id": "good"}, *bad, {"id": "better"})
    assert (found["added"], found["refused"]) == (2, len(bad))
    assert [each["index"] for each in found["findings"]] == [1, 2, 3, 4, 5, 6]
    assert {each["code"] for each in found["findings"]} == {"E841"}
    assert "price" in found["findings"][4]["message"]
    many = put(shop, *[{}] * (FINDINGS_MAX + 1))
    assert (many["refused"], len(many["findings"])) == (FINDINGS_MAX + 1, FINDINGS_MAX)


@pytest.mark.parametrize(
    "body", [{}, {"items": {}}, {"items": [], "whole": True}, {"items": [{}] * (ITEMS_A_REQUEST_MAX + 1)}, []]
)
def test_a_body_that_is_no_list_of_items_changes_nothing(shop: Running, body: Any) -> None:
    before = put(shop)["version"]
    assert code(shop.http.post(PATH, json=body)) == (400, "E744")
    assert put(shop)["version"] == before


def test_the_command_tells_of_what_came_over_http(shop: Running) -> None:
    put(shop, {"id": "seen", "price": 3})
    put(shop, {"id": "seen", "price": 2})
    where = ("--workspace", shop.folder / "workspace", "--data", shop.data)
    assert "price 3 -> 2" in segue("catalog", "show", "seen", *where).out


def test_a_price_that_falls_over_http_is_told_to_those_who_looked(tmp_path: Path) -> None:
    write_workspace(tmp_path / "workspace")
    (tmp_path / "workspace" / "triggers").mkdir()
    (tmp_path / "workspace" / "triggers" / "cheaper.yaml").write_text(CHEAPER, encoding="utf-8")
    with serving(tmp_path) as running:
        running.track("ann", "Product Viewed", product_id="a")
        eventually(lambda: running.http.get("/v1/users/ann/segments").json()["known"])
        # However quickly one comes after the other: nothing was there before the server was.
        put(running, {"id": "a", "price": 20}, {"id": "b", "price": 20})
        put(running, {"id": "a", "price": 18}, {"id": "b", "price": 1})
        (told,) = eventually(lambda: running.http.get("/v1/deliveries").json()["deliveries"])
        assert (told["trigger"], told["user_id"]) == ("cheaper", "ann")
