"""The demo does what it says, in a process of its own, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import duckdb
import numba
import pytest

from segue.domain.change import Cause
from segue.domain.errors import SegueError
from segue.domain.limits import BATCH_EVENTS_MAX
from segue.engine.warm import is_compiled
from segue.learned.registry import Registry
from segue.learned.version import CANDIDATE
from segue.runners.demo.learned import LEARNED
from segue.runners.demo.retail import INSTALLED, Retail, shipped
from segue.runners.demo.run import PORT
from segue.service.service import Service
from tests.cli.segue import here
from tests.project.online_retail_expected import FILE, ROOT, WORKSPACE, exact, members_at

PROGRAM = Path(sys.executable).with_name("segue")
LAST_EVENT = "2010-11-30 19:35:00"


@contextmanager
def demo(folder: Path, *options: str | Path) -> Iterator[subprocess.Popen[str]]:
    """``segue demo`` with an empty folder of its own for what is temporary."""
    (folder / "temporary").mkdir()
    command = [str(PROGRAM), "demo", *map(str, options)]
    environment = {**os.environ, "TMPDIR": str(folder / "temporary")}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def read_until(lines: IO[str] | None, pattern: str) -> re.Match[str]:
    """The first line that fits; fails when there is none."""
    assert lines is not None
    seen = []
    for line in lines:
        seen.append(line)
        found = re.search(pattern, line)
        if found:
            return found
    pytest.fail(f"no line fits {pattern}:\n{''.join(seen)}")


def get(address: str) -> Any:
    with urllib.request.urlopen(address) as response:
        return json.load(response)


def test_the_check_finds_the_members_that_sql_finds(tmp_path: Path) -> None:
    workspace, data = tmp_path / "new" / "workspace", tmp_path / "new" / "data"
    with demo(tmp_path, "--check", "--json", "--workspace", workspace, "--data", data) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    report = json.loads(out)
    expected = members_at(LAST_EVENT)
    assert report["differences"] == []
    counts = {name: count for name, count in report["segments"].items() if name in exact()}
    assert counts == {name: len(users) for name, users in sorted(expected.items())}
    assert report["imported"]["events"] + report["played"]["events"] == 402_731
    with Service.open(workspace, data) as service:
        assert {name: [each.user_id for each in service.members(name)] for name in expected} == expected
        told = report["learned"]["changes"] + report["played"]["changes"]
        assert service.status().changes >= told > report["imported"]["changes"]
        _learned(report, service)
    explained = here("explain", "12415", "recent_big_basket", "--workspace", workspace, "--data", data)
    assert explained.out in (ROOT / "README.md").read_text(encoding="utf-8")
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (data / "serve.json").exists()


def _learned(report: Any, service: Service) -> None:
    """What passed is in force, what was refused says why, and a person's word stands against a score."""
    models = {each["model"]: each for each in report["learned"]["models"]}
    assert {name for name, each in models.items() if each["version"] is not None} == {
        "worth_90d", "will_buy", "habits"
    }  # fmt: skip
    assert "better by +" in models["will_buy"]["why"]
    assert "E862" in models["like_the_press"]["why"]
    assert re.match(r"refused: AUC .* better by \+[\d.]+ \[-[\d.]+, ", models["lapsing"]["why"])
    assert Registry(service.data).versions("lapsing")[0].status == CANDIDATE
    for name in LEARNED:
        assert report["segments"][name] > 0
    word = report["learned"]["override"]
    assert word["before"].startswith(f"{word['user']} is in worth_a_call")
    page = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")
    example = page.split("```text\n")[1].split("\n```")[0].splitlines()
    assert len(example) > 10
    # The values are the shop's; the points come of floating point, whose last digit is the machine's.
    assert _features(example) <= _features(word["before"].splitlines())
    assert word["after"].startswith(f"{word['user']} is not in worth_a_call")
    assert "an override says so until 2011-01-01T00:00:00.000Z, by dana" in word["after"]
    assert service.user(word["user"]).scores["will_buy"] == 0.95
    assert word["user"] not in [each.user_id for each in service.members("worth_a_call")]
    scores = [
        change for change in service.changes(report["learned"]["changes"]) if change.cause is Cause.SCORE
    ]
    assert {change.segment for change in scores} <= set(LEARNED)
    assert scores


def _features(explained: list[str]) -> set[str]:
    """What an explanation says of features, without the points that each adds."""
    found = {line.strip().partition("  ")[2] for line in explained if ", typical is " in line}
    assert len(found) > 4
    return found


def test_the_show_goes_on_until_it_is_interrupted(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", PORT))
            other.listen()
        except OSError:
            assert other.connect_ex(("127.0.0.1", PORT)) == 0, "taken already, which is as good"
        with demo(tmp_path) as process:
            url, user = read_until(process.stdout, r"(http://\S+)/v1/users/(\d+)/segments").groups()
            assert not url.endswith(f":{PORT}")
            shop = read_until(process.stdout, r"a shop that runs on it: (http://\S+)")[1]
            with urllib.request.urlopen(shop) as page:
                assert f'src="{url}/sdk/personalize.js"' in page.read().decode()
            read_until(process.stdout, r"  \d{5} enters \w+, by ")
            read_until(process.stdout, r"^2010-11-01  1,409 events, \d+ entered and \d+ left a segment")
            assert get(f"{url}/v1/users/{user}/segments")["known"] is True
            assert get(f"{url}/v1/users/{user}/explain/wholesale_buyers")["segment"] == "wholesale_buyers"
            process.send_signal(signal.SIGINT)
            _, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert list((tmp_path / "temporary").iterdir()) == []
    with pytest.raises(urllib.error.URLError):
        get(f"{url}/healthz")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_import_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path, "--check") as process:
        read_until(process.stdout, "importing")
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == 130
    assert err == "interrupted; what was acknowledged is kept\n"
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("option", ["--workspace", "--data"])
def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, option: str) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "mine"):
        ended = here("demo", "--check", option, folder)
        assert ended.status == 1
        assert "E455" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_json_is_of_the_check_alone() -> None:
    ended = here("demo", "--json")
    assert ended.status == 2
    assert "--check --json" in ended.err


def test_what_is_imported_and_what_is_played_is_the_year(tmp_path: Path) -> None:
    retail = shipped()
    files = [str(file) for file in retail.write_imported(tmp_path)]
    hours = list(retail.played())
    rows = duckdb.connect().execute(
        f"select user_id, epoch_ms(ts), event, invoice, sku, quantity, price, amount, country from '{FILE}'"
    )
    everything = rows.fetchall()
    imported = duckdb.connect().read_parquet(files).fetchall()
    played = [call for hour in hours for call in hour.calls]
    assert (len(files), len(imported)) == (11, retail.imported_rows())
    assert [row[:1] + row[2:3] for row in imported] == [
        row[:1] + row[2:3] for row in everything[: len(imported)]
    ]
    assert len(imported) + len(played) == len(everything)
    assert [int(call["userId"]) for call in played] == [row[0] for row in everything[len(imported) :]]
    assert [tuple(call["properties"].values()) for call in played] == [
        row[3:] for row in everything[len(imported) :]
    ]
    assert all(before.start < after.start for before, after in pairwise(hours))
    assert max(len(hour.calls) for hour in hours) <= BATCH_EVENTS_MAX
    assert len({call["messageId"] for call in played}) == len(played)


def test_the_demo_is_part_of_what_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included[WORKSPACE.relative_to(ROOT).as_posix()] == "/".join(("segue", *INSTALLED))


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    with pytest.raises(SegueError, match="E451"):
        shipped().write_imported(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(SegueError, match="E451"):
        shipped().copy_to(tmp_path / "file" / "workspace")


def test_it_knows_whether_the_kernel_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Service.open(WORKSPACE, tmp_path):
        assert is_compiled()
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "empty"))
    assert not is_compiled()


def test_a_copy_holds_no_data_folder(tmp_path: Path) -> None:
    (tmp_path / "example" / ".segue").mkdir(parents=True)
    (tmp_path / "example" / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    Retail(tmp_path / "example").copy_to(tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["segue.yaml"]
