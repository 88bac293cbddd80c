"""The properties of events as columns beside their JSON, so that a program reads them without it.

A column holds what the values are alike in: numbers as doubles, texts, or the JSON text of anything. Those of
absent properties and of null are missing, which is what every reading takes them for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from segue.domain.number import double_of
from segue.log.shape import Kind, Property, Shape

COLUMNS_MAX = 64
"""Properties with a column of their own; the others are read from the JSON."""
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder().decode
_MISSING = (b"", b"null")
_NUMBERS = frozenset(b"-0123456789")
_TEXT = b'"'


def typed(texts: Iterable[str]) -> tuple[Shape, dict[str, npt.NDArray[Any]]]:
    """The shape of a file of events with these properties (JSON objects), and its further columns."""
    events = [_decode(text) for text in texts]
    often = Counter(key for event in events for key in event)
    chosen = sorted(key for key, _ in often.most_common(COLUMNS_MAX))
    properties: list[Property] = []
    columns: dict[str, npt.NDArray[Any]] = {}
    for place, key in enumerate(chosen):
        spelled = [bytes(event[key]) if key in event else b"" for event in events]
        kind = _kind_of(spelled)
        column = f"p{place}"
        properties.append(Property(key, column, kind))
        columns[column] = _column(spelled, kind)
    return Shape(tuple(properties), whole=len(often) <= COLUMNS_MAX), columns


def _kind_of(spelled: Sequence[bytes]) -> Kind:
    """What all values are that there are."""
    firsts = {text[:1] for text in spelled if text not in _MISSING}
    if firsts <= {_TEXT}:
        return "text"
    return "number" if all(first[0] in _NUMBERS for first in firsts) else "json"


def _column(spelled: Sequence[bytes], kind: Kind) -> npt.NDArray[Any]:
    if kind == "number":
        return np.array([_double(text) for text in spelled], np.float64)
    known: dict[bytes, str | None] = dict.fromkeys(_MISSING)
    for text in spelled:
        if text not in known:
            known[text] = _value(text) if kind == "text" else text.decode()
    column = np.empty(len(spelled), dtype=object)
    column[:] = [known[text] for text in spelled]
    return column


def _double(text: bytes) -> float:
    """NaN for what is missing, or no double."""
    found = None if text in _MISSING else double_of(_value(text))
    return np.nan if found is None else found
