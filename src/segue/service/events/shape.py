"""What the values of one property were like, taken up one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from segue.domain.event import Json
from segue.domain.planned import PropertyPlan
from segue.domain.time import parse_instant

KEYS_MAX = 100
"""An object of more different keys is one whose keys are data."""
DEPTH_MAX = 4
_CHOICES_MAX = 10
_TIMES_EACH = 10
"""How often each of a few texts must have been seen, on average, to be taken for all there are."""
_CHOICE_CHARACTERS_MAX = 40
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_URL = re.compile(r"https?://\S+")
_FORMATS = {
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}": _UUID,
    r"https?://\S+": _URL,
}
_PERSONAL = re.compile(
    r"e?_?mail|phone|mobile|first_?name|last_?name|full_?name|surname|address|street|birth|(^|_)ip($|_)|iban|ssn",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Shape:
    """What was seen of one property so far; null counts as absent."""

    depth: int = 0
    seen: int = 0
    kinds: set[str] = field(default_factory=set)
    texts: dict[str, int] = field(default_factory=dict)
    many_texts: bool = False
    formats: set[str] = field(default_factory=lambda: {"time", *_FORMATS})
    emails: bool = False
    parts: dict[str, Shape] = field(default_factory=dict)
    items: Shape | None = None

    def take(self, value: Json) -> None:
        """One value more."""
        self.seen += 1
        self.kinds.add(_kind(value))
        if isinstance(value, str):
            self._take_text(value)
        elif isinstance(value, dict):
            self.take_object(value)
        elif isinstance(value, list) and self.depth < DEPTH_MAX:
            self.items = self.items or Shape(self.depth + 1)
            for item in value:
                if item is not None:
                    self.items.take(item)

    def take_object(self, value: dict[str, Json]) -> None:
        """The values under the keys of one object."""
        if self.depth >= DEPTH_MAX or len(self.parts) > KEYS_MAX:
            return
        for key, part in value.items():
            if part is not None:
                found = self.parts.get(key)
                if found is None:
                    found = self.parts[key] = Shape(self.depth + 1)
                found.take(part)

    def _take_text(self, value: str) -> None:
        if not self.many_texts:
            self.texts[value] = self.texts.get(value, 0) + 1
            self.many_texts = len(self.texts) > _CHOICES_MAX
        if not self.emails and "@" in value:
            self.emails = _EMAIL.fullmatch(value) is not None
        if self.formats:
            self.formats = {each for each in self.formats if _is_of(value, each)}

    def plan(self, name: str, of: int) -> PropertyPlan:
        """What may be planned of it; ``of`` is how many objects could have had it."""
        personal = self.emails or _PERSONAL.search(name) is not None
        kind = self.kinds.pop() if len(self.kinds) == 1 else None
        if kind == "text" and "time" in self.formats:
            kind = "time"
        return PropertyPlan(
            type=kind,
            required=self.seen == of,
            enum=self._choices() if kind == "text" and not personal else (),
            pattern=next(iter(self.formats), None) if kind == "text" and not personal else None,
            pii=personal,
            properties=self.properties() if kind == "object" else None,
            items=None
            if kind != "list" or self.items is None or not self.items.seen
            else self.items.plan("", 0),
        )

    def properties(self) -> dict[str, PropertyPlan] | None:
        """The plans of the parts; None when their keys are data, or there are none."""
        if not self.parts or len(self.parts) > KEYS_MAX:
            return None
        return {name: part.plan(name, self.seen) for name, part in self.parts.items()}

    def _choices(self) -> tuple[str, ...]:
        few = not self.many_texts and self.seen >= _TIMES_EACH * len(self.texts)
        short = all(0 < len(text) <= _CHOICE_CHARACTERS_MAX for text in self.texts)
        return tuple(sorted(self.texts)) if few and short and not self.formats else ()


def _is_of(value: str, form: str) -> bool:
    return parse_instant(value) is not None if form == "time" else _FORMATS[form].fullmatch(value) is not None


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"


def shape_of(objects: Iterable[dict[str, Json]]) -> Shape:
    """What some events' properties were like."""
    whole = Shape()
    for each in objects:
        whole.seen += 1
        whole.take_object(each)
    return whole
