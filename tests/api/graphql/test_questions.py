"""Questions to the graph: what is answered, what is refused, and in which shape."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from graphql import build_schema, parse, validate

from segue.api.graphql.bounds import require_bounds
from segue.api.graphql.engine import Question, checked
from segue.domain.errors import SegueError
from segue.domain.limits import GRAPHQL_DEPTH_MAX
from tests.api.serving import Running, eventually


def ask(server: Running, query: str, **variables: Any) -> dict[str, Any]:
    answer = server.http.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def data(server: Running, query: str, **variables: Any) -> dict[str, Any]:
    found = ask(server, query, **variables)
    assert "errors" not in found
    known: dict[str, Any] = found["data"]
    return known


def code(server: Running, query: str, **variables: Any) -> str:
    found = ask(server, query, **variables)
    extensions: dict[str, Any] = found["errors"][0]["extensions"]
    assert extensions["type"] == f"urn:segue:error:{extensions['code']}"
    assert extensions["message"] == found["errors"][0]["message"]
    word: str = extensions["code"]
    return word


def buy(server: Running, user: str, total: float = 1) -> None:
    server.track(user, "Order Completed", total=total)
    eventually(lambda: "buyers" in server.segments_of(user))


def test_a_user(server: Running) -> None:
    buy(server, "graph-user", 500)
    server.http.post("/v1/identify", json={"userId": "graph-user", "traits": {"plan": "pro"}})
    eventually(lambda: server.http.get("/v1/users/graph-user").json()["attributes"]["traits"])
    query = """query ($id: ID!) { user(id: $id) {
        user_id known version segments { name since } attributes { traits features scores }
        events(first: 1) { type name timestamp properties } } }"""
    found = data(server, query, id="graph-user")["user"]
    rest = server.http.get("/v1/users/graph-user/segments").json()
    assert {key: found[key] for key in rest} == rest
    assert found["events"] == [
        {"type": "identify", "name": None, "properties": None, "timestamp": found["events"][0]["timestamp"]}
    ]


def test_several_users_in_order(server: Running) -> None:
    buy(server, "graph-a")
    found = data(server, '{ users(ids: ["nobody", "graph-a"]) { user_id known segments { name } } }')["users"]
    assert found == [
        {"user_id": "nobody", "known": False, "segments": []},
        {"user_id": "graph-a", "known": True, "segments": [{"name": "buyers"}]},
    ]


def test_segments_with_their_members_and_history(server: Running) -> None:
    for number in range(3):
        buy(server, f"graph-m{number}")
    query = """{ segment(name: "buyers") { name owner when status kind size
        members(first: 2) { total next members { user_id since } }
        history(first: 1) { next changes { seq user_id action cause { type message_id } } } } }"""
    found = data(server, query)["segment"]
    assert (found["owner"], found["status"], found["kind"]) == ("crm@shop.example", "active", "operational")
    rest = server.http.get("/v1/segments/buyers/members").json()
    assert found["members"]["members"] == rest["members"][:2]
    assert found["members"]["total"] == found["size"] == rest["total"]
    more = (
        'query ($c: String) { segment(name: "buyers") { members(cursor: $c) { members { user_id } next } } }'
    )
    page = data(server, more, c=found["members"]["next"])["segment"]["members"]
    assert [each["user_id"] for each in page["members"]] == [each["user_id"] for each in rest["members"][2:]]
    assert page["next"] is None
    assert {each["name"] for each in data(server, "{ segments { name } }")["segments"]} >= {"buyers"}


def test_changes_page_by_page(server: Running) -> None:
    buy(server, "graph-changing")
    query = "query ($after: Seq) { changes(after: $after, first: 2) { next changes { seq id segment at } } }"
    seqs, after = [], 0
    while page := data(server, query, after=after)["changes"]["changes"]:
        seqs += [each["seq"] for each in page]
        after = seqs[-1]
    assert seqs == list(range(1, len(seqs) + 1))


def test_explain_and_preview(server: Running) -> None:
    buy(server, "graph-why", 700)
    query = '{ explain(user_id: "graph-why", segment: "big_buyers") { member since leaves_when whole } }'
    # Whoever is in is so a moment before the change is stored.
    eventually(lambda: data(server, query)["explain"]["whole"]["last_change"])
    found = data(server, query)["explain"]
    assert found["member"]
    assert found["whole"] == server.http.get("/v1/users/graph-why/explain/big_buyers").json()
    asked = """{ preview(when: "sum(\\"Order Completed\\".total) >= 700") {
        count share sample as_of overlap { segment count } } }"""
    preview = data(server, asked)["preview"]
    assert preview["count"] >= 1
    assert "graph-why" in preview["sample"]
    assert {"segment": "buyers", "count": preview["count"]} in preview["overlap"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{", "E793"),
        ("", "E793"),
        ("{ nothing }", "E793"),
        ('{ user(id: "x") }', "E793"),
        ("{ user { known } }", "E793"),
        ("query A { segments { name } } query B { segments { name } }", "E793"),
        ("subscription { changes { seq } }", "E793"),
        ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "E793"),
        ("{" * 3000, "E793"),
        ("{ a" * 600 + "}" * 600, "E793"),
        ('{ segment(name: "byers") { name } }', "E701"),
        ('{ explain(user_id: "nobody", segment: "buyers") { member } }', "E702"),
        ('{ preview(when: "true true") { count } }', "E110"),
        ('{ segment(name: "buyers") { members(first: 0) { total } } }', "E743"),
        ('{ segment(name: "buyers") { members(first: -5) { total } } }', "E743"),
        ('{ segment(name: "buyers") { members(as_of: "soon") { total } } }', "E704"),
        ("{ changes(first: 10001) { next } }", "E743"),
        ("{ changes(after: -1, first: 20) { next } }", "E743"),
    ],
)
def test_what_is_refused(server: Running, query: str, expected: str) -> None:
    assert code(server, query) == expected


def test_a_refusal_has_its_place(server: Running) -> None:
    found = ask(server, '{\n  segment(name: "byers") { name }\n}')
    (error,) = found["errors"]
    assert error["locations"] == [{"line": 2, "column": 3}]
    assert error["path"] == ["segment"]
    assert "buyers" in error["extensions"]["detail"]
    assert error["extensions"]["status"] == 404
    assert found["data"] is None


def test_a_finding_and_its_remedy_are_two_sentences(server: Running) -> None:
    (error,) = ask(server, "{ nothing }")["errors"]
    assert error["message"].endswith(".")
    assert ".." not in error["extensions"]["detail"]


def test_who_accepts_it_is_told_by_the_status(server: Running) -> None:
    headers = {"Accept": "application/graphql-response+json"}
    for query, status in (("{", 400), ("{ segments { name } }", 200), ("{ __typename }", 200)):
        answer = server.http.post("/graphql", json={"query": query}, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, headers["Accept"])


def test_introspection_is_answered(server: Running) -> None:
    query = "{ __schema { types { fields { type { ofType { ofType { ofType { name } } } } } } } }"
    assert data(server, query)["__schema"]["types"]


@pytest.mark.parametrize(
    "query",
    [
        "{ segments { members(first: 10000) { members { user_id } } } }",
        "{" + " ".join(f'a{n}: preview(when: "true") {{ count }}' for n in range(50)) + "}",
        "query ($n: Int!) { segments { history(first: $n) { changes { seq } } } }",
        "{ " + " ".join(f"s{n}: __schema {{ types {{ name }} }}" for n in range(50)) + " }",
        "{ ...a ...a } fragment a on Query { ...b ...b } fragment b on Query { ...c ...c }"
        " fragment c on Query { users(ids: " + str(["x"] * 100).replace("'", '"') + ") { segments { name } } "
        ' x: preview(when: "true") { count } y: preview(when: "true") { count }'
        ' z: preview(when: "true") { count } w: preview(when: "true") { count }'
        ' v: preview(when: "true") { count } }',
    ],
)
def test_what_costs_too_much(server: Running, query: str) -> None:
    assert code(server, query, n=5000) == "E794"


def test_the_deepest_question_is_answered(server: Running) -> None:
    deepest = '{ segment(name: "buyers") { history { changes { cause { type } } } } }'
    assert data(server, deepest)


def test_depth_is_bounded() -> None:
    """On a graph of its own: ours goes round nowhere, so no question about it is as deep as the bound."""
    graph = build_schema("type Query { down: Query up: Int }")
    for depth, fits in ((GRAPHQL_DEPTH_MAX, True), (GRAPHQL_DEPTH_MAX + 1, False)):
        text = "{ " + "down { " * (depth - 1) + "up" + " }" * depth
        document = parse(text)
        assert not validate(graph, document)
        if fits:
            require_bounds(document, None, {}, introspection=True)
        else:
            with pytest.raises(SegueError, match="E794"):
                require_bounds(document, None, {}, introspection=True)


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        '{ a: __type(name: "User") { name } }',
        "{ ...a } fragment a on Query { __schema { types { name } } }",
    ],
)
def test_the_schema_is_not_told_where_introspection_is_off(query: str) -> None:
    with pytest.raises(SegueError, match="E795"):
        checked(Question(query), introspection=False)
    checked(Question(query), introspection=True)
    checked(Question("{ __typename segments { __typename } }"), introspection=False)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"[{}]", b'{"query": 7}', b"{}", b'{"query": "{ __typename }", "variables": []}',
     b'{"query": "{ __typename }", "operation": "x"}', b'{"query": "{ __typename }", "operationName": 7}'],
)  # fmt: skip
def test_bodies_that_are_no_question(server: Running, body: bytes) -> None:
    answer = server.http.post("/graphql", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "E744")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_plain_get_is_told_what_to_do(server: Running) -> None:
    answer = server.http.get("/graphql")
    assert (answer.status_code, answer.json()["code"]) == (405, "E742")


def test_half_a_character_is_no_fault(server: Running) -> None:
    body = b'{"query": "query ($i: ID!) { user(id: $i) { user_id } }", "variables": {"i": "\\ud83d"}}'
    answer = httpx.post(f"{server.said['url']}/graphql", content=body)
    assert answer.status_code in {200, 400}
    assert "E748" not in answer.text
