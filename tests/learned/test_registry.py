"""Versions never change, what was decided stays decided, and what was tampered with is not taken."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.learned.registry import FILE, Registry
from segue.learned.version import ARCHIVED, CANDIDATE, CHAMPION, Version

CARD = {"verdict": {"passed": True}, "horizon_ms": 5, "metrics": {"auc": 0.7}}


def version(name: str = "churn", weight: float = 0.25) -> Version:
    return Version(name, 0, "churn", "score", 1_000, {"weights": [weight, -1.0]}, CARD)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def tampered(folder: Path, *statements: str) -> None:
    """Edit the file as somebody would who knows SQLite."""
    with sqlite3.connect(folder / FILE) as db:
        for statement in statements:
            db.execute(statement)


def test_a_folder_without_models_has_none(registry: Registry) -> None:
    assert registry.versions() == []
    assert registry.champion("churn") is None
    assert registry.moves() == []


def test_versions_are_numbered_by_model(registry: Registry) -> None:
    numbers = [registry.add(version(name)).number for name in ("churn", "habits", "churn")]
    assert numbers == [1, 1, 2]
    assert [(each.name, each.number, each.status) for each in registry.versions()] == [
        ("churn", 1, CANDIDATE), ("churn", 2, CANDIDATE), ("habits", 1, CANDIDATE)
    ]  # fmt: skip


def test_a_version_comes_back_as_it_was(registry: Registry) -> None:
    kept = registry.add(version())
    found = registry.version("churn", 1)
    assert found == kept
    assert (found.passed, found.horizon_ms) == (True, 5)
    assert json.loads(json.dumps(found.document)) == {"weights": [0.25, -1.0]}


def test_one_version_is_in_force(registry: Registry) -> None:
    for _ in range(3):
        registry.add(version())
    registry.promote("churn", 1, None, "passed", 2_000)
    registry.promote("churn", 3, "ada", "the rule is out of season", 3_000)
    assert [each.status for each in registry.versions("churn")] == [ARCHIVED, CANDIDATE, CHAMPION]
    champion = registry.champion("churn")
    assert champion is not None
    assert champion.number == 3
    assert [(move.number, move.status, move.by) for move in registry.moves("churn")][-2:] == [
        (1, ARCHIVED, "ada"), (3, CHAMPION, "ada")
    ]  # fmt: skip


def test_a_rollback_puts_back_the_one_before(registry: Registry) -> None:
    for _ in range(2):
        registry.add(version())
    registry.promote("churn", 1, None, "passed", 1)
    registry.promote("churn", 2, None, "passed", 2)
    assert registry.rollback("churn", "ada", "scores jump", 3).number == 1
    assert [each.status for each in registry.versions("churn")] == [CHAMPION, ARCHIVED]


def test_there_is_nothing_to_roll_back_to(registry: Registry) -> None:
    registry.add(version())
    with pytest.raises(SegueError, match="E868"):
        registry.rollback("churn", "ada", "why", 1)
    registry.promote("churn", 1, None, "passed", 1)
    with pytest.raises(SegueError, match="E868"):
        registry.rollback("churn", "ada", "why", 2)


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_version_that_there_is_not(registry: Registry, number: int) -> None:
    registry.add(version())
    with pytest.raises(SegueError, match="E868"):
        registry.version("churn", number)
    with pytest.raises(SegueError, match="E868"):
        registry.promote("churn", number, "ada", "why", 1)


def test_an_archived_version_is_not_in_force(registry: Registry) -> None:
    registry.add(version())
    registry.promote("churn", 1, None, "passed", 1)
    registry.archive("churn", 1, "ada", "it drifts", 2)
    assert registry.champion("churn") is None


def test_the_file_refuses_to_change_a_version(registry: Registry, tmp_path: Path) -> None:
    registry.add(version())
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        tampered(tmp_path, "UPDATE versions SET document = '{}'")
    with pytest.raises(sqlite3.IntegrityError, match="stays done"):
        tampered(tmp_path, "UPDATE moves SET status = 'champion'")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE versions SET document = '{\"weights\":[9.0,-1.0]}'",
        "UPDATE versions SET document = 'weights'",
        "UPDATE versions SET card = '{}'",
        "UPDATE versions SET made_at = 5",
        "UPDATE versions SET gives = 'cluster'",
        "UPDATE versions SET digest = 'x'",
    ],
)
def test_a_version_that_was_tampered_with_is_refused(
    registry: Registry, tmp_path: Path, statement: str
) -> None:
    registry.add(version())
    registry.promote("churn", 1, None, "passed", 1)
    tampered(tmp_path, "DROP TRIGGER versions_stand", statement)
    with pytest.raises(SegueError, match="E865"):
        registry.champion("churn")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE moves SET status = 'champion' WHERE number = 2",
        "UPDATE moves SET by = 'eve' WHERE status = 'champion'",
        "DELETE FROM moves WHERE id = 2",
        "INSERT INTO moves SELECT 9, 'churn', 2, 'champion', 9, 'eve', 'why', digest FROM moves LIMIT 1",
    ],
)
def test_what_was_decided_cannot_be_rewritten(registry: Registry, tmp_path: Path, statement: str) -> None:
    registry.add(version())
    registry.add(version())
    registry.promote("churn", 1, "ada", "passed", 1)
    tampered(tmp_path, "DROP TRIGGER moves_stand", statement)
    with pytest.raises(SegueError, match="E865"):
        registry.champion("churn")


def test_the_age_of_a_version_is_known_even_so(registry: Registry, tmp_path: Path) -> None:
    assert registry.last_made("churn") is None
    registry.add(version())
    tampered(tmp_path, "DROP TRIGGER versions_stand", "UPDATE versions SET document = 'weights'")
    assert registry.last_made("churn") == 1_000
    assert registry.last_made("habits") is None


def test_a_file_that_is_no_database_is_named(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all, only some bytes" * 50)
    with pytest.raises(SegueError, match="E603"):
        registry.versions()


def test_a_newer_file_is_left_alone(registry: Registry, tmp_path: Path) -> None:
    registry.add(version())
    tampered(tmp_path, "PRAGMA user_version = 9")
    with pytest.raises(SegueError, match="E602"):
        registry.versions()


def test_a_number_that_json_does_not_have_is_never_kept(registry: Registry) -> None:
    with pytest.raises(ValueError, match="JSON"):
        registry.add(version(weight=float("nan")))
    assert registry.versions() == []
