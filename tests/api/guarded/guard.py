"""A server with keys, and what each of its askers sends."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.api.serving import Running, eventually
from tests.cli.segue import here


@dataclass
class Guarded:
    """A running server whose keys were made by command beside it."""

    server: Running
    keys: dict[str, str] = field(default_factory=dict)

    def segue(self, *words: str | Path) -> Any:
        """What a command answers, as one object."""
        return self.rows(*words)[0]

    def rows(self, *words: str | Path) -> list[Any]:
        """What a command answers; it has to end well."""
        folder = self.server.folder
        ended = here(*words, "--json", "--workspace", folder / "workspace", "--data", self.server.data)
        assert ended.status == 0, ended.err
        return ended.rows

    def key(self, name: str, kind: str, *words: str) -> str:
        """A new key."""
        made: str = self.segue("keys", "create", "--name", name, "--kind", kind, *words)["key"]
        return made

    def token(self, *words: str) -> str:
        """A new token."""
        made: str = self.segue("token", *words)["token"]
        return made

    def send(self, user: str, event: str = "Order Completed", **fields: Any) -> None:
        """An event of the source "shop", taken and evaluated."""
        body = {"userId": user, "event": event, **fields}
        answer = self.server.http.post("/v1/track", json=body, headers=bearer(self.keys["write"]))
        assert answer.status_code == 200

    def knows(self, user: str) -> bool:
        """Whether anything of a user was evaluated."""
        found = self.server.http.get(
            "/user/segments", params={"user_id": user}, headers=bearer(self.keys["read"])
        )
        return bool(found.json()["known"])

    def await_users(self, *users: str) -> None:
        """Until all of them are known."""
        eventually(lambda: all(map(self.knows, users)))


def bearer(word: str) -> dict[str, str]:
    """A key or token as most send it."""
    return {"Authorization": f"Bearer {word}"}


def basic(word: str, colon: str = ":") -> dict[str, str]:
    """A key as SDKs send it."""
    return {"Authorization": "Basic " + base64.b64encode(f"{word}{colon}".encode()).decode()}


def guard(server: Running) -> Guarded:
    """One key of each kind, and some that are good for nothing."""
    made = Guarded(server)
    made.keys = {
        "write": made.key("shop", "write"),
        "read": made.key("crm", "read"),
        "scoped": made.key("mailer", "read", "--segments", "buyers,gone", "--attributes", "traits.plan"),
        "admin": made.key("ops", "admin"),
        "revoked": made.key("old", "read"),
        "revoked admin": made.key("old ops", "admin"),
        "expired": made.key("past", "admin", "--expires", "1ms"),
        "off": made.key("resting", "admin"),
        "another server's": "segue_admin_" + "a" * 40,
    }
    made.segue("keys", "revoke", "old")
    made.segue("keys", "revoke", "old ops")
    made.segue("keys", "off", "resting")
    return made
