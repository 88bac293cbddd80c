"""What a question may cost, reckoned before anything of it is answered.

The cost of a field is its own, plus that of its parts times as many as there may be. Fragments are
reckoned once, however often they are spread, so reckoning itself is cheap for any question.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from segue.domain.errors import refusal
from segue.domain.limits import GRAPHQL_COST_MAX, GRAPHQL_DEPTH_MAX

TOO_COSTLY = "E794"
NO_INTROSPECTION = "E795"

OWN = {
    "explain": 200,
    "preview": 500,
    "events": 50,
    "members": 50,
    "history": 20,
    "changes": 20,
    "recommendations": 20,
    "decide": 50,
}
"""Fields that read the log or many profiles; every other field costs 1."""
SIZES = {
    "users": ("ids", 100), "segments": ("", 20), "events": ("first", 20), "members": ("first", 100),
    "history": ("first", 100), "changes": ("first", 100), "recommendations": ("count", 20),
    "decide": ("slots", 5),
}  # fmt: skip
"""The argument that tells how many there may be, and how many there are without it."""
INSIDE = {("changes", "changes"), ("history", "changes"), ("members", "members")}
"""Lists within a page, as (page, list): the page was counted already."""
INTROSPECTION = {"__schema": 500, "__type": 50}


def require_bounds(
    document: DocumentNode, operation: str | None, variables: Mapping[str, Any], introspection: bool
) -> None:
    """E794 for a question that is too deep or too costly, E795 for introspection where it is off."""
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    reckoning = _Reckoning(fragments, variables, introspection)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            named = each.name.value if each.name else None
            if operation is None or named == operation:
                reckoning.operation(each)


class _Reckoning:
    def __init__(
        self,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        introspection: bool,
    ) -> None:
        self._fragments = fragments
        self._variables = variables
        self._introspection = introspection
        self._known: dict[str, tuple[int, int]] = {}

    def operation(self, node: OperationDefinitionNode) -> None:
        depth, cost = self._set(node.selection_set, "")
        if depth > GRAPHQL_DEPTH_MAX:
            finding = f"the question is {depth} fields deep, up to {GRAPHQL_DEPTH_MAX} are answered"
            raise refusal(TOO_COSTLY, finding, "ask for less at once")
        if cost > GRAPHQL_COST_MAX:
            finding = f"the question costs {cost:,}, up to {GRAPHQL_COST_MAX:,} is answered"
            raise refusal(TOO_COSTLY, finding, "ask for fewer rows (first), or in several questions")

    def _set(self, node: SelectionSetNode | None, parent: str) -> tuple[int, int]:
        """(depth, cost) of some fields."""
        depth = cost = 0
        for each in node.selections if node else ():
            if isinstance(each, FieldNode):
                found = self._field(each, parent)
            elif isinstance(each, FragmentSpreadNode):
                found = self._fragment(each.name.value, parent)
            else:
                assert isinstance(each, InlineFragmentNode)
                found = self._set(each.selection_set, parent)
            depth, cost = max(depth, found[0]), cost + found[1]
        return depth, cost

    def _fragment(self, name: str, parent: str) -> tuple[int, int]:
        key = f"{name} {parent}"
        if key not in self._known:
            self._known[key] = 0, 0
            self._known[key] = self._set(self._fragments[name].selection_set, parent)
        return self._known[key]

    def _field(self, node: FieldNode, parent: str) -> tuple[int, int]:
        name = node.name.value
        if name in INTROSPECTION:
            return self._introspected(name)
        depth, cost = self._set(node.selection_set, name)
        if (parent, name) in INSIDE:
            return depth + 1, cost + 1
        return depth + 1, OWN.get(name, 1) + cost * self._times(node)

    def _introspected(self, name: str) -> tuple[int, int]:
        if not self._introspection:
            hint = "docs/schema.graphql holds the schema; graphql_introspection in segue.yaml is off"
            raise refusal(NO_INTROSPECTION, "the schema is not told here", hint)
        return 1, INTROSPECTION[name]

    def _times(self, node: FieldNode) -> int:
        argument, usual = SIZES.get(node.name.value, ("", 1))
        for each in node.arguments or ():
            if each.name.value == argument:
                value: Any = each.value
                if isinstance(value, VariableNode):
                    value = self._variables.get(value.name.value)
                elif isinstance(value, IntValueNode):
                    value = int(value.value)
                elif isinstance(value, ListValueNode):
                    value = value.values
                if isinstance(value, list | tuple):
                    return len(value)
                return abs(value) if isinstance(value, int) else usual
        return usual
