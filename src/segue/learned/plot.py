"""Plots as SVG, drawn here: a few lines on a grid need no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from segue.domain.event import Json

_WIDTH, _HEIGHT, _EDGE = 480, 400, 56
_MODEL, _RULE, _GREY = "#1f5fa8", "#c2410c", "#8a8f98"
Points = Sequence[tuple[float, float]]


def of_gains(title: str, model: Points, rule: tuple[float, float], names: tuple[str, str]) -> str:
    """How many of those who did are reached by taking some: the model's curve and the rule's point."""
    parts = [
        _frame(title, "share of people taken", "share reached of those who did"),
        _line([(0.0, 0.0), (1.0, 1.0)], _GREY, "4 4"),
        _line(model, _MODEL),
        _dot(rule, _RULE),
        _legend([(_MODEL, names[0]), (_RULE, names[1]), (_GREY, "by chance")]),
    ]
    return _svg(title, parts)


def of_calibration(title: str, bins: Sequence[Mapping[str, Json]]) -> str:
    """What was said against what happened, in bins; on the line both are the same."""
    points = [(float(each["said"]), float(each["was"])) for each in bins]
    parts = [
        _frame(title, "chance that was said", "share who did"),
        _line([(0.0, 0.0), (1.0, 1.0)], _GREY, "4 4"),
        _line(points, _MODEL),
        *(_dot(point, _MODEL) for point in points),
        _legend([(_MODEL, "the model"), (_GREY, "exactly right")]),
    ]
    return _svg(title, parts)


def _svg(title: str, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def _frame(title: str, across: str, up: str) -> str:
    left, top, right, bottom = _EDGE, _EDGE, _WIDTH - 16, _HEIGHT - _EDGE
    marks = []
    for part in range(6):
        share = part / 5
        x, y = _at((share, share))
        marks.append(f'<path d="M{x} {top}V{bottom}M{left} {y}H{right}" stroke="#e5e7eb"/>')
        marks.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{share:.0%}</text>')
        marks.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{share:.0%}</text>')
    middle = (top + bottom) / 2
    turned = f'text-anchor="middle" transform="rotate(-90 16 {middle})"'
    return "\n".join([
        f'<text x="{_WIDTH / 2}" y="24" text-anchor="middle" font-size="14">{escape(title)}</text>',
        *marks,
        f'<text x="{(left + right) / 2}" y="{_HEIGHT - 16}" text-anchor="middle">{escape(across)}</text>',
        f'<text x="16" y="{middle}" {turned}>{escape(up)}</text>',
    ])  # fmt: skip


def _line(points: Points, colour: str, dashes: str = "none") -> str:
    path = " ".join(f"{x},{y}" for x, y in map(_at, points))
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
        f'stroke-dasharray="{dashes}"/>'
    )


def _dot(point: tuple[float, float], colour: str) -> str:
    x, y = _at(point)
    return f'<circle cx="{x}" cy="{y}" r="5" fill="{colour}"/>'


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    found = []
    for place, (colour, name) in enumerate(entries):
        y = _HEIGHT - _EDGE - 14 - 18 * (len(entries) - 1 - place)
        found.append(f'<rect x="{_WIDTH - 210}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
        found.append(f'<text x="{_WIDTH - 194}" y="{y}">{escape(name[:32])}</text>')
    return "\n".join(found)


def _at(point: tuple[float, float]) -> tuple[float, float]:
    """Where a point of the unit square stands in the picture."""
    width, height = _WIDTH - _EDGE - 16, _HEIGHT - 2 * _EDGE
    return round(_EDGE + point[0] * width, 2), round(_HEIGHT - _EDGE - point[1] * height, 2)
