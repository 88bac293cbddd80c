"""A table's rows held to the tracking plan: columns have types, so that few rows need a closer look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from segue.domain.planned import Planned, PropertyPlan
from segue.ingest.planned.plan import TrackingPlan
from segue.language.sql.quoting import text_sql
from segue.log.shape import Kind, Property

_SOUND: Mapping[str, Kind] = {"text": "text", "number": "number", "truth": "truth"}
"""Types that a column of one kind holds throughout."""
Cells = Mapping[str, tuple[Kind, str]]


def unknown_sql(plan: TrackingPlan) -> str:
    """Whether a row's ``name`` is one that the plan does not know and minds."""
    if plan.mode == "off":
        return "FALSE"
    return f"name NOT IN ({', '.join(map(text_sql, plan.events)) or 'NULL'})" if plan.events else "FALSE"


def doubt_sql(plan: TrackingPlan, held: Sequence[Property], values: Sequence[str]) -> str:
    """Whether a row may break the plan of its event; ``values`` are the SQL of the properties ``held``."""
    cells = {each.key: (each.kind, value) for each, value in zip(held, values, strict=True)}
    cases = [
        f"WHEN name = {text_sql(name)} THEN {' OR '.join(_doubts(planned, cells)) or 'FALSE'}"
        for name, planned in plan.events.items()
        if planned.mode != "off" and planned.properties
    ]
    return f"CASE {' '.join(cases)} ELSE FALSE END" if cases else "FALSE"


def _doubts(planned: Planned, cells: Cells) -> Iterator[str]:
    for name, wanted in planned.properties.items():
        if name not in cells:
            if wanted.required:
                yield "TRUE"
            continue
        kind, value = cells[name]
        if wanted.required:
            yield f"({value}) IS NULL"
        yield from _doubts_of(wanted, kind, value)
    if not planned.additional:
        yield from (
            f"({value}) IS NOT NULL" for name, (_, value) in cells.items() if name not in planned.properties
        )


def _doubts_of(wanted: PropertyPlan, kind: Kind, value: str) -> Iterator[str]:
    texts = [each for each in wanted.enum if isinstance(each, str)]
    other_type = wanted.type is not None and _SOUND.get(wanted.type) != kind
    other_enum = bool(wanted.enum) and (kind != "text" or len(texts) < len(wanted.enum))
    if other_type or other_enum or wanted.pattern is not None:
        yield f"({value}) IS NOT NULL"
    elif texts:
        yield f"({value}) NOT IN ({', '.join(map(text_sql, texts))})"
