"""IBM Telco: churn from attributes alone, and lookalikes of those who left."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.ml.measures import cross_validated, hidden_quality, learned, quality, served
from benchmarks.ml.sets import Shown, as_traits, columns, people, shown
from segue.learned.models import KINDS

NOW = "2020-01-01"
NUMBERS = ("tenure", "MonthlyCharges", "TotalCharges")
WORDS = {
    "gender": ("Male",),
    "SeniorCitizen": ("1",),
    "Partner": ("Yes",),
    "Dependents": ("Yes",),
    "PhoneService": ("Yes",),
    "MultipleLines": ("Yes",),
    "InternetService": ("DSL", "Fiber optic"),
    "OnlineSecurity": ("Yes",),
    "OnlineBackup": ("Yes",),
    "DeviceProtection": ("Yes",),
    "TechSupport": ("Yes",),
    "StreamingTV": ("Yes",),
    "StreamingMovies": ("Yes",),
    "Contract": ("Month-to-month", "One year"),
    "PaperlessBilling": ("Yes",),
    "PaymentMethod": ("Electronic check", "Mailed check", "Credit card (automatic)"),
}


def features() -> dict[str, str]:
    """Attributes as the language says them: numbers, and a condition for each word."""
    found = {name.lower(): f"trait.{name}" for name in NUMBERS}
    for name, words in WORDS.items():
        for number, word in enumerate(words):
            value = word if word.isdigit() else f'"{word}"'
            found[f"{name.lower()}_{number}"] = f"trait.{name} == {value}"
    return found


LEFT = {"kind": "lookalike", "seed": 'trait.Churn == "Yes"', "features": features()}


def run() -> Iterator[Figure]:
    """Everybody at once: these people have no history."""
    names = [name for name in columns("telco_churn.csv.gz") if name != "customerID"]
    with shown(people("telco_churn.csv.gz", "customerID", NOW), {"left": LEFT}, as_traits(names)) as firm:
        yield from left(firm)


def left(firm: Shown) -> Iterator[Figure]:
    """Who left, each fifth foretold by the other four; and hidden ones from a fifth of them."""
    spec, table = firm.spec("left"), firm.table("left", "2020-01-02")
    said = cross_validated(KINDS["churn"], spec, table)
    yield from quality("churn, Telco", table.labels, said, 0.845, 0.755)
    area, lift = hidden_quality(KINDS["lookalike"], spec, table)
    yield Figure("lookalike, Telco: AUC of hidden examples", area, "", 0.835, True)
    yield Figure("lookalike, Telco: lift of the top tenth", lift, "", 3.0, True)
    yield from served("lookalike", learned(spec, table), table)
