"""Buildings, land, lines, boundaries and place names as tables.

Each builder takes the objects read with their shapes in metres, keeps what is of its kind, and counts what it leaves
out and why. An outline drawn twice, as a way and as the relation made of it, is kept once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

import data.osm.kinds as kinds
import data.osm.values as values
from data.osm.raw import Raw, Shapes, Tags, Things
from data.osm.shapes import outlines, project
from geo.boundaries import close
from geo.tables import AREAS, BOUNDARIES, BUILDINGS, LINES, Column, Schema, checked

PLACES = Schema("places", (
    Column("place_id", "id", "Stable id."),
    Column("name", "text", "Name of the place as locals write it."),
    Column("name_zh", "text", "Chinese name."),
    Column("name_en", "text", "English name."),
    Column("kind", "text", "OSM place value: city, town, suburb, quarter, neighbourhood, village, …"),
    Column("population", "float", "People as mapped; NaN when not recorded."),
), frozenset({"Point"}))  # fmt: skip

_UNITS = Schema("boundaries", BOUNDARIES.columns)


@dataclass(frozen=True)
class Mapped:
    """What was read, in metres: ``shape`` as mapped and ``area`` as enclosed (None: nothing), both (n,) in ``crs``.

    ``notable`` are the rows that may be more than a building.
    """

    things: Things
    notable: list[int]
    shape: Shapes
    area: Shapes
    outlines: dict[str, list[Tags]]
    shores: Things
    shore_shape: Shapes
    borders: Things
    border_shape: Shapes
    crs: str

    def is_somewhere(self, row: int) -> bool:
        """Whether it has an outline or is a point; an open line is a site that the extract cuts off."""
        return self.area[row] is not None or (self.things.ids[row][0] == "n" and self.shape[row] is not None)

    def place(self, rows: Sequence[int]) -> Shapes:
        """The outline of each, or the point where it has none."""
        return np.where(shapely.is_missing(self.area[rows]), self.shape[rows], self.area[rows])

    def drawn_again(self, row: int, kind: Callable[[Tags], object]) -> bool:
        """Whether this way is the outer line of a relation of the same kind, which has it already."""
        relations = self.outlines.get(self.things.ids[row], ())
        mine = kind(self.things.tags[row])
        return any(kind(tags) == mine for tags in relations)


def mapped(raw: Raw, *, crs: str, counts: Counter[str]) -> Mapped:
    """Everything of interest in a metric CRS."""
    shape = project(raw.things.shape, crs=crs)
    area, repaired = outlines(shape, raw.things.closed)
    counts["outlines_repaired"] = repaired
    counts["beyond_projection"] = int(shapely.is_missing(shape).sum())
    shores, borders = (project(lines.shape, crs=crs) for lines in (raw.shores, raw.borders))
    notable = [row for row, tags in enumerate(raw.things.tags) if not kinds.is_plain_building(tags)]
    return Mapped(raw.things, notable, shape, area, raw.outlines, raw.shores, shores, raw.borders, borders, crs)


def buildings(of: Mapped, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Buildings with an outline, ``geo.tables.BUILDINGS`` and ``flats`` (dwellings; NaN when not recorded)."""
    found = [row for row, tags in enumerate(of.things.tags) if kinds.is_building(tags)]
    whole = [row for row in found if of.area[row] is not None]
    nodes = sum(of.things.ids[row].startswith("n") for row in found)
    counts["buildings_without_outline"] = nodes
    counts["buildings_not_closed"] = len(found) - len(whole) - nodes
    rows = _drawn_once(of, [row for row in whole if not of.drawn_again(row, kinds.is_building)])
    counts["buildings_drawn_twice"] = len(whole) - len(rows)
    tags = [of.things.tags[row] for row in rows]
    columns = {
        "use": text(kinds.use(t) for t in tags),
        "levels": _measured(tags, "building:levels", values.levels, counts),
        "height_m": _measured(tags, "height", values.metres, counts),
        "flats": _numbers(values.count(t.get("building:flats")) for t in tags),
    }
    counts["buildings"] = len(rows)
    return frame(of, BUILDINGS, rows, of.area[rows], columns)


def areas(of: Mapped, water: Shapes, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Land and water that is not a building, ``geo.tables.AREAS``.

    ``water`` (one of each of ``of.shores``) is what was closed along the extent's edge, None where it stays open.
    """
    tags = of.things.tags
    kind = {row: kinds.area(tags[row]) for row in of.notable if not kinds.is_building(tags[row])}
    found = [row for row, k in kind.items() if k and not of.things.ids[row].startswith("n")]
    rows = [row for row in found if of.area[row] is not None and not of.drawn_again(row, kinds.area)]
    closed = np.flatnonzero(~shapely.is_missing(water)).tolist()
    counts["areas_not_closed"] = sum(of.area[row] is None for row in found)
    counts["water_closed_by_edge"] = len(closed)
    counts["water_cut_off"] -= len(closed)
    counts["areas"] = len(rows) + len(closed)
    ids = [of.things.ids[row] for row in rows] + [of.shores.ids[row] for row in closed]
    tags = [tags[row] for row in rows] + [of.shores.tags[row] for row in closed]
    columns = {"kind": text([*(kind[row] for row in rows), *("water" for _ in closed)])}
    return table(AREAS, ids, tags, np.r_[of.area[rows], water[closed]], columns, crs=of.crs)


def lines(of: Mapped, water: Shapes, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Rivers, railways, power lines, …, ``geo.tables.LINES`` and ``tunnel`` (text, None when not tagged).

    Kind ``shore`` are the banks of water that the extract cuts off and that stays open (``water`` as for ``areas``);
    ``coastline`` has the sea on its right.
    """
    kind = {row: kinds.kind_of(of.things.tags[row], kinds.LINES) for row in of.notable}
    rows = [row for row, k in kind.items() if k and shapely.get_dimensions(of.shape[row]) == 1]
    along = np.flatnonzero(shapely.is_missing(water) & ~shapely.is_missing(of.shore_shape)).tolist()
    tags = [of.things.tags[row] for row in rows] + [of.shores.tags[r] for r in along]
    columns = {
        "kind": text([*(kind[row] for row in rows), *("shore" for _ in along)]),
        "voltage_v": _measured(tags, "voltage", values.volts, counts),
        "tunnel": text(t.get("tunnel") for t in tags),
    }
    ids = [*(of.things.ids[row] for row in rows), *(f"{of.shores.ids[r]}-shore" for r in along)]
    counts["lines"], counts["lines_shore"] = len(rows), len(along)
    return table(LINES, ids, tags, np.r_[of.shape[rows], of.shore_shape[along]], columns, crs=of.crs)


def boundaries(of: Mapped, counts: Counter[str], *, extent: shapely.Polygon) -> gpd.GeoDataFrame:
    """Administrative units and named parts of towns, ``geo.tables.BOUNDARIES``.

    A unit of which the extract holds only some lines is closed along its edge where its neighbours leave one answer
    (``geo.boundaries.close``): ``cut_off`` is True then. More columns: ``place`` and ``population``.
    """
    found = [row for row in of.notable if of.area[row] is not None and kinds.is_unit(of.things.tags[row])]
    rows = [row for row in found if not of.drawn_again(row, kinds.is_unit)]
    cut = [row for row in range(len(of.borders)) if of.border_shape[row] is not None]
    tags = [of.things.tags[row] for row in rows] + [of.borders.tags[row] for row in cut]
    ids = [of.things.ids[row] for row in rows] + [of.borders.ids[row] for row in cut]
    units = table(_UNITS, ids, tags, np.r_[of.area[rows], of.border_shape[cut]], _unit_columns(tags), crs=of.crs)
    closed = close(units, extent=extent)
    counts["boundaries_closed_by_edge"] = int(closed.boundaries["cut_off"].sum())
    counts["boundaries_cut_off"] -= counts["boundaries_closed_by_edge"]
    counts["boundaries"] = len(closed.boundaries)
    return closed.boundaries


def _unit_columns(tags: list[Tags]) -> dict[str, Any]:
    return {
        "kind": text("administrative" if t.get("boundary") == "administrative" else "place" for t in tags),
        "admin_level": _numbers(values.count(t.get("admin_level")) for t in tags),
        "place": text(t.get("place") for t in tags),
        "population": _numbers(values.count(t.get("population")) for t in tags),
    }


def places(of: Mapped, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Named places as points, for labels."""
    rows = [row for row in of.notable if of.things.ids[row][0] == "n" and _is_named_place(of.things.tags[row])]
    rows = [row for row in rows if of.shape[row] is not None]
    tags = [of.things.tags[row] for row in rows]
    population = _numbers(values.count(t.get("population")) for t in tags)
    counts["places"] = len(rows)
    return frame(of, PLACES, rows, of.shape[rows], {"kind": text(t["place"] for t in tags), "population": population})


def _is_named_place(tags: Tags) -> bool:
    return tags.get("place") in kinds.PLACES and "name" in tags


def frame(of: Mapped, schema: Schema, rows: Sequence[int], shapes: Shapes, columns: dict[str, Any]) -> gpd.GeoDataFrame:
    """A checked table of some of the objects read."""
    tags = [of.things.tags[row] for row in rows]
    return table(schema, [of.things.ids[row] for row in rows], tags, shapes, columns, crs=of.crs)


def table(
    schema: Schema, ids: list[str], tags: list[Tags], shapes: Shapes, columns: dict[str, Any], *, crs: str
) -> gpd.GeoDataFrame:
    """A checked table: id, names, then the columns, as the schema orders them; more columns follow."""
    called = [values.names(t) for t in tags]
    data: dict[str, Any] = {schema.id_column: pd.Series(ids, dtype=object)}
    data |= {name: text(c[i] for c in called) for i, name in enumerate(("name", "name_zh", "name_en"))}
    return checked(gpd.GeoDataFrame(data | columns, geometry=shapes, crs=crs), schema)


def _drawn_once(of: Mapped, rows: list[int]) -> list[int]:
    """Rows without those whose outline is exactly that of a row before."""
    same = pd.Series(shapely.to_wkb(shapely.normalize(of.area[rows])), dtype=object)
    return [row for row, again in zip(rows, same.duplicated(), strict=True) if not again]


def _measured(
    tags: list[Tags], key: str, read: Callable[[str | None], float], counts: Counter[str]
) -> NDArray[np.float64]:
    """One measure of each object; what is written but not understood is counted."""
    found = _numbers(read(t.get(key)) for t in tags)
    written = np.fromiter((key in t for t in tags), dtype=bool, count=len(tags))
    counts[f"{key.rpartition(':')[2]}_not_understood"] += int((written & np.isnan(found)).sum())
    return found


def _numbers(found: Iterable[float]) -> NDArray[np.float64]:
    return np.fromiter(found, dtype=np.float64)


def text(found: Iterable[str | None]) -> pd.Series[Any]:
    """A column of text, None where there is none."""
    return pd.Series(list(found), dtype=object)
