"""The units a plan is made for: given, or the finest real units on the map that hold nearly everybody, or a grid.

A person belongs to exactly one community: of those that overlap to the smallest, to ``outside`` where there is none.
Given units may be of several levels: the finest are planned for, the others are their parents (``geo.parentage``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo import fit, grids, parentage
from geo.errors import Fault, LimitError
from geo.fit import FitParams
from geo.grids import GridParams
from geo.membership import NONE, smallest_holding
from geo.network import Network
from geo.parentage import ParentParams
from geo.reasons import Finding, Sentence
from geo.tables import COMMUNITIES, checked, empty

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Ground = shapely.Polygon | shapely.MultiPolygon

OUTSIDE = "outside"
"""The community of people in no community."""
RANKS = parentage.LEVELS[1:]
"""What a unit is called by its place in the study: the planning unit, and upwards from it; not its legal status."""
TOP_LEVEL = 5
"""Coarsest admin_level that counts as a unit above a community; provinces and countries do not."""
MAX_CELLS = 100_000
"""Cells of a made grid beyond which it is refused."""


class CommunityParams(FitParams, ParentParams):
    """How communities are chosen where none are given, and what is told of how they fit."""

    subject = "community"

    min_admin_level: float = Field(
        ge=2, le=12, description="Coarsest OSM admin_level (number) that may be a community; coarser ones are parents."
    )
    min_share: float = Field(gt=0, le=1, description="Share of all people that units of one level must hold, 0-1.")
    grid_m: float = Field(ge=50, le=20_000, description="Side of the squares of a made grid, metres.")
    margin_m: float = Field(
        gt=0, le=5000, description="Ground drawn round people outside every community, metres; for the map only."
    )
    larger: float = Field(gt=1, le=100, description="How much larger than a unit its parent on the map is, ratio.")


@dataclass(frozen=True, eq=False)
class Communities:
    """``table`` the communities, with a row ``outside`` when people are in none; ``parents`` the units above them.

    Both are COMMUNITIES tables. ``basis`` is ``table``, ``admin_level N``, ``place`` or ``grid``.
    """

    table: gpd.GeoDataFrame
    parents: gpd.GeoDataFrame
    basis: str
    notes: tuple[Sentence, ...]

    def __post_init__(self) -> None:
        checked(self.table, COMMUNITIES)
        checked(self.parents, COMMUNITIES)

    def __repr__(self) -> str:
        return f"Communities({len(self.table)} by {self.basis}, {len(self.parents)} units above)"


@dataclass(frozen=True, eq=False)
class Streets:
    """What cells are drawn between: ``network``, and ``lines`` (LINES) of rivers and railways, None when not known."""

    network: Network
    params: GridParams
    lines: gpd.GeoDataFrame | None = None


def choose(
    boundaries: gpd.GeoDataFrame,
    *,
    demand: gpd.GeoDataFrame,
    params: CommunityParams,
    extent: Ground | None = None,
    streets: Streets | None = None,
) -> Communities:
    """Communities from boundaries, for people at ``demand``.

    The finest admin level of which at least two units together hold ``min_share`` of the people; else named places that
    do; else a grid: cells between ``streets`` (``geo.grids``), all over ``extent`` or the streets; without streets
    squares of ``grid_m`` wherever people are, and all over ``extent`` when it is given. Boundaries that the extract
    cuts off (``geo.boundaries``) take part; units with nobody in them are kept. All in one metric CRS.
    """
    for basis, rows in _levels(boundaries, params):
        units = boundaries[rows].sort_values("boundary_id").reset_index(drop=True)
        if _holds(_shapes(units), demand, params.min_share):
            level = units["admin_level"].fillna(np.inf).to_numpy(dtype=np.float64)
            inside = _shapes(units.set_geometry(units.representative_point()))
            return _complete(*_with_parents(_from_boundaries(units), inside, level, boundaries), basis, demand, params)
    cells, said = _made(demand, params, extent, streets)
    finest = np.full(len(cells), np.inf)
    table, parents = _with_parents(cells, _homes(cells, demand), finest, boundaries)
    return _complete(table, parents, "grid", demand, params, said=said)


def given(
    communities: gpd.GeoDataFrame,
    *,
    demand: gpd.GeoDataFrame,
    params: CommunityParams,
    boundaries: gpd.GeoDataFrame | None = None,
    study_outline: Ground | None = None,
) -> Communities:
    """Communities as a table gives them (COMMUNITIES columns), made complete for the people at ``demand``.

    Of several levels in one table the finest are the communities. Parents are those given or named
    (``geo.parentage``); where nothing is, those of ``boundaries`` that hold them. Gaps are looked for all over
    ``study_outline`` when it is given.
    """
    table = communities[[c.name for c in COMMUNITIES.columns] + ["geometry"]].reset_index(drop=True)
    if table["level"].nunique() > 1 or table["parent_id"].notna().any():
        found = parentage.linked([table], params=params)
        return _complete(found.table, found.parents, "table", demand, params, study=study_outline, said=found.findings)
    parents = empty(COMMUNITIES, crs=table.crs)
    if boundaries is not None and len(boundaries):
        inside = shapely.point_on_surface(_shapes(table))
        least_m2 = shapely.area(_shapes(table)) * params.larger
        table, parents = _with_parents(table, inside, np.full(len(table), np.inf), boundaries, least_m2=least_m2)
    return _complete(table, parents, "table", demand, params, study=study_outline)


def assign(demand: gpd.GeoDataFrame, communities: Communities) -> pd.Series:
    """The community_id of each place with people, indexed like ``demand``; ``outside`` where there is none."""
    return pd.Series(locate(demand.geometry, communities.table), index=demand.index, name="community_id", dtype=object)


def locate(points: gpd.GeoSeries, table: gpd.GeoDataFrame) -> Shapes:
    """The community_id of each point, (points,): of the smallest community that holds it, ``outside`` where none does.

    A point on a border belongs to the smaller side.
    """
    real = table[table["community_id"] != OUTSIDE]
    ids = np.append(real["community_id"].to_numpy(dtype=object), OUTSIDE)
    return np.asarray(ids[smallest_holding(np.asarray(points.to_numpy(), dtype=object), _shapes(real))], dtype=object)


@dataclass(frozen=True, eq=False)
class Units:
    """Communities by place, to be asked again and again: ``ids`` and ``shapes`` (n,), without what is ``outside``."""

    ids: Shapes
    shapes: Shapes
    tree: shapely.STRtree

    @classmethod
    def of(cls, table: gpd.GeoDataFrame) -> Units:
        """Those of a table of communities."""
        real = table[table["community_id"] != OUTSIDE]
        return cls(real["community_id"].to_numpy(dtype=object), _shapes(real), shapely.STRtree(_shapes(real)))

    def __repr__(self) -> str:
        return f"Units({len(self.ids)} communities)"

    def holding(self, point: shapely.Point) -> str | None:
        """As ``locate`` for one point; None where no community holds it."""
        rows = np.sort(self.tree.query(point))
        row = smallest_holding(np.array([point], dtype=object), self.shapes[rows])[0]
        return None if row == NONE else str(self.ids[rows[row]])


def _levels(boundaries: gpd.GeoDataFrame, params: CommunityParams) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Rows that might be communities, finest first."""
    level = boundaries["admin_level"].to_numpy(dtype=np.float64)
    for found in np.unique(level[level >= params.min_admin_level])[::-1]:
        yield f"admin_level {found:g}", level == found
    yield "place", (boundaries["kind"] == "place").to_numpy()


def _holds(shapes: Shapes, demand: gpd.GeoDataFrame, min_share: float) -> bool:
    """Whether at least two of the outlines have people and all together enough of them."""
    people = demand["people"].to_numpy(dtype=np.int64)
    unit = smallest_holding(_shapes(demand), shapes)
    inside = (unit != NONE) & (people > 0)
    return len(np.unique(unit[inside])) >= 2 and people[inside].sum() >= min_share * people.sum()


def _from_boundaries(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Boundaries as communities, parents not yet known."""
    cut_off = units["cut_off"] if "cut_off" in units.columns else np.zeros(len(units), dtype=bool)
    source = [_source(level, bool(cut)) for level, cut in zip(units["admin_level"], cut_off, strict=True)]
    columns = {
        "community_id": units["boundary_id"],
        "name": _first_known(units, ("name", "name_zh", "name_en", "boundary_id")),
        "name_zh": units["name_zh"],
        "name_en": units["name_en"],
        "parent_id": _text(np.full(len(units), None)),
        "level": _text(np.full(len(units), RANKS[0])),
        "source": _text(source),
    }
    return gpd.GeoDataFrame(columns, geometry=units.geometry, crs=units.crs)


def _source(level: float, cut_off: bool) -> str:
    where = "OpenStreetMap place" if np.isnan(level) else f"OpenStreetMap admin_level {level:g}"
    return f"{where}, cut off at the edge of the extract" if cut_off else where


def _first_known(table: gpd.GeoDataFrame, names: tuple[str, ...]) -> pd.Series:
    known: pd.Series = table[names[0]]
    for name in names[1:]:
        known = known.where(known.notna(), table[name])
    return known


def _made(
    demand: gpd.GeoDataFrame, params: CommunityParams, extent: Ground | None, streets: Streets | None
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """Cells between streets; squares where there are none, or where no street divides the ground."""
    if streets is None:
        return _grid(demand, params.grid_m, extent), ()
    found = grids.make(streets.network, demand, params=streets.params, lines=streets.lines, extent=extent)
    cells = found.table if len(found.table) else _grid(demand, params.grid_m, extent)
    return cells, found.findings


def _grid(demand: gpd.GeoDataFrame, side: float, extent: Ground | None) -> gpd.GeoDataFrame:
    """Squares on whole multiples of their side, so that data never moves them. Numbered from the north west."""
    cells = _cells(demand, side, extent)
    if not len(cells):
        return empty(COMMUNITIES, crs=demand.crs)
    x, y = cells.T
    number = [f"{c}-{r}" for c, r in zip(x - x.min() + 1, y.max() - y + 1, strict=True)]
    columns = {
        "community_id": [f"grid_{c}_{r}" for c, r in cells],
        "name": [f"Grid {n}" for n in number],
        "name_zh": [f"网格 {n}" for n in number],
        "name_en": [f"Grid {n}" for n in number],
        "parent_id": _text(np.full(len(cells), None)),
        "level": "grid",
        "source": f"made grid of {side:g} m squares",
    }
    return gpd.GeoDataFrame(
        columns, geometry=shapely.box(x * side, y * side, (x + 1) * side, (y + 1) * side), crs=demand.crs
    )


def _cells(demand: gpd.GeoDataFrame, side: float, extent: Ground | None) -> Ints:
    """Column and row of the squares with people or touching the extent, (cells, 2), from the north west."""
    xy = shapely.get_coordinates(_shapes(demand))
    found = np.floor(xy / side).astype(np.int64)
    if extent is not None and not extent.is_empty:
        west, south, east, north = (int(np.floor(bound / side)) for bound in extent.bounds)
        _refuse_too_many((east - west + 1) * (north - south + 1), side)
        c, r = (axis.ravel() for axis in np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1)))
        touching = shapely.intersects(extent, shapely.box(c * side, r * side, (c + 1) * side, (r + 1) * side))
        found = np.vstack([found, np.column_stack([c, r])[touching]])
    cells = np.unique(found, axis=0).reshape(-1, 2)
    _refuse_too_many(len(cells), side)
    return cells[np.lexsort((cells[:, 0], -cells[:, 1]))]


def _refuse_too_many(cells: int, side: float) -> None:
    if cells > MAX_CELLS:
        fault = Fault(f"at most {MAX_CELLS:,} squares", f"{cells:,} of {side:g} m", "grid of communities",
                      "Make community.grid_m larger, or give communities.")  # fmt: skip
        raise LimitError(fault)


def _homes(cells: gpd.GeoDataFrame, demand: gpd.GeoDataFrame) -> Shapes:
    """Where in each square people are on average, (cells,): at the edge of the data its middle may lie beyond.

    The middle of the square where nobody is.
    """
    cell = smallest_holding(_shapes(demand), _shapes(cells))
    xy = shapely.get_coordinates(_shapes(demand))
    mean = pd.DataFrame(xy).groupby(cell).mean().reindex(range(len(cells))).to_numpy()
    middle = shapely.get_coordinates(shapely.centroid(_shapes(cells)))
    return np.asarray(shapely.points(np.where(np.isnan(mean), middle, mean).reshape(-1, 2)), dtype=object)


def _with_parents(
    table: gpd.GeoDataFrame,
    points: Shapes,
    level: Floats,
    boundaries: gpd.GeoDataFrame,
    *,
    least_m2: Floats | float = 0.0,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """The table with ``parent_id``, and all units above, ranked by how many steps they are above it.

    A unit's parent is the finest of a coarser level that holds its point, and has at least ``least_m2`` (units,).
    """
    units = boundaries[boundaries["admin_level"] >= TOP_LEVEL].sort_values("boundary_id").reset_index(drop=True)
    ids = np.array([*units["boundary_id"], None], dtype=object)
    above = _above(points, level, units, np.broadcast_to(least_m2, len(points)))
    inside = _shapes(units.set_geometry(units.representative_point()))
    next_above = _above(inside, units["admin_level"].to_numpy(dtype=np.float64), units, np.zeros(len(units)))
    rank = _ranks(above, next_above)
    parents = _from_boundaries(units).assign(parent_id=_text(ids[next_above]), level=_text(rank))
    return table.assign(parent_id=_text(ids[above])), parents[rank != RANKS[0]].reset_index(drop=True)


def _above(points: Shapes, level: Floats, units: gpd.GeoDataFrame, least_m2: Floats) -> Ints:
    """The finest unit, of a coarser level and large enough, that holds each point, (points,); ``NONE`` if none."""
    outlines, coarseness = _shapes(units), -units["admin_level"].to_numpy(dtype=np.float64)
    row, unit = shapely.STRtree(outlines).query(points, predicate="intersects")
    area = shapely.area(outlines)
    fits = (-coarseness[unit] < level[row]) & (area[unit] >= least_m2[row])
    row, unit = row[fits], unit[fits]
    order = np.lexsort((unit, area[unit], coarseness[unit], row))
    held, first = np.unique(row[order], return_index=True)
    result = np.full(len(points), NONE, dtype=np.int64)
    result[held] = unit[order][first]
    return result


def _ranks(above: Ints, next_above: Ints) -> Shapes:
    """The rank of each unit, (units,): how far above a community it is; the lowest rank where it is above none."""
    steps = np.zeros(len(next_above), dtype=np.int64)
    rows, step = np.unique(above[above != NONE]), 1
    while len(rows):
        steps[rows] = min(step, len(RANKS) - 1)
        rows, step = np.unique(next_above[rows][next_above[rows] != NONE]), step + 1
    return np.array(RANKS, dtype=object)[steps]


def _complete(
    table: gpd.GeoDataFrame,
    parents: gpd.GeoDataFrame,
    basis: str,
    demand: gpd.GeoDataFrame,
    params: CommunityParams,
    *,
    study: Ground | None = None,
    said: tuple[Finding, ...] = (),
) -> Communities:
    """The communities with a row for people in none of them, and what must be said about them."""
    out = locate(demand.geometry, table) == OUTSIDE
    people = int(demand.loc[out, "people"].sum())
    # Made cells are the ground's own division: nothing to find.
    faults = () if basis == "grid" else fit.faults(table, params=params, study_outline=study).findings
    notes = (*_basis_notes(basis, table, params), *said, *faults, *_outside_notes(people))
    if not out.any():
        return Communities(table, parents, basis, notes)
    rest = _outside(_shapes(demand[out]), _shapes(table), params.margin_m, table.crs)
    whole = gpd.GeoDataFrame(pd.concat([table, rest], ignore_index=True), crs=table.crs) if len(table) else rest
    return Communities(whole, parents, basis, notes)


def _outside(points: Shapes, shapes: Shapes, margin_m: float, crs: object) -> gpd.GeoDataFrame:
    """The row of people in no community: the ground round them that is nobody else's."""
    ground = shapely.difference(shapely.union_all(shapely.buffer(points, margin_m)), shapely.union_all(shapes))
    names = {"name": "Outside every community", "name_zh": "所有社区之外", "name_en": "Outside every community"}
    row = {"community_id": OUTSIDE, **names, "parent_id": None, "level": RANKS[0], "source": "people in no community"}
    columns = {name: _text([value]) for name, value in row.items()}
    return gpd.GeoDataFrame(columns, geometry=[ground], crs=crs)


def _basis_notes(basis: str, table: gpd.GeoDataFrame, params: CommunityParams) -> Iterator[Sentence]:
    if basis == "grid":
        squares = table["source"].str.contains("squares").any()
        en, zh = (f"squares of {params.grid_m:g} m", f"{params.grid_m:g}米网格") if squares else (
            "cells between streets", "按街道划分的网格")  # fmt: skip
        yield Finding(
            "communities_made",
            f"No units on the map hold {params.min_share:.0%} of the people: communities are {en}, {len(table)} of "
            "them.",
            f"地图上没有能涵盖{params.min_share:.0%}人口的行政单元：社区以{zh}代替，共{len(table)}格。",
            count=len(table), do_en="Give communities to replace them.", do_zh="请提供社区边界以替换。",
        )  # fmt: skip
    cut = int(table["source"].str.contains("cut off").sum())
    if cut:
        yield Finding(
            "communities_cut_off",
            f"{cut} of {len(table)} communities reach beyond the data; only the part within is counted.",
            f"{len(table)}个社区中有{cut}个超出数据范围，仅统计范围内部分。",
        )


def _outside_notes(people: int) -> Iterator[Sentence]:
    if people:
        yield Finding(
            "people_outside",
            f"{people:,} people live outside every community; they have a row of their own.",
            f"{people:,}人居住在所有社区之外，单列一行。",
            "warning",
            people,
            do_en="Give the communities they live in.",
            do_zh="请补充其所在社区的边界。",
        )


def _text(values: Shapes | list[str] | list[str | None]) -> pd.Series:
    """A column of text in which None stays None."""
    return pd.Series(values, dtype=object)


def _shapes(table: gpd.GeoDataFrame) -> Shapes:
    return np.asarray(table.geometry.to_numpy(), dtype=object)
