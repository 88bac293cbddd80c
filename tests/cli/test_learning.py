"""``segue train`` and ``segue compare`` as people and programs use them."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.segue import here
from tests.cli.shop import Shop
from tests.service.learning.behaving import BUYS, shop


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose model is trained."""
    folder = tmp_path_factory.mktemp("learning")
    habits = "model: habits\nowner: o@x\ndescription: Groups.\nready: habits\nevent: Order\n"
    with shop(folder, BUYS, habits) as service:
        assert service.workspace.model_specs.keys() == {"buys", "habits"}
    (folder / "data").rename(folder / "ws" / ".segue")
    found = Shop(folder / "ws")
    assert found("train", "buys").status == 0
    return found


def test_training_all_tells_of_each_and_ends_with_1_when_one_is_refused(made: Shop) -> None:
    ended = made("train")
    assert ended.status == 1
    assert "buys, version 2: champion" in ended.out
    assert "habits: not learned" in ended.out
    assert "E862" in ended.out


def test_training_one_that_is_refused_is_a_refusal(made: Shop) -> None:
    ended = made("train", "habits")
    assert ended.status == 1
    assert ended.err.startswith("E862")


def test_training_for_programs(made: Shop) -> None:
    row = made.row("train", "buys")
    assert (row["model"], row["status"], row["gives"]) == ("buys", "champion", "score")
    assert row["verdict"]["passed"] is True
    assert row["why"].startswith("passed")


def test_comparing_for_people_and_programs(made: Shop) -> None:
    said = made("compare", "recent", "buys").out
    assert "accuracy at" in said
    assert "members now" in said
    row = made.row("compare", "recent", "buys", "--threshold", "0.7")
    assert row["model"]["threshold"] == 0.7


def test_the_plot_is_written(made: Shop, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "gains.svg"
    assert made("compare", "recent", "buys", "--plot", file).status == 0
    assert ET.parse(file).getroot().tag.endswith("svg")


def test_the_calibration_is_drawn(made: Shop, tmp_path: Path) -> None:
    file = tmp_path / "calibration.svg"
    assert made("models", "buys", "--plot", file).out.startswith(str(file))
    circles = ET.parse(file).getroot().findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 10
    assert made("models", "habits", "--plot", file).err.startswith("E864")


def test_a_model_that_there_is_not(made: Shop) -> None:
    ended = made("compare", "recent", "nothing")
    assert (ended.status, ended.err[:4]) == (1, "E860")
    assert here("train", "x", "y", "--workspace", made.folder).status == 2


def test_a_model_that_is_not_asked_any_more_is_told_by_every_command(made: Shop, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "ws")
    shop = Shop(tmp_path / "ws")
    with sqlite3.connect(shop.folder / ".segue/models.db") as database:
        database.execute("DROP TRIGGER versions_stand")
        database.execute("UPDATE versions SET document = '{}'")
    fault = "of buys is not as it was written"
    events = tmp_path / "more.csv"
    events.write_text("user_id,timestamp,event\nc1,2024-10-01T00:00:00Z,Order\n")
    assert fault in shop("import", events).out.split("nobody was scored anew by buys: ")[1]
    checked = shop("check")
    assert (checked.status, "W116 at models/" in checked.out) == (0, True)
    assert [each["code"] for each in shop.row("check")["warnings"]].count("W116") == 1
    listed = shop("models").out
    assert f"{fault}); what it said until " in listed
    assert "roll back to a version that loads, or train the model again" in listed
    assert fault in shop("models", "buys").out
    assert shop("train", "buys").status == 0
    assert "W116" not in shop("check").out


def test_a_folder_without_data_is_checked_as_before(made: Shop, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "ws", ignore=shutil.ignore_patterns(".segue"))
    shop = Shop(tmp_path / "ws")
    assert "W11" not in shop("check").out
    assert not (tmp_path / "ws/.segue").exists()
