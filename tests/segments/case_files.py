"""Cases as text: a sentence, the files of a workspace, and what Segue says about them.

Run as a module with a folder's name it writes what is said now, to be read before it is committed.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from segue.domain.errors import SegueError
from segue.segments.governance import review
from segue.segments.workspace import load_workspace

FOLDER = Path(__file__).parent / "cases"
TODAY = date(2026, 11, 22)
_MARK = "=== "
_ESCAPED = " (escaped)"


@dataclass(frozen=True)
class Case:
    """One case: its files by path, and the findings expected; none means that all is well."""

    path: Path
    title: str
    files: dict[str, bytes]
    says: str

    def write(self, folder: Path) -> None:
        for name, data in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)


def read_case(path: Path) -> Case:
    title, *parts = path.read_text(encoding="utf-8").split(f"\n{_MARK}")
    files: dict[str, bytes] = {}
    says = ""
    for number, part in enumerate(parts):
        name, _, text = part.partition("\n")
        if number < len(parts) - 1 and text:
            text += "\n"
        if name == "says":
            says = text.rstrip("\n")
        elif name.endswith(_ESCAPED):
            files[name.removesuffix(_ESCAPED)] = text.encode().decode("unicode_escape").encode("latin-1")
        else:
            files[name] = text.encode()
    return Case(path, title, files, says)


def said(folder: Path) -> str:
    """All that is said about a folder: its errors, or else its warnings."""
    try:
        workspace = load_workspace(folder, environment={})
    except SegueError as refused:
        return str(refused)
    return "\n".join(found.render() for found in review(workspace, TODAY))


def rewrite() -> None:
    for path in sorted(FOLDER.glob("*.case")):
        with tempfile.TemporaryDirectory() as name:
            read_case(path).write(Path(name))
            head = path.read_text(encoding="utf-8").partition(f"{_MARK}says\n")[0]
            path.write_text(f"{head}{_MARK}says\n{said(Path(name))}\n", encoding="utf-8")


if __name__ == "__main__":
    rewrite()
