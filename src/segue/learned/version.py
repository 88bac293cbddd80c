"""One version of a model: what was learned, from what, how it stood against the rule. It never changes."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from segue import __version__
from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.domain.time import format_duration
from segue.learned.spec import ModelSpec

CANDIDATE, CHAMPION, ARCHIVED = "candidate", "champion", "archived"
STATUSES = (CANDIDATE, CHAMPION, ARCHIVED)
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "lightgbm")


@dataclass(frozen=True, slots=True)
class Version:
    """A model that was learned. ``made_at`` is in ms; ``number`` counts from 1 within the model's name.

    ``document`` is the model (:meth:`segue.learned.model.Model.document`), ``card`` all that people are told
    of it: data, cut-offs, features, metrics, verdict.
    """

    name: str
    number: int
    kind: str
    gives: str
    made_at: int
    document: Mapping[str, Json] = field(repr=False)
    card: Mapping[str, Json] = field(repr=False)
    status: str = CANDIDATE

    @property
    def passed(self) -> bool | None:
        """Whether the gate opened for it; None where there is no gate."""
        verdict = self.card.get("verdict")
        return None if verdict is None else bool(verdict["passed"])

    @property
    def horizon_ms(self) -> int | None:
        """How far ahead it looks."""
        found = self.card.get("horizon_ms")
        return None if found is None else int(found)

    @property
    def digest(self) -> str:
        """A hash of everything but the status, 64 hex digits."""
        whole = [self.name, self.number, self.kind, self.gives, self.made_at, self.document, self.card]
        return hashlib.blake2b(canonical(whole).encode(), digest_size=32).hexdigest()

    def to_json(self) -> dict[str, Json]:
        """As it is listed; the document is left out."""
        return {
            "model": self.name,
            "version": self.number,
            "kind": self.kind,
            "gives": self.gives,
            "status": self.status,
            **self.card,
        }


def hold(version: Version, spec: ModelSpec) -> None:
    """E864 when a version foretells another time or thing than is asked now, or read other features.

    Its ranking might do, but a chance within a quarter is not a chance within a year.
    """
    which = f"version {version.number} of {version.name}"
    learned = version.horizon_ms
    if learned is not None and spec.horizon_ms is not None and learned != spec.horizon_ms:
        said, asked = format_duration(learned), format_duration(spec.horizon_ms)
        message = f"{which} foretells {said}, its target now looks {asked} ahead"
        raise refusal("E864", message, "train it again: over another time, chances are others")
    now = spec.meanings()
    for what, before in version.card.get("meanings", {}).items():
        if what in now and now[what] != before:
            message = f"{which} was learned with the {what} being {before}, which is now {now[what]}"
            raise refusal("E864", message, "train it again: it would be asked for something else")


def canonical(value: Json) -> str:
    """The one spelling of a JSON value; numbers that are no JSON are a ValueError."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def libraries() -> dict[str, str]:
    """The versions of all that takes part in learning."""
    found = {"segue": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
