"""From a run's result to what a reader sees: where computing ends and looking begins.

``app.drawings`` says which layer is drawn from which table; here a run's tables become layers, its headline the numbers
on top, its communities the list beside the map.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from app import fields
from app.drawings import DRAWINGS, GROUPS, Drawing, Limits
from app.fields import Names, named
from app.maps.view import Number, Standing
from app.texts import catalogue, codes, words
from geo.depots import TIERS
from geo.levels import FALLING
from geo.stages import STAGES
from tiles import raster, style
from tiles.layer import Kind, Layer, Raster, Row, legend
from tiles.style import Style, Symbol
from tiles.text import LANGUAGES, NOTHING, Text

STATUS_ORDER = ("bad", "watch", "good", "empty")
"""The weakest first."""
HAZARD = "hazard_"
COMBINED = "hazard_combined"
"""The raster of all hazards together: where it is, it is seen first."""
LEGEND_ROWS = 10
"""Rows of a legend beyond which the others are told in one."""


class RunView(Protocol):
    """What is needed of a run to show it."""

    @property
    def names(self) -> Collection[str]:
        """Names of the tables and rasters there are."""

    @property
    def headline(self) -> Mapping[str, Any]:
        """The run in a few numbers."""

    @property
    def limits(self) -> Limits:
        """The minutes within which each service counts as there."""

    def table(self, name: str) -> gpd.GeoDataFrame:
        """One table in EPSG:4326."""

    def raster(self, name: str) -> Raster:
        """One raster."""


def layers(run: RunView, *, bare: bool = False) -> list[Layer]:
    """Every layer of a run, group by group in the order of ``GROUPS``; tables without rows are left out.

    ``bare`` layers come without their features: then one table after another is looked at, and none is kept.
    """
    names = called(run)
    found: dict[int, Layer] = {}
    for i, drawing in sorted(enumerate(DRAWINGS), key=lambda each: each[1].table):
        if (layer := _drawn(drawing, run, names)) is not None:
            found[i] = layer.bare() if bare else layer
    hazards = sorted(name for name in run.names if name.startswith(HAZARD))
    first = {COMBINED} & {*hazards} or {*hazards}
    rasters = [_hazard(name, run.raster(name), visible=name in first) for name in hazards]
    return sorted([*rasters, *(found[i] for i in sorted(found))], key=lambda layer: GROUPS.index(layer.group))


IDS = {
    "shelter_id": ("shelters", "shelter_id"), "stay_id": ("shelters", "shelter_id"),
    "community_id": ("communities", "community_id"), "depot_id": ("depots", "depot_id"),
}  # fmt: skip
"""Columns of ids: the table that says what they are called, and its own column of ids."""


def called(run: RunView) -> Names:
    """What the rows are called that a run's ids stand for: their names, else what kind they are; others stay ids."""

    @cache
    def of(column: str) -> Mapping[str, Text]:
        table, key = IDS.get(column, ("", ""))
        if table not in run.names:
            return {}
        rows = run.table(table).drop(columns="geometry").to_dict("records")
        said = {str(row[key]): named(row) or codes("kind").get(row.get("kind"), NOTHING) for row in rows}
        return {key: text for key, text in said.items() if text}

    return of


def _drawn(drawing: Drawing, run: RunView, names: Names) -> Layer | None:
    if drawing.table not in run.names:
        return None
    frame = run.table(drawing.table)
    if not _known_at_all(drawing, frame) and not drawing.keep_empty:
        return None
    look = drawing.style(frame, run.limits)
    return Layer(
        drawing.layer_id, drawing.table, drawing.title, drawing.group, look,
        fields=tuple(fields.shown(drawing.fields, frame, names)),
        legend=_shortened(legend(look, frame, people=drawing.people)), features=frame, count=len(frame),
        vertices=_vertices(frame) if drawing.outlines else 0, geometry=drawing.geometry, visible=drawing.visible,
        draw_order=drawing.order, number=drawing.number, named=drawing.named, note=drawing.note, topic=drawing.topic,
        short=drawing.short,
    )  # fmt: skip


def _known_at_all(drawing: Drawing, frame: gpd.GeoDataFrame) -> bool:
    """Whether there is anything to draw: rows, and some value where a column decides."""
    if not drawing.column:
        return len(frame) > 0
    return drawing.column in frame.columns and bool(frame[drawing.column].notna().any())


def _vertices(frame: gpd.GeoDataFrame) -> int:
    return int(shapely.get_num_coordinates(frame.geometry.to_numpy()).sum())


def _shortened(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The first rows of a long legend, and one for all the others."""
    if len(rows) <= LEGEND_ROWS + 1:
        return rows
    rest = rows[LEGEND_ROWS:]
    known = [row.people for row in rest if row.people is not None]
    people = sum(known) if known else None
    others = Row(words("legend.others", n=len(rest)), Symbol(), sum(row.features or 0 for row in rest), people)
    return (*rows[:LEGEND_ROWS], others)


def _hazard(name: str, held: Raster, *, visible: bool) -> Layer:
    kind, title = _hazard_said(name.removeprefix(HAZARD))
    look = _look(kind, held)
    note = f"note.{HAZARD}{kind}"
    rows = tuple(Row(c.label, c.symbol) for c in look.classes if c.always and c.symbol.fill)
    return Layer(name, name, title, "hazards", look, legend=rows, raster=held, geometry="raster", visible=visible,
                 draw_order=10, note=words(note) if note in catalogue(LANGUAGES[0]) else NOTHING)  # fmt: skip


def _look(kind: str, held: Raster) -> Style:
    """Depths and levels have classes of their own, whatever the raster holds; other units are told by its largest."""
    if held.unit == "level":
        return style.levels()
    if held.unit == "m":
        return style.depth("value")
    ramp = style.arrivals_of_water if kind in FALLING else style.intensity
    return ramp(raster.maximum(held.path), _unit(held.unit))


def _hazard_said(name: str) -> tuple[str, Text]:
    """The kind in a raster's name, and its title; where two are of a kind, the layer's id stands behind it."""
    known = [kind for kind in codes("hazard") if name == kind or name.startswith(f"{kind}_")]
    kind = max(known, key=len, default=name)
    own, said = f"layer.{HAZARD}{kind}", codes("hazard").get(kind, Text(kind, kind))
    title = words(own) if own in catalogue(LANGUAGES[0]) else Text(
        **{lang: catalogue(lang)["layer.hazard"].format(kind=said.of(lang)) for lang in LANGUAGES}
    )  # fmt: skip
    apart = name.removeprefix(kind).removeprefix("_")
    return kind, Text(f"{title.zh} · {apart}", f"{title.en} · {apart}") if apart else title


def _unit(unit: str) -> Text:
    return words(f"unit.{unit}") if f"unit.{unit}" in catalogue(LANGUAGES[0]) else Text(unit, unit)


WHERE_ANY = {
    "full": "people_full", "housed": "people_displaced", "in_let": "people_in_let",
    "buildings_in_let": "buildings_in_let", "reserve_short": "reserve_short_m2",
}  # fmt: skip
"""Numbers of the headline that are shown where some other one is more than 0."""


def numbers(run: RunView) -> tuple[Number, ...]:
    """The headline in a few numbers, beside what they are on a normal day; services only where they were computed."""
    value = {key: _known(number) for key, number in run.headline.items()}
    rows: tuple[tuple[str, str, Kind, str, str, str], ...] = (
        ("people", "people", "count", "", "", "plain"),
        ("served", "people_served", "count", "people", "people_served_normal", "good"),
        ("unserved", "people_unserved", "count", "people", "", "bad"),
        ("full", "people_full", "count", "people", "", "bad"),
        ("cut_off", "people_cut_off", "count", "people", "", "bad"),
        ("housed", "people_housed", "count", "people_displaced", "", "plain"),
        ("shelters", "shelters_usable", "count", "shelters", "", "plain"),
        ("room", "shelter_capacity", "count", "", "", "plain"),
        *((f"at_risk_{stage}", f"people_at_risk_{stage}", "count", "people", "", "plain") for stage in STAGES),
        ("in_let", "people_in_let", "count", "people", "", "bad"),
        ("buildings_in_let", "buildings_in_let", "count", "", "", "bad"),
        ("reserve_short", "reserve_short_m2", "count", "", "", "bad"),
        ("walk", "walk_s_median", "minutes", "", "walk_s_median_normal", "plain"),
        ("clearance", "clearance_s", "minutes", "", "", "plain"),
        ("fire", "fire_share", "share", "", "fire_share_normal", "plain"),
        ("medical", "medical_share", "share", "", "medical_share_normal", "plain"),
        ("stock", "cover_days", "hours", "", "", "plain"),
        *((f"stock_{tier}", f"cover_days_{tier}", "hours", "", "", "plain") for tier in TIERS),
    )
    return tuple(
        Number(key, words(f"number.{key}"), value.get(column), kind, value.get(of), value.get(normal), tone)
        for key, column, kind, of, normal, tone in rows
        if _worth_saying(key, column, value)
    )


def _worth_saying(key: str, column: str, value: Mapping[str, float | None]) -> bool:
    """Whether a number stands on top: the few that always do, those that were computed, and some where there are any.

    ``full`` where somebody finds no room, ``housed`` where somebody cannot stay at home, what must move where anything
    must, how long stock lasts and who is at risk where it is known.
    """
    if key in WHERE_ANY:
        return bool(value.get(WHERE_ANY[key]))
    if key.startswith(("stock", "at_risk")):
        return value.get(column) is not None
    return column in value or key not in ("room", "clearance", "fire", "medical")


def _known(value: Any) -> float | None:
    """A number that can be shown; None where there is none."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def standings(run: RunView) -> tuple[Standing, ...]:
    """The communities, weakest first: by status, then by people not served; equals by id."""
    frame = run.table("communities")
    rank = frame["status"].map({status: i for i, status in enumerate(STATUS_ORDER)}).fillna(len(STATUS_ORDER))
    unserved = pd.to_numeric(frame["people_unserved"]).to_numpy(dtype=np.float64, na_value=0)
    order = np.lexsort((frame["community_id"].astype(str), -np.nan_to_num(unserved), rank))
    boxes = frame.geometry.bounds.to_numpy()
    return tuple(_standing(frame.iloc[i], tuple(float(side) for side in boxes[i])) for i in order)


def _standing(row: pd.Series, bounds: Sequence[float]) -> Standing:
    west, south, east, north = bounds
    return Standing(
        str(row["community_id"]), named(row), str(row["status"]), _counted(row["people"]),
        _counted(row["people_unserved"]), Text(_said(row.get("reason_zh")), _said(row.get("reason_en"))),
        (west, south, east, north),
    )  # fmt: skip


def _counted(value: Any) -> int | None:
    """Whole persons; None where nobody knows."""
    return None if pd.isna(value) else int(value)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else ""


def bounds(run: RunView) -> tuple[float, float, float, float]:
    """West, south, east, north of the communities, degrees; the whole web map when there is none."""
    frame = run.table("communities")
    edges = frame.total_bounds if len(frame) else np.array([-180.0, -85.0, 180.0, 85.0])
    west, south, east, north = (float(edge) for edge in edges)
    return west, south, east, north
