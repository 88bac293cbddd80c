"""A model that is served elsewhere, as a model like any other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count

import numpy as np
import pytest

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.learned import asking
from segue.learned.models.remote import NoAnswerError, Remote, RemoteModel
from tests.learned.served import Served, serving, summing
from tests.learned.tables import spec_of, table_of

ROWS = np.arange(5, dtype=np.int64)
VALUES = np.array(
    [[1.0, 2, 3, 4, 1], [1, 1, 1, 1, 0], [np.nan, 1, 1, 1, 0], [2, 2, 2, 2, 1], [0, 0, 0, 0, 0]]
)


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(summing) as found:
        yield found


def model(url: str, **options: object) -> RemoteModel:
    said = {"url": url, "private_targets": "127.0.0.0/8", "retries": 0, **options}
    learned = Remote().learn(spec_of("remote", options=said), table_of("remote", 10), None).model
    assert isinstance(learned, RemoteModel)
    return learned


def test_scores_come_in_batches_and_missing_stays_missing(served: Served) -> None:
    remote = model(served.url, batch=2)
    del served.asked[:]
    assert remote.predict(VALUES, ROWS) == pytest.approx([11, 4, np.nan, 9, 0], nan_ok=True)
    assert [len(each["rows"]) for each in served.asked] == [2, 2, 1]
    assert served.asked[0]["features"] == ["orders", "spent", "since_last", "age", "vip"]
    assert served.asked[1]["rows"][0] == [None, 1, 1, 1, 0]
    assert served.asked[0]["model"] == "m"


def test_the_same_document_asks_the_same_place(served: Served) -> None:
    remote = model(served.url, timeout="2s", token=None)
    again = Remote().read(json.loads(json.dumps(remote.document())))
    assert again == remote


def test_a_token_is_named_and_not_kept(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCORER_TOKEN", "s3cret")
    remote = model(served.url, token="SCORER_TOKEN")
    assert "s3cret" not in json.dumps(remote.document())
    assert served.headers[-1]["Authorization"] == "Bearer s3cret"
    monkeypatch.delenv("SCORER_TOKEN")
    with pytest.raises(SegueError, match=r"E875.*SCORER_TOKEN"):
        remote.predict(VALUES, ROWS)


def failing_after(answers: int) -> Iterator[Served]:
    numbers = count()
    with serving(lambda asked: summing(asked) if next(numbers) < answers else (404, {})) as found:
        yield found


def test_without_an_answer_scores_are_kept_or_missing() -> None:
    for served in failing_after(2):
        keeping = model(served.url, batch=3)
        assert keeping.fallback == "keep"
        # The handshake took both answers: one for scores, one for drivers.
        with pytest.raises(NoAnswerError, match=r"E873.*answered 404"):
            keeping.predict(VALUES, ROWS)
    for served in failing_after(3):
        missing = model(served.url, batch=3, fallback="missing")
        del served.asked[:]
        assert missing.predict(VALUES, ROWS)[:2] == pytest.approx([11, 4])
        del served.asked[:]
        assert np.isnan(missing.predict(VALUES, ROWS)).all()
        assert len(served.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [{}, {"scores": [1]}, {"scores": "high"}, [], b"<html>", {"scores": [True] * 5}, {"scores": ["a"] * 5}],
)
def test_an_answer_that_is_none_changes_nothing(answer: Json) -> None:
    asked = count()
    with serving(lambda body: summing(body) if next(asked) == 0 else (200, answer)) as served:
        remote = model(served.url)
        with pytest.raises(NoAnswerError, match="E874"):
            remote.predict(VALUES, ROWS)


def test_groups_are_those_it_named_when_it_was_taken_on() -> None:
    def grouped(asked: Json) -> tuple[int, Json]:
        return 200, {"scores": ["busy" if (row[0] or 0) > 1 else "calm" for row in asked["rows"]]}

    with serving(grouped) as served:
        said = {"url": served.url, "private_targets": "127.0.0.0/8"}
        spec = spec_of("remote", "cluster", said)
        remote = Remote().learn(spec, table_of("remote", 50), None).model
        assert remote.labels == ("busy", "calm")
        assert remote.predict(VALUES, ROWS).tolist() == [1, 1, 1, 0, 1]


def test_inner_places_are_not_asked_unless_they_are_allowed(served: Served) -> None:
    with pytest.raises(SegueError, match="E875"):
        model(served.url, private_targets="")
    assert not served.asked


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", None),
        ("batch", 0),
        ("fallback", "guess"),
        ("timeout_ms", "5s"),
        ("token", "a b"),
        ("labels", 1),
    ],
)
def test_a_damaged_document_is_refused(served: Served, key: str, value: object) -> None:
    with pytest.raises(SegueError, match="E865"):
        Remote().read({**model(served.url).document(), key: value})


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "RETRY_SECONDS", (0.01,))
