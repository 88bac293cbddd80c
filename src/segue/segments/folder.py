"""Reads every file of a workspace folder, each on its own; what is wrong in one hides nothing in another."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from segue.domain.errors import Diagnostic, Place, SegueError, refusal
from segue.language.findings import shorten
from segue.segments.definitions import Definition
from segue.segments.document import parse
from segue.segments.fields import Sheet
from segue.segments.nodes import Entries, Node, Scalar
from segue.segments.readers import DEFINITION_KINDS, LISTS, DefinitionKind
from segue.segments.rewrite import definitions_of
from segue.segments.settings_file import SETTINGS_FILE, read_settings
from segue.segments.source import Source, read_source
from segue.segments.user_table import read_user_table
from segue.settings import DEFAULTS, Settings

YAML_ENDINGS = frozenset((".yaml", ".yml", ".json"))
_PROSE_ENDINGS = frozenset((".md", ".txt", ".rst"))


@dataclass(slots=True)
class FolderContents:
    """What the files say, before one definition is held against another.

    ``claims`` holds every name by kind, also of definitions that could not be read, with its place;
    ``unread`` are files that stand where definitions do and are none.
    """

    settings: Settings = DEFAULTS
    definitions: dict[str, dict[str, Definition]] = field(default_factory=dict)
    claims: dict[str, dict[str, Place | None]] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    has_settings_file: bool = False


def read_folder(
    folder: Path,
    replaced: Mapping[str, str | None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> FolderContents:
    """Everything that a workspace folder says, with all findings; E401 when there is no such folder.

    ``replaced`` are texts to read in place of files, by path within the folder with slashes; None
    stands for a file that is gone. ``environment`` is the process's own unless given.
    """
    if not folder.is_dir():
        hint = "name another folder with --workspace, or write one with `segue init`"
        raise refusal("E401", f"there is no workspace folder {folder}", hint)
    reading = _Reading(folder, replaced or {})
    reading.settings(os.environ if environment is None else environment)
    for kind in DEFINITION_KINDS:
        reading.kind(kind)
    return reading.contents


class _Reading:
    """One pass over the folder."""

    def __init__(self, folder: Path, replaced: Mapping[str, str | None]) -> None:
        self.folder = folder
        self.replaced = replaced
        self.contents = FolderContents()

    def settings(self, environment: Mapping[str, str]) -> None:
        """The file of settings, which may be left out."""
        contents = self.contents
        contents.unread.extend(name for name in ("segue.yml", "segue.json") if (self.folder / name).is_file())
        source = Source(SETTINGS_FILE, "")
        node = None
        if SETTINGS_FILE in self.replaced or (self.folder / SETTINGS_FILE).exists():
            contents.has_settings_file = True
            read = self._parsed(SETTINGS_FILE)
            if read is not None:
                source, node = read
        contents.settings = read_settings(node, Sheet(source, contents.findings), environment)

    def kind(self, kind: DefinitionKind) -> None:
        """All files of one kind of definition."""
        self.contents.definitions[kind.key] = {}
        self.contents.claims[kind.key] = {}
        for file in self._files(kind.folder):
            ending = Path(file).suffix.lower()
            if ending in YAML_ENDINGS:
                self._definitions(kind, file)
            elif ending == ".csv" and kind is LISTS:
                self._user_table(file)
            elif ending not in _PROSE_ENDINGS:
                self.contents.unread.append(file)

    def _definitions(self, kind: DefinitionKind, file: str) -> None:
        read = self._parsed(file)
        if read is None:
            return
        source, root = read
        sheet = Sheet(source, self.contents.findings)
        for node in definitions_of(root):
            definition = kind.read(node, sheet)
            key = node.value(kind.key) if isinstance(node, Entries) else None
            if isinstance(key, Scalar) and self._claim(kind, key.text, sheet, key) and definition is not None:
                self.contents.definitions[kind.key][definition.name] = definition

    def _user_table(self, file: str) -> None:
        source = self._source(file)
        if source is None:
            return
        sheet = Sheet(source, self.contents.findings)
        name = Path(file).stem
        definition = read_user_table(source, name, self.contents.findings)
        start = Scalar(name, "", (1, 1, 0, 1))
        if self._claim(LISTS, name, sheet, start) and definition is not None:
            self.contents.definitions[LISTS.key][name] = definition

    def _claim(self, kind: DefinitionKind, name: str, sheet: Sheet, node: Scalar) -> bool:
        """Whether the name was free; a definition that comes second is refused and names the first."""
        claims = self.contents.claims[kind.key]
        place = sheet.place(node)
        if name in claims:
            message = f'the {kind.key} "{shorten(name)}" is defined twice, first at {claims[name]}'
            sheet.refuse("E430", node, message, "rename one of the two, or remove it")
            return False
        claims[name] = place
        return True

    def _files(self, folder: str) -> Iterator[str]:
        """The files of a subfolder by name, with those replaced; what is hidden is passed over."""
        found = {file for file in self.replaced if file.startswith(folder + "/")}
        try:
            for entry in os.scandir(self.folder / folder):
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    self.contents.unread.append(f"{folder}/{entry.name}/")
                else:
                    found.add(f"{folder}/{entry.name}")
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as fault:
            hint = "check that you may read the folder"
            message = f"cannot be read: {fault.strerror}"
            self.contents.findings.append(Diagnostic("E401", message, hint, Place(1, 1, 1, folder)))
        return iter(sorted(file for file in found if self.replaced.get(file, "") is not None))

    def _parsed(self, file: str) -> tuple[Source, Node] | None:
        source = self._source(file)
        if source is None:
            return None
        try:
            return source, parse(source)
        except SegueError as refused:
            self.contents.findings.extend(refused.diagnostics)
            return None

    def _source(self, file: str) -> Source | None:
        text = self.replaced.get(file)
        try:
            return Source(file, text) if text is not None else read_source(self.folder / file, file)
        except SegueError as refused:
            self.contents.findings.extend(refused.diagnostics)
            return None
