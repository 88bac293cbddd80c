"""Segments, users and changes come out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.serving import Running, eventually

ODD_IDS = ["a/b", "ü €", "a/segments", "50%", "a+b", "anon:x", "?&#", "x/explain/y", "...", "a b/"]


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def buy(server: Running, user: str, total: float = 1) -> None:
    server.track(user, "Order Completed", total=total)
    eventually(lambda: "buyers" in server.segments_of(user))


def pages_of(server: Running, path: str, limit: int) -> Iterator[Any]:
    """All pages of a listing, by their cursors."""
    page: Any = {"next": ""}
    while page["next"] is not None:
        page = server.http.get(path, params={"limit": limit, "cursor": page["next"]}).json()
        yield page


def test_a_user_never_heard_of_is_no_error(server: Running) -> None:
    found = server.http.get("/v1/users/nobody/segments")
    assert found.status_code == 200
    body = found.json()
    assert (body["user_id"], body["known"], body["segments"]) == ("nobody", False, [])
    assert body["attributes"] == {"traits": {}, "features": {}, "scores": {}}


def test_segments_of_a_user(server: Running) -> None:
    buy(server, "reader", 200)
    found = server.http.get("/v1/users/reader/segments").json()
    assert found["known"]
    assert [each["name"] for each in found["segments"]] == ["big_buyers", "buyers"]
    assert all(each["since"].endswith("Z") for each in found["segments"])
    for path in ("/user/segments?user_id=reader", "/v1/users/reader", "/v1/users/reader/segments/"):
        assert server.http.get(path).json()["segments"] == found["segments"]


def test_an_unchanged_answer_is_not_sent_again(server: Running) -> None:
    buy(server, "cached")
    first = server.http.get("/v1/users/cached/segments")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, max-age=0, must-revalidate"
    again = server.http.get("/v1/users/cached/segments", headers={"If-None-Match": f'"x", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    server.track("cached", "Order Completed", total=500)
    eventually(lambda: "big_buyers" in server.segments_of("cached"))
    changed = server.http.get("/v1/users/cached/segments", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


@pytest.mark.parametrize("user", ODD_IDS)
def test_any_id_can_be_asked_for(server: Running, user: str) -> None:
    buy(server, user)
    for path in ("/segments", "", "/events", "/explain/buyers"):
        url = f"{server.said['url']}/v1/users/{quote(user, safe='')}{path}"
        assert httpx.get(url).status_code == 200
    found = server.http.get(f"/v1/users/{quote(user, safe='')}/segments").json()
    assert (found["user_id"], found["known"]) == (user, True)


def test_plain_slashes_are_understood_where_they_are_clear(server: Running) -> None:
    buy(server, "shop/7/u")
    assert server.http.get("/v1/users/shop/7/u/segments").json()["known"]
    assert server.http.get("/v1/users/shop/7/u").json()["known"]


def test_paths_that_are_no_text(server: Running) -> None:
    assert code_of(server.http.get("/v1/users/%ff/segments")) == (400, "E743")


def test_explain(server: Running) -> None:
    buy(server, "explained", 50)
    found = server.http.get("/v1/users/explained/explain/big_buyers")
    assert found.status_code == 200
    assert isinstance(found.json(), dict)
    later = server.http.get("/v1/users/explained/explain/buyers", params={"as_of": "2100-01-01"})
    assert later.status_code == 200
    earlier = server.http.get("/v1/users/explained/explain/buyers", params={"as_of": "2020-01-01"})
    assert code_of(earlier) == (404, "E702")
    assert code_of(server.http.get("/v1/users/nobody/explain/buyers")) == (404, "E702")
    assert code_of(server.http.get("/v1/users/explained/explain/byers")) == (404, "E701")


def test_events_page_by_page(server: Running) -> None:
    for number in range(5):
        server.track("paged", f"Event {number}")
    whole = eventually(
        lambda: (found := server.http.get("/v1/users/paged/events").json()["events"])[4:] and found
    )
    assert [each["name"] for each in whole] == [f"Event {number}" for number in (4, 3, 2, 1, 0)]
    pages = [page["events"] for page in pages_of(server, "/v1/users/paged/events", 2)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [each for page in pages for each in page] == whole


def test_members_page_by_page(server: Running) -> None:
    for number in range(5):
        buy(server, f"member{number}", 300)
    whole = server.http.get("/v1/segments/big_buyers/members").json()
    assert whole["total"] == len(whole["members"])
    assert whole["next"] is None
    users = [each["user_id"] for each in whole["members"]]
    assert users == sorted(users)
    pages = [page["members"] for page in pages_of(server, "/v1/segments/big_buyers/members", 2)]
    assert {len(page) for page in pages[:-1]} == {2}
    assert [each for page in pages for each in page] == whole["members"]


def test_pages_go_on_in_peace_while_members_come_and_go(server: Running) -> None:
    """Whoever is in all along is on one page, once; before, behind and between them others move."""
    staying = [f"peace{number}" for number in range(6)]
    for user in staying:
        buy(server, user)
    seen: list[str] = []
    for number, page in enumerate(pages_of(server, "/v1/segments/buyers/members", 2)):
        seen += [each["user_id"] for each in page["members"]]
        buy(server, f"0-moving{number}")
        buy(server, f"peace{number % 6}-moving")
        assert server.http.delete(f"/v1/users/0-moving{number}").json()["forgotten"]
    assert [user for user in seen if user in staying] == staying
    assert len(seen) == len(set(seen))


def test_members_as_of_another_moment(server: Running) -> None:
    buy(server, "lately")
    path = "/v1/segments/buyers/members"
    assert server.http.get(path, params={"as_of": "2020-01-01"}).json()["members"] == []
    assert server.http.get(path, params={"as_of": "2100-01-01T00:00:00Z"}).json()["total"] > 0
    assert server.http.get(path, params={"as_of": "soon"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/segments/byers", (404, "E701")),
        ("/v1/segments/byers/members", (404, "E701")),
        ("/v1/segments/byers/history", (404, "E701")),
        ("/v1/segments/buyers/members?limit=0", (400, "E743")),
        ("/v1/segments/buyers/members?limit=10001", (400, "E743")),
        ("/v1/segments/buyers/members?limit=many", (400, "E743")),
        ("/v1/segments/buyers/members?cursor=rubbish", (400, "E743")),
        ("/v1/segments/buyers/members?cursor=W10", (400, "E743")),
        ("/v1/segments/buyers/members?as_off=2020-01-01", (400, "E743")),
        ("/v1/changes?after=-1", (400, "E743")),
        ("/v1/changes?after=%C2%B2", (400, "E743")),
        ("/user/segments", (400, "E743")),
        ("/user/segments?user_id=%ff", (400, "E743")),
        ("/nothing/here", (404, "E741")),
        ("/", (404, "E741")),
        ("/v1/users/", (404, "E741")),
        ("/v1/segments/buyers/members/more", (404, "E741")),
    ],
)
def test_wrong_questions(server: Running, path: str, expected: tuple[int, str]) -> None:
    answer = server.http.get(path)
    assert code_of(answer) == expected
    assert answer.headers["content-type"] == "application/problem+json"
    # A misspelt path may have been meant for events: that much every page may read.
    assert ("access-control-allow-origin" in answer.headers) == (expected[1] == "E741")


def test_changes_are_read_without_a_gap(server: Running) -> None:
    buy(server, "changing", 500)
    whole = eventually(
        lambda: (
            (
                found := [
                    each
                    for each in server.http.get("/v1/changes?limit=10000").json()["changes"]
                    if each["user_id"] == "changing"
                ]
            )[1:]
            and found
        )
    )
    assert [(each["segment"], each["action"], each["cause"]["type"]) for each in whole] == [
        ("big_buyers", "entered", "event"),
        ("buyers", "entered", "event"),
    ]
    seqs, after = [], 0
    while page := server.http.get("/v1/changes", params={"after": after, "limit": 3}).json()["changes"]:
        seqs += [each["seq"] for each in page]
        after = seqs[-1]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    last = server.http.get("/v1/changes", params={"after": after}).json()
    assert (last["changes"], last["next"]) == ([], after)
    assert last["evaluated"] >= 0


def test_history_is_of_one_segment(server: Running) -> None:
    buy(server, "historic")

    def history() -> list[Any] | None:
        rows: list[Any] = server.http.get("/v1/segments/buyers/history?limit=10000").json()["changes"]
        return rows if "historic" in {each["user_id"] for each in rows} else None

    rows = eventually(history)
    assert {each["segment"] for each in rows} == {"buyers"}
    assert rows == server.http.get("/v1/changes?segment=buyers&limit=10000").json()["changes"]


def test_all_segments(server: Running) -> None:
    found = {each["name"]: each for each in server.http.get("/v1/segments").json()["segments"]}
    assert {"buyers", "big_buyers"} <= found.keys()
    one = server.http.get("/v1/segments/buyers").json()
    assert one["owner"] == "crm@shop.example"
    assert one["when"].strip() == 'count("Order Completed") >= 1'


def test_a_preview(server: Running) -> None:
    buy(server, "previewed", 700)
    asked = {"when": 'sum("Order Completed".total) >= 700'}
    found = server.http.post("/v1/segments/preview", json=asked).json()
    assert found["count"] >= 1
    assert "previewed" in found["sample"]
    assert found["overlap"]["buyers"] == found["count"]
    earlier = server.http.post("/v1/segments/preview", json=asked | {"as_of": "2020-01-01"}).json()
    assert earlier["count"] == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"when": "count(\\"Login\\") > \\"x\\""}', "E203"),
        (b'{"when": "segment(\\"byers\\")"}', "E301"),
        (b'{"when": ""}', "E101"),
        (b'{"when": 7}', "E744"),
        (b'{"wen": "true"}', "E744"),
        (b'{"when": "true", "as_of": 7}', "E744"),
        (b"[]", "E744"),
        (b"", "E744"),
        (b"{", "E744"),
        (b'{"when": "\\ud83d"}', "E744"),
    ],
)
def test_previews_that_are_refused(server: Running, body: bytes, code: str) -> None:
    answer = server.http.post("/v1/segments/preview", content=body)
    found = answer.json()
    assert answer.status_code == 400
    assert found["errors"][0]["code"] == found["code"]
    assert found["code"] == code
    assert found["errors"][0]["hint"]


def test_a_finding_names_its_place(server: Running) -> None:
    answer = server.http.post("/v1/segments/preview", json={"when": 'true and\n segment("byers")'})
    (found,) = answer.json()["errors"]
    assert (found["code"], found["line"], found["column"]) == ("E301", 2, 2)
    assert "buyers" in found["hint"]


def test_export_and_forget(server: Running) -> None:
    buy(server, "leaving")
    exported = server.http.get("/v1/users/leaving/export")
    assert exported.status_code == 200
    assert "Order Completed" in exported.text
    gone = server.http.delete("/v1/users/leaving")
    assert gone.json().items() >= {"user_id": "leaving", "forgotten": True}.items()
    eventually(lambda: not server.http.get("/v1/users/leaving").json()["known"])
    assert server.http.get("/v1/users/leaving/events").json()["events"] == []
    assert server.http.delete("/v1/users/leaving").json()["forgotten"] is False


def test_head_and_options(server: Running) -> None:
    head = server.http.head("/v1/segments")
    assert (head.status_code, head.content) == (200, b"")
    options = server.http.options("/v1/segments/buyers")
    assert (options.status_code, options.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PUT")
    assert code_of(server.http.post("/v1/segments/buyers")) == (405, "E742")


def test_the_description(server: Running) -> None:
    assert server.http.get("/healthz").json() == {"status": "ok"}
    assert server.http.get("/openapi.json").json()["openapi"] == "3.1.0"
    page = server.http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
