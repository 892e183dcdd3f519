"""The reference of the HTTP interface as one page without scripts, made from its OpenAPI description."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from app.links import here

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1f2a30 }
h2 { margin-top: 2.5rem } h3 { margin: 1.6rem 0 .3rem; font-size: 1rem } code { font-size: .95em }
.verb { display: inline-block; min-width: 3.5rem; color: #0b6e78; font-weight: 600 }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0 }
th { font-weight: 600; border-bottom: 1px solid #b7bfc3 } .muted { color: #66737b }
"""


def reference(description: dict[str, Any]) -> str:
    """The page for an OpenAPI description; every text is escaped."""
    info = description["info"]
    body = "".join(_section(tag, list(_operations(description, tag))) for tag in _tags(description))
    models = "".join(_model(name, schema) for name, schema in sorted(_schemas(description).items()))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>{_paragraphs(info['description'])}"
        f'<p><a href="{escape(here().path("/openapi.json"))}">openapi.json</a></p>{body}'
        f'<h2 id="models">Models</h2>{models}</body></html>\n'
    )


def _tags(description: dict[str, Any]) -> list[str]:
    every = [tag for item in description["paths"].values() for operation in item.values() for tag in operation["tags"]]
    return list(dict.fromkeys(every))


def _operations(description: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in description["paths"].items():
        for verb, operation in item.items():
            if tag in operation["tags"]:
                yield verb.upper(), path, operation


def _schemas(description: dict[str, Any]) -> dict[str, Any]:
    schemas: dict[str, Any] = description["components"]["schemas"]
    return {name: schema for name, schema in schemas.items() if "properties" in schema}


def _section(tag: str, operations: list[tuple[str, str, dict[str, Any]]]) -> str:
    return f"<h2>{escape(tag.capitalize())}</h2>" + "".join(_operation(*operation) for operation in operations)


def _operation(verb: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(p['name'])}</code></td><td class='muted'>{escape(p['in'])}</td>"
        f"<td>{escape(p.get('description', ''))}</td></tr>"
        for p in operation.get("parameters", [])
    )
    answer = _answer(operation["responses"].get("200", {}))
    return (
        f"<h3><span class='verb'>{verb}</span> <code>{escape(path)}</code></h3>{_paragraphs(operation['description'])}"
        + (f"<table>{rows}</table>" if rows else "")
        + (f"<p>Answers <a href='#{escape(answer)}'>{escape(answer)}</a>.</p>" if answer else "")
    )


def _answer(response: dict[str, Any]) -> str:
    """The name of the model a route answers with; empty for files and pages."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _model(name: str, schema: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{escape(about.get('description', ''))}</td></tr>"
        for field, about in schema["properties"].items()
    )
    said = _paragraphs(schema.get("description", ""))
    head = "<tr><th>field</th><th>what it is</th></tr>"
    return f"<h3 id='{escape(name)}'>{escape(name)}</h3>{said}<table>{head}{rows}</table>"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n") if part)
