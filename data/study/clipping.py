"""A city cut to its study's outline: what lies inside stays, what lies outside is counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.extents import Bounds
from data.study.outline import BEYOND_M, Outline
from geo import population
from geo.city import City
from geo.network import Ways
from geo.reasons import Finding, Sentence

FAR = "sources_far"
"""Code of what is said of sources that lie too far off."""
CLIPPED = {"buildings": "建筑", "facilities": "设施", "shelters": "避难场所", "communities": "社区", "streets": "街道"}
"""Tables whose rows outside the outline are told, and their Chinese names."""


def clipped(city: City, outline: Outline) -> City:
    """The city within an outline (polygon in its CRS); what is left out is counted in its notes.

    Streets, shelters, land and water are kept a good walk beyond it: the nearest shelter may lie across the line.
    """
    shapely.prepare(outline)
    wide = shapely.buffer(outline, BEYOND_M)
    shapely.prepare(wide)
    kept = {
        "buildings": _with_inner_point(city.buildings, outline),
        "facilities": _with_inner_point(city.facilities, outline),
        "shelters": _with_inner_point(city.shelters, wide), "areas": _meeting(city.areas, wide),
        "lines": _meeting(city.lines, wide), "sources": None if city.sources is None else _meeting(city.sources, wide),
        "boundaries": _meeting(city.boundaries, outline),
        "communities": None if city.communities is None else _with_inner_point(city.communities, outline),
    }  # fmt: skip
    ways = None if city.ways is None else _reaching(city.ways, wide)
    streets = 0 if city.ways is None or ways is None else len(city.ways) - len(ways)
    people = {time: population.within(table, outline) for time, table in city.people.items()}
    notes = (*city.notes, *_clip_note(city, kept, streets), *(note for _, said in people.values() for note in said))
    inside = {time: table for time, (table, _) in people.items()}
    return dataclasses.replace(city, ways=ways, notes=notes, outline=outline, people=inside, **kept)


def near(table: gpd.GeoDataFrame, bounds: Bounds | None) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The sources of rules (SOURCES) within ``bounds`` (smallest x and y, largest x and y, in their CRS), cut to them.

    A fault 300 m beyond the study's edge counts, its other 400 km do not: how many are left out is said.
    """
    if bounds is None or not len(table):
        return table, ()
    shapes = np.asarray(table.geometry.to_numpy(), dtype=object)
    box = shapely.box(*bounds)
    shapely.prepare(box)
    kept = shapely.intersects(box, shapes)
    table = table[kept].set_geometry(_cut(shapes[kept], box), crs=table.crs).reset_index(drop=True)
    far = int((~kept).sum())
    if not far:
        return table, ()
    en = f"{far:,} of {len(kept):,} sources of rules lie more than {BEYOND_M / 1000:g} km from the study: left out."
    zh = f"{len(kept)}个避让对象中有{far}个距研究范围{BEYOND_M / 1000:g}公里以上，未计入。"
    return table, (Finding(FAR, en, zh, count=far),)


def _cut(shapes: NDArray[np.object_], box: shapely.Geometry) -> NDArray[np.object_]:
    """Shapes that meet a box, cut to it; one that only touches it as it is."""
    inside = shapely.intersection(shapes, box)
    same = shapely.get_dimensions(inside) == shapely.get_dimensions(shapes)
    return np.where(same, inside, shapes)


def _clip_note(city: City, kept: Mapping[str, gpd.GeoDataFrame | None], streets: int) -> Iterable[Sentence]:
    lost = {
        name: len(getattr(city, name)) - len(table)
        for name, table in kept.items() if table is not None and name in CLIPPED
    }  # fmt: skip
    lost["streets"] = streets
    if any(lost.values()):
        en = ", ".join(f"{n:,} {name}" for name, n in lost.items() if n)
        zh = "、".join(f"{CLIPPED[name]}{n}" for name, n in lost.items() if n)
        en = f"Outside the study's outline and left out: {en}."
        yield Finding("outside_outline", en, f"研究范围外未计入：{zh}。", count=sum(lost.values()))


def _with_inner_point(table: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    inner = shapely.point_on_surface(table.geometry.to_numpy())
    return table[shapely.contains(area, inner)].reset_index(drop=True)


def _meeting(table: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    return table[shapely.intersects(area, table.geometry.to_numpy())].reset_index(drop=True)


def _reaching(ways: Ways, area: shapely.Geometry) -> Ways:
    """The ways with a node in the area, whole, and the restrictions on turns between them."""
    inside = shapely.contains_xy(area, ways.x, ways.y)
    kept = np.logical_or.reduceat(inside, ways.start[:-1]) if len(ways) else np.zeros(0, dtype=bool)
    size = np.diff(ways.start)
    points = np.repeat(kept, size)
    node = ways.node[points]
    on_street = ways.barriers["node_id"].isin(node)
    tags = ways.tags[kept].reset_index(drop=True)
    return Ways(
        tags, np.r_[0, np.cumsum(size[kept])].astype(np.int64), node, ways.x[points], ways.y[points],
        ways.barriers[on_street].reset_index(drop=True), ways.crs, _between(ways.restrictions, set(tags["way_id"])),
    )  # fmt: skip


def _between(restrictions: pd.DataFrame, ways: set[int]) -> pd.DataFrame:
    """The restrictions on turns all of whose ways are there."""
    columns = (restrictions[name] for name in ("from_way", "via_ways", "to_way"))
    whole = [ways.issuperset((start, *via, end)) for start, via, end in zip(*columns, strict=True)]
    return restrictions[np.array(whole, dtype=bool)].reset_index(drop=True)
