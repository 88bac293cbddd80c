"""Server-sent events of the stream, read line by line; where to go on is known after each message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segue.client import records
from segue.client.errors import RefusedError

_ENDED = "E790"
"""The rights are gone: coming back would not help."""


@dataclass(slots=True)
class Followed:
    """Whom a stream is about, and up to which change everything was heard (None: from now on)."""

    user_id: str | None
    segment: str | None
    after: int | None

    def query(self) -> dict[str, str]:
        """The query that goes on where it ended."""
        said = {"user_id": self.user_id, "segment": self.segment, "after": self.after}
        return {key: str(value) for key, value in said.items() if value is not None}

    def heard(self, line: str) -> records.Change | None:
        """The change that a line tells, if it does; RefusedError when the stream was ended for good."""
        if not line.startswith("data:"):
            return None
        said: Mapping[str, Any] = json.loads(line[len("data:") :])
        if said.get("notice") == "closing" and said["code"] == _ENDED:
            raise RefusedError(403, _ENDED, said["message"], said["hint"], None)
        if "seq" in said:
            self.after = said["seq"]
        return records.change(said) if "action" in said else None
