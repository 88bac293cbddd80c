"""Ids of people: how those begin that are not a sender's own, and which parts of an event never hold one."""

ANONYMOUS = "anon:"
"""What the id of a profile begins with that nothing but an anonymous id names."""
FORGOTTEN = "forgotten:"
"""What stands instead of an id that was forgotten; no sender may use ids that begin so."""
_TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
NAMELESS = frozenset(("type", "event", "name", "category", "messageId", *_TIMES))
"""Keys of an event that speak of nobody, whatever they say."""
