"""Of who was forgotten nothing from before is set aside either: quarantine would hold it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from segue.domain.time import DAY, format_instant
from segue.ingest.decode import decode_batch
from segue.service.quality.report import report
from segue.service.service import Service
from tests.service.test_forget import (
    BOB,
    MARK,
    START_MS,
    USER,
    VISITOR,
    call,
    marked,
    of_the_forgotten,
    taken,
    write_workspace,
)

BARE: list[dict[str, Any]] = [
    {"type": "track", "userId": USER, "timestamp": format_instant(START_MS), "properties": {"a": MARK}},
    {"type": "purchase", "anonymousId": VISITOR, "originalTimestamp": START_MS, "event": MARK},
    {"type": "group", "userId": USER, "timestamp": "2020-01-01", "traits": {"a": MARK}},
]
BROKEN = f'{{"userId": "{USER}", "timestamp": "2020-01-01T00:00:00Z", "event": {MARK}}}'
"""Like the others, nothing that can be taken in; its name and its time can be read."""


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("door", ["post", "file", "table"])
def test_what_cannot_be_taken_in_of_the_forgotten_is_not_kept_either(
    tmp_path: Path, door: str, later: bool
) -> None:
    """The control is what happened after the forgetting: that is set aside, and names them anew."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    at = format_instant(START_MS + 9 * DAY)
    bad = [{**each, **({"timestamp": at, "originalTimestamp": at} if later else {})} for each in BARE]
    texts = [*map(json.dumps, bad), BROKEN.replace("2020-01-01T00:00:00Z", at) if later else BROKEN]
    if door == "table":
        texts = ["user,event,timestamp", *[f"{USER},,{at if later else '2020-01-01'}"] * 4]
    file = tmp_path / ("events.csv" if door == "table" else "events.jsonl")
    with Service.open(workspace, data) as service:
        taken(service, tmp_path, [*of_the_forgotten(), call(9, "page", START_MS + DAY, userId=BOB)])
        assert service.forget(USER)
        if door == "post":
            service.start()
            batch = decode_batch(b'{"batch": [' + ",".join(texts).encode() + b"]}")
            tally = service.post(batch, "tests").result()
        else:
            file.write_text("".join(line + "\n" for line in texts), encoding="utf-8")
            tally = service.import_file(file, None, "tests", lambda _done, _total: None)
        assert tally.adds_up()
        assert (tally.refused, tally.quarantined) == ((0, 4) if later else (4, 0))
        assert bool(marked(data)) == later
        assert report(service.core).balance.findings == ()
