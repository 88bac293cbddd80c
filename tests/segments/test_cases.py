"""Every case file says what it says; every code has a case or a test that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.segments.case_files import FOLDER, Case, read_case, said

CASES = [read_case(path) for path in sorted(FOLDER.glob("*.case"))]
SOURCES = Path(__file__).parents[2] / "src" / "segue" / "segments"
_CODE = re.compile(r"""["']([EW]\d{3})["']""")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path.stem)
def test_case(case: Case, tmp_path: Path) -> None:
    case.write(tmp_path)
    assert said(tmp_path) == case.says


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path.stem)
def test_a_case_is_named_for_its_code(case: Case) -> None:
    code = case.path.stem.split("_")[0]
    assert code == "good" or code in case.says


def test_every_code_is_shown() -> None:
    codes = {
        code for path in SOURCES.glob("*.py") for code in _CODE.findall(path.read_text(encoding="utf-8"))
    }
    shown = "".join(case.says for case in CASES)
    shown += "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert {code for code in codes if code not in shown} == set()
