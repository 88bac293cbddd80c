"""What was shown becomes events like any other: durable before it is shown, counted by caps, and forgotten
with the user.
"""

from __future__ import annotations

import threading
import uuid

import msgspec

from segue.domain.event import Json
from segue.domain.ids import ANONYMOUS
from segue.domain.time import format_instant
from segue.experiences.asked import Asked
from segue.experiences.remembering import Answers, Told
from segue.ingest.decode import Decoded, decode_events
from segue.service.service import Service

SOURCE = "segue-experiences"
"""Under this name the exposures stand among the sources."""
_NOTHING = b"[]"
_STRIPES = 64
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[dict[str, Json]]).decode


class Recording:
    """Answers of a service that is serving, with the record of what they show."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.answers = Answers(service.core)
        self._stripes = [threading.Lock() for _ in range(_STRIPES)]

    def recorded(self, asked: Asked, brief: bool) -> Told:
        """The answer, once what it shows is durable; blocks. E604 when it cannot be made so.

        One user's questions wait for each other where a cap counts, until the exposure is evaluated: so
        nobody is shown more than the cap says, however many pages they have open.
        """
        told = self.answers.answer(asked, brief)
        if not to_be_recorded(asked, told):
            return told
        if not told.capped:
            self._service.post(self.events(told), SOURCE).result()
            return told
        with self._stripes[hash(told.user_id) % _STRIPES]:
            told = self.answers.answer(asked, brief)
            if to_be_recorded(asked, told):
                self._service.post(self.events(told), SOURCE).result()
                self._service.core.drain()
            return told

    def events(self, told: Told) -> Decoded:
        """The exposures of an answer, as events to be posted."""
        whose = {"userId": told.user_id}
        if told.user_id.startswith(ANONYMOUS):
            whose = {"anonymousId": told.user_id.removeprefix(ANONYMOUS)}
        at = format_instant(self.answers.deciding.now())
        raws = [
            _encode({"type": "track", **each, **whose, "timestamp": at, "messageId": uuid.uuid4().hex})
            for each in _decode(told.exposures)
        ]
        return decode_events(raws)


def to_be_recorded(asked: Asked, told: Told) -> bool:
    """Whether an answer shows something that is to be recorded."""
    return asked.record and told.exposures != _NOTHING
