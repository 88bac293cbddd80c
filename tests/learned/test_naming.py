"""Names that are suggested for groups."""

from __future__ import annotations

import numpy as np

from segue.language.checker import check_condition, check_operand
from segue.language.scope import Scope
from segue.learned.naming import suggested
from segue.learned.spec import FeatureSpec

FEATURES = [
    FeatureSpec("orders", 'count("Order")', check_operand('count("Order")', Scope())),
    FeatureSpec("since_order", 'since(last("Order"))', check_operand('since(last("Order"))', Scope())),
    FeatureSpec("vip", "trait.vip == true", check_condition("trait.vip == true", Scope())),
]


def test_a_group_is_named_by_what_sets_it_apart_most() -> None:
    centres = np.array([[2.0, -1.0, 0.1], [-0.9, 1.5, 0.0], [0.0, 0.1, -0.5], [0.1, 0.1, 0.1]])
    assert suggested(FEATURES, centres) == [
        "high_orders_short_since_order",
        "long_since_order_low_orders",
        "without_vip",
        "usual",
    ]


def test_no_name_is_given_twice() -> None:
    centres = np.array([[2.0, -1.0, 0.5], [2.0, -1.0, 0.6], [2.0, -1.0, 0.6]])
    assert suggested(FEATURES, centres) == [
        "high_orders_short_since_order",
        "high_orders_short_since_order_with_vip",
        "high_orders_2",
    ]
    assert suggested(FEATURES, np.zeros((1, 3)), taken=["usual"]) == ["usual_2"]


def test_long_names_of_features_are_cut() -> None:
    long = [FeatureSpec("a" * 64, "trait.a", FEATURES[0].tree)]
    (name,) = suggested(long, np.array([[1.0]]))
    assert len(name) <= 64
