"""The gate: who comes in, what rotation and revocation do, and what is on disk."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from segue.access.gate import Access
from segue.access.keys import Grant, Kind, grant_of
from segue.access.principal import LOCAL, Role
from segue.access.scope import Scope
from segue.domain.errors import SegueError

DAY = 24 * 60 * 60 * 1_000
MINUTE = 60_000
START = 1_795_000_000_000


class Clock:
    """Turned by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(tmp_path: Path, clock: Clock) -> Access:
    return Access(tmp_path, clock)


def code_of(ask: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(SegueError) as refused:
        ask(*arguments)
    return refused.value.diagnostics[0].code


def made(access: Access, kind: Kind, name: str = "shop") -> str:
    return access.create(Grant(name, kind))[0]


def test_a_folder_without_keys_is_open_and_is_left_alone(access: Access, tmp_path: Path) -> None:
    assert access.unlocked
    assert access.every() == []
    assert list(tmp_path.iterdir()) == []


def test_each_kind_opens_its_own_door(access: Access) -> None:
    write, read, admin = (made(access, kind) for kind in Kind)
    assert access.writer(write).name == "shop"
    assert (access.reader(read).role, access.reader(admin).role) == (Role.READ, Role.ADMIN)
    assert code_of(access.reader, write) == "E762"
    assert code_of(access.writer, read) == "E762"
    assert code_of(access.writer, admin) == "E762"
    assert not access.reader(read).edits
    assert access.reader(admin).edits


@pytest.mark.parametrize("word", ["", "x", "segue_write_" + "a" * 40, "\ud800", "a\x00b", "k" * 100_000])
def test_unknown_words(access: Access, word: str) -> None:
    made(access, Kind.WRITE)
    assert code_of(access.writer, word) == "E761"
    assert code_of(access.reader, word) == "E761"


def test_a_key_that_is_nearly_right(access: Access) -> None:
    write = made(access, Kind.WRITE)
    for wrong in (write[:-1], write + "a", write.upper(), " " + write, write[:-1] + "A"):
        assert code_of(access.writer, wrong) == "E761"


def test_the_digest_is_no_key(access: Access) -> None:
    """Whoever reads the file has nothing to come in with."""
    write = made(access, Kind.WRITE)
    (key,) = access.every()
    for word in (key.id, key.digest.hex(), key.digest.decode("latin-1"), key.tail):
        assert code_of(access.writer, word) == "E761"
    assert access.writer(write).key_id == key.id


def test_keys_are_there_after_a_restart(access: Access, tmp_path: Path, clock: Clock) -> None:
    grant = grant_of("shop", Kind.WRITE, {"origins": ["https://shop.example"], "rate": "5/s"})
    text, key = access.create(grant, START + DAY)
    again = Access(tmp_path, clock)
    assert again.every() == [key]
    assert again.writer(text, b"https://shop.example").name == "shop"
    assert code_of(again.writer, text, b"https://evil.example") == "E764"


def test_a_key_expires(access: Access, clock: Clock) -> None:
    text, _ = access.create(Grant("shop", Kind.WRITE), START + DAY)
    clock.now += DAY - 1
    assert access.writer(text).name == "shop"
    clock.now += 1
    assert code_of(access.writer, text) == "E761"


def test_rotation_overlaps(access: Access, clock: Clock) -> None:
    old = made(access, Kind.WRITE)
    new, key, before = access.rotate("shop", DAY)
    assert (key.grant, before.expires) == (before.grant, START + DAY)
    assert access.writer(old).name == access.writer(new).name == "shop"
    clock.now += DAY
    assert code_of(access.writer, old) == "E761"
    assert access.writer(new).name == "shop"


def test_rotation_without_overlap_ends_the_old_one_at_once(access: Access) -> None:
    old = made(access, Kind.READ)
    new, _, _ = access.rotate("shop", 0)
    assert code_of(access.reader, old) == "E761"
    assert access.reader(new).role is Role.READ


def test_rotation_does_not_make_a_key_live_longer(access: Access, clock: Clock) -> None:
    text, _ = access.create(Grant("shop", Kind.WRITE), START + MINUTE)
    new, key, before = access.rotate("shop", DAY)
    assert key.expires == before.expires == START + MINUTE
    clock.now += MINUTE
    assert code_of(access.writer, text) == code_of(access.writer, new) == "E761"


def test_rotating_twice_takes_the_newest(access: Access) -> None:
    made(access, Kind.WRITE)
    _, second, _ = access.rotate("shop", DAY)
    _, third, before = access.rotate("shop", DAY)
    assert before.id == second.id != third.id


def test_revoking_ends_all_keys_of_a_name_for_good(access: Access, tmp_path: Path) -> None:
    old = made(access, Kind.WRITE)
    new, _, _ = access.rotate("shop", DAY)
    assert len(access.revoke("shop")) == 2
    for each in (access, Access(tmp_path)):
        assert code_of(each.writer, old) == code_of(each.writer, new)
        assert [key.state(START) for key in each.every()] == ["revoked", "revoked"]
    (key, _) = access.every()
    assert code_of(access.switch, key.id, True) == "E767"
    assert code_of(access.rotate, key.id, 0) == "E767"


def test_revoking_the_last_key_does_not_open_the_doors(access: Access, tmp_path: Path) -> None:
    made(access, Kind.READ)
    access.revoke("shop")
    assert not access.unlocked
    assert not Access(tmp_path).unlocked


def test_a_leaked_key_can_be_revoked_by_itself(access: Access) -> None:
    leaked = made(access, Kind.WRITE)
    kept = made(access, Kind.WRITE)
    assert len(access.revoke(leaked)) == 1
    assert code_of(access.writer, leaked) == "E761"
    assert access.writer(kept).name == "shop"


def test_off_and_on(access: Access) -> None:
    write, read = made(access, Kind.WRITE), made(access, Kind.READ, "crm")
    access.switch("shop", False)
    access.switch("crm", False)
    assert code_of(access.writer, write) == "E763"
    assert code_of(access.reader, read) == "E761"
    access.switch("shop", True)
    assert access.writer(write).name == "shop"


@pytest.mark.parametrize("word", ["nobody", "k_00000000", "segue_write_" + "a" * 40])
def test_a_key_that_is_not_there(access: Access, word: str) -> None:
    made(access, Kind.WRITE)
    with pytest.raises(SegueError, match="E767") as refused:
        access.revoke(word)
    assert "segue_write_" not in str(refused.value)


def test_a_name_with_keys_of_two_kinds_says_too_little(access: Access) -> None:
    made(access, Kind.WRITE)
    made(access, Kind.READ)
    assert code_of(access.revoke, "shop") == "E767"


# ---- tokens ----------------------------------------------------------------------------------


def test_a_token_opens_its_user(access: Access, clock: Clock) -> None:
    token, principal = access.token("ann", 15 * MINUTE, Scope.of(["vip"], None))
    assert access.reader(token) == principal
    assert access.unlocked, "a token is no key"
    clock.now += 15 * MINUTE - 1
    assert access.reader(token).user_id == "ann"
    clock.now += 1
    assert code_of(access.reader, token) == "E761"
    assert code_of(access.reader, token) == "E761"


def test_tokens_of_another_folder_are_strange(access: Access, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Access(tmp_path / "other")
    access.token("ann", MINUTE)
    token, _ = other.token("ann", MINUTE)
    assert code_of(access.reader, token) == "E761"


def test_rotating_the_secret_keeps_tokens_for_the_overlap(access: Access, clock: Clock) -> None:
    first, _ = access.token("ann", 60 * MINUTE)
    access.rotate_secret(10 * MINUTE)
    second, _ = access.token("ann", 60 * MINUTE)
    assert access.reader(first).expires == START + 10 * MINUTE
    clock.now += 10 * MINUTE
    assert code_of(access.reader, first) == "E761"
    assert access.reader(second).user_id == "ann"


def test_two_secrets_are_good_at_a_time(access: Access) -> None:
    tokens = []
    for _ in range(3):
        tokens.append(access.token("ann", 60 * MINUTE)[0])
        access.rotate_secret(DAY)
    tokens.append(access.token("ann", 60 * MINUTE)[0])
    assert [code_of(access.reader, token) for token in tokens[:2]] == ["E761", "E761"]
    assert [access.reader(token).user_id for token in tokens[2:]] == ["ann", "ann"]


def test_rotating_without_overlap_ends_all_tokens(access: Access, tmp_path: Path) -> None:
    token, principal = access.token("ann", 60 * MINUTE)
    assert access.reader(token).user_id == "ann"
    access.rotate_secret(0)
    assert code_of(access.reader, token) == "E761"
    assert not access.holds(principal)
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert principal.credential is not None
    assert principal.credential.encode() not in files, "what is gone is gone from the file"


def test_many_tokens_are_remembered_within_bounds(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.access.gate.TOKENS_REMEMBERED_MAX", 3)
    tokens = [access.token(f"user {number}", MINUTE)[0] for number in range(10)]
    for number, token in enumerate(tokens * 2):
        assert access.reader(token).user_id == f"user {number % 10}"
    assert len(access._held.read) <= 3


# ---- rights that were there ------------------------------------------------------------------


def test_rights_end_for_those_who_stay(access: Access, clock: Clock) -> None:
    assert access.holds(LOCAL)
    read, admin = made(access, Kind.READ, "crm"), made(access, Kind.ADMIN, "ops")
    token, _ = access.token("ann", MINUTE)
    reader, editor, user = access.reader(read), access.reader(admin), access.reader(token)
    assert not access.holds(LOCAL)
    assert access.holds(reader)
    assert access.holds(editor)
    assert access.holds(user)
    access.revoke("crm")
    access.switch("ops", False)
    clock.now += MINUTE
    assert not any(map(access.holds, (reader, editor, user)))


# ---- the file --------------------------------------------------------------------------------


def test_the_file_holds_no_key_and_is_its_owners_alone(access: Access, tmp_path: Path) -> None:
    old_mask = os.umask(0)
    try:
        texts = [made(access, kind) for kind in Kind]
    finally:
        os.umask(old_mask)
    access.token("ann", MINUTE)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(text.encode() in files for text in texts)
    assert not any(text.rpartition("_")[2].encode() in files for text in texts)
    assert b"shop" in files, "the control: what is kept would be found"


def test_a_file_that_others_could_read_is_closed_to_them(access: Access, tmp_path: Path) -> None:
    made(access, Kind.READ)
    (tmp_path / "access.db").chmod(0o644)
    Access(tmp_path)
    assert (tmp_path / "access.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", [b"no database", b"SQLite format 3\x00" + b"\xff" * 200])
def test_a_damaged_file_opens_nothing(access: Access, tmp_path: Path, damage: bytes) -> None:
    made(access, Kind.READ)
    (tmp_path / "access.db").write_bytes(damage)
    assert code_of(Access, tmp_path) == "E603"


@pytest.mark.parametrize(
    "edit",
    ["UPDATE keys SET revoked = NULL", "UPDATE keys SET enabled = 1", "UPDATE keys SET kind = 'admin'",
     "UPDATE keys SET parts = '{}'", "UPDATE keys SET expires = 9999999999999",
     "UPDATE secrets SET value = ''", "UPDATE secrets SET retires = NULL"],
)  # fmt: skip
def test_a_row_that_is_not_what_was_written_is_damage(access: Access, tmp_path: Path, edit: str) -> None:
    access.create(grant_of("shop", Kind.READ, {"segments": ["vip"]}), START + DAY)
    access.switch("shop", False)
    access.revoke("shop")
    access.token("ann", MINUTE)
    access.rotate_secret(DAY)
    Access(tmp_path)
    with sqlite3.connect(tmp_path / "access.db") as connection:
        connection.execute(edit)
    connection.close()
    assert code_of(Access, tmp_path) == "E603"


def test_one_bit_changes_nothing_unseen(access: Access, tmp_path: Path) -> None:
    """Flipped anywhere in the file, it is either found, or stands where nothing is kept."""
    for kind in Kind:
        made(access, kind, kind.value)
    access.revoke("read")
    access.token("ann", MINUTE)
    path, chance = tmp_path / "access.db", random.Random(7)
    whole = path.read_bytes()
    outcomes = set()
    for _ in range(300):
        damaged = bytearray(whole)
        place = chance.choice([at for at in range(len(whole)) if whole[at]])
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        outcomes.add(outcome(tmp_path, access))
    assert outcomes == {"found", "nothing"}
    path.write_bytes(whole[: len(whole) // 2])
    assert outcome(tmp_path, access) == "found"
    path.write_bytes(whole)
    assert outcome(tmp_path, access) == "nothing"


def outcome(folder: Path, before: Access) -> str:
    try:
        after = Access(folder)
    except SegueError as refused:
        return "found" if refused.diagnostics[0].code in {"E602", "E603"} else str(refused)
    same = (after._held.keys, after._held.secrets) == (before._held.keys, before._held.secrets)
    return "nothing" if same else "unseen"


def test_a_file_of_a_later_version_is_left_alone(access: Access, tmp_path: Path) -> None:
    made(access, Kind.WRITE)
    with sqlite3.connect(tmp_path / "access.db") as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    assert code_of(Access, tmp_path) == "E602"


def test_a_key_that_could_not_be_written_is_not_given_out(access: Access, tmp_path: Path) -> None:
    made(access, Kind.WRITE)
    (tmp_path / "access.db").unlink()
    (tmp_path / "access.db").mkdir()
    assert code_of(access.create, Grant("crm", Kind.READ)) == "E604"
    assert [key.grant.name for key in access.every()] == ["shop"]


def test_who_listens_hears_of_a_change_once_it_holds(access: Access) -> None:
    heard: list[list[str]] = []
    access.listeners.append(lambda: heard.append([key.state(START) for key in access.every()]))
    made(access, Kind.READ)
    access.switch("shop", False)
    access.revoke("shop")
    access.token("ann", MINUTE)
    assert heard == [["on"], ["off"], ["revoked"]]
    access.rotate_secret(0)
    assert len(heard) == 4
