"""A server from its start to its end."""

from __future__ import annotations

import json
import resource
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from segue.domain.errors import SegueError
from segue.runners.serve import serve, url_of
from segue.service.service import Service
from tests.api.serving import Running, eventually, serving, write_workspace


def definition(when: str) -> dict[str, object]:
    return {"owner": "crm@shop.example", "description": "A test.", "when": when}


def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        first.track("stays", "Order Completed", total=101)
        assert first.stop() == 0
        assert not (first.data / "serve.json").exists()
    with serving(tmp_path) as second:
        eventually(lambda: second.segments_of("stays") == ["big_buyers", "buyers"])
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait() == 0


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        first.track("stays", "Order Completed", total=101)
        first.process.kill()
        first.process.wait()
    with serving(tmp_path) as second:
        eventually(lambda: second.segments_of("stays") == ["big_buyers", "buyers"])


def test_a_segment_is_put_changed_and_deleted(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.track("u", "Login")
        made = server.http.put("/v1/segments/visitors", json=definition('count("Login") >= 1'))
        assert made.status_code == 201
        assert made.json()["members"] == 1
        assert server.segments_of("u") == ["visitors"]
        assert 'count("Login") >= 1' in written(server)
        changed = server.http.put("/v1/segments/visitors", json=definition('count("Login") >= 2'))
        assert changed.status_code == 200
        assert server.segments_of("u") == []
        bad = server.http.put("/v1/segments/visitors", json=definition('segment("byers")'))
        assert (bad.status_code, bad.json()["code"]) == (400, "E301")
        assert 'count("Login") >= 2' in written(server)
        kept = server.http.delete("/v1/segments/buyers")
        assert (kept.status_code, kept.json()["code"]) == (400, "E301")
        assert server.http.delete("/v1/segments/visitors").status_code == 204
        assert server.http.get("/v1/segments/visitors").status_code == 404
        assert server.http.delete("/v1/segments/visitors").status_code == 404
        wrong = server.http.put("/v1/segments/one", json={**definition("true"), "segment": "two"})
        assert (wrong.status_code, wrong.json()["code"]) == (400, "E744")
        causes = [
            each["cause"]["type"]
            for each in server.http.get("/v1/changes?segment=visitors").json()["changes"]
        ]
        assert set(causes) == {"definition"}


def written(server: Running) -> str:
    return (server.folder / "workspace" / "segments" / "visitors.yaml").read_text(encoding="utf-8")


def test_an_address_that_is_taken(tmp_path: Path) -> None:
    write_workspace(tmp_path / "workspace")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SegueError, match="E751"):
            serve(tmp_path / "workspace", tmp_path / "data", port=port)
    assert not (tmp_path / "data").exists()


def test_a_start_that_fails_half_way_lets_go_of_what_it_had(tmp_path: Path) -> None:
    """A thread left behind would keep the process, and the folder's lock, for ever."""
    write_workspace(tmp_path / "workspace")
    with Service.open(tmp_path / "workspace", tmp_path / "data"):
        pass
    (tmp_path / "data" / "outbox.db").write_bytes(b"no database" * 1000)
    with pytest.raises(SegueError, match=r"E603.*outbox\.db"):
        serve(tmp_path / "workspace", tmp_path / "data", port=0)
    with Service.open(tmp_path / "workspace", tmp_path / "data"):
        assert not [each for each in threading.enumerate() if each.name.startswith("segue-")]


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid", "\x00", "x" * 300])
def test_an_address_that_is_none_of_ours(tmp_path: Path, host: str) -> None:
    write_workspace(tmp_path / "workspace")
    with pytest.raises(SegueError, match="E751"):
        serve(tmp_path / "workspace", tmp_path / "data", host=host, port=0)


def test_a_folder_in_use_or_broken_is_told_and_ends(tmp_path: Path) -> None:
    with serving(tmp_path) as server, pytest.raises(SegueError, match="E601"):
        serve(tmp_path / "workspace", server.data, port=0)
    (tmp_path / "workspace" / "segments" / "shop.yaml").write_text("segment: [", encoding="utf-8")
    with pytest.raises(SegueError, match="E4"):
        serve(tmp_path / "workspace", tmp_path / "data", port=0)


def test_serving_beyond_this_machine_warns_and_lets_nobody_in_without_a_key(tmp_path: Path) -> None:
    write_workspace(tmp_path / "workspace")
    command = [sys.executable, "-c", "from segue.cli import main; main()", "serve", "--port", "0"]
    command += ["--host", "0.0.0.0", "--workspace", str(tmp_path / "workspace")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            url = json.loads((tmp_path / "workspace" / ".segue" / "serve.json").read_text())["url"]
            assert url in line
            forwarded = {"X-Forwarded-For": "203.0.113.9"}
            assert httpx.get(f"{url}/v1/segments", headers=forwarded).status_code == 403
            event = {"userId": "u", "event": "Login"}
            refused = httpx.post(f"{url}/v1/track", json=event, headers=forwarded)
            assert (refused.status_code, refused.json()["code"]) == (403, "E746")
            assert "segue keys create" in refused.text
            assert httpx.post(f"{url}/v1/track", json=event).status_code == 200
        finally:
            process.terminate()
        _, errors = process.communicate()
    assert "no keys yet" in errors


def test_addresses_as_they_are_told() -> None:
    assert url_of("127.0.0.1", 80) == "http://127.0.0.1:80"
    assert url_of("0.0.0.0", 80) == "http://127.0.0.1:80"
    assert url_of("::", 80) == "http://[::1]:80"
    assert url_of("shop.example", 80) == "http://shop.example:80"


def test_a_server_may_hold_more_connections_than_shells_allow(tmp_path: Path) -> None:
    write_workspace(tmp_path / "workspace")
    words = (
        'ulimit -Sn 256 && exec "$0" -c "from segue.cli import main; main()" serve --port 0 --workspace "$1"'
    )
    command = ["sh", "-c", words, sys.executable, str(tmp_path / "workspace")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            limits = Path(f"/proc/{process.pid}/limits").read_text()
        finally:
            process.terminate()
    found = next(line.split() for line in limits.splitlines() if line.startswith("Max open files"))
    assert int(found[3]) == min(65_536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
