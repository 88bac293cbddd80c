"""Looks up the names of webhooks when their definitions are saved: one that leads inside is refused at once.

Only who checks or applies a folder asks. A server that starts does not: it must come up without a resolver,
and each connection looks again anyway.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from segue.domain.address import Networks
from segue.domain.errors import Diagnostic, SegueError
from segue.domain.outbound import TargetError, parse_target, resolve
from segue.segments.destinations.definition import DestinationDefinition

PATIENCE_SECONDS = 2.0
"""For all names together; what does not resolve by then is looked at when it is sent to."""
_NAMES_AT_ONCE = 16


def lead_inside(destinations: Mapping[str, DestinationDefinition], allowed: Networks) -> list[Diagnostic]:
    """Findings (E489) for webhooks whose names resolve to an address that must not be reached."""
    hooks = [each for each in destinations.values() if each.kind == "webhook" and each.address]
    found: dict[str, Diagnostic] = {}
    threads = [
        threading.Thread(target=_look, args=(hooks[start::_NAMES_AT_ONCE], allowed, found), daemon=True)
        for start in range(min(_NAMES_AT_ONCE, len(hooks)))
    ]
    for thread in threads:
        thread.start()
    ends = time.monotonic() + PATIENCE_SECONDS
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    return [found[each.name] for each in hooks if each.name in found]


def refuse_inner(destinations: Mapping[str, DestinationDefinition], allowed: Networks) -> None:
    """SegueError with the findings of :func:`lead_inside`, if there are any."""
    found = lead_inside(destinations, allowed)
    if found:
        raise SegueError(*found)


def _look(hooks: list[DestinationDefinition], allowed: Networks, found: dict[str, Diagnostic]) -> None:
    for hook in hooks:
        try:
            resolve(parse_target(hook.address or "", allowed), allowed)
        except TargetError as refused:
            hint = "name an address on the public internet, or open the network with `private_targets`"
            said = Diagnostic("E489", f"{hook.name} leads inside: {refused}", hint)
            found[hook.name] = said.within(hook.origin.place, hook.origin.line) if hook.origin else said
        except OSError:
            continue  # it does not resolve here and now: nobody is reached by it
