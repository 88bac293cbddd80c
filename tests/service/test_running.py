"""Everything at once: posts, edits of definitions, lists, reads and upkeep beside each other."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segue.domain.time import HOUR, format_instant
from segue.ingest.decode import decode_events
from segue.segments.override import ListEdit, Override
from segue.service.service import Service

START_MS = 1_790_000_000_000
POSTS = 150
EDITS = 8
SEGMENTS = """
- segment: recent
  owner: crm@shop.example
  description: Changes its window again and again.
  when: count("Viewed", last {hours}h) >= {least}
- segment: resting
  owner: crm@shop.example
  description: Nothing for a while, unless listed.
  when: since(last(any)) > {hours}h and not list("press")
- segment: {name}
  owner: crm@shop.example
  description: Comes and goes with its name.
  when: segment("recent") and trait.plan == "pro"
"""
LISTS = "list: press\nowner: crm@shop.example\ndescription: By hand.\nusers: [u1, u2, late]\n"


def write_workspace(folder: Path, hours: int = 1, least: int = 1, name: str = "first") -> Path:
    for place, text in (
        ("segments", SEGMENTS.format(hours=hours, least=least, name=name)),
        ("lists", LISTS),
    ):
        (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / place / "all.yaml").write_text(text, encoding="utf-8")
    (folder / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    return folder


def events(number: int, lots: random.Random) -> list[dict[str, Any]]:
    """One request's events, an hour's sixth after those of the request before."""
    found: list[dict[str, Any]] = []
    for place in range(lots.randint(1, 6)):
        moment = START_MS + number * HOUR // 6 + place
        body: dict[str, Any] = {"messageId": f"{number}-{place}", "userId": f"u{lots.randrange(20)}"}
        body |= {"timestamp": format_instant(moment), "receivedAt": format_instant(moment)}
        kind = lots.randrange(6)
        if kind == 0:
            body |= {"type": "identify", "traits": {"plan": lots.choice(("pro", "free"))}}
        elif kind == 1:
            body |= {"type": "identify", "anonymousId": f"a{lots.randrange(20)}"}
        elif kind == 2:
            body |= {"type": "track", "event": "Viewed", "anonymousId": f"a{lots.randrange(20)}"}
            del body["userId"]
        else:
            body |= {"type": "track", "event": "Viewed"}
        found.append(body)
    return found


def post(service: Service, requests: list[list[dict[str, Any]]], failed: list[BaseException]) -> None:
    try:
        for request in requests:
            decoded = decode_events([json.dumps(body).encode() for body in request])
            assert service.post(decoded, "tests").result().quarantined == 0
    except BaseException as error:
        failed.append(error)
        raise


@contextmanager
def posting(service: Service, requests: list[list[dict[str, Any]]]) -> Iterator[threading.Thread]:
    failed: list[BaseException] = []
    thread = threading.Thread(target=post, args=(service, requests, failed))
    thread.start()
    try:
        yield thread
    finally:
        thread.join()
    assert failed == []


def test_all_at_once_is_as_one_after_another(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    lots = random.Random(seed)
    workspace = write_workspace(tmp_path / "workspace")
    requests = [events(number, lots) for number in range(POSTS)]
    with Service.open(workspace, tmp_path / "data") as service:
        service.start()
        with posting(service, requests):
            for turn in range(EDITS):
                write_workspace(workspace, lots.randint(1, 3), lots.randint(1, 3), f"turn_{turn}")
                service.apply()
                service.edit_list(ListEdit("press", f"u{lots.randrange(20)}", lots.random() < 0.6))
                service.override(Override(f"u{lots.randrange(20)}", "recent", lots.random() < 0.5))
                service.preview('count("Viewed") > 2')
                service.members("resting", service.engine.now)
                service.log.close_stretch(20)
        assert service.verify(lambda _done, _total: None) == []
        changes = list(service.changes())
        assert [change.seq for change in changes] == list(range(1, len(changes) + 1))
        told = views(service)
    with Service.open(workspace, tmp_path / "data") as service:
        assert views(service) == told
        assert list(service.changes()) == changes


def views(service: Service) -> dict[str, Any]:
    """Members with their ``since``, now and as of the engine's time, which is now."""
    names = sorted(service.workspace.segments)
    found = {name: service.members(name) for name in names}
    assert {name: service.members(name, service.engine.now) for name in names} == found
    return found
