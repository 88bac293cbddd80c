"""The shapes of answers and bodies, as JSON Schema."""

from __future__ import annotations

from segue.domain.event import Json
from segue.domain.limits import ITEMS_A_REQUEST_MAX, RECOMMENDED_MAX

Schema = dict[str, Json]

TEXT: Schema = {"type": "string"}
TRUTH: Schema = {"type": "boolean"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
ANYTHING: Schema = {"type": "object"}
NEXT: Schema = {"type": ["string", "null"], "description": "The cursor of the next page; null on the last."}


def record(required: Schema, optional: Schema | None = None) -> Schema:
    """An object with these keys; more may be added to it in later versions."""
    return {"type": "object", "required": sorted(required), "properties": {**required, **(optional or {})}}


def rows_of(schema: Schema) -> Schema:
    """A list of one kind of row."""
    return {"type": "array", "items": schema}


def named(name: str) -> Schema:
    """A schema of this page, by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


_ATTRIBUTES = record(
    {"traits": ANYTHING, "features": ANYTHING, "scores": ANYTHING}, {"percentiles": ANYTHING}
)
_BEHIND = record({"text": TEXT, "hint": TEXT, "code": MAYBE_TEXT, "late": TRUTH})

_ITEM: Schema = {
    "title": TEXT, "price": {"type": "number"}, "category": TEXT, "url": TEXT, "image": TEXT,
    "available": TRUTH, "attributes": ANYTHING,
}  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "Taken": record({"success": {"const": True}}),
    "Event": {
        "type": "object",
        "description": "A call of the Segment specification. Unknown keys are kept.",
        "properties": {
            "type": {"enum": ["track", "page", "screen", "identify", "group", "alias"]},
            "userId": TEXT, "anonymousId": TEXT, "messageId": TEXT, "event": TEXT, "timestamp": TIME,
            "properties": ANYTHING, "traits": ANYTHING, "context": ANYTHING, "groupId": TEXT,
            "previousId": TEXT,
        },
    },
    "Batch": record({"batch": rows_of(named("Event"))}, {"sentAt": TIME, "context": ANYTHING}),
    "Finding": record(
        {"code": TEXT, "severity": {"enum": ["error", "warning"]}, "message": TEXT, "hint": TEXT},
        {"file": TEXT, "line": COUNT, "column": COUNT},
    ),
    "Problem": record(
        {
            "type": TEXT, "title": TEXT, "status": COUNT, "detail": TEXT, "code": TEXT, "message": TEXT,
            "errors": rows_of(named("Finding")),
        },
        {"success": {"const": False}},
    ),
    "Suppression": record({"user_id": TEXT, "suppressed": TRUTH}),
    "Quality": record(
        {
            "days": rows_of(record({"day": TEXT, "source": TEXT, "accepted": COUNT, "kept": COUNT})),
            "violations": rows_of(record({"what": TEXT, "count": COUNT})),
            "quarantined": rows_of(record({"code": TEXT, "count": COUNT})),
            "non_numeric": rows_of(
                record({"day": TEXT, "source": TEXT, "event": TEXT, "property": TEXT, "count": COUNT})
            ),
            "balance": record({"accepted": COUNT, "processed": COUNT, "in_flight": COUNT, "holds": TRUTH}),
        }
    ),
    "Delivery": record(
        {
            "number": COUNT, "id": TEXT, "trigger": TEXT, "destination": TEXT, "user_id": TEXT,
            "state": {"enum": ["waiting", "pending", "sent", "passed", "dead"]}, "reason": MAYBE_TEXT,
            "attempts": COUNT, "at": TIME, "due": MAYBE_TIME, "changed": TIME,
        },
        {"body": TEXT},
    ),
    "Deliveries": record({"deliveries": rows_of(named("Delivery")), "next": NEXT}),
    "DeadLetters": {
        "type": "object",
        "description": "Which dead letters: all that fit every key, of which there is one at least.",
        "minProperties": 1, "additionalProperties": False,
        "properties": {
            name: {"type": "string", "minLength": 1} for name in ("destination", "trigger", "user", "id")
        },
    },
    "Replayed": record({"replayed": COUNT}),
    "Models": record(
        {
            "models": rows_of(
                record(
                    {
                        "model": TEXT, "kind": TEXT, "gives": TEXT, "status": TEXT, "owner": TEXT,
                        "version": {"type": ["integer", "null"]},
                    },
                    {
                        "scored": TEXT, "rescored_every": TEXT, "refused": TEXT, "made_at": TIME,
                        "passed": {"type": ["boolean", "null"]}, "alarms": rows_of(TEXT),
                        "scored_at": TIME, "behind": _BEHIND,
                        "candidate": record({"version": COUNT, "passed": {"type": ["boolean", "null"]}}),
                    },
                )
            )
        }
    ),
    "Model": record(
        {
            "model": TEXT, "definition": ANYTHING, "versions": rows_of(ANYTHING), "moves": rows_of(ANYTHING),
            "in_force": {"type": ["object", "null"]}, "drift": {"type": ["object", "null"]},
            "looks": rows_of(ANYTHING),
        },
        {"scored_at": MAYBE_TIME, "behind": {**_BEHIND, "type": ["object", "null"]}},
    ),
    "Anomalies": record({"anomalies": rows_of(record({"kind": TEXT, "text": TEXT}))}),
    "Membership": record({"name": TEXT, "since": TIME}),
    "User": record(
        {
            "user_id": TEXT, "known": TRUTH, "segments": rows_of(named("Membership")), "version": COUNT,
            "attributes": _ATTRIBUTES,
        }
    ),
    "Profile": record(
        {
            "user_id": TEXT, "known": TRUTH, "segments": rows_of(named("Membership")), "version": COUNT,
            "attributes": _ATTRIBUTES,
        },
        {
            "merged": rows_of(TEXT), "lists": rows_of(TEXT), "events": COUNT,
            "overrides": rows_of(record({"segment": TEXT, "member": TRUTH, "until": MAYBE_TIME})),
            "score_overrides": rows_of(
                record({"gives": TEXT, "model": TEXT, "value": ANYTHING, "until": MAYBE_TIME})
            ),
            "account": {"anyOf": [record({"id": TEXT, "traits": ANYTHING}), {"type": "null"}]},
            "first_seen": MAYBE_TIME, "last_seen": MAYBE_TIME,
        },
    ),
    "StoredEvent": record(
        {"seq": COUNT, "type": TEXT, "message_id": TEXT, "timestamp": TIME, "received_at": TIME},
        {"name": TEXT, "group_id": TEXT, "properties": ANYTHING, "traits": ANYTHING, "context": ANYTHING},
    ),
    "Events": record({"events": rows_of(named("StoredEvent")), "next": NEXT}),
    "Explanation": record(
        {
            "user_id": TEXT, "segment": TEXT, "as_of": TIME, "member": TRUTH, "since": MAYBE_TIME,
            "leaves_when": MAYBE_TIME, "enters_when": MAYBE_TIME, "missing": rows_of(ANYTHING),
            "decided": record({"by": TEXT, "text": TEXT}, {"sibling": TEXT}),
            "condition": record({"text": TEXT, "holds": TRUTH}),
            "last_change": {"anyOf": [named("Change"), {"type": "null"}]},
        }
    ),
    "Forgotten": record(
        {"user_id": TEXT, "forgotten": TRUTH}, {"lists": rows_of(TEXT), "still_listed": rows_of(TEXT)}
    ),
    "Definition": record(
        {"owner": TEXT, "description": TEXT, "when": TEXT},
        {
            "segment": TEXT, "title": TEXT, "kind": {"enum": ["operational", "strategic"]}, "freshness": TEXT,
            "review": TEXT, "last_reviewed": TEXT, "status": {"enum": ["draft", "active", "archived"]},
            "exclusive": TEXT, "priority": {"type": "integer"},
        },
    ),
    "Segment": record({"name": TEXT, "members": COUNT}, {"when": TEXT, "owner": TEXT, "description": TEXT}),
    "Segments": record({"segments": rows_of(named("Segment"))}),
    "Member": record({"user_id": TEXT, "since": TIME}),
    "Members": record({"members": rows_of(named("Member")), "total": COUNT, "next": NEXT}),
    "Change": record(
        {
            "seq": COUNT, "id": TEXT, "user_id": TEXT, "segment": TEXT, "at": TIME,
            "action": {"enum": ["entered", "left"]}, "cause": record({"type": TEXT}, {"message_id": TEXT}),
        }
    ),
    "Changes": record({"changes": rows_of(named("Change")), "next": COUNT, "evaluated": COUNT}),
    "Condition": record({"when": TEXT}, {"as_of": TEXT}),
    "Preview": record(
        {
            "count": COUNT, "share": {"type": "number"}, "sample": rows_of(TEXT), "as_of": TIME,
            "overlap": {"type": "object", "additionalProperties": COUNT},
        }
    ),
    "ScoresHandedIn": record(
        {
            "scores": rows_of(
                record(
                    {"user_id": TEXT},
                    {"score": {"type": ["number", "string", "null"]}, "cluster": MAYBE_TEXT},
                )
            )
        },
        {"as_of": TEXT, "by": TEXT, "why": TEXT},
    ),
    "ScoresTaken": record(
        {
            "model": TEXT, "rows": COUNT, "written": COUNT, "judged": COUNT, "unknown": COUNT,
            "unknown_users": rows_of(TEXT), "refused": COUNT,
            "refused_rows": rows_of(record({"row": COUNT, "why": TEXT})),
            "version": COUNT, "status": TEXT, "verdict": {"anyOf": [ANYTHING, {"type": "null"}]},
        }
    ),
    "Occasion": record(
        {"slots": rows_of(TEXT)},
        {"user_id": TEXT, "context": ANYTHING, "events": rows_of(named("Event")), "record": TRUTH},
    ),
    "Decision": record(
        {
            "user_id": TEXT, "known": TRUTH, "version": COUNT,
            "slots": {
                "type": "object",
                "additionalProperties": record(
                    {
                        "experience": MAYBE_TEXT, "variant": MAYBE_TEXT, "payload": {}, "reason": TEXT,
                        "passed": rows_of(
                            record({"experience": TEXT, "variant": TEXT, "why": TEXT}, {"text": TEXT})
                        ),
                    },
                    {"text": TEXT},
                ),
            },
        }
    ),
    "RecommendationQuestion": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "user_id": {"type": ["string", "null"]}, "recommendation": {"type": ["string", "null"]},
            "count": {"type": ["integer", "null"], "minimum": 1, "maximum": RECOMMENDED_MAX},
            "recent": {
                "type": ["array", "null"],
                "items": {"anyOf": [TEXT, record({"item": TEXT}, {"weight": {"type": "number"}})]},
            },
            "vector": {"type": ["object", "null"], "additionalProperties": {"type": "number"}},
            "context": {"type": ["object", "null"]}, "filters": {"type": ["object", "null"]},
        },
    },
    "RecommendedItem": record(
        {"id": TEXT, "score": {"type": "number"}, "reason": record({"kind": TEXT, "text": TEXT})}, _ITEM
    ),
    "ItemsHandedIn": record(
        {
            "items": {
                "type": "array",
                "maxItems": ITEMS_A_REQUEST_MAX,
                "items": {
                    "type": "object",
                    "properties": {"id": {"type": ["string", "integer"]}, **_ITEM},
                    "required": ["id"],
                },
            }
        }
    ),
    "ItemsTaken": record(
        {
            "version": COUNT, "added": COUNT, "changed": COUNT, "removed": COUNT, "same": COUNT,
            "refused": COUNT, "findings": rows_of(record({"index": COUNT, "code": TEXT, "message": TEXT})),
        }
    ),
    "CatalogItem": record({"item": record({"id": TEXT}, _ITEM), "version": COUNT, "first_at": TIME}),
    "Recommendations": record(
        {
            "user_id": {"type": ["string", "null"]}, "known": TRUTH, "recommendation": TEXT,
            "items": rows_of(named("RecommendedItem")), "catalog_version": COUNT,
            "model": record({"kind": TEXT, "version": COUNT, "trained_at": MAYBE_TIME}),
        }
    ),
    "Question": record({"query": TEXT}, {"variables": ANYTHING, "operationName": TEXT}),
    "Graph": {
        "type": "object",
        "properties": {"data": {"type": ["object", "null"]}, "errors": rows_of(record({"message": TEXT}))},
    },
    "TokenOrder": record(
        {"user_id": TEXT},
        {"ttl": TEXT, "visitor": TRUTH, "segments": rows_of(TEXT), "attributes": rows_of(TEXT)},
    ),
    "Token": record({"token": TEXT, "user_id": TEXT, "expires": TIME}),
    "Health": record({"status": {"const": "ok"}}),
    "Command": record({"command": TEXT}, {"arguments": ANYTHING}),
    "Any": {},
}  # fmt: skip
"""Every shape there is, by name."""
