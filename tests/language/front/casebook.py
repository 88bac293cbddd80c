"""Cases as text: a title, a condition, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from segue.language import tree
from segue.language.checker import check_condition, check_operand
from segue.language.scope import Scope
from segue.language.target import check_target

CASES = Path(__file__).parent / "cases"
_REPEAT = re.compile(r"\{\{(.+?)\*(\d+)\}\}")


@dataclass(frozen=True)
class Case:
    """``-- title``, the text, ``=>`` and the expected text; ``{{x*3}}`` in the text stands for xxx."""

    file: str
    title: str
    text: str
    expected: str

    @property
    def refused(self) -> bool:
        """Whether the case expects a finding."""
        return re.match(r"E\d{3}\b", self.expected) is not None


def cases_of(*files: str) -> list[Case]:
    """The cases of these files, or of all files without a name."""
    paths = [CASES / f"{name}.txt" for name in files] or sorted(CASES.glob("*.txt"))
    return [case for path in paths for case in _read(path)]


def _read(path: Path) -> list[Case]:
    cases = []
    for block in re.split(r"^-- ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = block.partition("\n")
        text, _, expected = re.split(r"^(=> ?)", body, maxsplit=1, flags=re.MULTILINE)
        text = _REPEAT.sub(lambda found: found[1] * int(found[2]), text)
        cases.append(Case(path.stem, title, text.removesuffix("\n"), expected.rstrip()))
    return cases


def _features() -> Mapping[str, tree.Operand]:
    texts = {
        "engagement": '5 * count("Comment", last 30d) + 20 * count("Invite", last 30d)',
        "last_order": 'last("Order Completed")',
        "plan": "trait.plan",
        "recency": 'since(last("Order Completed"))',
        "deep": "-" * 150 + "trait.x",
        "wide": " + ".join(["trait.x"] * 150),
    }
    return {name: check_operand(text, Scope()) for name, text in texts.items()}


FREE = Scope(
    segments=frozenset(["lapsing", "new_customers"]),
    lists=frozenset(["press", "staff"]),
    features=_features(),
    models={"upgrade": "score", "rhythm": "cluster"},
)
PLANNED = Scope(
    events={
        "Order Completed": ["revenue", "currency", "product.category", "shipping"],
        "Product Viewed": ["category"],
        "Login": None,
    }
)


MODELLED = Scope(models={"churn": "score", "habits": "cluster"})
_SCOPES = {"plan": PLANNED, "models": MODELLED}


def checked(case: Case, text: str) -> tree.Condition | tree.Operand:
    """The tree of a text, which is a condition or, in the file of targets, a target."""
    return (check_target if case.file == "target" else check_condition)(text, scope_of(case))


def scope_of(case: Case) -> Scope:
    """The scope that the cases of a file are checked in."""
    return _SCOPES.get(case.file, FREE)
