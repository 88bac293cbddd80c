"""Edits by command and over HTTP land in the folder's own files and touch nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.domain.errors import SegueError
from segue.segments.edit import delete_segment, put_segment
from segue.segments.template import write_template
from segue.segments.workspace import load_workspace
from tests.segments.workspaces import CUSTOMERS, shop


def refused(folder: Path, definition: dict[str, object]) -> set[str]:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(SegueError) as found:
        put_segment(folder, definition)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return {each.code for each in found.value.diagnostics}


def of(folder: Path, name: str) -> dict[str, object]:
    return load_workspace(folder, environment={}).segments[name].to_json()


def test_what_stays_the_same_is_not_touched(tmp_path: Path) -> None:
    shop(tmp_path)
    path = put_segment(tmp_path, of(tmp_path, "buyers"))
    assert path.read_text() == CUSTOMERS


def test_one_value_changes_and_remarks_stay(tmp_path: Path) -> None:
    shop(tmp_path)
    path = put_segment(tmp_path, {**of(tmp_path, "buyers"), "owner": "sales@x"})
    assert path.read_text() == CUSTOMERS.replace("owner: crm@x      # ask", "owner: sales@x      # ask")


def test_a_condition_grows_to_several_lines(tmp_path: Path) -> None:
    shop(tmp_path)
    path = put_segment(
        tmp_path, {**of(tmp_path, "big_buyers"), "when": 'segment("buyers")\nand trait.big == true'}
    )
    old = '  when: segment("buyers") and sum("Order Completed".revenue) > 500   # in EUR\n'
    new = '  when: |   # in EUR\n    segment("buyers")\n    and trait.big == true\n'
    assert path.read_text() == CUSTOMERS.replace(old, new)


def test_keys_come_and_go(tmp_path: Path) -> None:
    shop(tmp_path)
    wanted = {**of(tmp_path, "buyers"), "review": "every 90d"}
    del wanted["title"]
    text = put_segment(tmp_path, wanted).read_text()
    assert "  freshness: 60s\n  review: every 90d\n  when: |  # since" in text
    assert "title: Buyers" not in text
    assert of(tmp_path, "buyers") == wanted


def test_a_new_segment_gets_a_file_of_its_name(tmp_path: Path) -> None:
    shop(tmp_path)
    (tmp_path / "segments" / "keen.yaml").write_text(
        "segment: other\nowner: o@x\ndescription: Words.\nwhen: trait.a == 1\n"
    )
    wanted = {"segment": "keen", "owner": "o@x", "description": "Ünï: #1\n\tx", "when": "trait.b == 1"}
    path = put_segment(tmp_path, wanted)
    assert path.name == "keen_2.yaml"
    assert of(tmp_path, "keen") == wanted


def test_a_json_file_stays_json(tmp_path: Path) -> None:
    shop(tmp_path)
    first = {"segment": "one", "owner": "o@x", "description": "Words 😀.", "when": "trait.a == 1"}
    path = tmp_path / "segments" / "more.json"
    path.write_text(json.dumps([first, {**first, "segment": "two"}], indent=1))
    put_segment(tmp_path, {**first, "when": 'trait.a == "x"'})
    assert json.loads(path.read_text()) == [{**first, "when": 'trait.a == "x"'}, {**first, "segment": "two"}]
    delete_segment(tmp_path, "one")
    assert json.loads(path.read_text()) == [{**first, "segment": "two"}]


def test_line_ends_stay(tmp_path: Path) -> None:
    shop(tmp_path)
    path = tmp_path / "segments" / "customers.yaml"
    path.write_bytes(CUSTOMERS.replace("\n", "\r\n").encode())
    put_segment(tmp_path, {**of(tmp_path, "buyers"), "when": "trait.a == 1\nand trait.b == 1", "title": "B"})
    data = path.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert of(tmp_path, "buyers")["when"] == "trait.a == 1\nand trait.b == 1"


def test_what_does_not_hold_together_is_not_written(tmp_path: Path) -> None:
    shop(tmp_path)
    good = of(tmp_path, "buyers")
    assert refused(tmp_path, {**good, "when": 'segment("nobody")'}) == {"E301"}
    assert refused(tmp_path, {**good, "when": 'segment("big_buyers")'}) == {"E306"}
    assert refused(tmp_path, {**good, "colour": "red", "owner": 3}) == {"E420", "E422"}
    assert refused(tmp_path, {**good, "segment": "Buyers"}) == {"E423"}
    assert refused(tmp_path, {**good, "title": "\ud800"}) == {"E454"}
    assert refused(tmp_path, {**good, "priority": float("nan")}) == {"E454"}
    assert refused(tmp_path, {"segment": "new"}) == {"E421"}


def test_anchors_are_left_to_people(tmp_path: Path) -> None:
    shop(tmp_path)
    path = tmp_path / "segments" / "customers.yaml"
    path.write_text(
        CUSTOMERS.replace("owner: crm@x  ", "owner: &who crm@x  ").replace("owner: crm@x\n", "owner: *who\n")
    )
    assert refused(tmp_path, {**of(tmp_path, "buyers"), "owner": "sales@x"}) == {"E452"}
    put_segment(tmp_path, {**of(tmp_path, "big_buyers"), "owner": "sales@x"})
    assert of(tmp_path, "buyers")["owner"] == "crm@x"


def test_a_segment_is_taken_out_with_its_lines(tmp_path: Path) -> None:
    shop(tmp_path)
    path = delete_segment(tmp_path, "big_buyers")
    assert path.read_text() == CUSTOMERS[: CUSTOMERS.index("- segment: big_buyers")]
    assert not delete_segment(tmp_path, "buyers").exists()


def test_a_segment_that_is_referred_to_stays(tmp_path: Path) -> None:
    shop(tmp_path)
    with pytest.raises(SegueError, match="E301"):
        delete_segment(tmp_path, "buyers")
    assert (tmp_path / "segments" / "customers.yaml").read_text() == CUSTOMERS


def test_an_unknown_segment_is_suggested(tmp_path: Path) -> None:
    shop(tmp_path)
    with pytest.raises(SegueError, match=r"(?s)E453.*did you mean big_buyers"):
        delete_segment(tmp_path, "big_buyer")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SegueError, match="E451"):
        write_template(tmp_path / "file" / "below")


WORDS = st.text(
    st.sampled_from(list("ab :#-'\"\\\n\té\u2028😀&*!|>%@`{}[],\x7f\x85")), min_size=1, max_size=20
)


@settings(max_examples=60)
@given(title=WORDS.filter(lambda text: text.strip()), description=WORDS.filter(lambda text: text.strip()))
def test_any_text_is_written_so_that_it_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, title: str, description: str
) -> None:
    folder = shop(tmp_path_factory.mktemp("shop") / "x")
    for name in ("buyers", "big_buyers", "fresh"):
        wanted = {**of(folder, "big_buyers"), "segment": name, "title": title.strip()}
        wanted |= {"description": description.strip(), "when": f'trait.x == "{name}"'}
        put_segment(folder, wanted)
        assert of(folder, name) == wanted
