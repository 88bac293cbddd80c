"""Whoever is forgotten leaves no line in the files of destinations, and nobody else loses one."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import yaml

from segue.deliver.dispatch import Dispatcher
from segue.deliver.outbox import Outbox
from segue.deliver.queues.queues import Queues
from segue.deliver.sinks.file import Lines, LinesFile
from segue.deliver.sinks.sink import DELIVERED, Message, Outcome
from segue.domain.errors import SegueError
from segue.ingest.decode import decode_events
from segue.log import lines
from segue.log.sqlite import SqliteLog
from segue.service.service import Service
from tests.api.serving import eventually, serving
from tests.deliver.sinks.ends import definition, messages
from tests.deliver.sinks.loaded import all_settled, delivery, maker, sending, wait_until
from tests.service.planted import USER, VISITOR, call, events_of_the_person, found_in

OWNED = {"owner": "crm@shop.example", "description": "Of a test."}
TEMPLATE = {"note": "{{event.properties.note}}", "all": "{{user.traits}}", "id": "{{event.message_id}}"}
TRIGGER = {"trigger": "seen", **OWNED, "on": "event any", "to": "out", "payload": TEMPLATE}
OUT = {"destination": "out", **OWNED, "kind": "file", "path": "crm/out.jsonl", "rotate_bytes": 2_000}
HERS = {**call(90, "track", userId="ann"), "messageId": "hers"}
VISITING = f"anon:{VISITOR}"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    for name, written in (("triggers", TRIGGER), ("destinations", OUT)):
        (folder / name).mkdir(parents=True)
        (folder / name / "all.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    return folder


def fill(service: Service) -> None:
    """Events of the person and of somebody else, each sent before the next is heard of."""
    core = service.core
    with closing(Outbox(service.data)) as outbox:
        dispatcher = Dispatcher(service, outbox)
        with sending(outbox, service.workspace.destinations, maker(service.data)):
            for number, event in enumerate([*events_of_the_person(0), HERS, *events_of_the_person(10)]):
                hers = {**HERS, "messageId": f"hers-{number}"}
                bodies = [json.dumps(each).encode() for each in (event, hers)]
                with core.gate:
                    taken = core.intake.accept(decode_events(bodies), "tests", core.log.next_seq)
                    core.append([taken.batch], [])
                while dispatcher.work():
                    pass
                all_settled(outbox, "out")


def files_of(data: Path) -> list[Path]:
    """The oldest first."""
    found = [*(data / lines.FOLDER / "crm").iterdir()]
    return sorted(found, key=lambda path: -int(path.suffix[1:]) if path.suffix[1:].isdigit() else 0)


def read(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Whom each line is about, and its id, in the order in which they were written."""
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            yield found["user_id"], found["id"]


def test_their_lines_go_under_every_id_and_others_stay(workspace: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Service.open(workspace, data) as service:
        fill(service)
        before = [*read(files_of(data))]
        assert {USER, VISITING, "ann"} <= {user for user, _ in before}
        assert len(files_of(data)) > 2
        service.forget(USER)
    assert found_in(data) == {}
    assert [*read(files_of(data))] == [each for each in before if each[0] == "ann"]


def test_it_is_the_erasing_of_files_that_does_it(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "erase", lambda _folder, _names: None)
    with Service.open(workspace, tmp_path / "data") as service:
        fill(service)
        service.forget(USER)
    assert {name.partition("/")[0] for name in found_in(tmp_path / "data")} == {lines.FOLDER}


def test_a_forgetting_that_was_broken_off_is_ended_at_the_next_start(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BrokenError(Exception):
        pass

    def broken(*_: object) -> None:
        raise BrokenError

    data = tmp_path / "data"
    with Service.open(workspace, data) as service:
        fill(service)
        with monkeypatch.context() as patched:
            patched.setattr(SqliteLog, "forget", broken)
            patched.setattr(lines, "erase", lambda _folder, _names: None)
            with pytest.raises(BrokenError):
                service.forget(USER)
    assert {user for user, _ in read(files_of(data))} == {USER, VISITING, "ann"}
    Service.open(workspace, data).close()
    assert found_in(data) == {}
    assert {user for user, _ in read(files_of(data))} == {"ann"}


def test_a_running_server_goes_on_writing_beside_it(tmp_path: Path, workspace: Path) -> None:
    assert workspace.exists()
    stop, posted = threading.Event(), list[str]()
    with serving(tmp_path) as server:

        def others() -> None:
            while not stop.is_set():
                at = len(posted)
                event = {**call(0, "track", userId=f"other{at % 5}"), "messageId": f"o{at}"}
                del event["timestamp"]
                assert server.http.post("/v1/batch", json={"batch": [event]}).status_code == 200
                posted.append(f"o{at}")

        flow = threading.Thread(target=others)
        flow.start()
        for event in events_of_the_person(0):
            del event["timestamp"]
            assert server.http.post("/v1/batch", json={"batch": [event]}).status_code == 200
        eventually(lambda: any(name.startswith(lines.FOLDER) for name in found_in(server.data)))
        assert server.control("forget", user=USER)[0]["forgotten"]
        assert not any(name.startswith(lines.FOLDER) for name in found_in(server.data))
        reached = len(posted)
        eventually(lambda: len(posted) > reached + 20)
        stop.set()
        flow.join()
        assert server.stop() == 0
    assert found_in(tmp_path / "data") == {}
    written = [
        json.loads(line)["body"]["id"]
        for path in files_of(tmp_path / "data")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert sorted(dict.fromkeys(written), key=lambda name: int(name[1:])) == posted


# ---- the files alone -----------------------------------------------------------------------


def test_nothing_is_lost_while_a_file_is_written_and_makes_way(tmp_path: Path) -> None:
    """Users come and are erased while others are appended, a few lines at a time."""
    path = tmp_path / lines.FOLDER / "out.jsonl"
    count, written = 2_000, [0]

    def append() -> None:
        with closing(LinesFile(Lines(path, 4_000, 1_000))) as sink:
            for at in range(0, count, 5):
                assert {*sink.send(messages(5, start=at))} == {DELIVERED}
                written.append(at + 5)

    writing = threading.Thread(target=append)
    writing.start()
    for reached in range(0, count, 100):
        wait_until(partial(has_reached, written, reached))
        lines.erase(tmp_path, {"user-1", "user-3"})
    writing.join()
    lines.erase(tmp_path, {"user-1", "user-3"})
    files = sorted(path.parent.iterdir(), key=lambda each: -int(each.suffix[1:]) if each != path else 0)
    kept = [f"id-{at}" for at in range(count) if at % 5 not in (1, 3)]
    assert [name for _, name in read(files)] == kept


def has_reached(written: Sequence[int], least: int) -> bool:
    return written[-1] >= least


def two_lines(tmp_path: Path) -> Path:
    path = tmp_path / lines.FOLDER / "out.jsonl"
    with closing(LinesFile(Lines(path, 10**6, 3))) as sink:
        sink.send(messages(2))
    return path


def test_a_torn_line_and_what_a_crash_left_beside_go_too(tmp_path: Path) -> None:
    path = two_lines(tmp_path)
    with path.open("ab") as file:
        file.write(b'{"id":"id-2","user_id":"user-0","tri')
    (path.parent / ".out.jsonl.anew").write_bytes(path.read_bytes())
    (path.parent / ".out.jsonl.7.anew").write_bytes(path.read_bytes())
    lines.erase(tmp_path, {"user-0"})
    assert [each.name for each in path.parent.iterdir()] == ["out.jsonl"]
    assert [*read([path])] == [("user-1", "id-1")]


def test_files_of_others_and_links_are_left_alone(tmp_path: Path) -> None:
    path = two_lines(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(path.read_bytes())
    (path.parent / "link.jsonl").symlink_to(elsewhere)
    packed = b"\x1f\x8b\x00 no line of JSON \n\x00"
    (path.parent / "out.jsonl.gz").write_bytes(packed)
    (path.parent / "notes.txt").write_text('"user-0"\n[1]\nwithout an end', encoding="utf-8")
    lines.erase(tmp_path, {"user-0"})
    assert (path.parent / "out.jsonl.gz").read_bytes() == packed
    assert (path.parent / "notes.txt").read_text(encoding="utf-8") == '"user-0"\n[1]\nwithout an end'
    assert [*read([elsewhere])] == [("user-0", "id-0"), ("user-1", "id-1")]
    assert [*read([path])] == [("user-1", "id-1")]


def test_what_cannot_be_written_is_told_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = two_lines(tmp_path)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SegueError, match="E604"):
            lines.erase(tmp_path, {"user-0"})
    assert [*read([path])] == [("user-0", "id-0"), ("user-1", "id-1")]
    lines.erase(tmp_path, {"user-0"})
    assert [each.name for each in path.parent.iterdir()] == ["out.jsonl"]


def test_a_file_that_was_put_aside_is_begun_anew(tmp_path: Path) -> None:
    """As log rotation does it: what comes next must not go where nobody looks."""
    path = tmp_path / "out.jsonl"
    with closing(LinesFile(Lines(path, 10**6, 3))) as sink:
        assert {*sink.send(messages(2))} == {DELIVERED}
        path.rename(tmp_path / "aside")
        assert {*sink.send(messages(2, start=2))} == {DELIVERED}
        path.unlink()
        assert {*sink.send(messages(2, start=4))} == {DELIVERED}
    assert [name for _, name in read([path])] == ["id-4", "id-5"]


# ---- what is under way ---------------------------------------------------------------------


class Slow:
    """Writes when it is let."""

    def __init__(self, said: list[str]) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self._said = said

    def send(self, batch: Sequence[Message]) -> Sequence[Outcome]:
        self.begun.set()
        self.go.wait()
        self._said += [each.key for each in batch]
        return [DELIVERED] * len(batch)

    def close(self) -> None:
        pass


def test_forgetting_waits_for_what_is_being_written_and_lets_nothing_follow(tmp_path: Path) -> None:
    said: list[str] = []
    slow = Slow(said)
    with closing(Outbox(tmp_path)) as outbox:
        queues = Queues(outbox, lambda: {"out": definition("file", path="out.jsonl")}, lambda _: slow)
        queues.start()
        outbox.put([delivery(0, "out", row=1), delivery(1, "out", row=2)])
        slow.begun.wait()

        def forget() -> None:
            queues.forget([1])
            said.append("forgotten")

        forgetting = threading.Thread(target=forget)
        forgetting.start()
        slow.go.set()
        forgetting.join()
        outbox.put([delivery(2, "out", row=1), delivery(3, "out", row=2)])
        wait_until(lambda: said.count("user-2") == 2)
        queues.close()
    assert said == ["user-1", "user-2", "forgotten", "user-2"]
