"""Cells (网格) where there are no communities: balanced in people, each in one piece, bounded by streets and rivers.

Streets, railways and rivers divide the ground into blocks (``geo.blocks``); a block with too many people is cut
straight; blocks are joined into cells of about the same number of people whose borders run along main streets and
barriers where they can (``geo.balance``). The cells are the whole ground: no gap, no overlap, everybody in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo import balance, blocks, naming_ground
from geo.balance import Bounds, Graph
from geo.blocks import NOBODY, Blocks, Ground
from geo.curves import Sourced
from geo.membership import smallest_holding
from geo.network import NO_TUNNEL, Network, below_ground
from geo.profiles import Words
from geo.reasons import Finding
from geo.tables import COMMUNITIES, LINES, NAMES, checked, empty

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

HULL = 0.3
"""How closely the ground follows the outermost streets: 1 the convex hull, 0 from node to node."""
STEPS = 400
"""How finely, along its longer extent, a city is looked at for its hull."""
BIG_M2 = 1e4
"""Square metres a hectare."""
RANKS = ("barrier", "main", "local", "path", "cut")
"""What a border may run along, best first."""


class GridParams(Sourced):
    """How ground is divided into cells."""

    subject = "grids"

    people: float = Field(ge=10, le=1e6, description="People that a cell should have (count).")
    least_share: float = Field(gt=0, lt=1, description="Least people of a cell as a share of what it should have, 0-1.")
    most_share: float = Field(gt=1, le=5, description="Most people of a cell as a share of what it should have, ratio.")
    hectares: float = Field(
        gt=0, le=1e5, description="Ground of a cell where nobody's home is known, hectares (10 000 m²)."
    )
    main_kinds: Words = Field(description="Streets along which cells are bounded by preference (OSM highway words).")
    local_kinds: Words = Field(description="Streets along which cells may be bounded (OSM highway words).")
    barrier_kinds: Words = Field(description="Streets and lines that bound cells before all others (kinds).")
    skipped_kinds: Words = Field(description="Ways that bound nothing (OSM highway words).")
    barrier_cost: float = Field(gt=0, le=100, description="Cost of a border along a barrier, ratio to a local street.")
    main_cost: float = Field(gt=0, le=100, description="Cost of a border along a main street, ratio to a local street.")
    path_cost: float = Field(gt=0, le=100, description="Cost of a border along a path, ratio to a local street.")
    cut_cost: float = Field(gt=0, le=100, description="Cost of a straight cut, ratio to a local street.")
    margin_m: float = Field(gt=0, le=5000, description="Ground beyond the outermost streets and people, metres.")


@dataclass(frozen=True, eq=False)
class Grids:
    """``table`` the cells (COMMUNITIES), from the north west; ``measures`` for each its ``people``, ``area_m2``,
    ``compactness`` (4π area / border², 1 a circle) and ``main_share`` of its border along barriers and main streets
    (NaN where it has no neighbour).
    """

    table: gpd.GeoDataFrame
    measures: pd.DataFrame
    findings: tuple[Finding, ...]
    quality: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked(self.table, COMMUNITIES)

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {value:.3g}" for name, value in self.quality.items())
        return f"Grids({len(self.table)} cells, {told})"


@dataclass(frozen=True, eq=False)
class _Borders:
    """Lines that may bound a cell, best first: ``shapes``, ``rank`` (place in RANKS), and names (None where none)."""

    shapes: Shapes
    rank: Ints
    names: pd.DataFrame

    def prolonged(self, ground: Ground) -> _Borders:
        """These, and streets that end in the open carried on straight to the ground's edge.

        An extract cuts streets off before its edge; the ground round a town would else be one block.
        """
        way, street = blocks.to_the_edge(ground, self.shapes, self.rank <= RANKS.index("local"))
        return self._with(way, self.rank[street])

    def with_cuts(self, cuts: Shapes) -> _Borders:
        """These, and straight cuts after them."""
        return self._with(cuts, np.full(len(cuts), RANKS.index("cut")))

    def _with(self, shapes: Shapes, rank: Ints) -> _Borders:
        unnamed = pd.DataFrame({name: [None] * len(shapes) for name in NAMES}, dtype=object)
        names = pd.concat([self.names, unnamed], ignore_index=True)
        return _Borders(np.append(self.shapes, shapes), np.append(self.rank, rank), names)


@dataclass(frozen=True, eq=False)
class _Homes:
    """Where people are: points, and how many."""

    points: Shapes
    people: Ints

    def within(self, shapes: Shapes) -> Ints:
        """The polygon of each point (points,), ``NOBODY`` where it is in none."""
        return smallest_holding(self.points, shapes)

    def counted(self, shapes: Shapes) -> Ints:
        """People in each polygon."""
        where = self.within(shapes)
        inside = where != NOBODY
        return np.bincount(where[inside], self.people[inside], len(shapes)).astype(np.int64)


def make(
    streets: Network,
    demand: gpd.GeoDataFrame,
    *,
    params: GridParams,
    lines: gpd.GeoDataFrame | None = None,
    extent: Ground | None = None,
) -> Grids:
    """Cells over ``extent`` (else over all streets and people, with a margin), all in the streets' metric CRS.

    ``demand`` has points and ``people``; where it is empty or counts nobody, cells are balanced by area. ``lines``
    (LINES) bring rivers and railways. Empty where no street divides the ground. The order of nothing matters.
    """
    homes = _Homes(_shapes(demand), demand["people"].to_numpy(dtype=np.int64))
    ground = _ground(streets, homes, params.margin_m) if extent is None else extent
    borders = _borders(streets, lines, params)
    if not len(borders.shapes) or ground.is_empty:
        return _nothing(streets.crs)
    divided, borders = _divided(ground, borders.prolonged(ground), homes, params)
    if len(divided) < 2:
        return _nothing(streets.crs)
    people = homes.counted(divided.shapes)
    graph, bounds = _balanced(divided, borders, people, params)
    cell = balance.cells(graph, bounds=bounds)
    return _result(divided, borders, cell, people, streets.crs, params)


def _nothing(crs: str) -> Grids:
    said = Finding(
        "grids_no_streets", "No street divides the ground, so no cells could be drawn between streets.",
        "没有可用于划分的街道，无法按街道划分网格。", "warning",
        do_en="Give streets, or communities.", do_zh="请提供街道或社区边界。",
    )  # fmt: skip
    measures = {name: pd.Series(dtype=float) for name in ("people", "area_m2", "compactness", "main_share")}
    return Grids(empty(COMMUNITIES, crs=crs), pd.DataFrame(measures), (said,))


# -- ground and blocks ---------------------------------------------------------------------------------------------


def _ground(streets: Network, homes: _Homes, margin_m: float) -> Ground:
    """The ground of a study without an outline: round all streets and people."""
    xy = np.vstack([np.column_stack([streets.px, streets.py]), shapely.get_coordinates(homes.points)])
    # Rounded: a hull of every point of a city takes as long as all the rest. The margin makes good for it.
    step = max(margin_m / 2, float(np.ptp(xy, axis=0).max(initial=0)) / STEPS)
    hull = shapely.concave_hull(shapely.MultiPoint(np.unique(np.round(xy / step), axis=0) * step), ratio=HULL)
    ground: Ground = hull.buffer(margin_m / 2 + step)
    return ground


def _borders(streets: Network, lines: gpd.GeoDataFrame | None, params: GridParams) -> _Borders:
    """Streets on and above the ground, and lines of the barrier kinds, best first."""
    kind = streets.edge_tag("highway").astype(str)
    used = ~np.isin(kind, params.skipped_kinds) & ~streets.edge_is("tunnel", never=NO_TUNNEL)
    named = pd.DataFrame({name: streets.edge_tag(name)[used] for name in NAMES}, dtype=object)
    rank = np.select([np.isin(kind, params.barrier_kinds), np.isin(kind, params.main_kinds),
                      np.isin(kind, params.local_kinds)], [0, 1, 2], default=3)[used]  # fmt: skip
    more = _barriers(lines, params)
    shapes = np.append(_shapes(more), streets.lines[used])
    rank = np.append(np.zeros(len(more), dtype=np.int64), rank)
    names = naming_ground.told_everywhere(pd.concat([more[list(NAMES)].astype(object), named], ignore_index=True))
    # Lines on top of each other count as the first: the best, and of those one that does not hang on their order.
    told = names["name"].fillna("") + "|" + names["name_zh"].fillna("") + "|" + names["name_en"].fillna("")
    keys = zip(rank.tolist(), shapely.to_wkb(shapely.normalize(shapes)), told, strict=True)
    order = np.array([row for *_, row in sorted((*key, row) for row, key in enumerate(keys))], dtype=np.int64)
    return _Borders(shapes[order], rank[order], names.iloc[order].reset_index(drop=True))


def _barriers(lines: gpd.GeoDataFrame | None, params: GridParams) -> gpd.GeoDataFrame:
    if lines is None:
        return empty(LINES, crs="EPSG:3857")
    return lines[lines["kind"].isin(params.barrier_kinds) & ~below_ground(lines)].explode(ignore_index=True)


def _divided(ground: Ground, borders: _Borders, homes: _Homes, params: GridParams) -> tuple[Blocks, _Borders]:
    """The blocks, those with too many people cut, and the borders with the cuts."""
    divided = blocks.divide(ground, borders.shapes)
    cuts = _cuts(divided, homes, params)
    if not len(cuts):
        return divided, borders
    borders = borders.with_cuts(cuts)
    return blocks.divide(ground, borders.shapes), borders


def _cuts(divided: Blocks, homes: _Homes, params: GridParams) -> Shapes:
    """Straight cuts through each block with too many people."""
    where = homes.within(divided.shapes)
    people = np.bincount(where[where != NOBODY], homes.people[where != NOBODY], len(divided))
    most = params.people * params.most_share
    xy = shapely.get_coordinates(homes.points)
    # In an order of their own: what is cut where must not depend on how people came.
    order = np.lexsort((homes.people, xy[:, 1], xy[:, 0]))
    found = [np.zeros(0, dtype=object)]
    for block in np.flatnonzero(people > most):
        rows = order[where[order] == block]
        shape, weight = divided.shapes[block], homes.people[rows].astype(float)
        found.append(blocks.cuts(shape, xy[rows], weight, usual=params.people, most=most))
    return np.concatenate(found)


def _balanced(divided: Blocks, borders: _Borders, people: Ints, params: GridParams) -> tuple[Graph, Bounds]:
    """The blocks as a graph of neighbours, and what a cell of them should have."""
    area = shapely.area(divided.shapes)
    load = people / params.people if people.any() else area / (params.hectares * BIG_M2)
    factor = np.array([params.barrier_cost, params.main_cost, 1.0, params.path_cost, params.cut_cost])
    inner = divided.inner
    cost = divided.length_m[inner] * factor[borders.rank[divided.line[inner]]]
    pairs, pair = np.unique(divided.sides[inner], axis=0, return_inverse=True)
    xy = shapely.get_coordinates(shapely.centroid(divided.shapes))
    between = np.bincount(pair.ravel(), cost).astype(float)
    graph = Graph(load, area, xy, pairs[:, 0], pairs[:, 1], between)
    return graph, Bounds(params.least_share, params.most_share, _usual_border_m(load, area))


def _usual_border_m(load: Floats, area: Floats) -> float:
    """The border of a square that holds one load where most of it is, metres: what balance is weighed against."""
    ground = area / np.maximum(load, 1e-12)
    order = np.argsort(ground, kind="stable")
    heaped = np.cumsum(load[order])
    return float(4 * np.sqrt(ground[order][np.searchsorted(heaped, heaped[-1] / 2)]))


# -- cells ---------------------------------------------------------------------------------------------------------


def _result(divided: Blocks, borders: _Borders, cell: Ints, people: Ints, crs: str, params: GridParams) -> Grids:
    order = np.argsort(cell, kind="stable")
    parts = np.split(divided.shapes[order], np.flatnonzero(np.diff(cell[order])) + 1)
    shapes = np.array([*(shapely.coverage_union_all(part) for part in parts), None], dtype=object)[:-1]
    along = _along(divided, borders, cell)
    measures = pd.DataFrame({
        "people": np.bincount(cell, people, len(shapes)).astype(np.int64),
        "area_m2": shapely.area(shapes),
        "compactness": 4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2,
        "main_share": _main_share(along, len(shapes)),
    })  # fmt: skip
    names = _names(along, len(shapes))
    table = _table(shapes, names, crs)
    straight = float(along.loc[(along["rank"] == RANKS.index("cut")) & along["inner"], "length_m"].sum() / 2)
    findings = tuple(_findings(measures, straight, params, known=bool(people.any())))
    return Grids(table, measures, findings, _quality(measures))


def _along(divided: Blocks, borders: _Borders, cell: Ints) -> pd.DataFrame:
    """One row a cell and a piece of its border, and one for what runs inside it (``border`` False): rank and names."""
    first, second = (np.where(side == NOBODY, NOBODY, cell[side]) for side in divided.sides.T)
    inner = (first != NOBODY) & (second != NOBODY)
    rows = []
    for mine, other in ((first, second), (second, first)):
        table = borders.names.reindex(divided.line).reset_index(drop=True)
        rank = np.append(borders.rank, NOBODY)[divided.line]
        table = table.assign(rank=rank, cell=mine, length_m=divided.length_m, border=mine != other, inner=inner)
        rows.append(table[mine != NOBODY])
    both: pd.DataFrame = pd.concat(rows, ignore_index=True)
    return both


def _main_share(along: pd.DataFrame, n: int) -> Floats:
    """The share of each cell's border with others that runs along barriers and main streets, (cells,)."""
    between = along[along["border"] & along["inner"]]
    whole = np.bincount(between["cell"], between["length_m"], n)
    main = np.bincount(between["cell"], between["length_m"] * between["rank"].isin([0, 1]), n)
    return np.asarray(np.divide(main, whole, out=np.full(n, np.nan), where=whole > 0))


def _quality(measures: pd.DataFrame) -> dict[str, float]:
    """The cells in a few numbers."""
    people, between = measures["people"], measures["main_share"].dropna()
    return {
        "people_min": float(people.min()),
        "people_median": float(people.median()),
        "people_max": float(people.max()),
        "compactness_median": float(measures["compactness"].median()),
        "main_share": float(between.mean()) if len(between) else float("nan"),
    }


def _table(shapes: Shapes, names: pd.DataFrame, crs: str) -> gpd.GeoDataFrame:
    columns = {
        "community_id": [f"grid_{n:03d}" for n in range(1, len(shapes) + 1)],
        **{name: names[name].to_numpy(dtype=object) for name in NAMES},
        "parent_id": pd.Series([None] * len(shapes), dtype=object),
        "level": pd.Series(["grid"] * len(shapes), dtype=object),
        "source": pd.Series(["made grid between streets"] * len(shapes), dtype=object),
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


# -- names ---------------------------------------------------------------------------------------------------------


def _names(along: pd.DataFrame, n: int) -> pd.DataFrame:
    """What each cell is called, after the streets it lies between, else those in it, else its number; no name twice."""
    beside, inside = (naming_ground.longest(along[along["border"] == side], n) for side in (True, False))
    word = ("Grid", "网格")
    named = (naming_ground.places(beside[row], inside[row], row + 1, word=word) for row in range(n))
    return naming_ground.different(named)


# -- what is said --------------------------------------------------------------------------------------------------


def _findings(measures: pd.DataFrame, straight_m: float, params: GridParams, *, known: bool) -> Iterator[Finding]:
    if not known:
        median = measures["area_m2"].median() / BIG_M2
        yield Finding("grids_by_area", f"Nobody's home is known: cells are balanced by area, {median:.0f} ha each.",
                      f"人口未知：网格按面积均衡划分，每格约{median:.0f}公顷。", count=len(measures))  # fmt: skip
        return
    heavy = int((measures["people"] > params.people * params.most_share).sum())
    light = int((measures["people"] < params.people * params.least_share).sum())
    if heavy + light:
        yield Finding(
            "grids_unbalanced",
            f"{heavy:,} cells have more than {params.people * params.most_share:,.0f} people and {light:,} fewer than "
            f"{params.people * params.least_share:,.0f}: one place or one piece of ground cannot be divided or joined.",
            f"{heavy}个网格超过{params.people * params.most_share:,.0f}人，{light}个不足"
            f"{params.people * params.least_share:,.0f}人：单一地点或地块无法再分或合并。",
            "warning", heavy + light,
        )  # fmt: skip
    if straight_m:
        yield Finding(
            "grids_cut", f"{straight_m:,.0f} m of border between cells cross a block where no street does: too many "
            "people live between streets.", f"有{straight_m:,.0f}米网格边界穿越无道路的街区：该街区人口过多。", "info",
            do_en="Add the ways inside these blocks, or draw the border by hand.",
            do_zh="请补充街区内部道路，或手工划定边界。",
        )  # fmt: skip


def _shapes(table: gpd.GeoDataFrame) -> Shapes:
    return np.asarray(table.geometry.to_numpy(), dtype=object)
