"""The OpenAPI document as one page of HTML: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape

from segue.domain.event import Json

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
body { color: #1a1a1a; background: #fff; }
h2 { margin-top: 2.5rem; } summary { cursor: pointer; padding: .4rem 0; }
details { border-top: 1px solid #ddd; } details > div { padding: 0 0 1rem 1.5rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: #f5f5f2; padding: .8rem; overflow: auto; }
.method { display: inline-block; width: 4.5rem; font-weight: 700; }
table { border-collapse: collapse; } td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
@media (prefers-color-scheme: dark) {
  body { color: #e8e8e6; background: #161616; } pre { background: #222; } details { border-color: #333; }
  a { color: #8ab4f8; }
}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
).encode()
"""The Content-Security-Policy that the page is shown under."""


def render(document: Json) -> bytes:
    """The page of an OpenAPI document."""
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    body = "\n".join([*_operations(document), *_schemas(document)])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: HTTP</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{title}</h1><p>{escape(document['info']['summary'])} The same for machines: "
        f'<a href="openapi.json">openapi.json</a></p>{body}</body></html>'
    ).encode()


def _operations(document: Json) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    for tag, found in by_tag.items():
        yield f"<h2>{escape(tag)}</h2>"
        yield from found


def _operation(method: str, path: str, operation: Json) -> str:
    body = operation.get("requestBody")
    takes = f"<p>Takes {_link(body)}</p>" if body else ""
    parameters = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}</td>"
        f"<td>{escape(each.get('description', ''))}</td></tr>"
        for each in operation.get("parameters", ())
    )
    answers = "".join(
        f"<tr><td>{status}</td><td>{escape(each['description'])}</td><td>{_link(each)}</td></tr>"
        for status, each in operation["responses"].items()
    )
    anchor = escape(operation["operationId"])
    return (
        f'<details id="{anchor}"><summary><span class="method">{method.upper()}</span>'
        f"<code>{escape(path)}</code> &nbsp; {escape(operation['summary'])}</summary><div>"
        f"<p>{escape(operation['description'])}</p>{takes}<table>{parameters}</table>"
        f"<table>{answers}</table></div></details>"
    )


def _link(holder: Json) -> str:
    """The schema that a body or an answer has, as a link to it."""
    for content in holder.get("content", {}).values():
        if "schema" not in content:
            break
        name = content["schema"]["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    return ""


def _schemas(document: Json) -> Iterator[str]:
    yield "<h2>shapes</h2>"
    for name, schema in document["components"]["schemas"].items():
        text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
        shown = f"<summary><code>{name}</code></summary><div><pre>{text}</pre></div>"
        yield f'<details id="{name}">{shown}</details>'
