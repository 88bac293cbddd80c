"""Why a stream ends before its listener wants it to, and with which WebSocket code."""

from __future__ import annotations

from segue.domain.errors import Diagnostic

TOO_MANY = "E787"
FOREIGN = "E788"

POLICY, FAULT, RESTART, LATER = 1008, 1011, 1012, 1013

TOO_SLOW = Diagnostic("E789", "the listener takes its messages too slowly", "come back with the last seq")
NO_RIGHT = Diagnostic("E790", "the right to listen has ended", "come back with a new token or key")
STOPPING = Diagnostic("E791", "the server is stopping", "come back with the last seq")
