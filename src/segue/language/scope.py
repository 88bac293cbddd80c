"""What a condition may name: the workspace as the checker sees it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from segue.language import tree

_UTC = ZoneInfo("UTC")
EITHER = "either"
"""What a model gives whose definition cannot be read, so that what uses it is not blamed for it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The names in force; None for a kind of name means that it is not checked.

    ``zone`` is the workspace's time zone. ``features`` are checked operands by name.
    ``events`` is the tracking plan: the property names of each event, or None for an
    event whose properties are free. A nested property may be planned as ``product.category``
    or by its top-level key alone. ``models`` says of each model what it gives: "score" or "cluster",
    or :data:`EITHER` of one that is broken itself. ``ahead`` lets windows look ahead, as those of a model's
    target do. ``request`` lets a condition ask what a request says of itself (``request.page``), as the
    audience of an experience does.
    """

    zone: ZoneInfo = _UTC
    segments: AbstractSet[str] | None = None
    lists: AbstractSet[str] | None = None
    features: Mapping[str, tree.Operand] = field(default_factory=dict)
    events: Mapping[str, Collection[str] | None] | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    ahead: bool = False
    request: bool = False
