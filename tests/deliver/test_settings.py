"""Which caches are told is a setting: a list of addresses, on one line or on several."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.segments.workspace import load_workspace
from segue.settings import NOTHING, OptionValueError, settings_of

ONE, OTHER = "http://127.0.0.1:6081/", "https://cache.shop.example/purge"


def read(folder: Path, text: str) -> tuple[str, ...]:
    (folder / "segue.yaml").write_text(text, encoding="utf-8")
    return load_workspace(folder).settings.caches


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("timezone: UTC\n", ()),
        ("caches: none\n", ()),
        ("caches: []\n", ()),
        (f"caches: {ONE}\n", (ONE,)),
        (f"caches: [{ONE}]\n", (ONE,)),
        (f"caches:\n  - {ONE}\n  - {OTHER}\n", (ONE, OTHER)),
        (f"caches: {ONE} {OTHER}\n", (ONE, OTHER)),
    ],
)
def test_how_they_are_written(tmp_path: Path, text: str, expected: tuple[str, ...]) -> None:
    assert read(tmp_path, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "caches: cache.internal\n",
        "caches: ftp://x/\n",
        "caches: http://\n",
        "caches: http://user:word@x/\n",
        "caches: http://x:99999/\n",
        "caches: http://x:0/\n",
        "caches: http://x/?a=b\n",
        "caches: 'http://x/#y'\n",
        "caches: [http://x/, {a: b}]\n",
        "caches: {a: b}\n",
        "caches: [[http://x/]]\n",
        "caches: true\n",
        "cache_method: DELETE\n",
        "cache_time: soon\n",
        "cache_time: [1h]\n",
        "graphql_introspection: maybe\n",
        f"caches: [{', '.join(['http://x/'] * 17)}]\n",
    ],
)
def test_what_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SegueError, match="E4"):
        read(tmp_path, text)


def test_the_environment_takes_them_on_one_line() -> None:
    assert settings_of({"caches": f"{ONE},{OTHER}"}).caches == (ONE, OTHER)
    assert settings_of({"caches": NOTHING}).caches == ()
    with pytest.raises(OptionValueError):
        settings_of({"caches": "http://x y"})
