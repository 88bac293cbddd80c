"""Keys and tokens without a server: they need the data folder and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from segue.access.alone import alone
from segue.domain.errors import SegueError
from tests.cli.segue import here
from tests.cli.shop import Shop, opened


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return opened(tmp_path / "shop")


def test_a_key_is_shown_once(shop: Shop) -> None:
    made = shop.row("keys", "create", "--name", "web", "--kind", "write", "--environment", "production")
    assert made["key"].startswith("segue_write_")
    assert (made["name"], made["kind"], made["state"], made["environment"]) == (
        "web", "write", "on", "production"
    )  # fmt: skip
    for listed in (shop("keys"), shop("keys", "list"), shop("keys", "list", "--json")):
        assert made["id"] in listed.out
        assert made["key"] not in listed.out


def test_for_people(shop: Shop) -> None:
    assert shop("keys").out.split() == [
        "id",
        "name",
        "kind",
        "state",
        "ends_with",
        "environment",
        "rate",
        "expires",
        "only",
        "for",
    ]
    said = shop("keys", "create", "--name", "crm", "--kind", "read", "--expires", "2999-01-01")
    assert re.fullmatch(r"segue_read_\w+\n", said.out)  # what KEY=$(segue keys create …) holds
    assert "not shown again" in said.err
    rotated = shop("keys", "rotate", "crm", "--overlap", "2d")
    assert re.fullmatch(r"segue_read_\w+\n", rotated.out)
    assert "is good until" in rotated.err
    assert shop("keys", "off", "crm").out.count(": off") == 2
    assert shop("keys", "on", "crm").out.count(": on") == 2
    assert shop("keys", "revoke", "crm").out.count(": revoked") == 2
    assert shop("token", "ann").out.count(".") == 2
    assert "signs now" in shop("token", "--rotate").out


def test_whom_a_key_is_for_is_listed(shop: Shop) -> None:
    origins = ("--origin", "https://a.example", "--origin", "https://*.b.example")
    shop("keys", "create", "--name", "web", "--kind", "write", *origins)
    shop("keys", "create", "--name", "mail", "--kind", "write", "--public")
    shop(
        "keys",
        "create",
        "--name",
        "crm",
        "--kind",
        "read",
        "--segments",
        "a,b",
        "--attributes",
        "traits.plan",
    )
    _, *lines = shop("keys").out.splitlines()
    assert lines[0].endswith("  https://a.example; https://*.b.example")
    assert lines[1].endswith("  public")
    assert lines[2].endswith("  segments a, b; attributes traits.plan")


def test_limits_are_listed(shop: Shop) -> None:
    shop.row(
        "keys", "create", "--name", "web", "--kind", "write", "--origin", "https://a.example", "--origin",
        "https://b.example", "--rate", "600/m", "--burst", "5",
    )  # fmt: skip
    shop.row("keys", "create", "--name", "crm", "--kind", "read", "--segments", "b, a", "--segments", "c")
    web, crm = shop.rows("keys", "list")
    assert (web["origins"], web["rate"], web["burst"]) == (
        ["https://a.example", "https://b.example"],
        "600/m",
        5,
    )
    assert crm["segments"] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (["keys", "create", "--name", "x"], "E780", 2),
        (["keys", "create", "--name", "x", "--kind", "owner"], "E780", 2),
        (["keys", "create", "--name", "", "--kind", "read"], "E766", 2),
        (["keys", "create", "--name", "x", "--kind", "read", "--expires", "yesterday"], "E766", 2),
        (["keys", "create", "--name", "x", "--kind", "read", "--expires", "2001-01-01"], "E766", 2),
        (["keys", "create", "--name", "x", "--kind", "write", "--rate", "fast"], "E766", 2),
        (["keys", "create", "--name", "x", "--kind", "write", "--burst", "3"], "E766", 2),
        (["keys", "rotate", "x"], "E767", 1),
        (["keys", "rotate", "x", "--overlap", "long"], "E766", 2),
        (["keys", "revoke"], "E780", 2),
        (["keys", "revoke", "x", "--name", "x"], "E780", 2),
        (["keys", "off", "k_12345678"], "E767", 1),
        (["token"], "E780", 2),
        (["token", "ann", "--rotate"], "E780", 2),
        (["token", "ann", "--overlap", "1d"], "E780", 2),
        (["token", "ann", "--ttl", "soon"], "E768", 2),
        (["token", "ann", "--ttl", "2d"], "E768", 2),
        (["token", " "], "E768", 2),
        (["token", "", "--visitor"], "E768", 2),
        (["token", "ann", "--attributes", "plan"], "E766", 2),
    ],
)
def test_wrong_use(shop: Shop, words: list[str], code: str, status: int) -> None:
    ended = shop(*words)
    assert (ended.status, ended.err.partition(" ")[0]) == (status, code)
    assert shop.rows("keys", "list") == []


def test_tokens(shop: Shop) -> None:
    assert shop.row("token", "ann")["user_id"] == "ann"
    assert shop.row("token", "ann", "--visitor")["user_id"] == "anon:ann"
    assert shop.row("token", "anon:ann", "--visitor")["user_id"] == "anon:ann"
    assert shop.row("token", "--rotate")["kid"] != shop.row("token", "--rotate")["kid"]


def test_keys_can_be_taken_back_while_the_workspace_is_broken(shop: Shop) -> None:
    shop.row("keys", "create", "--name", "leaked", "--kind", "admin")
    (shop.folder / "segue.yaml").write_text("{", encoding="utf-8")
    assert shop.row("keys", "revoke", "leaked")["state"] == "revoked"


def test_a_folder_that_is_in_use_or_not_there(shop: Shop, tmp_path: Path) -> None:
    with alone(shop.folder / ".segue", "segue import"):
        ended = shop("keys", "list")
    assert (ended.status, "E601" in ended.err, "segue import" in ended.err) == (1, True, True)
    ended = here("keys", "list", "--workspace", tmp_path / "misspelt")
    assert (ended.status, "E401" in ended.err) == (1, True)
    assert not (tmp_path / "misspelt").exists()
    (tmp_path / "file").touch()
    with pytest.raises(SegueError, match="E605"), alone(tmp_path / "file" / "data", "segue"):
        pass
