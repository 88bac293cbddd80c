"""Whether a client of one OpenAPI document can go on with another: additions may come, nothing may go.

What the server takes may only widen, what it answers may only narrow or grow by keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]


def breaks(old: Document, new: Document) -> list[str]:
    """Every way in which a client of the old document would be let down, with its place."""
    return sorted(set(_Comparison(old, new).paths()))


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new
        self._compared: set[tuple[str, str, bool]] = set()

    def paths(self) -> Iterator[str]:
        for path, methods in self._old["paths"].items():
            for method, before in methods.items():
                place = f"{method.upper()} {path}"
                after = self._new["paths"].get(path, {}).get(method)
                if after is None:
                    yield f"{place} is gone"
                else:
                    yield from self._operation(place, before, after)

    def _operation(self, place: str, before: Document, after: Document) -> Iterator[str]:
        yield from self._parameters(place, before, after)
        yield from self._body(place, before, after)
        yield from self._answers(place, before, after)
        kept = after.get("security", [])
        for each in before.get("security", []):
            if each not in kept and kept:
                yield f"{place} is not open to {' and '.join(each) or 'anyone'} any more"
        if not before.get("security") and kept:
            yield f"{place} asks for a credential"

    def _parameters(self, place: str, before: Document, after: Document) -> Iterator[str]:
        old = {(each["in"], each["name"]): each for each in before.get("parameters", ())}
        new = {(each["in"], each["name"]): each for each in after.get("parameters", ())}
        for key, each in old.items():
            where = f"{place}, {key[0]} {key[1]}"
            if key not in new:
                yield f"{where} is gone"
            else:
                yield from self._schema(where, each["schema"], new[key]["schema"], taken=True)
        for key in new.keys() - old.keys():
            if new[key].get("required"):
                yield f"{place}, {key[0]} {key[1]} is asked for"

    def _body(self, place: str, before: Document, after: Document) -> Iterator[str]:
        old, new = before.get("requestBody"), after.get("requestBody")
        if new is not None and new.get("required") and (old is None or not old.get("required")):
            yield f"{place} asks for a body"
        if old is None:
            return
        if new is None:
            yield f"{place} takes no body any more"
            return
        yield from self._contents(f"{place}, body", old["content"], new["content"], taken=True)

    def _answers(self, place: str, before: Document, after: Document) -> Iterator[str]:
        for status, old in before["responses"].items():
            new = after["responses"].get(status)
            if new is None:
                if status.startswith("2"):
                    yield f"{place}, {status} is gone"
                continue
            yield from self._contents(f"{place}, {status}", old.get("content", {}), new.get("content", {}))

    def _contents(self, place: str, old: Document, new: Document, taken: bool = False) -> Iterator[str]:
        for media, before in old.items():
            if media not in new:
                yield f"{place}, {media} is gone"
            else:
                yield from self._schema(place, before.get("schema", {}), new[media].get("schema", {}), taken)

    # ---- schemas -----------------------------------------------------------------------------

    def _schema(self, place: str, old: Any, new: Any, taken: bool) -> Iterator[str]:
        key = (str(old), str(new), taken)
        if key in self._compared:
            return
        self._compared.add(key)
        old, new = _resolved(self._old, old), _resolved(self._new, new)
        yield from _types(place, old, new, taken)
        yield from _values(place, old, new, taken)
        yield from self._keys(place, old, new, taken)
        if "items" in old:
            yield from self._schema(f"{place}[]", old["items"], new.get("items", {}), taken)
        for before, after in zip(old.get("anyOf", ()), new.get("anyOf", ()), strict=False):
            yield from self._schema(place, before, after, taken)

    def _keys(self, place: str, old: Document, new: Document, taken: bool) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, each in before.items():
            if name not in after:
                yield f"{place}.{name} is gone"
            else:
                yield from self._schema(f"{place}.{name}", each, after[name], taken)
        asked, asked_before = set(new.get("required", ())), set(old.get("required", ()))
        if taken:
            yield from (f"{place}.{name} is asked for" for name in asked - asked_before)
        else:
            yield from (f"{place}.{name} may be missing" for name in asked_before - asked)


def _resolved(document: Document, schema: Document) -> Document:
    reference = schema.get("$ref")
    found: Document = document["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema
    return found


def _types(place: str, old: Document, new: Document, taken: bool) -> Iterator[str]:
    before, after = _set_of(old.get("type")), _set_of(new.get("type"))
    lost = bool(after) and not (before and before <= after) if taken else not (after and after <= before)
    if before != after and lost and (before or taken):
        yield f"{place} was {' or '.join(sorted(before)) or 'anything'}, is {' or '.join(sorted(after))}"


def _values(place: str, old: Document, new: Document, taken: bool) -> Iterator[str]:
    before = set(map(str, old.get("enum", [old["const"]] if "const" in old else ())))
    after = set(map(str, new.get("enum", [new["const"]] if "const" in new else ())))
    gone = before - after if taken else after - before
    if before != after and (gone or not (before if taken else after)) and (after if taken else before):
        yield f"{place} has other values: {', '.join(sorted(before ^ after))}"


def _set_of(kind: Any) -> set[str]:
    return set() if kind is None else {kind} if isinstance(kind, str) else set(kind)
