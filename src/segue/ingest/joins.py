"""Aliases that would join two people, sent by somebody who must not do that.

Whoever holds a key that stands in web pages could join the profile of another to their own, and then read
it. From such a sender an alias may only name a visitor who was seen before and whose id is no user's.
"""

from __future__ import annotations

import numpy as np

from segue.ingest import reject
from segue.ingest.decode import Decoded
from segue.ingest.identity import Identity, anonymous_profile
from segue.ingest.mend import whole
from segue.ingest.reject import Rejected
from segue.ingest.validate import text_of
from segue.log.body import Body


def without_joins(decoded: Decoded, identity: Identity) -> Decoded:
    """The same events, those aliases among the ones set aside (E769)."""
    gone = [at for at, body in decoded.bodies.items() if _joins(body, identity)]
    if not gone:
        return decoded
    kept = np.ones(len(decoded), np.bool_)
    kept[gone] = False
    now = (np.cumsum(kept) - 1).tolist()
    message = "the alias joins two users, or names nobody who was seen before"
    held = [Rejected(reject.NOT_THEIRS, message, whole(decoded.cuts.raw(at), "alias")) for at in gone]
    return Decoded(
        cuts=decoded.cuts.where(kept),
        bodies={now[at]: body for at, body in decoded.bodies.items() if kept[at]},
        rejected=[*decoded.rejected, *held],
        mended=decoded.mended,
        write_key=decoded.write_key,
    )


def _joins(body: Body, identity: Identity) -> bool:
    """Whether an event is an alias that is not plainly of a visitor; broken ones are refused elsewhere."""
    if not isinstance(body.type, str) or body.type.strip().lower() != "alias":
        return False
    previous, user = text_of(body.previousId), text_of(body.userId)
    if previous is None or previous == user:
        return False
    is_visitor = previous in identity.seen or identity.row_of(anonymous_profile(previous)) is not None
    return identity.row_of(previous) is not None or not is_visitor
