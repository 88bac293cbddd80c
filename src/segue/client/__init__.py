"""A client of a Segue server: events in, segments, decisions and recommendations out; sync and async."""

try:
    import httpx as httpx
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("segue.client needs httpx: pip install 'segue[client]'") from missing

from segue.client.asynchronous import AsyncClient
from segue.client.errors import ClientError, RefusedError, UndeliveredError, UnreachableError
from segue.client.records import (
    Change,
    Decision,
    Item,
    Membership,
    Passed,
    Preview,
    Recommendations,
    Segment,
    Shown,
    User,
)
from segue.client.synchronous import Client

__all__ = [
    "AsyncClient",
    "Change",
    "Client",
    "ClientError",
    "Decision",
    "Item",
    "Membership",
    "Passed",
    "Preview",
    "Recommendations",
    "RefusedError",
    "Segment",
    "Shown",
    "UndeliveredError",
    "UnreachableError",
    "User",
]
