"""Open land of every region that could be reserved: what is open, what takes it, what is left and of use.

Open land is planned lots whose use is open, else what the map draws as open. Ground that is yielded, water, buildings
with the strip their rubble covers, the surface of streets, and ground of shelters are taken off, each beyond those
before; what is left is divided by region, and pieces that are too small, too thin, out of reach of a wide street or too
steep are dropped. Where two kinds of open land lie on each other, the ground is of the one with the lesser weight;
nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from geo import overlays
from geo.curves import Sourced, Word
from geo.membership import NONE, smallest_holding
from geo.naming_ground import told_everywhere
from geo.overlays import cut, in_one_order, meeting, sound, united, without
from geo.parts import Parts
from geo.profiles import Words
from geo.tables import NAMES, without_nan

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Texts = NDArray[np.object_]
Steepness = Callable[[Shapes], Floats]
"""The share of each shape (n,) that is too steep, 0-1; NaN where no slope is known."""

ROUND = 4
"""Straight pieces a quarter of a round corner is drawn with; a little less ground than a circle takes."""
TAKERS = ("let", "water", "built", "streets", "shelters")
"""What takes open land, each beyond those before it."""
DROPPED = ("small", "thin", "far", "steep")
"""Why open land that is left is no candidate, the first that holds."""
PIECES = ("region", "source_id", *NAMES, "kind", "area_m2", "usable_m2", "share_steep", "street_m")
"""Columns of ``OpenLand.pieces`` before its geometry.

``region`` is the region's row; ``source_id`` and names are the lot's or the area's; ``usable_m2`` whole square metres
that are not known to be too steep; ``share_steep`` (0-1) and ``street_m`` (metres to a street wide enough) are NaN
where not known.
"""
TOLD = (
    "open_m2", *(f"taken_{name}_m2" for name in TAKERS), *(f"dropped_{name}" for name in DROPPED), "dropped_m2",
    "candidates", "candidates_m2",
)  # fmt: skip
"""Columns of ``OpenLand.regions``.

``open_m2`` is all open land of the region: ``taken_*_m2``, ``dropped_m2`` and ``candidates_m2`` together. ``dropped_*``
and ``candidates`` count pieces.
"""
DIGIT = 1e-6
"""Square metres that are rounding: a lot of 100 m by 100 m has 10 000."""


def _weighed(words: tuple[str, ...]) -> tuple[str, ...]:
    for word in words:
        name, _, weight = word.rpartition("=")
        if not name.strip() or not weight.replace(".", "", 1).strip().isdecimal() or not float(weight) > 0:
            raise ValueError("should be kinds with a weight above 0 each, such as park=1")
    return words


def _paired(words: tuple[str, ...]) -> tuple[str, ...]:
    if not all(part.strip() for word in words for part in (word.partition("=")[0], word.partition("=")[2])):
        raise ValueError("should be words with the kind of open land they mean, such as 公园=park")
    return words


Weights = Annotated[tuple[Word, ...], AfterValidator(_weighed)]
Meanings = Annotated[tuple[Word, ...], AfterValidator(_paired)]


class OpenLandParams(Sourced):
    """Which land is open, and what of it is of use."""

    subject = "reserve"

    kinds: Weights = Field(
        description="Open land of the map and what a square metre of it costs, each as kind=weight (number)."
    )
    lot_words: Meanings = Field(description="Words in a lot's use that make it open land, each as word=kind.")
    water_kinds: Words = Field(description="Areas that nothing can stand on (kinds).")
    min_m2: float = Field(ge=1, le=1e6, description="Smallest lot that is reserved, m².")
    min_width_m: float = Field(ge=0, le=500, description="Diameter of the circle that must fit in a lot, metres.")
    access_width_m: float = Field(ge=0, le=50, description="Clear width of the street that leads to a lot, metres.")
    reach_m: float = Field(gt=0, le=5000, description="Farthest such a street may be from a lot, metres.")

    def weights(self) -> dict[str, float]:
        """What a square metre of each kind costs, the least first."""
        found = {word.rpartition("=")[0].strip(): float(word.rpartition("=")[2]) for word in self.kinds}
        return dict(sorted(found.items(), key=lambda each: each[1]))

    def meaning(self, use: object) -> str | None:
        """The kind of open land that a lot's use means; None where it is no open land. The longest word counts.

        A word in letters or a code must stand alone: ``G1`` is in ``G1 公园绿地``, not in ``G11``.
        """
        text = use.casefold() if isinstance(use, str) else ""
        alone = set("".join(letter if letter.isalnum() and letter.isascii() else " " for letter in text).split())
        pairs = [(word.partition("=")[0].strip().casefold(), word.partition("=")[2].strip()) for word in self.lot_words]
        told = [(len(word), kind) for word, kind in pairs
                if (word in alone if word.isascii() and " " not in word else word in text)]  # fmt: skip
        known = [each for each in told if each[1] in self.weights()]
        return max(known)[1] if known else None


@dataclass(frozen=True, eq=False)
class Land:
    """What land there is and what takes it, all in one metric CRS.

    ``areas`` (AREAS); ``lots`` (LOTS), None when nobody gave any. ``let`` ground that is yielded and ``shelters`` the
    ground of shelters that exist, polygons; ``buildings`` outlines with ``strip_m`` (buildings,), metres that each
    covers when it collapses. ``streets`` are lines with ``width_m`` of their surface and ``clear_m`` of
    what a vehicle can pass, metres; a path that none can use (0), or of unknown width (NaN), takes nothing and leads
    nowhere. ``steep`` tells what is too steep, None where no heights are known.
    """

    areas: gpd.GeoDataFrame
    lots: gpd.GeoDataFrame | None
    let: Shapes
    shelters: Shapes
    buildings: Shapes
    strip_m: Floats
    streets: Shapes
    width_m: Floats
    clear_m: Floats
    steep: Steepness | None = None

    def __repr__(self) -> str:
        lots = "none" if self.lots is None else f"{len(self.lots)}"
        return (
            f"Land({len(self.areas)} areas, {lots} lots, {len(self.buildings)} buildings, {len(self.streets)} streets)"
        )


@dataclass(frozen=True, eq=False)
class OpenLand:
    """``pieces`` that could be reserved (``PIECES`` and geometry), by region, from the north west; ``regions`` how they
    came about (``TOLD``), one row a region. ``planned``: whether they are of planned lots.
    """

    pieces: gpd.GeoDataFrame
    regions: pd.DataFrame
    planned: bool

    def __repr__(self) -> str:
        hectares = (self.regions[name].sum() / 1e4 for name in ("candidates_m2", "open_m2"))
        left, of = (f"{value:,.1f} ha" for value in hectares)
        return f"OpenLand({len(self.pieces)} pieces, {left} of {of})"


@dataclass(frozen=True, eq=False)
class _Open:
    """Open land (pieces,): the region each is in, its kind, the row it is from (``NONE``: of several), its shape."""

    region: Ints
    kind: Texts
    source: Ints
    shape: Shapes

    def of(self, rows: Ints, shape: Shapes) -> _Open:
        """Other shapes with the properties of some rows."""
        return _Open(self.region[rows], self.kind[rows], self.source[rows], shape)

    def sums(self, amount: Floats, n: int) -> Floats:
        """An amount (pieces,) in each of ``n`` regions."""
        return np.bincount(self.region, amount, n).astype(np.float64)


def find(regions: Shapes, land: Land, *, params: OpenLandParams) -> OpenLand:
    """The open land of regions (n,), polygons that do not overlap, in the land's CRS. The order of nothing matters."""
    drawn, planned = _drawn(land, params)
    found = _in_pieces(_of_lots(regions, drawn, params) if planned else _of_kinds(regions, drawn, params))
    told: dict[str, Floats | Ints] = {"open_m2": found.sums(shapely.area(found.shape), len(regions))}
    for name, taker in zip(TAKERS, _takers(land, found.shape, params), strict=True):
        left = without(found.shape, taker)
        lost = np.maximum(shapely.area(found.shape) - shapely.area(left), 0)
        told[f"taken_{name}_m2"] = found.sums(lost, len(regions))
        found = found.of(np.arange(len(left)), left)
    found = _in_pieces(found)
    measures, why = _measured(found, land, params)
    told |= _told(found, measures, why, len(regions))
    kept = np.flatnonzero(why == "")
    pieces = _table(found.of(kept, found.shape[kept]), measures.iloc[kept], drawn, land.areas.crs)
    return OpenLand(pieces, pd.DataFrame(told, columns=list(TOLD)), planned)


# -- what is open --------------------------------------------------------------------------------------------------


def _drawn(land: Land, params: OpenLandParams) -> tuple[gpd.GeoDataFrame, bool]:
    """Open land as drawn: ``source_id``, names, ``kind``, sound, in an order of its own; whether it is planned lots."""
    if land.lots is not None:
        meant = land.lots["use"].map({use: params.meaning(use) for use in land.lots["use"].dropna().unique()})
        if meant.notna().any():
            return _rows(land.lots, "lot_id", meant.astype(object), params), True
    return _rows(land.areas, "area_id", land.areas["kind"].astype(object), params), False


def _rows(table: gpd.GeoDataFrame, ids: str, kind: pd.Series, params: OpenLandParams) -> gpd.GeoDataFrame:
    kept = kind.isin(list(params.weights())).to_numpy()
    rows = table[kept].reset_index(drop=True)
    shapes = sound(np.asarray(rows.geometry.to_numpy(), dtype=object))
    names = told_everywhere(rows[list(NAMES)].astype(object))
    columns = {"source_id": rows[ids].to_numpy(dtype=object), "kind": kind[kept].to_numpy(dtype=object), **names}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=table.crs).iloc[in_one_order(shapes)].reset_index(drop=True)


def _of_kinds(regions: Shapes, drawn: gpd.GeoDataFrame, params: OpenLandParams) -> _Open:
    """What the map draws: what touches and is of one kind is one, less what is of a kind before it."""
    shapes, kind = _shapes(drawn), drawn["kind"].to_numpy(dtype=object)
    covered = np.full(len(regions), overlays.NONE, dtype=object)
    found = []
    for name in params.weights():
        row, _, parts = cut(regions, shapes[kind == name])
        touched = np.unique(row)
        mine = shapely.difference(united(row, parts), covered[touched])
        covered[touched] = shapely.union(covered[touched], mine)
        found.append(_Open(touched, np.full(len(touched), name, dtype=object), np.full(len(touched), NONE), mine))
    return _Open(*(np.concatenate([getattr(each, part) for each in found]) for part in _Open.__dataclass_fields__))


def _of_lots(regions: Shapes, drawn: gpd.GeoDataFrame, params: OpenLandParams) -> _Open:
    """Planned lots, each by itself, less what lies under a lot of a kind before it, or a larger one."""
    shapes, kind = _shapes(drawn), drawn["kind"].to_numpy(dtype=object)
    place = np.argsort(np.lexsort((-shapely.area(shapes).round(3), drawn["kind"].map(params.weights()))))
    row, other = meeting(shapes, shapes)
    under = place[other] < place[row]
    touched = np.unique(row[under])
    shapes[touched] = shapely.difference(shapes[touched], united(row[under], shapes[other[under]]))
    region, lot, parts = cut(regions, shapes)
    return _Open(region, kind[lot], lot, parts)


# -- what takes it -------------------------------------------------------------------------------------------------


def _takers(land: Land, open_land: Shapes, params: OpenLandParams) -> list[Shapes]:
    """The shapes of each of ``TAKERS``, those near open land."""
    water = land.areas[land.areas["kind"].isin(params.water_kinds)]
    driven = np.nan_to_num(land.clear_m) > 0  # paths through a park are part of it
    return [
        sound(land.let), sound(_shapes(water)), _grown(land.buildings, land.strip_m, open_land),
        _grown(land.streets[driven], np.nan_to_num(land.width_m[driven]) / 2, open_land), sound(land.shelters),
    ]  # fmt: skip


def _grown(shapes: Shapes, metres: Floats, near: Shapes) -> Shapes:
    """Shapes with so much round them, metres (n,), those whose box then meets the box of one of ``near``."""
    box = shapely.bounds(shapes) + np.multiply.outer(metres, [-1, -1, 1, 1])
    met, _ = shapely.STRtree(near).query(shapely.box(*box.T))
    rows = np.unique(met)
    return np.asarray(shapely.buffer(sound(shapes[rows]), metres[rows], quad_segs=ROUND), dtype=object)


# -- what is left --------------------------------------------------------------------------------------------------


def _in_pieces(found: _Open) -> _Open:
    """Each part by itself, by region, from the north west."""
    parts, row = shapely.get_parts(found.shape, return_index=True)
    areal = shapely.area(parts) > 0
    pieces = found.of(row[areal], parts[areal])
    x, y = shapely.get_coordinates(shapely.point_on_surface(pieces.shape)).T
    order = np.lexsort((x, -y, pieces.region))
    return pieces.of(order, pieces.shape[order])


def _measured(found: _Open, land: Land, params: OpenLandParams) -> tuple[pd.DataFrame, Texts]:
    """Area, steep share and way to a street of each piece, and why it is dropped, empty where it is not.

    What is dropped for one reason is not measured for the next, NaN.
    """
    area, why = shapely.area(found.shape), np.full(len(found.shape), "", dtype=object)
    table = pd.DataFrame({"area_m2": area, "share_steep": np.nan, "street_m": np.nan})
    why[np.floor(area + DIGIT) < params.min_m2] = "small"
    left = np.flatnonzero(why == "")
    why[left[shapely.is_empty(shapely.buffer(found.shape[left], -params.min_width_m / 2))]] = "thin"
    left = np.flatnonzero(why == "")
    table.loc[left, "street_m"] = _to_street_m(found.shape[left], land, params)
    why[(table["street_m"] > params.reach_m).to_numpy()] = "far"
    left = np.flatnonzero(why == "")
    if land.steep is not None:
        table.loc[left, "share_steep"] = land.steep(found.shape[left])
    level = area * (1 - table["share_steep"].fillna(0).to_numpy())
    table["usable_m2"] = np.floor(level + DIGIT).astype(np.int64)
    why[(why == "") & (table["usable_m2"] < params.min_m2).to_numpy()] = "steep"
    return table, why


def _to_street_m(shapes: Shapes, land: Land, params: OpenLandParams) -> Floats:
    """The way to the nearest street that is wide enough, metres; infinite without one, NaN where no street is known."""
    if not len(land.streets):
        return np.full(len(shapes), np.nan)
    wide = land.streets[land.clear_m >= params.access_width_m]
    metres = np.full(len(shapes), np.inf)
    (row, _), metres_there = shapely.STRtree(wide).query_nearest(shapes, return_distance=True, all_matches=False)
    metres[row] = metres_there
    return metres


def _told(found: _Open, measures: pd.DataFrame, why: Texts, n: int) -> dict[str, Floats | Ints]:
    """What became of the pieces in each region."""
    area, kept = measures["area_m2"].to_numpy(dtype=np.float64), why == ""
    dropped = {f"dropped_{name}": Parts(found.region, n).counts(why == name) for name in DROPPED}
    return {
        **dropped,
        "dropped_m2": found.sums(area * ~kept, n),
        "candidates": Parts(found.region, n).counts(kept),
        "candidates_m2": found.sums(area * kept, n),
    }


def _table(found: _Open, measures: pd.DataFrame, drawn: gpd.GeoDataFrame, crs: object) -> gpd.GeoDataFrame:
    """The pieces that are left, each named after the smallest place drawn there that is of its kind."""
    source = found.source.copy()
    at, shapes, kind = np.asarray(shapely.point_on_surface(found.shape)), _shapes(drawn), drawn["kind"].to_numpy()
    for name in np.unique(found.kind[source == NONE].astype(str)):
        mine, rows = np.flatnonzero((found.kind == name) & (source == NONE)), np.flatnonzero(kind == name)
        source[mine] = rows[smallest_holding(at[mine], shapes[rows])]
    columns = {
        "region": found.region,
        **{name: drawn[name].to_numpy(dtype=object)[source] for name in ("source_id", *NAMES)},
        "kind": found.kind,
        **{name: measures[name].to_numpy() for name in ("area_m2", "usable_m2", "share_steep", "street_m")},
    }
    return gpd.GeoDataFrame(without_nan(pd.DataFrame(columns, columns=list(PIECES))), geometry=found.shape, crs=crs)


def _shapes(table: gpd.GeoDataFrame) -> Shapes:
    return np.asarray(table.geometry.to_numpy(), dtype=object).copy()
