"""Buildings, land, lines, boundaries and place names as tables.

Each builder takes the objects read with their shapes in metres, keeps what is of its kind, and counts what it leaves
out and why. An outline drawn twice, as a way and as the relation made of it, is kept once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

import data.osm.kinds as kinds
import data.osm.values as values
from data.osm.chains import lines as lines_of
from data.osm.raw import NODE, WAY, Chains, CutOff, Ints, Raw, Shapes, Things
from data.osm.shapes import project, rings, sound
from data.osm.tagging import Tagging, Tags, joined, one_each, under
from geo.boundaries import close
from geo.crs import WGS84, reproject
from geo.tables import AREAS, BOUNDARIES, BUILDINGS, LINES, NAMES, Column, Schema, checked

PLACES = Schema("places", (
    Column("place_id", "id", "Stable id."),
    Column("name", "text", "Name of the place as locals write it."),
    Column("name_zh", "text", "Chinese name."),
    Column("name_en", "text", "English name."),
    Column("kind", "text", "OSM place value: city, town, suburb, quarter, neighbourhood, village, …"),
    Column("population", "float", "People as mapped; NaN when not recorded."),
), frozenset({"Point"}))  # fmt: skip

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_UNITS = Schema("boundaries", BOUNDARIES.columns)


@dataclass(frozen=True)
class Mapped:
    """What was read, in metres: ``shape`` of what is a point or a line, and ``area`` as enclosed, both (n,) in ``crs``.

    None where there is none. ``notable`` are the rows that may be more than a building.
    """

    things: Things
    notable: Ints
    shape: Shapes
    area: Shapes
    outlines: dict[int, list[Tags]]
    shores: CutOff
    shore_shape: Shapes
    borders: CutOff
    border_shape: Shapes
    routes: CutOff
    route_shape: Shapes
    crs: str

    def those(self, told: Callable[[Tags], object]) -> Ints:
        """The notable rows of which something is told."""
        return self.notable[self.things.tags.take(self.notable).flags(told)]

    def is_somewhere(self, rows: Ints) -> Mask:
        """Whether each has an outline or is a point; an open line is a site that the extract cuts off."""
        is_point = (self.things.form[rows] == NODE) & ~shapely.is_missing(self.shape[rows])
        return np.asarray(is_point | ~shapely.is_missing(self.area[rows]), dtype=bool)

    def place(self, rows: Ints) -> Shapes:
        """The outline of each, or the point where it has none."""
        return np.where(shapely.is_missing(self.area[rows]), self.shape[rows], self.area[rows])

    def drawn_again(self, rows: Ints, kind: Callable[[Tags], object]) -> Mask:
        """Whether each is a way that is the outer line of a relation of the same kind, which has it already."""
        again = np.zeros(len(rows), dtype=bool)
        outer = (self.things.form[rows] == WAY) & np.isin(self.things.number[rows], list(self.outlines))
        for place in np.flatnonzero(outer).tolist():
            row = int(rows[place])
            mine = kind(self.things.tags[row])
            again[place] = any(kind(tags) == mine for tags in self.outlines[int(self.things.number[row])])
        return again


def mapped(raw: Raw, *, crs: str, counts: Counter[str]) -> Mapped:
    """Everything of interest in a metric CRS."""
    things, chains = raw.things, raw.things.chains
    x, y = reproject(*chains.degrees(), source=WGS84, target=crs)
    lost = _lost(chains, x, y, len(things))
    relations = project(things.areas, crs=crs)
    area, counts["outlines_repaired"] = sound(_enclosed(things, x, y, lost, relations))
    counts["beyond_projection"] = int(lost.sum()) + int(shapely.is_missing(relations).sum())
    shores, borders, routes = (project(lines.shape, crs=crs) for lines in (raw.shores, raw.borders, raw.routes))
    notable = np.flatnonzero(~things.tags.flags(kinds.is_plain_building))
    shape = _points_and_lines(things, x, y, lost)
    return Mapped(
        things, notable, shape, area, raw.outlines, raw.shores, shores, raw.borders, borders, raw.routes, routes, crs
    )  # fmt: skip


def _lost(chains: Chains, x: Floats, y: Floats, n: int) -> Mask:
    """Which nodes and ways cannot be projected."""
    lost = np.zeros(n, dtype=bool)
    points = np.flatnonzero(~np.isfinite(x + y))
    lost[chains.of[np.searchsorted(chains.first, points, side="right") - 1]] = True
    return lost


def _enclosed(things: Things, x: Floats, y: Floats, lost: Mask, relations: Shapes) -> Shapes:
    area = np.full(len(things), None, dtype=object)
    chains, closed = things.chains, things.closed & ~lost & (things.form == WAY)
    ring = closed[chains.of]
    area[chains.of[ring]] = rings(x, y, chains.first[:-1][ring], chains.size[ring])
    area[len(things) - len(relations) :] = relations
    return area


def _points_and_lines(things: Things, x: Floats, y: Floats, lost: Mask) -> Shapes:
    """Every point, and the ways of kinds that are kept as lines."""
    shape = np.full(len(things), None, dtype=object)
    points = np.flatnonzero((things.form == NODE) & ~lost)
    shape[points] = shapely.points(x[points], y[points])
    along = things.tags.flags(kinds.line)
    rows = np.flatnonzero((things.form == WAY) & along & ~lost)
    shape[rows] = lines_of(things.chains, x, y, rows)
    return shape


def buildings(of: Mapped, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Buildings with an outline, ``geo.tables.BUILDINGS``, and what is NaN or None when not recorded.

    ``flats`` (dwellings), ``built_year``, ``material`` (of its structure, else of its walls).
    """
    found = np.flatnonzero(of.things.tags.flags(kinds.is_building))
    whole = found[~shapely.is_missing(of.area[found])]
    nodes = int((of.things.form[found] == NODE).sum())
    counts["buildings_without_outline"] = nodes
    counts["buildings_not_closed"] = len(found) - len(whole) - nodes
    rows = _drawn_once(of, whole[~of.drawn_again(whole, kinds.is_building)])
    counts["buildings_drawn_twice"] = len(whole) - len(rows)
    tags = of.things.tags.take(rows)
    columns = {
        "use": text(tags.each(kinds.use)),
        "levels": _measured(tags, "building:levels", values.levels, counts),
        "height_m": _measured(tags, "height", values.metres, counts),
        "flats": tags.numbers(lambda told: values.count(told.get("building:flats"))),
        "built_year": _built(tags, counts),
        "material": text(tags.each(lambda told: told.get("building:structure") or told.get("building:material"))),
    }
    counts["buildings"] = len(rows)
    return frame(of, BUILDINGS, rows, of.area[rows], columns)


def _built(tags: Tagging, counts: Counter[str]) -> Floats:
    """The year of each building; what is written but not understood is counted."""
    found = tags.numbers(values.built_year)
    written = tags.flags(lambda told: any(key in told for key in values.BUILT_KEYS))
    counts["built_year_not_understood"] = int((written & np.isnan(found)).sum())
    return found


def areas(of: Mapped, water: Shapes, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Land and water that is not a building, ``geo.tables.AREAS``.

    ``water`` (one of each of ``of.shores``) is what was closed along the extent's edge, None where it stays open.
    """
    found = of.those(lambda tags: kinds.area(tags) and not kinds.is_building(tags))
    found = found[of.things.form[found] != NODE]
    here = found[~shapely.is_missing(of.area[found])]
    rows = here[~of.drawn_again(here, kinds.area)]
    closed = np.flatnonzero(~shapely.is_missing(water))
    counts["areas_not_closed"] = len(found) - len(here)
    counts["water_closed_by_edge"] = len(closed)
    counts["water_cut_off"] -= len(closed)
    counts["areas"] = len(rows) + len(closed)
    ids = of.things.ids(rows) + [of.shores.ids[row] for row in closed]
    tags = joined([of.things.tags.take(rows), one_each([of.shores.tags[row] for row in closed])])
    columns = {"kind": text([*of.things.tags.take(rows).each(kinds.area), *("water" for _ in closed)])}
    return table(AREAS, ids, tags, np.r_[of.area[rows], water[closed]], columns, crs=of.crs)


def lines(of: Mapped, water: Shapes, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Rivers, railways, power lines, …, ``geo.tables.LINES``, ``tunnel`` and ``hazards`` (text, None when not tagged).

    Kind ``shore`` are the banks of water that the extract cuts off and that stays open (``water`` as for ``areas``);
    ``coastline`` has the sea on its right. Of kind ``evacuation_route`` and ``hazard_prone`` (a stretch of street that
    floods, …) ``hazards`` says which.
    """
    rows = of.those(kinds.line)
    rows = rows[shapely.get_dimensions(of.shape[rows]) == 1]
    along = np.flatnonzero(shapely.is_missing(water) & ~shapely.is_missing(of.shore_shape))
    led = np.flatnonzero(~shapely.is_missing(of.route_shape))
    tags = joined([of.things.tags.take(rows), *(one_each([cut.tags[row] for row in picked])
                   for cut, picked in ((of.shores, along), (of.routes, led)))])  # fmt: skip
    kind = [*of.things.tags.take(rows).each(kinds.line), *("shore" for _ in along), *("evacuation_route" for _ in led)]
    columns = {
        "kind": text(kind),
        "voltage_v": _measured(tags, "voltage", values.volts, counts),
        "tunnel": text(tags.each(under("tunnel"))),
        "hazards": text(tags.each(kinds.hazards_of_line)),
    }
    ids = [
        *of.things.ids(rows),
        *(f"{of.shores.ids[row]}-shore" for row in along),
        *(of.routes.ids[row] for row in led),
    ]
    counts["lines"], counts["lines_shore"], counts["evacuation_routes"] = len(rows), len(along), len(led)
    counts["streets_hazard_prone"] = kind.count("hazard_prone")
    shapes = np.r_[of.shape[rows], of.shore_shape[along], of.route_shape[led]]
    return table(LINES, ids, tags, shapes, columns, crs=of.crs)


def boundaries(of: Mapped, counts: Counter[str], *, extent: shapely.Polygon) -> gpd.GeoDataFrame:
    """Administrative units and named parts of towns, ``geo.tables.BOUNDARIES``.

    A unit of which the extract holds only some lines is closed along its edge where its neighbours leave one answer
    (``geo.boundaries.close``): ``cut_off`` is True then. More columns: ``place`` and ``population``.
    """
    found = of.those(kinds.is_unit)
    found = found[~shapely.is_missing(of.area[found])]
    rows = found[~of.drawn_again(found, kinds.is_unit)]
    cut = np.flatnonzero(~shapely.is_missing(of.border_shape))
    tags = joined([of.things.tags.take(rows), one_each([of.borders.tags[row] for row in cut])])
    ids = of.things.ids(rows) + [of.borders.ids[row] for row in cut]
    units = table(_UNITS, ids, tags, np.r_[of.area[rows], of.border_shape[cut]], _unit_columns(tags), crs=of.crs)
    closed = close(units, extent=extent)
    counts["boundaries_closed_by_edge"] = int(closed.boundaries["cut_off"].sum())
    counts["boundaries_cut_off"] -= counts["boundaries_closed_by_edge"]
    counts["boundaries"] = len(closed.boundaries)
    return closed.boundaries


def _unit_columns(tags: Tagging) -> dict[str, Any]:
    return {
        "kind": text(tags.each(lambda t: "administrative" if t.get("boundary") == "administrative" else "place")),
        "admin_level": tags.numbers(lambda t: values.count(t.get("admin_level"))),
        "place": text(tags.each(under("place"))),
        "population": tags.numbers(lambda t: values.count(t.get("population"))),
    }


def places(of: Mapped, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Named places as points, for labels."""
    rows = of.those(_is_named_place)
    rows = rows[(of.things.form[rows] == NODE) & ~shapely.is_missing(of.shape[rows])]
    tags = of.things.tags.take(rows)
    population = tags.numbers(lambda t: values.count(t.get("population")))
    counts["places"] = len(rows)
    columns = {"kind": text(tags.each(under("place"))), "population": population}
    return frame(of, PLACES, rows, of.shape[rows], columns)


def _is_named_place(tags: Tags) -> bool:
    return tags.get("place") in kinds.PLACES and "name" in tags


def frame(of: Mapped, schema: Schema, rows: Ints, shapes: Shapes, columns: dict[str, Any]) -> gpd.GeoDataFrame:
    """A checked table of some of the objects read."""
    return table(schema, of.things.ids(rows), of.things.tags.take(rows), shapes, columns, crs=of.crs)


def table(
    schema: Schema, ids: list[str], tags: Tagging, shapes: Shapes, columns: dict[str, Any], *, crs: str
) -> gpd.GeoDataFrame:
    """A checked table: id, names, then the columns, as the schema orders them; more follow, last ``other_names``."""
    data: dict[str, Any] = {schema.id_column: pd.Series(ids, dtype=object)}
    data |= {name: text(tags.each(partial(values.called, name))) for name in NAMES}
    other = {"other_names": text(tags.each(values.other_names))}
    return checked(gpd.GeoDataFrame(data | columns | other, geometry=shapes, crs=crs), schema)


def _drawn_once(of: Mapped, rows: Ints) -> Ints:
    """Rows without those whose outline is exactly that of a row before."""
    boxes = pd.DataFrame(shapely.bounds(of.area[rows]))
    like = np.flatnonzero(boxes.duplicated(keep=False))
    same = pd.Series(shapely.to_wkb(shapely.normalize(of.area[rows[like]])), dtype=object)
    return np.delete(rows, like[same.duplicated()])


def _measured(tags: Tagging, key: str, read: Callable[[str | None], float], counts: Counter[str]) -> Floats:
    """One measure of each object; what is written but not understood is counted."""
    found = tags.numbers(lambda told: read(told.get(key)))
    written = tags.flags(lambda told: key in told)
    counts[f"{key.rpartition(':')[2]}_not_understood"] += int((written & np.isnan(found)).sum())
    return found


def text(found: Iterable[object]) -> pd.Series[Any]:
    """A column of text, None where there is none."""
    return pd.Series(found if isinstance(found, np.ndarray) else list(found), dtype=object)
