"""An OpenStreetMap extract as the tables a plan is made from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

import data.osm.tables as tables
import data.osm.water as water
from data.osm.facilities import facilities
from data.osm.raw import Raw, Shapes
from data.osm.refuges import shelters
from data.osm.scan import scan
from data.osm.shapes import project
from data.osm.streets import middle, pieces, ways
from data.osm.tables import Mapped
from geo.crs import WGS84, known, metric_crs, reproject
from geo.errors import CrsError, Fault, UnreadableError
from geo.network import Ways

SOURCE, LICENCE, ATTRIBUTION = "OpenStreetMap", "ODbL-1.0", "© OpenStreetMap contributors"
Bounds = tuple[float, float, float, float]
Points = NDArray[np.float64]
LAND_POINTS = 200_000
"""About how many points on land tell which side of a bank is water: a face is as dry for a tenth of its houses."""

COUNTS = {
    "streets": "Stretches of street kept.",
    "streets_not_built": "Highways left out: proposed or under construction.",
    "streets_not_a_street": "Highways left out: platforms drawn as areas, race tracks, lifts, service areas, …",
    "streets_beyond_projection": "Stretches of street left out: too far away for the metric coordinate system.",
    "restrictions": "Turn restrictions kept, one for each way from which, over which and into which it holds.",
    "restrictions_incomplete": "Turn restrictions left out: a street or node of theirs is not in the extract, or they "
    "do not say which turn they forbid.",
    "ways_cut_by_missing_nodes": "Ways kept in pieces: the extract lacks some of their nodes.",
    "ways_without_line": "Ways left out: fewer than two of their nodes in a row are in the extract.",
    "nodes_beyond_earth": "Nodes of ways left out: they lie outside 180°W-180°E, 90°S-90°N.",
    "relations_unreadable": "Relations left out: their tags are no UTF-8 text.",
    "file_sorted_first": "1 when the file was not sorted, or held objects twice, and was put in order first.",
    "beyond_projection": "Objects left out: too far away for the metric coordinate system.",
    "outlines_repaired": "Outlines that crossed themselves, repaired to the area they enclose.",
    "buildings": "Buildings kept.",
    "buildings_without_outline": "Buildings left out: mapped as a point.",
    "buildings_not_closed": "Buildings left out: the outline is not closed, or encloses nothing.",
    "buildings_drawn_twice": "Buildings left out: drawn a second time.",
    "buildings_cut_off": "Buildings left out: a relation that does not close, or of which the extract lacks a part.",
    "levels_not_understood": "Numbers of storeys that are no number: taken as not recorded.",
    "height_not_understood": "Heights that are no height: taken as not recorded.",
    "built_year_not_understood": "Years of building that are no year: taken as not recorded.",
    "voltage_not_understood": "Voltages that are no number: taken as not recorded.",
    "facilities": "Facilities kept, each place once.",
    "facilities_parts_of_another": "Facilities left out: parts of another of the same kind.",
    "facilities_out_of_use": "Facilities left out: marked as disused, abandoned or demolished.",
    "facilities_cut_off": "Facilities left out: the extract cuts their outline off.",
    "shelters_mapped": "Places that the map says are a refuge.",
    "shelters_candidate": "Places that could become a shelter.",
    "open_ground_without_outline": "Parks and squares left out as candidate shelters: mapped as a point.",
    "areas": "Areas of land and water kept.",
    "areas_not_closed": "Areas left out: the outline is not closed, or encloses nothing.",
    "areas_cut_off": "Areas left out: a relation that does not close, or of which the extract lacks a part.",
    "water_closed_by_edge": "Water areas that the extract cuts off, closed along its edge.",
    "water_cut_off": "Water areas left out: the extract cuts them off; their shores are kept as lines.",
    "lines": "Rivers, railways, power lines, … kept.",
    "lines_shore": "Shore lines kept of water areas that the extract cuts off.",
    "evacuation_routes": "Evacuation routes (relations) kept as lines.",
    "evacuation_routes_cut": "Evacuation routes of which the extract lacks a street: kept without it.",
    "streets_hazard_prone": "Stretches said to flood, or to be prone to another hazard, kept as lines too.",
    "hazard_points": "Points marked with a hazard: seen and not kept.",
    "power_towers": "Towers of power lines: seen and not kept, the line is.",
    "cameras": "Surveillance cameras: seen and not kept.",
    "boundaries": "Boundaries of administrative units and named places kept.",
    "boundaries_closed_by_edge": "Boundaries that the extract cuts off, closed along its edge.",
    "boundaries_cut_off": "Boundaries left out: the extract cuts them off.",
    "places": "Named places kept as points.",
}
"""Every count an extract may carry, and what it counts."""


@dataclass(frozen=True)
class Extract:
    """What a map says of a place.

    ``ways`` are the streets, the other tables keep ``geo.tables`` (``places``: ``data.osm.tables.PLACES``), all in
    ``crs`` (metres). ``bounds`` is west, south, east, north in degrees (WGS 84), as the file says, else the box of the
    buildings. ``date`` is the map's (``2023-01-30``), None when the file does not say. ``counts`` (see ``COUNTS``)
    tells what was read, repaired and left out, and why.
    """

    ways: Ways
    buildings: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    shelters: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    crs: str
    bounds: Bounds
    date: str | None
    counts: dict[str, int]
    source: str = SOURCE
    licence: str = LICENCE
    attribution: str = ATTRIBUTION

    def __repr__(self) -> str:
        return f"Extract({len(self.ways)} streets, {len(self.buildings)} buildings, {self.crs}, {self.date})"


def read(path: str | Path, *, crs: str | None = None) -> Extract:
    """Read an OpenStreetMap extract: .osm.pbf, .osm, .osm.gz or .osm.bz2, told apart by content.

    ``crs`` is the metric CRS of the result (default: the one for the middle of the streets). Raises FileMissingError,
    UnreadableError (not OSM, cut off, no streets) and CrsError (``crs`` is not metric).
    """
    raw = scan(Path(path))
    counts: Counter[str] = Counter(raw.counts)
    streets = pieces(raw, counts)
    if not len(streets):
        cure = "Give an extract of a whole town, with its streets."
        raise UnreadableError(Fault("streets (highway=…)", "none in the file", str(path), cure))
    metric = _metric(crs) if crs else metric_crs(*middle(streets))
    things = tables.mapped(raw, crs=metric, counts=counts)
    return _extract(raw, things, ways(raw, streets, crs=metric, counts=counts), counts)


def _extract(raw: Raw, of: Mapped, streets: Ways, counts: Counter[str]) -> Extract:
    built, serving = tables.buildings(of, counts), facilities(of, counts)
    bounds = raw.header.bounds or _box(built, streets)
    extent = project(np.array([shapely.box(*bounds)], dtype=object), crs=of.crs)[0]
    closed = _closed_water(of, streets, built, extent)
    return Extract(
        ways=streets, buildings=built, facilities=serving,
        shelters=shelters(of, serving, built, counts), areas=tables.areas(of, closed, counts),
        lines=tables.lines(of, closed, counts), boundaries=tables.boundaries(of, counts, extent=extent),
        places=tables.places(of, counts), crs=of.crs, bounds=bounds,
        date=raw.header.date, counts=dict.fromkeys(COUNTS, 0) | counts,
    )  # fmt: skip


def _closed_water(of: Mapped, streets: Ways, built: gpd.GeoDataFrame, extent: shapely.Polygon) -> Shapes:
    """Each water area that the extract cuts off, closed along its edge where the map tells which side is land."""
    closed = np.full(len(of.shores), None, dtype=object)
    there = np.flatnonzero(~shapely.is_missing(of.shore_shape))
    land = _land(streets, built) if len(there) else np.zeros((0, 2))
    for row in there:
        closed[row] = water.close(of.shore_shape[row], land, extent=extent)
    return closed


def _land(streets: Ways, built: gpd.GeoDataFrame) -> Points:
    """Points on streets off bridges and in houses, (n, 2): of a large place every second, third, … of them."""
    off_bridges = np.repeat(streets.tags[["bridge", "tunnel"]].isna().all(axis=1).to_numpy(), np.diff(streets.start))
    nodes = np.flatnonzero(off_bridges)
    step = max(1, (len(nodes) + len(built)) // LAND_POINTS)
    homes = shapely.get_coordinates(shapely.point_on_surface(built.geometry.to_numpy()[::step]))
    return np.concatenate([np.column_stack([streets.x, streets.y])[nodes[::step]], homes])


def _metric(crs: str) -> str:
    found = known(crs)
    if not found.is_projected or any(axis.unit_name != "metre" for axis in found.axis_info):
        raise CrsError(Fault("a coordinate system in metres", found.name, crs, "Leave it out to have one chosen."))
    return crs


def _box(buildings: gpd.GeoDataFrame, streets: Ways) -> Bounds:
    """The box in degrees of the buildings, mapped whole where streets run on; of the streets where there are none."""
    lines = shapely.points(streets.x, streets.y)
    xmin, ymin, xmax, ymax = shapely.total_bounds(buildings.geometry.to_numpy() if len(buildings) else lines)
    lon, lat = reproject(np.array([xmin, xmin, xmax, xmax]), np.array([ymin, ymax, ymin, ymax]),
                         source=streets.crs, target=WGS84)  # fmt: skip
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())
