"""The two clients are one, said twice because Python spells waiting in the signature. Nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from segue.client import AsyncClient, Client


def verbs(kind: type) -> dict[str, Callable[..., Any]]:
    """What a client can be asked to do, and how it is made."""
    found = dict(inspect.getmembers(kind, inspect.isfunction))
    return {name: each for name, each in found.items() if not name.startswith("_") or name == "__init__"}


def test_neither_knows_a_verb_that_the_other_does_not() -> None:
    assert verbs(Client).keys() == verbs(AsyncClient).keys()


@pytest.mark.parametrize("name", verbs(Client))
def test_a_verb_takes_the_same_and_says_the_same(name: str) -> None:
    plain, awaited = verbs(Client)[name], verbs(AsyncClient)[name]
    assert inspect.signature(plain).parameters == inspect.signature(awaited).parameters
    assert plain.__doc__ == awaited.__doc__
