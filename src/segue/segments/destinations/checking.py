"""Holds destinations against the settings and against each other."""

from __future__ import annotations

from collections.abc import Mapping

from segue.domain.address import Networks
from segue.domain.errors import Diagnostic
from segue.domain.outbound import TargetError, parse_target
from segue.segments.destinations.definition import DestinationDefinition

LIVE_STREAM = "stream"
"""Where triggers may send to without a file that defines it."""


def check_destinations(
    destinations: Mapping[str, DestinationDefinition], allowed: Networks, findings: list[Diagnostic]
) -> None:
    """Notes webhooks that go where nobody's text may lead, and files that two of them write.

    One that was restored from the log passes here: its address is looked at again when it is sent to.
    """
    files: dict[str, str] = {}
    for name, each in destinations.items():
        if name == LIVE_STREAM:
            hint = "give it another name"
            _note(each, "E488", f"{name} is the live stream's name, which triggers send to", hint, findings)
        if each.kind == "webhook" and each.address is not None and each.origin is not None:
            try:
                parse_target(each.address, allowed)
            except TargetError as refused:
                hint = "name an address on the public internet, or open the network with `private_targets`"
                _note(each, "E489", f"{name} must not go there: {refused}", hint, findings)
        first = files.setdefault(each.path, name) if each.path else name
        if first != name:
            hint = "give each a file of its own"
            _note(each, "E488", f"{name} and {first} write the same file", hint, findings)


def _note(
    definition: DestinationDefinition, code: str, message: str, hint: str, findings: list[Diagnostic]
) -> None:
    found = Diagnostic(code, message, hint)
    origin = definition.origin
    findings.append(found.within(origin.place, origin.line) if origin else found)
