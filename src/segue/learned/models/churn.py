"""The chance that somebody leaves: a propensity of what does not happen any more."""

from __future__ import annotations

from segue.learned.models.propensity import Propensity


class Churn(Propensity):
    """The chance that the target, an absence, holds after its horizon."""

    word = "churn"
    instead = "a rule such as since(last(EVENT)) > 60d, or `kind: value` with `measure: alive`"
