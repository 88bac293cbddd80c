"""Which routes a path has: fixed paths by a look into a table, varying ones by what they begin with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from segue.api.problems import no_route
from segue.api.request import Request, decoded
from segue.api.route import Route


@dataclass(slots=True)
class Place:
    """One path: its routes by method. ``tracking`` says that one of them takes events."""

    path: str
    methods: dict[str, Route] = field(default_factory=dict)
    tracking: bool = False

    def add(self, route: Route) -> None:
        """One more method."""
        self.methods[route.method] = route
        self.tracking |= route.tracking


class Places:
    """All paths of a list of routes. Of the varying ones that fit, the first in the list counts."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[str, Place] = {}
        varying: dict[str, Place] = {}
        for route in routes:
            places = varying if route.varies else self._fixed
            places.setdefault(route.path, Place(route.path)).add(route)
        self._varying: dict[str, list[tuple[re.Pattern[str], Place]]] = {}
        for path, place in varying.items():
            pattern = next(iter(place.methods.values())).pattern()
            self._varying.setdefault(path.partition("{")[0], []).append((pattern, place))
        self._both: dict[tuple[str, str], Place] = {}

    def of(self, request: Request) -> Place:
        """What can be done at the path; E741 when nothing. Sets the path's parameters."""
        path = request.path
        fixed = self._fixed.get(path)
        if fixed is not None and request.method in fixed.methods:
            return fixed
        for beginning, patterns in self._varying.items():
            if not path.startswith(beginning):
                continue
            for pattern, place in patterns:
                found = pattern.fullmatch(path)
                if found is not None:
                    request.params = _params(found.groupdict())
                    return place if fixed is None else self._together(fixed, place)
        if fixed is None:
            raise no_route()
        return fixed

    def _together(self, fixed: Place, varying: Place) -> Place:
        """A fixed path that a varying one fits as well: what either of them takes."""
        key = fixed.path, varying.path
        found = self._both.get(key)
        if found is None:
            methods = {**fixed.methods, **varying.methods}
            found = self._both[key] = Place(varying.path, methods, fixed.tracking or varying.tracking)
        return found


def _params(found: Mapping[str, str]) -> dict[str, str]:
    return {name: decoded(text) for name, text in found.items()}
