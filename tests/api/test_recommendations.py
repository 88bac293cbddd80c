"""Recommendations over HTTP and in the graph: asked of a real server, beside which the catalogue changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.experiences.recommend.catalogue.store import Catalogue
from tests.api.serving import Running, eventually, serving, write_workspace
from tests.cli.segue import segue
from tests.service.crashing import children
from tests.service.crashing import running as alive

PATH = "/v1/personalized-recommendations"
GROUPS = {"tea": [f"tea-{n}" for n in range(5)], "pot": [f"pot-{n}" for n in range(5)]}
PRODUCTS = "id,title,price,category\n" + "".join(
    f"{name},The {name},{number + 1},{group}\n"
    for group, names in GROUPS.items()
    for number, name in enumerate(names)
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("recommending")
    with serving(folder) as running:
        events = [
            {
                "type": "track",
                "userId": f"{group}-{person}",
                "event": "Product Viewed",
                "properties": {"product_id": name},
            }
            for group, names in GROUPS.items()
            for person in range(8)
            for name in names
        ]
        assert running.http.post("/v1/batch", json={"batch": events}).status_code == 200
        bring(running, PRODUCTS)
        eventually(lambda: ask(running, user_id="nobody")["model"]["version"])
        yield running


def bring(running: Running, text: str, *options: str) -> None:
    """Import a catalogue with the command, beside the server."""
    path = running.folder / "products.csv"
    path.write_text(text, encoding="utf-8")
    ended = segue(
        "catalog",
        "import",
        path,
        "--workspace",
        running.folder / "workspace",
        "--data",
        running.data,
        *options,
    )
    assert ended.status == 0, ended.err


def ask(running: Running, headers: dict[str, str] | None = None, **question: Any) -> dict[str, Any]:
    answer = running.http.post(PATH, json=question, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(running: Running, **question: Any) -> list[str]:
    return [each["id"] for each in ask(running, **question)["items"]]


def test_an_item_viewed_a_moment_ago_moves_the_next_answer(shop: Running) -> None:
    for group in ("tea", "pot", "tea"):
        found = after_looking_at(shop, "mover", f"{group}-0")
        assert found["id"].startswith(group)
        assert found["title"] == f"The {found['id']}"
        assert found["price"] >= 1


def after_looking_at(running: Running, user: str, item: str) -> dict[str, Any]:
    """The first item of the answer, as soon as it goes by what was done last."""
    running.track(user, "Product Viewed", product_id=item)
    found: dict[str, Any] = eventually(lambda: told(running, user, item))
    return found


def told(running: Running, user: str, item: str) -> Any:
    """The first item of the answer when it goes by what was done last."""
    first = ask(running, user_id=user)["items"][0]
    return (
        first
        if first["reason"] == {"kind": "viewed_with", "text": f"viewed with The {item}", "item": item}
        else None
    )


def test_the_answer_is_in_the_document(shop: Running) -> None:
    found = ask(shop, user_id="nobody", count=3)
    assert {"user_id", "known", "recommendation", "items", "model", "catalog_version"} == set(found)
    assert (found["known"], len(found["items"]), found["model"]["kind"]) == (False, 3, "ease")
    assert shop.http.post("/personalized-recommendations", json={"count": 1}).json()["user_id"] is None


def test_what_the_catalogue_says_now_is_in_the_next_answer(shop: Running) -> None:
    before = ask(shop, user_id="nobody")
    assert len(before["items"]) == 10
    bring(shop, PRODUCTS + "fresh,New,1,tea\n")
    after = ask(shop, user_id="nobody")
    assert "fresh" in [each["id"] for each in after["items"]]
    assert after["catalog_version"] > before["catalog_version"]
    bring(shop, PRODUCTS, "--whole")
    assert "fresh" not in ids(shop, user_id="nobody")


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"user": "ann"}, "E844"),
        ({"count": 0}, "E844"),
        ({"count": 201}, "E844"),
        ({"count": True}, "E844"),
        ({"user_id": 7}, "E844"),
        ({"recent": "a"}, "E844"),
        ({"recent": [{"item": "a", "weight": -1}]}, "E844"),
        ({"recent": [{"itm": "a"}]}, "E844"),
        ({"recent": ["a"] * 501}, "E844"),
        ({"vector": {"a": "much"}}, "E844"),
        ({"context": []}, "E844"),
        ({"filters": {"colour": "red"}}, "E844"),
        ({"filters": {"price": {"min": "x"}}}, "E844"),
        ({"filters": {"price": {"least": 1}}}, "E844"),
        ({"filters": {"attributes": {"a": {}}}}, "E844"),
        ({"filters": {"unavailable": 1}}, "E844"),
        ({"filters": {"ids": [""]}}, "E844"),
        ({"recommendation": "front"}, "E843"),
    ],
)
def test_questions_that_are_none_are_refused(shop: Running, question: dict[str, Any], code: str) -> None:
    answer = shop.http.post(PATH, json=question)
    assert answer.json()["code"] == code
    assert answer.status_code == (404 if code == "E843" else 400)
    for body in (b"", b"[]", b"{"):
        assert shop.http.post(PATH, content=body).json()["code"] == "E744"


def test_the_graph_answers_the_same(shop: Running) -> None:
    query = (
        'query($about: About) { recommendations(user_id: "tea-1", count: 4, about: $about) {'
        " user_id known recommendation catalog_version model items { id score price title available"
        " reason { kind text item category } } } }"
    )
    about = {"context": {"item": "tea-2"}, "filters": {"category": "tea"}}
    answer = shop.http.post("/graphql", json={"query": query, "variables": {"about": about}}).json()
    assert "errors" not in answer
    found = answer["data"]["recommendations"]
    wanted = ask(shop, user_id="tea-1", count=4, **about)
    assert [(each["id"], each["score"], each["reason"]["text"]) for each in found["items"]] == [
        (each["id"], each["score"], each["reason"]["text"]) for each in wanted["items"]
    ]
    assert found["model"] == wanted["model"]
    wrong = {"query": "{ recommendations(count: 500) { known } }"}
    errors = shop.http.post("/graphql", json=wrong).json()["errors"]
    assert errors[0]["extensions"]["code"] in {"E844", "E794"}


def test_a_token_asks_for_its_own_user_alone(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        admin = key(running, "admin")
        running.http.headers["Authorization"] = f"Bearer {admin}"
        made = running.http.post("/v1/tokens", json={"user_id": "ann"}).json()["token"]
        headers = {"Authorization": f"Bearer {made}"}
        assert ask(running, headers)["user_id"] == "ann"
        assert ask(running, headers, user_id="ann")["user_id"] == "ann"
        other = running.http.post(PATH, json={"user_id": "bob"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (403, "E762")
        graph = {"query": '{ recommendations(user_id: "bob") { known } }'}
        said = running.http.post("/graphql", json=graph, headers=headers).json()
        assert said["errors"][0]["extensions"]["code"] == "E762"


def key(running: Running, kind: str) -> str:
    (found,) = running.control("keys create", name=kind, kind=kind)
    word: str = found["key"]
    return word


CHEAPER = """
trigger: cheaper
owner: a@b.example
description: Words.
on: item price falls by 10 % for count("Product Viewed" where product_id == item.id, last 14d) > 0
to: stream
payload: {item: "{{item.id}}", was: "{{item.before}}", now: "{{item.after}}"}
"""


def test_a_price_that_falls_is_told_to_those_who_looked(tmp_path: Path) -> None:
    write_workspace(tmp_path / "workspace")
    (tmp_path / "workspace" / "triggers").mkdir()
    (tmp_path / "workspace" / "triggers" / "cheaper.yaml").write_text(CHEAPER, encoding="utf-8")
    with serving(tmp_path) as running:
        bring(running, "id,price\na,20\nb,20\n")
        running.track("ann", "Product Viewed", product_id="a")
        running.track("bob", "Product Viewed", product_id="b")
        eventually(lambda: ids(running, user_id="nobody"))
        eventually(lambda: catalogue_told(running))
        bring(running, "id,price\na,18\nb,19\n")
        (told,) = eventually(lambda: running.http.get("/v1/deliveries").json()["deliveries"])
        assert (told["trigger"], told["user_id"]) == ("cheaper", "ann")


def catalogue_told(running: Running) -> bool:
    """Whether the server has looked at the first version: what came before is nobody's news."""
    catalogue = Catalogue(running.data)
    try:
        return catalogue.told == catalogue.version
    finally:
        catalogue.close()


def test_a_server_that_is_killed_takes_its_training_along(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        views = [
            {
                "type": "track",
                "userId": f"u{n % 700}",
                "event": "Product Viewed",
                "properties": {"product_id": f"i{n * 7919 % 4000}"},
            }
            for n in range(20_000)
        ]
        for start in range(0, len(views), 2_500):
            answer = running.http.post("/v1/batch", json={"batch": views[start : start + 2_500]})
            assert answer.status_code == 200
        ask(running, user_id="u1")
        started = eventually(lambda: children(running.process.pid))
        running.process.kill()
        running.process.wait()
        eventually(lambda: not any(map(alive, started)))
