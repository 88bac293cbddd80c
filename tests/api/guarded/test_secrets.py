"""Keys and tokens leave no trace: not in the data folder, the logs, the answers, or what is set aside."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.guarded.guard import Guarded, basic, bearer
from tests.api.serving import Running, eventually, write_workspace

MARKER = "planted-marker-7f3a"
PATHS = [
    "/v1/segments", "/v1/users/ann", "/v1/users/ann/events", "/v1/changes", "/nothing/here", "/v1/quality",
    "/metrics", "/openapi.json", "/v1/segments/{}", "/v1/users/bob/explain/{}", "/v1/changes?after={}",
    "/v1/changes?cursor={}", "/v1/stream?token={}&after=x", "/v1/projects/x{}/settings", "/{}",
]  # fmt: skip


class Told:
    """Everything a story left behind: files, output, and bodies of refusals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: list[bytes] = []

    def everywhere(self) -> dict[str, bytes]:
        files = {str(path): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        return files | {"answers": b"".join(self.answers)}


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[tuple[Guarded, Told]]:
    """A server whose output goes to a file beside its data."""
    write_workspace(tmp_path / "workspace")
    command = [sys.executable, "-c", "from segue.cli import main; main()", "serve", "--port", "0"]
    command += ["--workspace", str(tmp_path / "workspace"), "--data", str(tmp_path / "data")]
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        server = Running(process, tmp_path)
        try:
            server.wait()
            yield Guarded(server), Told(tmp_path)
        finally:
            server.http.close()
            process.kill()
            process.wait()


def attempts(word: str) -> Iterator[dict[str, Any]]:
    """Requests to send events that carry a key in every place where one could stand, healthy and not."""
    event = {"userId": "ann", "event": "E", "properties": {"note": MARKER}}
    bad = {"event": "E", "type": "track", "properties": {"note": MARKER}}
    for each in (event, bad):
        yield {"json": each, "headers": basic(word)}
        yield {"json": each, "headers": bearer(word)}
        yield {"json": {**each, "writeKey": word}}
        yield {"json": each, "params": {"writeKey": word}}
        yield {"json": {"batch": [{**each, "writeKey": word}], "writeKey": word}}
    half = json.dumps({**bad, "writeKey": word})[:-1]
    yield {"content": half, "headers": basic(word)}
    yield {"content": f'{{"batch": [{half}, "x": NaN}}], "writeKey": "{word}"}}'}
    odd = f'{{"writeKey": "{word}", "event": 1e999, "note": "{MARKER}"}}'
    yield {"content": f'{{"batch": [{odd}, 7, "{word}"]}}', "headers": basic(word)}
    large = {**event, "writeKey": word, "properties": {"note": MARKER + "x" * 40_000}}
    yield {"json": {"batch": [large], "writeKey": word}}


def hammer(guarded: Guarded, told: Told, word: str) -> None:
    http = guarded.server.http
    for request in attempts(word):
        for path in ("/v1/track", "/v1/batch"):
            told.answers.append(http.post(path, **request).content)
    data = base64.b64encode(json.dumps({"event": "E", "writeKey": word, "note": MARKER}).encode()).decode()
    for query in (f"data={quote(data)}", f"writeKey={word}&event=E&note={MARKER}", f"data=!&writeKey={word}"):
        told.answers.append(http.get(f"/v1/pixel/track?{query}").content)
    for path in PATHS:
        for headers in ({}, basic(word), bearer(word), bearer(word + "x")):
            answer = http.get(path.format(word), headers=headers)
            # What repeats the path that was asked for tells nothing that the asker did not say there.
            if answer.status_code >= 400 and "{}" not in path:
                told.answers.append(answer.content)


def test_no_key_is_found_anywhere(logged: tuple[Guarded, Told]) -> None:
    guarded, told = logged
    words = {"write": guarded.key("shop", "write"), "read": guarded.key("crm", "read")}
    words["admin"] = guarded.key("ops", "admin")
    words["off"] = guarded.key("resting", "write")
    words["token"] = guarded.token("ann")
    guarded.segue("keys", "off", "resting")
    words["rotated"] = guarded.segue("keys", "rotate", "shop")["key"]
    for word in words.values():
        hammer(guarded, told, word)
    read = bearer(words["read"])
    eventually(lambda: guarded.server.http.get("/v1/users/ann", headers=read).json()["known"])
    told.answers += [json.dumps(row).encode() for row in everything_listed(guarded)]
    guarded.server.stop()
    places = told.everywhere()
    for name, word in words.items():
        secret = word.rpartition(".")[2] if name == "token" else word.rpartition("_")[2]
        assert [place for place, content in places.items() if secret.encode() in content] == [], name
    listed = places["answers"]
    assert listed.count(MARKER.encode()) > 20, "the control: what was kept of the events is seen"
    assert b"shop" in listed


def everything_listed(guarded: Guarded) -> Iterator[Any]:
    """All that commands show: events, what was set aside and as what, keys."""
    control = guarded.server.control
    yield from control("export")
    held = control("quarantine list", state="all", limit=None)
    assert len(held) > 10
    for row in held:
        yield from control("quarantine show", id=row["id"])
    yield from control("keys list")


def test_the_signing_secret_stands_in_one_private_file_alone(logged: tuple[Guarded, Told]) -> None:
    guarded, told = logged
    guarded.token("ann")
    with closing(sqlite3.connect(guarded.server.data / "access.db")) as connection:
        ((secret,),) = connection.execute("SELECT value FROM secrets").fetchall()
    places = {place for place, content in told.everywhere().items() if secret in content}
    assert {Path(place).name.partition("-")[0] for place in places} == {"access.db"}
    assert all(Path(place).stat().st_mode & 0o777 == 0o600 for place in places)
