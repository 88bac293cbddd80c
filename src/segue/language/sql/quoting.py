"""Text, names and JSON keys as DuckDB spells them, whatever characters they hold."""

from __future__ import annotations


def text_sql(value: str) -> str:
    """A string literal."""
    parts = ["'" + part.replace("'", "''") + "'" for part in value.split("\0")]
    return parts[0] if len(parts) == 1 else "(" + " || chr(0) || ".join(parts) + ")"


def name_sql(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def double_sql(value: float) -> str:
    """A DOUBLE literal with every bit kept."""
    return f"CAST('{value!r}' AS DOUBLE)"


def extract_sql(column: str, path: tuple[str, ...]) -> str:
    """The JSON at a path of object keys; NULL where a key is absent or the way is no object."""
    found = column
    for key in path:
        found = f"json_extract({found}, {_key_sql(key)})"
    return found


def _key_sql(key: str) -> str:
    """One key as a path. A pointer where the dollar form would see a wildcard or refuse the key."""
    if "*" in key or key == "":
        return text_sql("/" + key.replace("~", "~0").replace("/", "~1"))
    return text_sql('$."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"')
