"""A model comes through a restart, and a file that is not what was written is told and trained anew."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segue.experiences.recommend.keeping import Training
from segue.experiences.recommend.models.kept import FOLDER
from tests.experiences.recommend.shop import HEAD, Shop, shop, tastes
from tests.experiences.recommend.test_keeping import HOUR_MS, Turned

TEA, POTS = [f"tea-{n}" for n in range(6)], [f"pot-{n}" for n in range(6)]


def learned(folder: Path, definitions: str = "") -> dict[str, Any]:
    """A shop that has learned something, closed again; the answer to someone who looked at two items."""
    with shop(folder, definitions) as one:
        tastes(one, [TEA, POTS])
        one.view("ann", "tea-0", "pot-3")
        one.ids(None)
        one.train()
        found = one.ask("ann")
    assert found["model"]["kind"] == "ease"
    return found


def files(folder: Path) -> list[Path]:
    return sorted((folder / "data" / FOLDER).iterdir())


def training(one: Shop, clock: Callable[[], float]) -> Training:
    return Training(one.recommender, HOUR_MS, 1, clock)


def test_a_restart_goes_on_with_what_was_learned(tmp_path: Path) -> None:
    before = learned(tmp_path)
    with shop(tmp_path) as one:
        # Items get other places: these were first heard of otherwise.
        one.recommender.known.places(["pot-5", "tea-4"])
        assert weighed(one.ask("ann")) == weighed(before)


def weighed(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without the order of what weighs the same."""
    return answer | {"items": {each["id"]: each for each in answer["items"]}}


def test_it_is_trained_anew_only_when_it_is_old_and_something_was_done(tmp_path: Path) -> None:
    learned(tmp_path)
    clock = Turned()
    with shop(tmp_path) as one:
        one.ids(None)
        again = training(one, clock)
        again.work()
        clock.seconds += HOUR_MS / 1_000
        again.work()
        assert one.ask("ann")["model"]["version"] == 1
        one.view("bob", "tea-1")
        one.ids(None)
        again.work()
        assert one.ask("ann")["model"]["version"] == 2
    with shop(tmp_path) as one:
        assert one.ask("ann")["model"]["version"] == 2


def test_what_was_long_ago_when_the_server_starts_is_old_at_once(tmp_path: Path) -> None:
    learned(tmp_path)
    with shop(tmp_path) as one:
        one.now += HOUR_MS
        one.view("bob", "tea-1")
        one.ids(None)
        training(one, Turned()).work()
        assert one.ask("ann")["model"]["version"] == 2


def test_a_model_of_someone_who_was_forgotten_is_old(tmp_path: Path) -> None:
    learned(tmp_path)
    with shop(tmp_path) as one:
        one.now += HOUR_MS
        one.view("g0-1", "tea-1")
        one.service.forget("g0-1")
        one.ids(None)
        training(one, Turned()).work()
        assert one.ask("ann")["model"]["version"] == 2


def test_two_tastes_are_kept_and_one_that_nobody_defines_goes(tmp_path: Path) -> None:
    other = f"recommendation: near\n{HEAD}model: neighbours\n"
    learned(tmp_path, other)
    assert len(files(tmp_path)) == 2
    with shop(tmp_path) as one:
        assert one.ask("ann", recommendation="near")["model"]["kind"] == "neighbours"
    (tmp_path / "workspace" / "recommendations" / "all.yaml").unlink()
    with shop(tmp_path) as one:
        one.now += HOUR_MS
        one.view("bob", "tea-1")
        one.ids(None)
        training(one, Turned()).work()
    assert len(files(tmp_path)) == 1


def test_items_and_people_that_nothing_is_learned_of_are_not_in_the_file(tmp_path: Path) -> None:
    with shop(tmp_path) as one:
        tastes(one, [TEA])
        one.view("ann@private.example", "only-hers")
        one.ids(None)
        one.train()
    (file,) = files(tmp_path)
    data = file.read_bytes()
    assert b"tea-1" in data
    assert b"only-hers" not in data
    assert b"ann@" not in data


# ---- damage ----------------------------------------------------------------------------------


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def bent(data: bytes) -> bytes:
    at = len(data) - len(data) // 3
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def later(data: bytes) -> bytes:
    return data[:8] + b"\x02" + data[9:]


def empty(_data: bytes) -> bytes:
    return b""


def foreign(_data: bytes) -> bytes:
    return b"\x80\x04K\x01."


def signed(arrays: dict[str, object]) -> bytes:
    """A file whose digest is right, with arrays of our own."""
    memory = io.BytesIO()
    np.savez(memory, allow_pickle=True, **arrays)  # type: ignore[arg-type]
    return b"segueRM\n\x01" + hashlib.sha256(memory.getvalue()).digest() + memory.getvalue()


def parts(data: bytes) -> dict[str, object]:
    with np.load(io.BytesIO(data[41:])) as found:
        return dict(found)


def pickled(data: bytes) -> bytes:
    return signed(parts(data) | {"weights": np.array([{"a": 1}], object)})


def astray(data: bytes) -> bytes:
    found = parts(data)
    found["targets"] = np.full_like(found["targets"], 10_000)
    return signed(found)


def lacking(data: bytes) -> bytes:
    found = parts(data)
    del found["starts"]
    return signed(found)


@pytest.mark.parametrize("damage", [cut, bent, later, empty, foreign, pickled, astray, lacking])
def test_a_file_that_is_not_what_was_written_is_told_and_trained_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes]
) -> None:
    before = learned(tmp_path)
    (file,) = files(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    with shop(tmp_path) as one:
        found = one.ask("ann")
        assert found["model"]["kind"] == "none"
        assert found["items"]
        assert "E847" in caplog.text
        assert str(file) in caplog.text
        caplog.clear()
        training(one, Turned()).work()
        assert weighed(one.ask("ann"))["items"] == weighed(before)["items"]
    with shop(tmp_path) as one:
        assert weighed(one.ask("ann"))["items"] == weighed(before)["items"]
    assert "E847" not in caplog.text


def test_a_disk_that_takes_no_model_keeps_no_answer_back(tmp_path: Path) -> None:
    with shop(tmp_path) as one:
        tastes(one, [TEA, POTS])
        one.ids(None)
        (one.service.data / FOLDER).write_text("in the way", encoding="utf-8")
        with pytest.raises(Exception, match="E604"):
            one.train()
        assert one.ask("ann")["model"]["kind"] == "ease"
