"""The page that goes with every export: what it is, whose data it stands on, what to know before using it."""

from __future__ import annotations

from app.store import Run

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
        "Sources\n" + "\n".join(_source(layer) for layer in record.recipe.inputs),
        "Layers\n"
        + "\n".join(
            f"- {layer.layer}: {layer.rows:,} {'rows' if layer.kind == 'table' else 'cells'}" for layer in record.layers
        ),
    ]
    if record.notes:
        parts.append("Notes\n" + "\n".join(f"- {note.en}\n  {note.zh}" for note in record.notes))
    return "\n\n".join(parts) + "\n"


def _source(layer: object) -> str:
    assert isinstance(layer, dict)
    said = [layer.get("attribution") or layer.get("source") or "source not stated",
            layer.get("licence") or "licence not stated", layer.get("date")]  # fmt: skip
    return f"- {layer['layer_id']} ({layer['kind']}): " + ", ".join(str(part) for part in said if part)
