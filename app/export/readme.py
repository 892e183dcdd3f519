"""The page that goes with every export: what it is, whose data it stands on, what to know before using it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from app.store import Run
from app.store.runs import credit

SAID = ("layer_id", "title", "kind", "source", "licence", "attribution", "date", "sha256", "conversions")
"""What is told of an input."""
CRS = "Coordinates: longitude and latitude in degrees on WGS 84 (EPSG:4326)."
COLUMNS = (
    "Columns end in their unit: _s seconds, _m metres, _km kilometres, _m2 and _km2 square metres and kilometres; "
    "minutes; share 0-1; people whole persons. _normal: on a day without the hazard. "
    "An empty cell means: not measured, or no way there. It never means zero."
)


def readme(run: Run) -> str:
    """Plain text in English, with the notes in both languages."""
    record = run.record
    study = record.recipe.study
    named = " / ".join(str(study[key]) for key in ("name", "name_zh") if study.get(key))
    parts = [
        f"{named}: scenario {record.scenario_id}",
        f"Run {run.run_id} of study {record.study_id}, Renxing {record.recipe.program}.",
        CRS,
        COLUMNS,
        "Sources\n" + "\n".join(_source(layer) for layer in sources(run)),
        "Layers\n"
        + "\n".join(
            f"- {layer.layer}: {layer.rows:,} {'rows' if layer.kind == 'table' else 'cells'}" for layer in record.layers
        ),
    ]
    if record.notes:
        parts.append("Notes\n" + "\n".join(f"- {note.en}\n  {note.zh}" for note in record.notes))
    return "\n\n".join(parts) + "\n"


def sources(run: Run) -> list[dict[str, JsonValue]]:
    """Every input of a run: its id and kind, what it is called, source, licence, attribution, date and SHA-256 (hex),
    and what was done to its content when it was read."""
    return [
        {name: layer.get(name) for name in SAID} | {"attribution": credit(layer) or None}
        for layer in run.record.recipe.inputs
    ]


def _source(layer: Mapping[str, JsonValue]) -> str:
    named, licence = layer["attribution"] or "source not stated", layer["licence"] or "licence not stated"
    by = f" by {layer['source']}" if layer["source"] and str(layer["source"]) not in str(named) else ""
    dated = f"date {layer['date']}" if layer["date"] else "date not stated"
    title = f" “{layer['title']}”" if layer["title"] else ""
    said = [f"{named}{by}", str(licence), dated, *([f"SHA-256 {str(layer['sha256'])[:16]}"] if layer["sha256"] else [])]
    done = layer["conversions"] if isinstance(layer["conversions"], list) else []
    return "\n".join([f"- {layer['layer_id']}{title} ({layer['kind']}): " + ", ".join(said),
                      *(f"  read so: {each}" for each in done)])  # fmt: skip
