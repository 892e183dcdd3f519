"""docs/cities.md from what the commands said."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tests import shared_data
from tests.real.cities import City, Said

SAID_OF = ("error", "warning", "repaired")
"""Findings that the page tells; what is only good to know is left to ``renxing check``."""


def page(cities: Sequence[City]) -> str:
    """The table of all cities, then each with its layers."""
    rows = [_row(city) for city in cities]
    head = ("city", "layers", "rows or cells", "repaired", "warnings", "refused", "people", "served on foot")
    return "\n".join(["", *_table(head, rows), "", *(line for city in cities for line in _part(city))])


def _row(city: City) -> tuple[object, ...]:
    layers = city.check.get("layers", [])
    counts = city.check.get("counts", {})
    amount = sum((layer["rows"] or 0) + (layer["cells"] or 0) for layer in layers)
    came = f"{amount:,}" if amount else "a map"
    normal = next((run["headline"] for run in city.runs), {})
    people = [_number(normal.get(name)) for name in ("people", "people_served")]
    link = f"[{city.title}](#{city.name})"
    refused = len(city.refused)
    return (link, len(layers), came, counts.get("repaired", 0), counts.get("warning", 0), refused, *people)


def _part(city: City) -> Iterator[str]:
    yield from (f'<a id="{city.name}"></a>', "", f"## {city.title}", "", "```")
    yield from (_shown(command) for command in city.commands)
    yield from ("```", "")
    verdict = city.check.get("verdict_en", "")
    yield from (f"{verdict}", "")
    rows = [_layer(layer) for layer in city.check.get("layers", [])]
    yield from _table(("layer", "kind", "came in", "CRS", "covers", "what was done, what is doubtful"), rows)
    yield ""
    whole = [_told(finding) for finding in city.check.get("findings", []) if finding["severity"] in SAID_OF]
    yield from (f"- {text}" for text in whole)
    for command, _ in city.refused:
        yield from ("", f"Refused: `{_shown(command)}`", "", f"> {_plain(' '.join(command.err.split()))}")
    yield ""


def _layer(layer: dict[str, Any]) -> tuple[object, ...]:
    count = layer["cells"] if layer["rows"] is None else layer["rows"]
    unit = "cells" if layer["rows"] is None else "rows"
    share = layer["covers_share"]
    done = [*layer["conversions"], *(_told(f) for f in layer["findings"] if f["severity"] in SAID_OF)]
    alone = "a map" if layer["kind"] == "osm" else "made"
    return (
        layer["layer_id"], layer["kind"], alone if count is None else f"{count:,} {unit}", layer["crs"] or "",
        "" if share is None else f"{share:.0%}", "<br>".join(map(_plain, done)),
    )  # fmt: skip


def _told(finding: dict[str, Any]) -> str:
    return f"{finding['severity']}: {_plain(finding['en'])}"


def _shown(command: Said) -> str:
    return "renxing " + _plain(shlex.join(command.words))


def _plain(text: str) -> str:
    """Without the place of the data on this machine, and without what a table would take for its own."""
    return text.replace(f"{shared_data.folder()}/", "").replace("|", "\\|").replace("<", "&lt;")


def _number(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, (int, float)) else "not known"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(map(str, row)) + " |" for row in rows)
