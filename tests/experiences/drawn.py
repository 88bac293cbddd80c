"""Random experiences as files, and random requests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from hypothesis import strategies as st

from segue.domain.errors import SegueError
from segue.domain.time import DAY, HOUR, format_instant
from segue.language.speller import spell
from segue.segments.workspace import load_workspace
from tests.service.test_laws import possible
from tests.strategies.conditions import conditions
from tests.strategies.vocabulary import START_MS

SLOTS = ("hero", "hero", "hero", "foot")
REQUESTS = (
    'request.device == "mobile"',
    'request.device in ["mobile", "tablet"]',
    'not (request.page.path starts with "/sale")',
    "request.visits >= 3",
    "request.visits + 1 > request.limit",
    "request.device is missing",
    'request.page.tags contains "new"',
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "device": st.sampled_from(("mobile", "tablet", "desktop", 5, None)),
        "page": st.sampled_from(({"path": "/sale/x"}, {"path": "/"}, {"tags": ["new", 1]}, "x", {})),
        "visits": st.sampled_from((1, 2, 3, "3", 2.5, 10**30)),
        "limit": st.sampled_from((3, 4, None)),
    },
)
_moments = st.sampled_from([START_MS + offset for offset in (0, HOUR, DAY, 2 * DAY, 7 * DAY)])
_UNSEEN = re.compile(r"nobody can see (\w+), (\w+):")


def audiences(zone: ZoneInfo, segments: tuple[str, ...]) -> st.SearchStrategy[str | None]:
    """A segment's name, a condition about the user, about the request, or about both."""
    spelled = conditions(zone, segments).filter(possible).map(spell)
    requests = st.sampled_from(REQUESTS)
    both = st.tuples(spelled, requests, st.sampled_from(("and", "or", "and not"))).map(
        lambda found: f"({found[0]}) {found[2]} ({found[1]})"
    )
    nested = st.tuples(both, spelled).map(lambda found: f"not ({found[0]}) and ({found[1]})")
    options: list[st.SearchStrategy[Any]] = [st.none(), st.none(), spelled, requests, both, both, nested]
    if segments:
        options.append(st.sampled_from(segments))
    return st.one_of(options)


@st.composite
def experiences(draw: st.DrawFn, zone: ZoneInfo, segments: tuple[str, ...]) -> list[dict[str, Any]]:
    """One to three experiences, every variant with a weight, so that no two are at odds."""
    found: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 3))):
        slot = draw(st.sampled_from(SLOTS))
        each: dict[str, Any] = {
            "experience": f"e{number}", "owner": "o@x", "description": "Drawn by lot.", "slot": slot,
            "holdout": draw(st.sampled_from((0, 0.3, 0.6, 0.9))),
            "variants": [
                _variant(draw, f"v{at}", audiences(zone, segments)) for at in range(draw(st.integers(1, 4)))
            ],
        }  # fmt: skip
        if all(other["slot"] != slot for other in found):
            each["fallback"] = {"of": slot}
        if draw(st.integers(0, 4)) == 0:
            each["starts"] = format_instant(draw(_moments))
        found.append(each)
    return found


def _variant(draw: st.DrawFn, name: str, audience: st.SearchStrategy[str | None]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "variant": name,
        "payload": {"is": name},
        "priority": draw(st.sampled_from((-1, 0, 0, 0, 1))),
        "weight": draw(st.sampled_from((1, 1, 2, 50, 0.5))),
    }
    text = draw(audience)
    if text is not None:
        found["audience"] = text
    if draw(st.integers(0, 3)) == 0:
        found["cap"] = draw(st.sampled_from(("1 per 1d", "2 per 7d", "1 per 1h")))
    for key in ("starts", "ends"):
        if draw(st.integers(0, 5)) == 0:
            found[key] = format_instant(draw(_moments))
    return found


def write(folder: Path, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that pass the checks, written: variants that nobody can see are taken out one after another."""
    path = folder / "experiences" / "drawn.yaml"
    path.parent.mkdir(exist_ok=True)
    while True:
        path.write_text(yaml.safe_dump(found, allow_unicode=True, sort_keys=False), encoding="utf-8")
        if not found:
            path.unlink()
            return found
        try:
            load_workspace(folder)
        except SegueError as refused:
            gone = {named for each in refused.diagnostics for named in _UNSEEN.findall(each.message)}
            if not gone:
                raise
            found = _without(found, gone)
        else:
            return found


def _without(found: list[dict[str, Any]], gone: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """Without some variants; an experience without any is gone, and its slot keeps a fallback."""
    kept: list[dict[str, Any]] = []
    for each in found:
        variants = [v for v in each["variants"] if (each["experience"], v["variant"]) not in gone]
        if variants:
            kept.append({**each, "variants": variants})
    for slot in {each["slot"] for each in kept}:
        sharing = [each for each in kept if each["slot"] == slot]
        if all("fallback" not in each for each in sharing):
            sharing[0]["fallback"] = {"of": slot}
    return kept
