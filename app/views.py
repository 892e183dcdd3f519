"""From a run's result to what a reader sees: where computing ends and looking begins.

A table of drawings says which layer is drawn from which table, how, with which fields, in which order. Words come from
``app.texts``, colours and classes from ``tiles.style``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd

from app.maps.view import Number, Standing
from app.texts import catalogue, codes, words
from tiles import raster, style
from tiles.layer import Field, Kind, Layer, Raster, Row, legend
from tiles.style import Style
from tiles.text import LANGUAGES, NOTHING, Text

GROUPS = ("hazards", "people", "shelters", "streets", "context")
"""Groups of layers in the order in which they are listed."""
STATUS_ORDER = ("bad", "watch", "good", "empty")
"""The weakest first."""
HAZARD = "hazard_"
OSM_ATTRIBUTION = "© OpenStreetMap contributors"


class RunView(Protocol):
    """What is needed of a run to show it."""

    @property
    def names(self) -> Collection[str]:
        """Names of the tables and rasters there are."""

    @property
    def headline(self) -> Mapping[str, Any]:
        """The run in a few numbers."""

    def table(self, name: str) -> gpd.GeoDataFrame:
        """One table in EPSG:4326."""

    def raster(self, name: str) -> Raster:
        """One raster."""


@dataclass(frozen=True)
class Drawing:
    """How a table becomes a layer; ``column`` must hold some value, else there is nothing to draw."""

    layer_id: str
    table: str
    group: str
    style: Callable[[], Style]
    fields: tuple[Field, ...]
    geometry: Literal["point", "line", "polygon", "mixed"]
    order: int
    people: str = ""
    number: str = ""
    visible: bool = False
    column: str = ""
    keep_empty: bool = False


def _field(
    column: str, kind: Kind = "text", *, label: str = "", unit: str = "", missing: str = "", code: str = ""
) -> Field:  # fmt: skip
    return Field(
        column, words(f"field.{label or column}"), "code" if code else kind,
        words(f"unit.{unit}") if unit else NOTHING, words(f"missing.{missing}") if missing else NOTHING,
        codes(code) if code else {},
    )  # fmt: skip


def _count(column: str, **more: str) -> Field:
    return _field(column, "count", **more)


def _walk(column: str, missing: str = "no_way") -> Field:
    return _field(column, "minutes", unit="min", missing=missing)


NAME = _field("name", "name")
REASON = _field("reason")
WATER = (_field("depth_max_m", "metres", unit="m"), _field("share_wet", "share"), _field("share_unknown", "share"))
COMMUNITY = (
    NAME, _field("status", code="status"), REASON, _count("people"), _count("people_unserved"),
    _count("people_cut_off"), _count("people_served"), _count("people_served_normal"), _count("people_exposed"),
    _count("shelters_usable"), _count("shelter_capacity", unit="people"),
    _field("shelter_m2_per_person", "area", unit="m2"), _walk("walk_s_median", "nobody"),
    _walk("walk_s_median_normal", "nobody"), _field("source"),
)  # fmt: skip
PLACE = (
    _count("people", unit="people"), _field("state", code="state"), _walk("walk_s"), _walk("walk_s_normal"),
    _field("depth_max_m", "metres", unit="m"), _field("snap_m", "metres", unit="m"),
)  # fmt: skip
SHELTER = (
    NAME, _field("usable", "bool"), REASON, _field("kind", code="kind"), _field("tier", code="tier"),
    _field("origin", code="origin"), _count("capacity_people", unit="people"),
    _field("capacity_basis", code="capacity_basis"), _count("people_nearest", unit="people"),
    _field("area_m2", "area", unit="m2"), *WATER,
)  # fmt: skip
STREET = (
    NAME, _field("highway", code="highway"), _field("walk_usable", "bool"), _field("walk_reason", code="walk_reason"),
    _field("length_m", "metres", unit="m"), *WATER, _field("bridge", "bool"), _field("tunnel", "bool"),
)  # fmt: skip
DRAWINGS = (
    Drawing("communities", "communities", "people", style.status, COMMUNITY, "polygon", 20, people="people",
            number="people_unserved", visible=True, keep_empty=True),
    Drawing("demand", "demand", "people", style.walking, PLACE, "point", 40, people="people"),
    Drawing("cut_off", "cut_off", "people", style.lost, PLACE, "point", 50, people="people"),
    Drawing("shelters", "shelters", "shelters", style.shelters, SHELTER, "mixed", 60, visible=True, keep_empty=True),
    Drawing("street_flows", "street_flows", "shelters", style.flows,
            (NAME, _count("people", unit="people", label="people_along")), "line", 34),
    Drawing("streets", "streets", "streets", style.open_streets, STREET, "line", 30),
    Drawing("streets_depth", "streets", "streets", lambda: style.depth(px=3), STREET, "line", 32, column="depth_max_m"),
    Drawing("facilities", "facilities", "context", style.facilities, (NAME, _field("kind", code="kind")), "point", 45),
    Drawing("setback_sources", "setback_sources", "context", style.setbacks,
            (NAME, _field("group", code="group"), _field("kind", code="kind")), "mixed", 15),
)  # fmt: skip
NOTED = {key.removeprefix("note.") for key in catalogue(LANGUAGES[0]) if key.startswith("note.")}


def layers(run: RunView) -> list[Layer]:
    """Every layer of a run, group by group in the order of ``GROUPS``; tables without rows are left out."""
    found = [layer for drawing in DRAWINGS if (layer := _drawn(drawing, run)) is not None]
    rasters = [_hazard(name, run.raster(name)) for name in sorted(run.names) if name.startswith(HAZARD)]
    return sorted([*rasters, *found], key=lambda layer: GROUPS.index(layer.group))


def _drawn(drawing: Drawing, run: RunView) -> Layer | None:
    if drawing.table not in run.names:
        return None
    frame = run.table(drawing.table)
    known = frame[drawing.column].notna().any() if drawing.column else len(frame) > 0
    if not known and not drawing.keep_empty:
        return None
    look = drawing.style()
    return Layer(
        drawing.layer_id, drawing.table, words(f"layer.{drawing.layer_id}"), drawing.group, look,
        fields=tuple(f for f in drawing.fields if f.column in ("name", "reason") or f.column in frame.columns),
        legend=legend(look, frame, people=drawing.people), features=frame, count=len(frame), geometry=drawing.geometry,
        visible=drawing.visible, draw_order=drawing.order, number=drawing.number,
        note=words(f"note.{drawing.layer_id}") if drawing.layer_id in NOTED else NOTHING,
    )  # fmt: skip


def _hazard(name: str, held: Raster) -> Layer:
    kind = name.removeprefix(HAZARD)
    look = style.depth("value") if held.unit == "m" else style.intensity(raster.maximum(held.path), _unit(held.unit))
    rows = tuple(Row(c.label, c.symbol) for c in look.classes if c.always and c.symbol.fill)
    return Layer(name, name, _hazard_title(kind), "hazards", look, legend=rows, raster=held, geometry="raster",
                 visible=True, draw_order=10)  # fmt: skip


def _hazard_title(kind: str) -> Text:
    """The kind's own title where there is one; else its name in the words for any hazard."""
    if f"layer.{HAZARD}{kind}" in catalogue(LANGUAGES[0]):
        return words(f"layer.{HAZARD}{kind}")
    said = codes("hazard").get(kind, Text(kind, kind))
    return Text(**{lang: catalogue(lang)["layer.hazard"].format(kind=said.of(lang)) for lang in LANGUAGES})


def _unit(unit: str) -> Text:
    return words(f"unit.{unit}") if f"unit.{unit}" in catalogue(LANGUAGES[0]) else Text(unit, unit)


def numbers(run: RunView) -> tuple[Number, ...]:
    """The headline in six numbers, beside what they are on a normal day."""
    value = {key: _known(number) for key, number in run.headline.items()}
    rows: tuple[tuple[str, str, Kind, str, str, str], ...] = (
        ("people", "people", "count", "", "", "plain"),
        ("served", "people_served", "count", "people", "people_served_normal", "good"),
        ("unserved", "people_unserved", "count", "people", "", "bad"),
        ("cut_off", "people_cut_off", "count", "people", "", "bad"),
        ("shelters", "shelters_usable", "count", "shelters", "", "plain"),
        ("walk", "walk_s_median", "minutes", "", "walk_s_median_normal", "plain"),
    )
    return tuple(
        Number(key, words(f"number.{key}"), value.get(column), kind, value.get(of), value.get(normal), tone)
        for key, column, kind, of, normal, tone in rows
    )


def _known(value: Any) -> float | None:
    """A number that can be shown; None where there is none."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def standings(run: RunView) -> tuple[Standing, ...]:
    """The communities, weakest first: by status, then by people not served; equals by id."""
    frame = run.table("communities")
    rank = frame["status"].map({status: i for i, status in enumerate(STATUS_ORDER)}).fillna(len(STATUS_ORDER))
    order = np.lexsort((frame["community_id"].astype(str), -frame["people_unserved"], rank))
    boxes = frame.geometry.bounds.to_numpy()
    return tuple(_standing(frame.iloc[i], tuple(float(side) for side in boxes[i])) for i in order)


def _standing(row: pd.Series, bounds: Sequence[float]) -> Standing:
    west, south, east, north = bounds
    return Standing(
        str(row["community_id"]), named(row), str(row["status"]), int(row["people"]), int(row["people_unserved"]),
        Text(_said(row.get("reason_zh")), _said(row.get("reason_en"))), (west, south, east, north),
    )  # fmt: skip


def named(row: Mapping[str, Any] | pd.Series) -> Text:
    """The name in both languages: the one for the language, else the local one."""
    local = _said(row.get("name"))
    return Text(_said(row.get("name_zh")) or local, _said(row.get("name_en")) or local)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else ""


def bounds(run: RunView) -> tuple[float, float, float, float]:
    """West, south, east, north of the communities, degrees; the whole web map when there is none."""
    frame = run.table("communities")
    edges = frame.total_bounds if len(frame) else np.array([-180.0, -85.0, 180.0, 85.0])
    west, south, east, north = (float(edge) for edge in edges)
    return west, south, east, north
