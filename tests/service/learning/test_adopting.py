"""A group that a model found becomes a segment in the workspace's files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.learned.card import render
from segue.learned.registry import Registry
from segue.segments.override import ScoreOverride
from segue.service.learning.adopting import adopt
from segue.service.learning.overriding import override_score
from segue.service.learning.training import train
from segue.service.service import Service
from tests.service.learning.grouped import SIZES, shop


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with shop(tmp_path) as found:
        assert train(found, "habits").promoted
        yield found


def group_of(service: Service, kind: str) -> str:
    """The label under which most of a kind of customers are."""
    found = Counter[str]()
    for number in range(SIZES[kind]):
        row = service.row_of(f"{kind}-{number}")
        assert row is not None
        found[service.engine.feed.predictions.of(row)["cluster", "habits"]] += 1
    return found.most_common(1)[0][0]


def test_the_rule_of_a_group_has_the_members_that_it_says(service: Service) -> None:
    label = group_of(service, "lapsed")
    found = adopt(service, "habits", label, "lost")
    version = Registry(service.data).champion("habits")
    assert version is not None
    groups = dict(zip(version.document["labels"], version.document["groups"], strict=True))
    members = {member.user_id for member in service.members("lost")}
    assert len(members) == groups[label]["rule"]["members"]
    assert sum(user.startswith("lapsed") for user in members) >= 0.95 * SIZES["lapsed"]
    assert found.precision > 0.9
    assert found.recall > 0.9
    assert "segment: lost" in (service.folder / "segments/lost.yaml").read_text()
    segment = service.workspace.segments["lost"]
    assert (segment.title, segment.owner) == ("Lost (habits)", "crm@shop.example")


def test_a_segment_is_called_like_its_group_unless_said(service: Service) -> None:
    label = group_of(service, "regulars")
    assert adopt(service, "habits", label, None).segment == label
    assert service.members(label)


def test_later_trainings_leave_an_adopted_segment_alone(service: Service) -> None:
    label = group_of(service, "lapsed")
    adopt(service, "habits", label, "lost")
    before = service.workspace.segments["lost"]
    train(service, "habits")
    assert service.workspace.segments["lost"] == before


def test_groups_keep_their_labels_when_they_are_learned_again(service: Service) -> None:
    before = {kind: group_of(service, kind) for kind in SIZES}
    assert len(set(before.values())) == 3
    train(service, "habits")
    assert {kind: group_of(service, kind) for kind in SIZES} == before


def test_a_name_that_is_taken_is_not_taken_again(service: Service) -> None:
    label = group_of(service, "lapsed")
    adopt(service, "habits", label, "lost")
    with pytest.raises(SegueError, match="E877"):
        adopt(service, "habits", label, "lost")


def test_a_group_that_is_none_is_told_with_those_there_are(service: Service) -> None:
    with pytest.raises(SegueError, match=r"(?s)E876.*did you mean|its groups are"):
        adopt(service, "habits", "nobody", None)
    with pytest.raises(SegueError, match="E860"):
        adopt(service, "habit", "nobody", None)


def test_nobody_is_put_into_a_group_that_is_none(service: Service) -> None:
    with pytest.raises(SegueError, match=r"(?s)E880.*no group nobody"):
        override_score(service, ScoreOverride("lapsed-1", "cluster", "habits", "nobody"))
    label = group_of(service, "regulars")
    override_score(service, ScoreOverride("lapsed-1", "cluster", "habits", label))
    row = service.row_of("lapsed-1")
    assert row is not None
    assert service.engine.feed.predictions.of(row)["cluster", "habits"] == label


def test_before_a_training_there_is_nothing_to_adopt(tmp_path: Path) -> None:
    with shop(tmp_path) as service, pytest.raises(SegueError, match=r"(?s)E876.*segue train habits"):
        adopt(service, "habits", "any", None)


def test_the_card_shows_each_group_with_its_rule(service: Service) -> None:
    version = Registry(service.data).champion("habits")
    assert version is not None
    text = render("habits", version.number, version.status, version.card)
    for group in version.card["groups"]:
        assert f"group      {group['label']}: {group['size']:,} users" in text
        assert group["rule"]["when"].split("\n")[0] in text
    lapsed = next(each for each in version.card["groups"] if each["label"] == group_of(service, "lapsed"))
    assert 150 < lapsed["centre"]["since_last"] < 350
    assert sum(each["size"] for each in version.card["groups"]) == sum(SIZES.values())
