"""A model that is served elsewhere, over real connections: patience, retries, bounds, and where it may be."""

from __future__ import annotations

import json
from itertools import count

import pytest

from segue.domain.address import Networks, parse_networks
from segue.domain.event import Json
from segue.domain.limits import REMOTE_ANSWER_BYTES_MAX
from segue.domain.outbound import Target, parse_target
from segue.learned import asking
from segue.learned.asking import Place, UnansweredError, ask
from tests.learned.served import serving, summing

LOCAL = parse_networks("127.0.0.0/8")
BODY = json.dumps({"rows": [[1, 2], [3, None]]}).encode()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "RETRY_SECONDS", (0.01,))


def place(url: str, retries: int = 0, timeout: float = 20.0, private: Networks | None = LOCAL) -> Place:
    assert private is not None
    return Place(parse_target(url, private), private, timeout, retries)


def test_it_answers_and_is_told_what_it_needs() -> None:
    with serving(summing) as served:
        answer = ask(
            Place(parse_target(served.url, LOCAL or Networks()), LOCAL or Networks(), 20, 0, "s3cret"), BODY
        )
        assert json.loads(answer) == {"scores": [3, None]}
        assert served.headers[0]["Authorization"] == "Bearer s3cret"
        assert served.headers[0]["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_asked_again(status: int) -> None:
    numbers = count()

    def answer(asked: Json) -> tuple[int, Json]:
        return summing(asked) if next(numbers) == 2 else (status, {})

    with serving(answer) as served:
        assert json.loads(ask(place(served.url, retries=2), BODY))["scores"] == [3, None]
        assert len(served.asked) == 3


def test_after_the_last_attempt_it_is_said_how_many_there_were() -> None:
    with serving(lambda _asked: (503, {})) as served:
        with pytest.raises(UnansweredError, match="answered 503, 3 times in a row"):
            ask(place(served.url, retries=2), BODY)
        assert len(served.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 301])
def test_what_will_not_pass_is_asked_once(status: int) -> None:
    with serving(lambda _asked: (status, {}), location="http://127.0.0.1:1/") as served:
        with pytest.raises(UnansweredError, match=f"answered {status}"):
            ask(place(served.url, retries=3), BODY)
        assert len(served.asked) == 1


def test_an_answer_that_drips_does_not_outlast_the_time_for_all_of_it() -> None:
    with (
        serving(summing, slow_seconds=0.2) as served,
        pytest.raises(UnansweredError, match="no answer in time"),
    ):
        ask(place(served.url, timeout=0.5), BODY)


def test_an_answer_without_end_is_cut() -> None:
    long = b" " * (REMOTE_ANSWER_BYTES_MAX + 1)
    with serving(lambda _asked: (200, long)) as served, pytest.raises(UnansweredError, match="longer than"):
        ask(place(served.url), BODY)


def test_nobody_there_is_said_so() -> None:
    with serving(summing) as served:
        url = served.url
    with pytest.raises(UnansweredError, match="no connection: Connection refused, 2 times"):
        ask(place(url, retries=1), BODY)


def test_a_name_that_resolves_to_an_inner_machine_is_not_asked() -> None:
    with serving(summing) as served:
        port = int(served.url.rsplit(":", 1)[1].split("/")[0])
        inner = Target("http", "localhost", port, "/score", f"localhost:{port}")
        with pytest.raises(UnansweredError, match="may not be asked"):
            ask(Place(inner, Networks(), 20, 0), BODY)
        assert not served.asked


def test_a_secure_place_without_security_is_not_trusted() -> None:
    with serving(summing) as served:
        url = served.url.replace("http:", "https:")
        with pytest.raises(UnansweredError, match="no secure connection"):
            ask(place(url), BODY)


def test_pauses_grow_with_chance_in_them_and_follow_what_is_asked() -> None:
    assert {asking._pause(0, None) for _ in range(50)} != {asking._pause(0, None)}
    assert all(0.005 <= asking._pause(9, None) <= 0.01 for _ in range(50))
    assert asking._pause(0, 7.0) == 7.0
    assert asking._pause(0, 86_400.0) == asking.RETRY_AFTER_SECONDS_MAX
