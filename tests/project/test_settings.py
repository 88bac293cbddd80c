"""What can be set does something."""

from __future__ import annotations

import re

import pytest

from segue.settings import OPTIONS, Option
from tests.project.test_tree import MODULES, PACKAGE

READERS = "\n".join(path.read_text(encoding="utf-8") for path in MODULES if path != PACKAGE / "settings.py")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_asked_for(option: Option) -> None:
    """One that nobody reads is a promise that nobody keeps."""
    assert re.search(rf"\bsettings\.{option.field}\b", READERS)
