"""The catalogue over HTTP: items put in, looked at and taken out, as ``segue catalog`` does it with files."""

from __future__ import annotations

from segue.api.answer import Answer, json_answer
from segue.api.doors import Doors
from segue.api.request import BAD_BODY, Request
from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.domain.limits import FINDINGS_MAX, ITEMS_A_REQUEST_MAX
from segue.domain.time import format_instant
from segue.experiences.recommend.catalogue.faults import NOT_AN_ITEM, no_item
from segue.experiences.recommend.catalogue.item import Item, NotAnItemError, item_of
from segue.experiences.recommend.catalogue.mapping import ItemMapping
from segue.service.core import wall_ms

_HINT = 'send {"items": [{"id": "sku-9", "title": "Tea pot", "price": 19.9}]}'
_SOURCE = "http"
_MAPPING = ItemMapping({})


def put(doors: Doors, request: Request) -> Answer:
    """Takes items; one with an id that is there takes its place. Those that are none are told."""
    body = request.json(_HINT)
    unknown = sorted(body.keys() - {"items"})
    if unknown:
        raise refusal(BAD_BODY, f"{unknown[0][:64]} is not known", _HINT)
    rows = body.get("items")
    if not isinstance(rows, list):
        raise refusal(BAD_BODY, '"items" is missing, or is no list', _HINT)
    if len(rows) > ITEMS_A_REQUEST_MAX:
        hint = "send them in several requests, or use `segue catalog import`"
        raise refusal(BAD_BODY, f"more than {ITEMS_A_REQUEST_MAX:,} items", hint)
    items, refused = _read(rows)
    taken = doors.recommender.stocked().take(items, wall_ms(), _SOURCE)
    counts = {"refused": len(refused), "findings": refused[:FINDINGS_MAX]}
    return json_answer({**taken.to_json(), **counts})


def _read(rows: list[Json]) -> tuple[list[Item], list[Json]]:
    """(the items, what keeps the other rows from being items)."""
    items: list[Item] = []
    refused: list[Json] = []
    for place, row in enumerate(rows):
        try:
            if not isinstance(row, dict):
                raise NotAnItemError("it is no JSON object")
            items.append(item_of(*_MAPPING.parts(row)))
        except NotAnItemError as fault:
            refused.append({"index": place, "code": NOT_AN_ITEM, "message": str(fault)})
    return items, refused


def one(doors: Doors, request: Request) -> Answer:
    """An item as it is now; E842 when there is none of this id."""
    name = request.params["id"]
    catalogue = doors.recommender.catalogue
    found = None if catalogue is None else catalogue.item(name)
    if found is None:
        raise no_item(name)
    first = format_instant(found.first_at)
    return json_answer({"item": found.item.to_json(), "version": found.version, "first_at": first})


def delete(doors: Doors, request: Request) -> Answer:
    """Takes an item out; E842 when there is none of this id."""
    name = request.params["id"]
    catalogue = doors.recommender.catalogue
    if catalogue is None or not catalogue.remove(name, wall_ms(), _SOURCE):
        raise no_item(name)
    return Answer(204)
