"""Reads ``segue.yaml``: each key one of the options, sections written with or without a dot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from segue.domain.errors import Diagnostic
from segue.language.findings import shorten, suggestion
from segue.segments.fields import Sheet
from segue.segments.nodes import Entries, Items, Node, Scalar
from segue.settings import BY_NAME, DEFAULTS, Option, OptionValueError, Settings, overrides_in, settings_of

SETTINGS_FILE = "segue.yaml"
_SECTIONS = frozenset(name.split(".")[0] for name in BY_NAME if "." in name)


def read_settings(node: Node | None, sheet: Sheet, environment: Mapping[str, str]) -> Settings:
    """The settings of a file and of the environment, which goes first; findings are noted.

    After a finding the default stands in, so that the rest can be checked.
    """
    spellings = _spellings(node, sheet) if node is not None else {}
    for name, spelling in overrides_in(environment).items():
        option = BY_NAME[name]
        try:
            option.read(spelling)
            spellings[name] = spelling
        except OptionValueError as fault:
            message = f'the environment variable {option.variable} is "{shorten(spelling)}"; it takes {fault}'
            sheet.findings.append(Diagnostic("E437", message, f"set it like {option.default}, or unset it"))
    return settings_of(spellings) if spellings else DEFAULTS


def _spellings(node: Node, sheet: Sheet) -> dict[str, str]:
    found: dict[str, str] = {}
    if not isinstance(node, Entries):
        sheet.wrong_type(
            "this file", node, "a mapping of settings", "write `timezone: UTC`, one setting a line"
        )
        return found
    for name, key, value in _options(node):
        option = BY_NAME.get(name)
        if option is None:
            hint = suggestion(name, BY_NAME, "the settings are " + ", ".join(BY_NAME))
            sheet.refuse("E420", key, f'there is no setting "{shorten(name)}"', hint)
        elif name in found:
            sheet.refuse("E408", key, f"{name} is set twice", "keep one of the two")
        elif (text := _spelling(value, option.many)) is None:
            sheet.wrong_type(name, value, f"one value ({option.unit})", f"write `{name}: {option.default}`")
        else:
            try:
                option.read(text)
                found[name] = text
            except OptionValueError as fault:
                message = f'{name} takes {fault}, not "{shorten(text)}"'
                sheet.refuse("E436", value, message, _hint(option))
    return found


def _hint(option: Option) -> str:
    return (
        f"for example `{option.name}: {option.default}`" if option.default else f"or leave {option.name} out"
    )


def _spelling(value: Node, many: bool) -> str | None:
    """One value as it stands, or a list of them where there may be many; None for anything else."""
    if isinstance(value, Scalar) and value.plain() is not None:
        return value.text
    if not many or not isinstance(value, Items):
        return None
    texts = [each.text for each in value.items if isinstance(each, Scalar) and each.plain() is not None]
    return " ".join(texts) if len(texts) == len(value.items) else None


def _options(node: Entries) -> Iterator[tuple[str, Scalar, Node]]:
    for name, (key, value) in node.entries.items():
        if name in _SECTIONS and isinstance(value, Entries):
            for part, (part_key, part_value) in value.entries.items():
                yield f"{name}.{part}", part_key, part_value
        else:
            yield name, key, value
