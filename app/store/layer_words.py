"""What a table and its columns are called, for programs that show the comments of a database."""

from __future__ import annotations

from app.store.runs import LayerRecord
from app.texts import catalogue

UNITS = {
    "_m2": "m²", "_km2": "km²", "_m3": "m³", "_m": "m", "_km": "km", "_s": "s", "_min": "min", "_share": "0-1",
    "_degrees": "°", "_l": "L", "_kg": "kg", "_y": "years", "_h": "h",
}  # fmt: skip
"""Units by the ends of columns' names."""


def about_layer(layer: LayerRecord, where: str, credit: str) -> str:
    """Title in both languages, which run it is of, and whom to name."""
    title = _title(layer.layer)
    return ". ".join(part for part in (title, where, credit) if part)


def about_column(name: str) -> str:
    """Title in both languages and the unit; empty where neither is known."""
    key = f"field.{name}"
    said = _both(key) if key in catalogue("en") else ""
    unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
    unit = "0-1" if not unit and name.startswith("share_") else unit
    return f"{said} ({unit})" if said and unit else said or unit


def _title(layer: str) -> str:
    """The title of a layer, or of the kind of layers it is one of: ``circles_fire`` is one of ``circles``."""
    known = catalogue("en")
    words = layer.split("_")
    tries = ("_".join(words[:n]) for n in range(len(words), 0, -1))
    found = next((name for name in tries if f"layer.{name}" in known), None)
    if found is None:
        return layer
    rest = layer.removeprefix(found).strip("_")
    return f"{_both(f'layer.{found}')} [{rest}]" if rest else _both(f"layer.{found}")


def _both(key: str) -> str:
    return " / ".join(catalogue(lang)[key] for lang in ("en", "zh"))
