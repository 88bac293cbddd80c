"""A shop with two slots, served; and what its pages ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.api.guarded.guard import bearer
from tests.api.serving import Running, eventually, serving, write_workspace

EXPERIENCES = """
- experience: hero_banner
  owner: content@shop.example
  description: What the start page greets with.
  slot: hero
  goal: {event: Order Completed, where: total > 50, within: 7d}
  fallback: {title: Welcome}
  variants:
    - variant: thanks
      audience: buyers
      priority: 20
      cap: 2 per 7d
      payload: {title: Thanks, html: "<b>you</b>", safe: true}
    - variant: mobile
      audience: request.device == "mobile" and count("Product Viewed", last 7d) > 0
      priority: 10
      payload: {title: Go on}
- experience: trial
  owner: content@shop.example
  description: Half of all are held out.
  slot: foot
  holdout: 0.5
  goal: {when: buyers}
  fallback: {}
  variants:
    - {variant: calm, weight: 50, payload: calm}
    - {variant: loud, weight: 50, payload: loud}
- experience: wide
  owner: content@shop.example
  description: What everyone sees.
  slot: side
  fallback: 0
  variants: [{variant: only, payload: 1}]
"""
PLAN = """
- event: Order Completed
  description: Paid.
  properties: {total: {type: number}}
- event: Product Viewed
  description: Looked at.
"""


@contextmanager
def shop(folder: Path, experiences: str = EXPERIENCES) -> Iterator[Running]:
    """A running server whose tracking plan holds back what it does not name."""
    workspace = write_workspace(folder / "workspace")
    for name, text in (("experiences", experiences), ("events", PLAN)):
        (workspace / name).mkdir()
        (workspace / name / "all.yaml").write_text(text, encoding="utf-8")
    (workspace / "segue.yaml").write_text("timezone: UTC\nevents: {mode: block}\n", encoding="utf-8")
    with serving(folder) as running:
        yield running


def ask(server: Running, user: str | None, *slots: str, key: str | None = None, **more: Any) -> Any:
    """The answer to a question, which has to be one."""
    body = {"slots": slots or ("hero",), **({} if user is None else {"user_id": user}), **more}
    found = server.http.post("/v1/decide", json=body, headers=bearer(key) if key else {})
    assert found.status_code == 200, found.text
    return found.json()


def variant(server: Running, user: str, slot: str = "hero", **more: Any) -> str | None:
    """The variant that somebody is given."""
    found: str | None = ask(server, user, slot, **more)["slots"][slot]["variant"]
    return found


def exposures(server: Running, user: str) -> list[tuple[str, str]]:
    """(event, variant) of what was recorded of somebody, oldest first."""
    events = server.http.get(f"/v1/users/{user}/events").json()["events"]
    found = [each for each in reversed(events) if each.get("name", "").startswith("Experience ")]
    return [(each["name"], each["properties"]["variant"]) for each in found]


def buy(server: Running, user: str, total: int = 60) -> None:
    """An order, evaluated."""
    server.track(user, "Order Completed", total=total)
    eventually(lambda: "buyers" in server.segments_of(user))
