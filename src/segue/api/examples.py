"""One example of each shape, shown in the OpenAPI document; a test holds each to its schema."""

from __future__ import annotations

from segue.domain.event import Json

_AT = "2026-11-22T10:00:00.000Z"
_EVENT: Json = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "messageId": "m-1",
    "timestamp": _AT,
    "properties": {"revenue": 59.9, "currency": "EUR"},
}
_CHANGE: Json = {
    "seq": 42,
    "id": "chg_42",
    "user_id": "u1",
    "segment": "buyers",
    "action": "entered",
    "at": _AT,
    "cause": {"type": "event", "message_id": "m-1"},
}
_SEGMENT: Json = {
    "name": "buyers",
    "owner": "crm@shop.example",
    "description": "Has ordered.",
    "when": 'count("Order Completed") >= 1',
    "members": 1,
}
_FINDING: Json = {
    "code": "E701",
    "severity": "error",
    "message": "there is no segment 'byers'",
    "hint": "did you mean buyers?",
}

_DELIVERY: Json = {
    "number": 7,
    "id": "chg_42",
    "trigger": "welcome_vip",
    "destination": "crm",
    "user_id": "u1",
    "state": "sent",
    "reason": None,
    "attempts": 1,
    "at": _AT,
    "due": None,
    "changed": _AT,
}

_RECOMMENDED: Json = {
    "id": "sku-9",
    "title": "Tea pot",
    "price": 19.9,
    "available": True,
    "score": 1.08,
    "reason": {"kind": "bought_with", "text": "bought with sku-7", "item": "sku-7"},
}

EXAMPLES: dict[str, Json] = {
    "Deliveries": {"deliveries": [_DELIVERY], "next": None},
    "DeadLetters": {"destination": "crm"},
    "Replayed": {"replayed": 3},
    "Taken": {"success": True},
    "Event": _EVENT,
    "Batch": {"batch": [_EVENT], "sentAt": _AT},
    "Problem": {
        "type": "urn:segue:error:E701",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no segment 'byers'. did you mean buyers?",
        "code": "E701",
        "message": "there is no segment 'byers'",
        "errors": [_FINDING],
    },
    "User": {
        "user_id": "u1",
        "known": True,
        "segments": [{"name": "buyers", "since": _AT}],
        "attributes": {"traits": {"plan": "pro"}, "features": {"orders": 1}, "scores": {}},
        "version": 1207,
    },
    "Profile": {
        "user_id": "u1",
        "known": True,
        "segments": [{"name": "buyers", "since": _AT}],
        "attributes": {"traits": {"plan": "pro"}, "features": {"last_shop": "Berlin"}, "scores": {}},
        "version": 1207,
        "merged": ["anon:a1"],
        "account": {"id": "acme", "traits": {"industry": "Finance"}},
        "lists": ["press"],
        "overrides": [],
        "score_overrides": [],
        "first_seen": _AT,
        "last_seen": _AT,
        "events": 1,
    },
    "Models": {
        "models": [
            {
                "model": "churn",
                "kind": "churn",
                "gives": "score",
                "status": "active",
                "owner": "crm@shop.example",
                "scored": "as events come",
                "rescored_every": "1d",
                "version": 3,
                "made_at": _AT,
                "passed": True,
                "alarms": [],
            }
        ]
    },
    "Model": {
        "model": "churn",
        "definition": {"model": "churn", "owner": "crm@shop.example", "ready": "churn"},
        "versions": [{"version": 3, "status": "champion", "made_at": _AT, "passed": True, "metrics": {}}],
        "moves": [{"model": "churn", "version": 3, "status": "champion", "at": _AT, "why": "trained"}],
        "in_force": {"model": "churn", "version": 3, "kind": "churn", "status": "champion"},
        "drift": {"model": "churn", "version": 3, "at": _AT, "since": _AT, "profiles": 4336, "shift": 0.02},
        "looks": [],
    },
    "Events": {
        "events": [
            {
                "seq": 1207,
                "type": "track",
                "message_id": "m-1",
                "timestamp": _AT,
                "received_at": _AT,
                "name": "Order Completed",
                "properties": {"revenue": 59.9},
            }
        ],
        "next": None,
    },
    "Explanation": {
        "user_id": "u1",
        "segment": "buyers",
        "as_of": _AT,
        "member": True,
        "decided": {"by": "condition", "text": "the condition holds"},
        "since": _AT,
        "last_change": _CHANGE,
        "leaves_when": None,
        "enters_when": None,
        "condition": {"kind": "compare", "text": 'count("Order Completed") >= 1', "holds": True},
        "missing": [],
    },
    "Forgotten": {"user_id": "u1", "forgotten": True},
    "Definition": {
        "owner": "crm@shop.example",
        "description": "Has ordered.",
        "when": 'count("Order Completed") >= 1',
    },
    "Segment": _SEGMENT,
    "Segments": {"segments": [_SEGMENT]},
    "Members": {"members": [{"user_id": "u1", "since": _AT}], "total": 1, "next": None},
    "Changes": {"changes": [_CHANGE], "next": 42, "evaluated": 1_207},
    "Condition": {"when": 'count("Order Completed", last 30d) >= 3', "as_of": "2026-11-01"},
    "Preview": {"count": 1, "share": 0.5, "sample": ["u1"], "as_of": _AT, "overlap": {"buyers": 1}},
    "ItemsHandedIn": {
        "items": [{"id": "sku-9", "title": "Tea pot", "price": 19.9, "category": "pots", "brand": "Acme"}]
    },
    "ItemsTaken": {
        "version": 13,
        "added": 1,
        "changed": 0,
        "removed": 0,
        "same": 0,
        "refused": 1,
        "findings": [{"index": 1, "code": "E841", "message": "it has no id"}],
    },
    "CatalogItem": {
        "item": {"id": "sku-9", "title": "Tea pot", "price": 19.9, "available": True},
        "version": 13,
        "first_at": _AT,
    },
    "ScoresHandedIn": {"scores": [{"user_id": "u1", "score": 0.7}, {"user_id": "u2", "score": None}]},
    "ScoresTaken": {
        "model": "bank",
        "rows": 2,
        "written": 2,
        "judged": 0,
        "unknown": 0,
        "unknown_users": [],
        "refused": 0,
        "refused_rows": [],
        "version": 1,
        "status": "champion",
        "verdict": None,
    },
    "Occasion": {
        "user_id": "u1",
        "slots": ["hero"],
        "context": {"page": {"path": "/shoes"}, "device": "mobile", "locale": "de-AT"},
        "events": [{"event": "Product Viewed", "properties": {"product_id": "p1"}}],
    },
    "Decision": {
        "user_id": "u1",
        "known": True,
        "slots": {
            "hero": {
                "experience": "hero_banner",
                "variant": "for_vips",
                "payload": {"title": "Good to see you"},
                "reason": "audience",
                "passed": [{"experience": "hero_banner", "variant": "calm", "why": "outranked"}],
            }
        },
        "version": 1207,
    },
    "RecommendedItem": _RECOMMENDED,
    "RecommendationQuestion": {"user_id": "u1", "count": 2, "recent": [{"item": "sku-7", "weight": 1}]},
    "Recommendations": {
        "user_id": "u1",
        "known": True,
        "recommendation": "default",
        "items": [_RECOMMENDED],
        "model": {"kind": "ease", "version": 3, "trained_at": _AT},
        "catalog_version": 12,
    },
    "Question": {"query": "{ segments { name size } }"},
    "Graph": {"data": {"segments": [{"name": "buyers", "size": 1}]}},
    "TokenOrder": {"user_id": "u1", "ttl": "15m", "segments": ["buyers"]},
    "Token": {"token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmVk", "user_id": "u1", "expires": _AT},
    "Health": {"status": "ok"},
    "Command": {"command": "members", "arguments": {"name": "buyers"}},
}
"""By the name of the schema."""
