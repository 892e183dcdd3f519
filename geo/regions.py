"""Regions (防, step 1): the ground divided by parks, rivers and green, by main roads and railways.

Rivers, shores, railways, main roads and the edges of parks and of green cut the ground into pieces (``geo.blocks``).
A piece that is too small or too thin joins the neighbour with which it has most border, where a metre along water or a
railway counts little and one along a main road less than one along green: what is hard to cross stays a border. Land
joins water only where nothing else is beside it. Regions are the whole ground: no gap, no overlap, to the last digit.

A park, a wood or water is a region of its own only where it is large (``own_hectares``): a smaller park belongs
to the people beside it, whose reserve (``geo.reserve``) it is. Water in one piece is one region, whatever crosses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import blocks, joining, naming_ground
from geo.blocks import NOBODY, Blocks, Ground
from geo.curves import Sourced
from geo.membership import smallest_holding
from geo.naming_ground import Candidate, Name
from geo.network import NO_TUNNEL, Network, below_ground
from geo.overlays import areas_of_growing, as_shapes, cut, in_one_order, sound
from geo.profiles import Words
from geo.reasons import Finding
from geo.tables import NAMES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

BORDERS = ("water", "railway", "road", "park", "green")
"""What a border may run along; where two run on top of each other, the first of them."""
WATER = BORDERS.index("water")
KINDS = ("water", "park", "green", "farmland", "built_up")
"""What fills a region, each beyond those before it where the map draws one on top of the other."""
UNKNOWN = "unknown"
"""The kind of a region most of which the map says nothing of."""
MOSTLY = 0.5
"""The share of a region that a place fills which gives it its name."""
ITSELF = ""
"""Tells the name of a place from that of the ground at it."""
EDGE_M = 0.1
"""Metres within which a border is the edge of a place that names it."""
SHORE_M = 200.0
"""Metres within which a shore without a name has that of a river's line."""
BIG_M2 = 1e4
"""Square metres a hectare."""
SAID = {
    "water": ("water", "水域"), "railway": ("railways", "铁路"), "road": ("main roads", "主要道路"),
    "park": ("parks", "公园"), "green": ("green", "绿地"), "edge": ("the edge of the study", "研究范围边界"),
}  # fmt: skip
"""What a border runs along, in English and Chinese."""
COLUMNS = (
    "region_id", *NAMES, "kind", "area_m2", "land_m2", *(f"{name}_share" for name in KINDS),
    *(f"border_{name}_share" for name in SAID), "bounded_by_en", "bounded_by_zh",
)  # fmt: skip
"""Columns of ``Regions.table`` before its geometry.

``land_m2`` is the area without water; ``*_share`` of the region that is so used, 0-1, together at most 1, the rest the
map says nothing of; ``border_*_share`` of its border that runs along each, together 1; ``bounded_by_*`` the same in
words, the longest first.
"""


class RegionParams(Sourced):
    """What bounds a region, and how small one may be."""

    subject = "regions"

    water_kinds: Words = Field(description="Lines and areas that are water (kinds).")
    railway_kinds: Words = Field(description="Lines that are railways (kinds).")
    road_kinds: Words = Field(description="Streets that bound regions (OSM highway words).")
    park_kinds: Words = Field(description="Areas that are parks (kinds).")
    green_kinds: Words = Field(description="Areas that are other green, whose edges bound (kinds).")
    grass_kinds: Words = Field(description="Areas that are green but bound nothing (kinds).")
    farmland_kinds: Words = Field(description="Areas that are farmed (kinds).")
    built_kinds: Words = Field(description="Areas that are built up (kinds).")
    edge_hectares: float = Field(
        ge=0, le=1000, description="Least water, park or green in one piece whose edge bounds, hectares (10 000 m²)."
    )
    least_hectares: float = Field(ge=0, le=1e5, description="Least ground of a region, hectares (10 000 m²).")
    least_width_m: float = Field(
        ge=0, le=1000, description="Least width of a region, metres: its area divided by half its border."
    )
    own_hectares: float = Field(
        ge=0, le=1e5, description="Least water, park or green that is a region of its own, hectares (10 000 m²)."
    )
    barrier_worth: float = Field(
        ge=0,
        le=1,
        description="What a metre of border along water or railway counts in joining, ratio to one of green.",
    )
    road_worth: float = Field(
        ge=0, le=1, description="What a metre of border along a main road counts in joining, ratio to one of green."
    )
    carry_m: float = Field(
        ge=0, le=5000, description="Way over which a line that ends near the study's edge is carried on to it, metres."
    )
    built_share: float = Field(
        gt=0, le=1, description="Share under buildings from which ground of no known use is built up, 0-1."
    )

    def of_kind(self, name: str) -> Words:
        """The kinds of areas that one of ``KINDS`` is."""
        known = {
            "water": self.water_kinds, "park": self.park_kinds, "green": (*self.green_kinds, *self.grass_kinds),
            "farmland": self.farmland_kinds, "built_up": self.built_kinds,
        }  # fmt: skip
        return known[name]

    def worth(self) -> Floats:
        """What a metre of each of ``BORDERS`` counts when a small piece is joined."""
        return np.array([self.barrier_worth, self.barrier_worth, self.road_worth, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Regions:
    """``table`` the regions (``COLUMNS`` and geometry, polygons), from the north west; ``findings`` worth saying."""

    table: gpd.GeoDataFrame
    findings: tuple[Finding, ...]

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        kinds = self.table["kind"].value_counts()
        told = ", ".join(f"{kinds[kind]} {kind}" for kind in (*KINDS, UNKNOWN) if kind in kinds)
        return f"Regions({len(self)}: {told})"


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Water, parks or green in single pieces that bound: outlines, and the place of each in ``BORDERS``."""

    shapes: Shapes
    rank: Ints


@dataclass(frozen=True, eq=False)
class _Lines:
    """Lines that bound: shapes, the place of each in ``BORDERS``, and names (None where none)."""

    shapes: Shapes
    rank: Ints
    names: pd.DataFrame


def divide(
    ground: Ground, streets: Network | None, areas: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, *,
    params: RegionParams, buildings: gpd.GeoDataFrame | None = None,
) -> Regions:  # fmt: skip
    """The regions of a ground, all in the metric CRS of ``areas``.

    ``streets`` are None where there are none; ``areas`` (AREAS) and ``lines`` (LINES) may be empty. ``buildings`` tell
    whether ground of no mapped use is built up; without them it is unknown. Without anything that divides there is one
    region for each part of the ground; none when it is empty. The order of nothing matters.
    """
    near = _near(ground, areas)
    pieces = _pieces(near, params)
    found = _all_lines(ground, pieces, streets, lines, params)
    divided = blocks.divide(ground, found.shapes)
    label = _joined(divided, found.rank, pieces, params)
    along = _along(divided, found, label, _edge_names(divided, found, near, params))
    return _result(divided, label, along, near, buildings, params)


def _near(ground: Ground, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The areas that meet the ground, sound, in an order of their own, with names in every language."""
    met = areas.iloc[np.sort(shapely.STRtree(_shapes(areas)).query(ground, predicate="intersects"))]
    shapes = sound(_shapes(met))
    names = naming_ground.told_everywhere(met[list(NAMES)].astype(object).reset_index(drop=True))
    table = gpd.GeoDataFrame({"kind": met["kind"].to_numpy(), **names}, geometry=shapes, crs=areas.crs)
    return table.iloc[in_one_order(shapes)].reset_index(drop=True)


# -- what bounds ---------------------------------------------------------------------------------------------------


def _pieces(areas: gpd.GeoDataFrame, params: RegionParams) -> _Pieces:
    """Water, parks and green, what touches in one piece, those large enough to bound; a lake in a park is park."""
    kinds = {"water": params.water_kinds, "park": params.park_kinds, "green": params.green_kinds}
    drawn = {name: _shapes(areas[areas["kind"].isin(words)]) for name, words in kinds.items()}
    found = {name: shapely.get_parts(shapely.union_all(shapes)) for name, shapes in drawn.items()}
    large = {name: parts[shapely.area(parts) >= max(params.edge_hectares * BIG_M2, 1)] for name, parts in found.items()}
    row, _, inside = cut(large["water"], large["park"])
    share = np.bincount(row, shapely.area(inside), len(large["water"])) / shapely.area(large["water"])
    large["water"] = large["water"][share < MOSTLY]
    rank = [np.full(len(parts), BORDERS.index(name)) for name, parts in large.items()]
    return _Pieces(np.concatenate(list(large.values())), np.concatenate(rank))


def _all_lines(
    ground: Ground, pieces: _Pieces, streets: Network | None, lines: gpd.GeoDataFrame, params: RegionParams
) -> _Lines:
    """Everything that bounds, what has precedence first, carried on to the edge of the ground where it ends near."""
    ways = [_of_lines(lines, params.water_kinds, "water"), _of_lines(lines, params.railway_kinds, "railway")]
    if streets is not None:
        ways.append(_of_streets(streets, params))
    met = _ordered(_met(ground, ways))
    unnamed = pd.DataFrame(dict.fromkeys(NAMES), index=range(len(pieces.rank)), dtype=object)
    edges = _Lines(np.asarray(shapely.boundary(pieces.shapes)), pieces.rank, unnamed)
    return _ordered([_carried(ground, met, params.carry_m), edges])


def _of_lines(lines: gpd.GeoDataFrame, kinds: Words, name: str) -> _Lines:
    """Lines of some kinds that are not in a tunnel."""
    mine = lines[lines["kind"].isin(kinds) & ~below_ground(lines)].explode(ignore_index=True)
    names = mine[list(NAMES)].astype(object)
    return _Lines(_shapes(mine), np.full(len(mine), BORDERS.index(name)), names)


def _of_streets(streets: Network, params: RegionParams) -> _Lines:
    """Main roads that are not in a tunnel."""
    kind = streets.edge_tag("highway").astype(str)
    used = np.flatnonzero(np.isin(kind, params.road_kinds) & ~streets.edge_is("tunnel", never=NO_TUNNEL))
    names = pd.DataFrame({name: streets.edge_tag(name)[used] for name in NAMES}, dtype=object)
    return _Lines(streets.lines[used], np.full(len(used), BORDERS.index("road")), names)


def _met(ground: Ground, found: Sequence[_Lines]) -> list[_Lines]:
    """Of each the lines that meet the ground."""
    kept = [np.sort(shapely.STRtree(each.shapes).query(ground, predicate="intersects")) for each in found]
    return [
        _Lines(each.shapes[rows], each.rank[rows], each.names.iloc[rows])
        for each, rows in zip(found, kept, strict=True)
    ]


def _carried(ground: Ground, lines: _Lines, most_m: float) -> _Lines:
    """The lines, and where one ends within ``most_m`` of the edge of the ground the way on to it."""
    ways, of = blocks.to_the_edge(ground, lines.shapes, np.ones(len(lines.shapes), dtype=np.bool_))
    short = shapely.length(ways) <= most_m + 2 * blocks.PAST_M
    unnamed = lines.names.iloc[of[short]].assign(**dict.fromkeys(NAMES))
    return _Lines(
        np.append(lines.shapes, ways[short]),
        np.append(lines.rank, lines.rank[of[short]]),
        pd.concat([lines.names, unnamed], ignore_index=True),
    )


def _ordered(found: Sequence[_Lines]) -> _Lines:
    """All in one: by what they are, then in an order of their own, so that theirs does not matter."""
    shapes = np.concatenate([each.shapes for each in found])
    rank = np.concatenate([each.rank for each in found])
    tables = [each.names for each in found if len(each.names)] or [pd.DataFrame(columns=list(NAMES), dtype=object)]
    names = naming_ground.told_everywhere(pd.concat(tables, ignore_index=True))
    told = names["name"].fillna("") + "|" + names["name_zh"].fillna("") + "|" + names["name_en"].fillna("")
    keys = zip(rank.tolist(), shapely.to_wkb(shapely.normalize(shapes)), told, strict=True)
    order = np.array([row for *_, row in sorted((*key, row) for row, key in enumerate(keys))], dtype=np.int64)
    return _Lines(shapes[order], rank[order], names.iloc[order].reset_index(drop=True))


# -- joining -------------------------------------------------------------------------------------------------------


def _joined(divided: Blocks, rank: Ints, pieces: _Pieces, params: RegionParams) -> Ints:
    """The region of each block, (blocks,), numbered from 0 by their first block."""
    at = np.asarray(shapely.point_on_surface(divided.shapes))
    piece = smallest_holding(at, pieces.shapes)
    wet = np.append(pieces.rank == WATER, False)[piece]
    one, other = divided.sides[divided.inner].T
    whole = (piece[one] == piece[other]) & wet[one]
    start = _grouped(len(divided), one[whole], other[whole])
    # Along the seam of two parts of the ground that touch runs no line: as much worth as green.
    worth = np.append(params.worth()[rank], 1.0)[divided.line[divided.inner]]
    work = joining.Ground.of(divided, start, piece, wet, worth)
    least = joining.Least(params.least_hectares * BIG_M2, params.own_hectares * BIG_M2, params.least_width_m)
    return _grouped(len(divided), np.arange(len(divided)), work.joined(start, least=least))


def _grouped(n: int, one: Ints, other: Ints) -> Ints:
    """What hangs together of ``n``, numbered from 0 by its first."""
    pairs = coo_array((np.ones(len(one)), (one, other)), shape=(n, n))
    label = connected_components(pairs, directed=False)[1] if n else np.zeros(0)
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], dtype=np.int64)


# -- the regions ---------------------------------------------------------------------------------------------------


def _result(
    divided: Blocks, label: Ints, along: pd.DataFrame, areas: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame | None,
    params: RegionParams,
) -> Regions:  # fmt: skip
    n = int(label.max(initial=-1)) + 1
    order = np.argsort(label, kind="stable")
    parts = np.split(divided.shapes[order], np.flatnonzero(np.diff(label[order])) + 1) if n else []
    shapes = as_shapes([shapely.coverage_union_all(part) for part in parts])
    uses = _uses(shapes, areas, params)
    border = _border_shares(along, n)
    kind = _kinds(shapes, uses, buildings, params)
    table = {
        "region_id": [f"region_{number:03d}" for number in range(1, n + 1)],
        **_names(along, _filling(shapes, areas), n),
        "kind": kind,
        "area_m2": shapely.area(shapes),
        "land_m2": shapely.area(shapes) * (1 - uses["water_share"].to_numpy()),
        **uses,
        **border,
        **_in_words(border),
    }
    found = gpd.GeoDataFrame(pd.DataFrame(table, columns=list(COLUMNS)), geometry=shapes, crs=areas.crs)
    return Regions(found, tuple(_findings(found, params)))


def _along(divided: Blocks, lines: _Lines, label: Ints, names: pd.DataFrame) -> pd.DataFrame:
    """One row a region and a piece of its border, and one for what runs inside it (``border`` False): what it is of."""
    first, second = (np.where(side == NOBODY, NOBODY, np.append(label, NOBODY)[side]) for side in divided.sides.T)
    what = np.append(np.array(BORDERS, dtype=object)[lines.rank], "edge")[divided.line]
    rows = []
    for mine, other in ((first, second), (second, first)):
        table = names.assign(what=what, cell=mine, length_m=divided.length_m, border=mine != other)
        rows.append(table[mine != NOBODY])
    both: pd.DataFrame = pd.concat(rows, ignore_index=True)
    return both


def _edge_names(divided: Blocks, lines: _Lines, areas: gpd.GeoDataFrame, params: RegionParams) -> pd.DataFrame:
    """The names of each piece of border: the line's own, else of the named place whose edge it is; None where none.

    A shore without a name has that of the nearest named river line: rivers are often drawn twice and named once.
    """
    names = lines.names.reindex(divided.line).reset_index(drop=True)
    rank = np.append(lines.rank, NOBODY)[divided.line]
    at = np.asarray(shapely.line_interpolate_point(divided.pieces, 0.5, normalized=True))
    for name in ("water", "park", "green"):
        bare = np.flatnonzero((rank == BORDERS.index(name)) & names["name"].isna().to_numpy())
        mine = areas[areas["kind"].isin(params.of_kind(name)) & areas["name"].notna()]
        bare = _named(names, bare, at, _shapes(mine), mine[list(NAMES)], EDGE_M)
        named = (lines.rank == WATER) & lines.names["name"].notna().to_numpy() & (name == "water")
        _named(names, bare, at, lines.shapes[named], lines.names[named], SHORE_M)
    return names


def _named(names: pd.DataFrame, rows: Ints, at: Shapes, shapes: Shapes, known: pd.DataFrame, most_m: float) -> Ints:
    """Give rows of ``names`` the name of the nearest of some shapes within ``most_m``; the rows that got none."""
    row, shape = shapely.STRtree(shapes).query_nearest(at[rows], max_distance=most_m)
    found, first = np.unique(row, return_index=True)
    names.iloc[rows[found]] = known.iloc[np.minimum.reduceat(shape, first) if len(first) else shape].to_numpy()
    return np.delete(rows, found)


def _border_shares(along: pd.DataFrame, n: int) -> pd.DataFrame:
    """The share of each region's border along each of ``SAID``, (regions,) columns."""
    there = along[along["border"]]
    metres = there.pivot_table(index="cell", columns="what", values="length_m", aggfunc="sum", fill_value=0.0)
    metres = metres.reindex(index=range(n), columns=list(SAID), fill_value=0.0).astype(float)
    shares = metres.div(metres.sum(axis=1), axis=0)
    return shares.set_axis([f"border_{name}_share" for name in SAID], axis=1)


def _in_words(shares: pd.DataFrame) -> dict[str, list[str]]:
    """What bounds each region in English and Chinese, the longest first; less than half a percent is left out."""
    english, chinese = [], []
    for row in shares.to_numpy():
        told = [(SAID[name], share) for share, name in sorted(zip(-row.round(4), SAID, strict=True))]
        kept = [(en, zh, -share) for (en, zh), share in told if -share >= 0.005]
        english.append(", ".join(f"{en} {share:.0%}" for en, _, share in kept))
        chinese.append("、".join(f"{zh}{share:.0%}" for _, zh, share in kept))
    return {"bounded_by_en": english, "bounded_by_zh": chinese}


def _uses(shapes: Shapes, areas: gpd.GeoDataFrame, params: RegionParams) -> pd.DataFrame:
    """The share of each region that is of each of ``KINDS``, beyond those before it, (regions,) columns, 0-1."""
    layers = []
    for name in KINDS:
        row, _, parts = cut(shapes, _shapes(areas[areas["kind"].isin(params.of_kind(name))]))
        layers.append((row, parts))
    shares = areas_of_growing(len(shapes), layers) / shapely.area(shapes)[:, None]
    return pd.DataFrame(np.clip(shares, 0, 1), columns=[f"{name}_share" for name in KINDS])


def _kinds(
    shapes: Shapes, uses: pd.DataFrame, buildings: gpd.GeoDataFrame | None, params: RegionParams
) -> NDArray[np.object_]:
    """What most of each region is; what the map says nothing of is built up where buildings stand on it."""
    shares = uses.to_numpy(dtype=np.float64)
    bare = np.clip(1 - shares.sum(axis=1), 0, 1)
    dense = _built(shapes, buildings) >= params.built_share
    shares = np.column_stack([shares, np.where(dense, 0, bare)])
    shares[:, KINDS.index("built_up")] += np.where(dense, bare, 0)
    return np.asarray(np.array([*KINDS, UNKNOWN], dtype=object)[np.argmax(shares.round(9), axis=1)])


def _built(shapes: Shapes, buildings: gpd.GeoDataFrame | None) -> Floats:
    """The share of each region under buildings, 0-1, each building whole where its middle is; 0 without any."""
    if buildings is None or not len(buildings):
        return np.zeros(len(shapes))
    built = _shapes(buildings)
    region = smallest_holding(np.asarray(shapely.point_on_surface(built)), shapes)
    there = region != NOBODY
    return np.bincount(region[there], shapely.area(built)[there], len(shapes)) / shapely.area(shapes)


# -- names ---------------------------------------------------------------------------------------------------------


def _filling(shapes: Shapes, areas: gpd.GeoDataFrame) -> list[list[Name]]:
    """The name of the place that fills most of each region, where it fills most of it."""
    named = areas[areas["name"].notna()]
    row, area, parts = cut(shapes, _shapes(named))
    table = named[list(NAMES)].iloc[area].reset_index(drop=True).assign(cell=row, length_m=shapely.area(parts))
    whole = table.groupby(["cell", "name"])["length_m"].transform("sum") if len(table) else table["length_m"]
    mostly = whole >= MOSTLY * shapely.area(shapes)[row]
    return [found[:1] for found in naming_ground.longest(table[mostly], len(shapes))]


def _names(along: pd.DataFrame, filling: Sequence[Sequence[Name]], n: int) -> pd.DataFrame:
    """What each region is called: after what fills it, else what it lies between, else its number; no name twice."""
    beside, inside = (naming_ground.longest(along[along["border"] == side], n) for side in (True, False))

    def candidates(row: int) -> Iterator[Candidate]:
        for place in filling[row]:
            yield frozenset({place[0], ITSELF}), place
        yield from naming_ground.places(beside[row], inside[row], row + 1, word=("Region", "区域"))

    return naming_ground.different(candidates(row) for row in range(n))


# -- what is said --------------------------------------------------------------------------------------------------


def _findings(table: gpd.GeoDataFrame, params: RegionParams) -> Iterator[Finding]:
    small = int((table["area_m2"] < params.least_hectares * BIG_M2).sum())
    if len(table) == 1:
        yield Finding(
            "regions_one", "No river, park edge, railway or main road divides the ground: it is one region.",
            "研究范围内没有可作为边界的河流、公园、铁路或主要道路，划为一个区域。", "info", 1,
        )  # fmt: skip
    if small and len(table) > 1:
        yield Finding(
            "regions_small",
            f"{small:,} regions are smaller than {params.least_hectares:g} ha: they lie apart from all others.",
            f"{small}个区域不足{params.least_hectares:g}公顷：与其他区域不相邻。", "info", small,
        )  # fmt: skip


def _shapes(table: gpd.GeoDataFrame) -> Shapes:
    return np.asarray(table.geometry.to_numpy(), dtype=object)
