"""Holds recommendations against the workspace: the conditions of their rules are followed by the engine."""

from __future__ import annotations

from collections.abc import Mapping

from segue.segments.check import Checking
from segue.segments.recommendations.definition import RecommendationDefinition


def check_recommendations(checking: Checking, definitions: Mapping[str, RecommendationDefinition]) -> None:
    """Notes what is wrong with the conditions of rules."""
    for definition in definitions.values():
        for name, number in definition.watches().items():
            rule = definition.rules[number]
            if rule.when is not None:
                checking.watch(name, rule.when, rule.when_origin)
