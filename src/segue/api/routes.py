"""Every route there is, in one list: registered from here, and documented from here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from segue.api import (
    browsers,
    catalog,
    control,
    decide,
    deliveries,
    memberships,
    metrics,
    models,
    people,
    pixels,
    quality,
    recommendations,
    scores,
    sdk,
    segments,
    status,
    tokens,
    tracking,
    users,
)
from segue.api.answer import Answer
from segue.api.doors import Doors
from segue.api.graphql import door as graphql
from segue.api.request import Request
from segue.api.route import Access, Route, Runs
from segue.api.stream import door as stream
from segue.domain.event import TYPES
from segue.domain.limits import PAGE_ROWS, PAGE_ROWS_MAX

_AS_OF = {"as_of": "The moment asked about: a date (its midnight in the workspace's zone) or a date-time."}
_LIMIT = {"limit": f"Rows of a page: {PAGE_ROWS:,} unless said, {PAGE_ROWS_MAX:,} at most."}
_CURSOR = {"cursor": "Where the page before ended: its `next`."}
_AFTER = {"after": "Only changes with a greater `seq`; 0 unless said."}
_SCRIPT = ("text/javascript; charset=utf-8",)
_WRITE_KEY = {"writeKey": "The source's key, for clients that can send no header."}


def _taking(kind: str | None) -> Callable[[Doors, Request], Awaitable[Answer]]:
    def handler(doors: Doors, request: Request) -> Awaitable[Answer]:
        return tracking.take(doors, request, kind)

    return handler


def _tracking(path: str, kind: str | None) -> Route:
    return Route(
        "POST",
        path,
        f"Takes one {kind} event." if kind else "Takes a batch of events.",
        _taking(kind),
        {200: "Taken", 400: "Problem", 413: "Problem", 503: "Problem"},
        runs=Runs.IN_LOOP,
        access=Access.WRITE,
        query=_WRITE_KEY,
        takes="Event" if kind else "Batch",
        tracking=True,
    )


_TRACKING = (
    *(_tracking(f"/v1/{kind}", kind) for kind in TYPES),
    _tracking("/v1/batch", None),
    _tracking("/v1/import", None),
    _tracking("/beacon/v1/batch", None),
    *(
        _tracking(f"/v1/{short}", None if kind == "batch" else kind)
        for short, kind in tracking.SHORT_FORMS.items()
    ),
)


_BROWSERS = (
    Route(
        "GET", "/v1/pixel/{type}", "Takes one event in the address of an image, in base64 or in plain.",
        pixels.take, {200: "", 404: "Problem"}, runs=Runs.IN_LOOP, access=Access.WRITE, tracking=True,
        query=_WRITE_KEY | {"data": "The event: base64 of its JSON."}, gives=("image/gif",),
    ),
    *(
        Route(
            "GET", f"/pixel/v1/{kind}", f"Takes one {kind} event in the address of an image.",
            pixels.take_plain, {200: ""}, runs=Runs.IN_LOOP, access=Access.WRITE, tracking=True,
            query=_WRITE_KEY, gives=("image/gif",),
        )
        for kind in ("track", "page")
    ),
    Route(
        "POST", "/v1/m", "Takes statistics of SDKs about themselves, and drops them.",
        browsers.swallow, {200: "Taken", 413: "Problem"}, runs=Runs.AT_ONCE, access=Access.OPEN,
        query=_WRITE_KEY, takes="Any", tracking=True,
    ),
    Route(
        "GET", "/v1/projects/{writeKey}/settings", "What analytics-next asks for before it sends.",
        browsers.settings, {200: "Any", 400: "Problem", 404: "Problem"}, runs=Runs.AT_ONCE,
        access=Access.OPEN, tracking=True,
    ),
    Route(
        "GET", "/sourceConfig", "What rudder-js asks for before it sends.",
        browsers.source_config, {200: "Any", 401: "Problem"}, runs=Runs.AT_ONCE, access=Access.OPEN,
        tracking=True, query=_WRITE_KEY,
    ),
    Route(
        "GET", "/analytics.js/v1/{writeKey}/analytics.min.js", "The browser script that the operator named.",
        browsers.script, {200: "", 404: "Problem"}, access=Access.OPEN, tracking=True, gives=_SCRIPT,
    ),
    Route(
        "GET", "/analytics-next/bundles/{name}", "A part that this script loads when it needs it.",
        browsers.bundle, {200: "", 404: "Problem"}, access=Access.OPEN, tracking=True, gives=_SCRIPT,
    ),
    Route(
        "GET", "/sdk", "The browser's modules: lasting addresses, integrity hashes, sizes.",
        sdk.listing, {200: "Any"}, runs=Runs.AT_ONCE, access=Access.OPEN, tracking=True,
    ),
    Route(
        "GET", "/sdk/{name}", "A module of the tracker, under its name or under that of its content.",
        sdk.module, {200: "", 304: "", 404: "Problem"}, runs=Runs.AT_ONCE, access=Access.OPEN, tracking=True,
        gives=_SCRIPT,
    ),
)  # fmt: skip

_USERS = (
    Route(
        "GET", "/v1/users/{id}/segments", "The segments a user is in, since when, and the user's attributes.",
        memberships.segments, {200: "User", 304: "", 400: "Problem"}, runs=Runs.IN_LOOP, access=Access.USER,
        scoped=True,
    ),
    Route(
        "GET", "/user/segments", "The same, with the id in the query.",
        memberships.segments_by_query, {200: "User", 304: "", 400: "Problem"}, runs=Runs.IN_LOOP,
        access=Access.USER, scoped=True, query={"user_id": "The user's id, or anon:ID."},
    ),
    Route(
        "GET", "/v1/users/{id}/explain/{segment}", "Why a user is in a segment, or what is missing.",
        users.explain, {200: "Explanation", 400: "Problem", 404: "Problem"}, access=Access.USER, query=_AS_OF,
    ),
    Route(
        "GET", "/v1/users/{id}/events", "The user's events, newest first.",
        users.events, {200: "Events", 400: "Problem"}, access=Access.USER, query=_LIMIT | _CURSOR,
    ),
    Route(
        "GET", "/v1/users/{id}/export", "Everything that is kept about a user.",
        people.export, {200: "Any", 400: "Problem", 503: "Problem"}, runs=Runs.IN_LOOP, access=Access.USER,
        query={"format": "json (unless said), or csv: the events alone, as a table."},
        gives=("application/json", "text/csv; charset=utf-8"),
    ),
    Route(
        "GET", "/v1/users/{id}/suppression", "Whether nothing of a user is stored.",
        people.suppression, {200: "Suppression", 400: "Problem"}, access=Access.ADMIN,
    ),
    Route(
        "PUT", "/v1/users/{id}/suppression", "Stores nothing more of a user, and lets no segment see them.",
        people.suppress, {200: "Suppression", 400: "Problem"}, access=Access.ADMIN,
    ),
    Route(
        "DELETE", "/v1/users/{id}/suppression", "Takes a suppression back.",
        people.admit, {200: "Suppression", 400: "Problem"}, access=Access.ADMIN,
    ),
    Route(
        "GET", "/v1/users/{id}", "A user's profile: segments, attributes, and what else is known.",
        users.profile, {200: "Profile", 304: "", 400: "Problem"}, access=Access.USER, scoped=True,
    ),
    Route(
        "DELETE", "/v1/users/{id}", "Forgets a user: everything kept about them is erased.",
        users.forget, {200: "Forgotten", 400: "Problem"}, access=Access.ADMIN,
    ),
)  # fmt: skip

_SEGMENTS = (
    Route(
        "GET", "/v1/segments", "All segments and their sizes.",
        segments.every, {200: "Segments"}, scoped=True,
    ),
    Route(
        "POST", "/v1/segments/preview", "What a condition would select: count, share, sample, overlap.",
        segments.preview, {200: "Preview", 400: "Problem"}, takes="Condition",
    ),
    Route(
        "GET", "/v1/segments/{name}", "One segment and its size.",
        segments.one, {200: "Segment", 404: "Problem"}, scoped=True,
    ),
    Route(
        "PUT", "/v1/segments/{name}", "Writes a segment into the workspace's files and applies it.",
        segments.put, {200: "Segment", 201: "Segment", 400: "Problem"}, access=Access.ADMIN,
        takes="Definition",
    ),
    Route(
        "DELETE", "/v1/segments/{name}", "Takes a segment out of the workspace's files and applies that.",
        segments.delete, {204: "", 400: "Problem", 404: "Problem"}, access=Access.ADMIN,
    ),
    Route(
        "GET", "/v1/segments/{name}/members", "The members of a segment in order of user id.",
        segments.members, {200: "Members", 304: "", 400: "Problem", 404: "Problem"}, scoped=True,
        query=_AS_OF | _LIMIT | _CURSOR,
    ),
    Route(
        "GET", "/v1/segments/{name}/history", "Who entered and left a segment.",
        segments.history, {200: "Changes", 400: "Problem", 404: "Problem"}, scoped=True,
        query=_AFTER | _LIMIT,
    ),
    Route(
        "GET", "/v1/changes", "The changes of all segments in order; `next` is the `after` of the next page.",
        segments.changes, {200: "Changes", 400: "Problem"}, scoped=True,
        query=_AFTER | {"segment": "Only changes of this segment."} | _LIMIT,
    ),
)  # fmt: skip

_MODELS = (
    Route(
        "GET", "/v1/models", "Every model: its kind, the version in force, when it scores, its alarms.",
        models.listing, {200: "Models"},
    ),
    Route(
        "GET", "/v1/models/{name}", "One model: definition, versions, the card of the one in force, drift.",
        models.one, {200: "Model", 404: "Problem"},
    ),
    Route(
        "POST", "/v1/models/{name}/scores", "Takes scores that were computed elsewhere, for an upload model.",
        scores.put, {200: "ScoresTaken", 400: "Problem", 404: "Problem"}, access=Access.ADMIN,
        takes="ScoresHandedIn",
    ),
)  # fmt: skip

_RECOMMENDATIONS = tuple(
    Route(
        "POST", path, "Items of the catalogue for a user, best first, with score and reason.",
        recommendations.recommend, {200: "Recommendations", 400: "Problem", 404: "Problem"},
        runs=Runs.IN_LOOP, access=Access.READER, scoped=True, takes="RecommendationQuestion",
    )
    for path in ("/v1/personalized-recommendations", "/personalized-recommendations")
)  # fmt: skip

_CATALOG = (
    Route(
        "POST", "/v1/catalog/items", "Puts items into the catalogue; those that are none are told.",
        catalog.put, {200: "ItemsTaken", 400: "Problem", 413: "Problem"}, access=Access.ADMIN,
        takes="ItemsHandedIn",
    ),
    Route(
        "GET", "/v1/catalog/items/{id}", "One item of the catalogue.",
        catalog.one, {200: "CatalogItem", 404: "Problem"},
    ),
    Route(
        "DELETE", "/v1/catalog/items/{id}", "Takes an item out of the catalogue.",
        catalog.delete, {204: "", 404: "Problem"}, access=Access.ADMIN,
    ),
)  # fmt: skip

_DECISIONS = (
    Route(
        "POST", "/v1/decide", "What a user should see in some slots of a page, and why.",
        decide.decide, {200: "Decision", 400: "Problem", 404: "Problem", 503: "Problem"}, runs=Runs.IN_LOOP,
        access=Access.READER, scoped=True, takes="Occasion",
    ),
)  # fmt: skip

_GRAPHQL = (
    Route(
        "POST", "/graphql", "Answers a GraphQL question; docs/schema.graphql holds the schema.",
        graphql.answer, {200: "Graph", 400: "Problem", 501: "Problem"}, runs=Runs.IN_LOOP,
        access=Access.READER, scoped=True, takes="Question",
        gives=("application/json", "application/graphql-response+json"),
    ),
    Route(
        "GET", "/graphql", "Opens a WebSocket for GraphQL subscriptions (graphql-transport-ws).",
        graphql.connect, {400: "Problem", 403: "Problem", 405: "Problem", 501: "Problem"}, runs=Runs.IN_LOOP,
        access=Access.READER, scoped=True, browsing=True,
        query={"token": "The user's token or the key, for browsers: they can send no header here."},
    ),
)  # fmt: skip

_STREAM = (
    Route(
        "GET", "/v1/stream", "Changes as they happen: over WebSocket, else as server-sent events.",
        stream.listen, {200: "", 400: "Problem", 403: "Problem", 503: "Problem"}, runs=Runs.IN_LOOP,
        access=Access.READER, scoped=True, browsing=True, gives=("text/event-stream; charset=utf-8",),
        query={
            "user_id": "Only changes of this user; a token's own user unless said.",
            "segment": "Only changes of this segment.",
            "after": "First those that are stored with a greater `seq`; only new ones unless said.",
            "fired_after": "First messages of triggers with a greater `number`; only new ones unless said.",
            "token": "The user's token or the key, for EventSource alone: it can send no header.",
        },
    ),
)  # fmt: skip

_QUALITY = (
    Route(
        "GET", "/v1/quality", "What became of all events, by day and source, and the account of them.",
        quality.quality, {200: "Quality", 400: "Problem"}, query={"days": "Only the last so many days."},
    ),
    Route(
        "GET", "/v1/quality/anomalies", "What is unusual in the last four weeks.",
        quality.unusual, {200: "Anomalies"},
    ),
)  # fmt: skip

_DELIVERIES = (
    Route(
        "GET", "/v1/deliveries", "What triggers have sent, what waits, what is dead, newest first.",
        deliveries.listing, {200: "Deliveries", 400: "Problem", 503: "Problem"},
        query={
            "trigger": "Only what this trigger fired.",
            "destination": "Only what goes to this destination.",
            "state": "Only those that stand so: waiting, pending, sent, passed or dead.",
            "user": "Only what is about this user.",
            "id": "Only what has this id, as receivers get it.",
            "body": "true shows what is sent, too.",
        } | _LIMIT | _CURSOR,
    ),
    Route(
        "POST", "/v1/deliveries/replay", "Sends dead letters again, after what is pending now.",
        deliveries.replay, {200: "Replayed", 400: "Problem", 503: "Problem"}, access=Access.ADMIN,
        takes="DeadLetters",
    ),
)  # fmt: skip

_SERVER = (
    Route(
        "POST", "/v1/tokens", "Makes a token that opens one user's data, for the user's browser or app.",
        tokens.create, {201: "Token", 400: "Problem"}, access=Access.ADMIN, takes="TokenOrder",
    ),
    Route(
        "GET", "/healthz", "Whether the process answers.",
        status.health, {200: "Health"}, runs=Runs.AT_ONCE, access=Access.OPEN,
    ),
    Route(
        "GET", "/readyz", "Whether events are accepted.",
        status.ready, {200: "Health", 503: "Problem"}, runs=Runs.AT_ONCE, access=Access.OPEN,
    ),
    Route(
        "GET", "/metrics", "How the server does, for Prometheus.",
        metrics.show, {200: ""}, access=Access.READ,
        gives=("text/plain", "application/openmetrics-text"),
    ),
    Route(
        "GET", "/openapi.json", "This description, as OpenAPI 3.1.",
        status.description, {200: "Any"}, runs=Runs.AT_ONCE, access=Access.OPEN,
    ),
    Route(
        "GET", "/docs", "This description, as a page.",
        status.page, {200: ""}, runs=Runs.AT_ONCE, access=Access.OPEN, gives=("text/html; charset=utf-8",),
    ),
    Route(
        "POST", "/control", "Runs a command of the command line; answers with JSON lines.",
        control.run, {200: "", 400: "Problem", 403: "Problem"}, runs=Runs.IN_LOOP, access=Access.TOKEN,
        takes="Command", gives=("application/x-ndjson",),
    ),
)  # fmt: skip

ROUTES: tuple[Route, ...] = (
    *_TRACKING, *_BROWSERS, *_USERS, *_SEGMENTS, *_MODELS, *_DECISIONS, *_RECOMMENDATIONS, *_CATALOG,
    *_GRAPHQL, *_STREAM, *_QUALITY, *_DELIVERIES, *_SERVER,
)  # fmt: skip
"""The first whose path fits answers."""
