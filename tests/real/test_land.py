"""What becomes of the land of real places: verdicts against plain distances and the hazards' own cells."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data import osm, rasters, rules, standards, zones
from data.study import load
from geo import land, readied, tables
from geo.city import City, PlanParams
from geo.hazards import Hazard
from geo.land import Land
from geo.readied import Base
from geo.zoning import VERDICTS
from tests import shared_data
from tests.real import longmen

PARAMS = PlanParams.of(standards.load())
KAMPEN = ("kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif")
NANJING, HAIDIAN = "osm/nanjing-hongtao45_bbox.osm.xml", "osm/beijing-haidian-tsinghua.osm"
YAIZU = "yaizu/土砂災害-特別警戒区域・急傾斜地の崩壊__特別警戒区域-急傾斜地の崩壊.geojson"
TACLOBAN = "tacloban/Landslide-Leyte_LandslideHazards.tif"


def there(*names: str) -> list[Path]:
    if why_not := shared_data.why_not(*names):
        pytest.skip(why_not)
    return [shared_data.folder() / name for name in names]


def mapped(extract: Path, hazards: Mapping[str, Hazard]) -> City:
    found = osm.read(extract)
    return City(found.crs, found.ways, found.buildings, found.facilities, found.shelters, found.areas, found.lines,
                found.boundaries, hazards=hazards, rules=rules.load())  # fmt: skip


@lru_cache(maxsize=1)
def kampen() -> Land:
    extract, tif = there(*KAMPEN)
    depth, _ = rasters.read(tif, unit="m", kind="flood")
    return timed(mapped(extract, {"flood": Hazard("flood", "flood", "m", depth, return_period_y=100)}))


def timed(city: City, params: PlanParams = PARAMS) -> Land:
    base = readied.prepare(city, params=params)
    begin = time.process_time()
    found = land.of(base)
    counts = found.judged.table["verdict"].value_counts().to_dict()
    print(f"\n{found!r}: {time.process_time() - begin:.1f} s; {counts}; {len(found.layers['conflicts'])} to move")
    return found


def require_laws(found: Land) -> None:
    """Everybody has a verdict, zones lie beside each other in the study, communities come to the headline."""
    people = found.base.people.demand["people"].groupby(land.verdicts_of_people(found).astype(str)).sum()
    assert people.sum() == found.base.people.total and set(people.index) <= set(VERDICTS)
    shapes = found.zones.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    over = shapely.area(shapes).sum() - shapely.area(shapely.union_all(shapes))
    assert over < 2e-6 * shapely.area(found.ground), "zones overlap by more than the millimetre of their edges"
    assert shapely.area(shapely.difference(shapely.union_all(shapes), found.ground)) < 2e-6 * shapely.area(found.ground)
    told = found.communities_told
    for zone in ("let", "avoid", "prevent"):
        drawn = found.zones.loc[found.zones["zone"] == zone, "area_m2"].sum()
        assert told[f"{zone}_m2"].sum() == pytest.approx(drawn)
    assert told["people_in_let"].sum() == people.get("let", 0) == found.headline["people_in_let"]
    regions = found.protected.regions.table.geometry.to_numpy()
    assert shapely.area(regions).sum() == pytest.approx(shapely.area(found.ground), rel=1e-6)


def require_distances(found: Land, *, most: int = 400) -> int:
    """Every reason of buildings to be moved is nearer than it may be, by plain distance to the rule's own sources."""
    n, judged = len(found.base.city.buildings), found.judged
    hits = judged.hits[judged.hits["thing"] < n]
    hits = hits[hits["reason"] < len(found.setbacks.kept)]
    hits = hits[hits["required_m"] > 0].sample(frac=1, random_state=6).head(most)
    shapes = found.base.city.buildings.geometry.to_numpy()
    for thing, reason, distance, required in hits[["thing", "reason", "distance_m", "required_m"]].itertuples(
        index=False
    ):
        kept = found.setbacks.kept[int(reason)]
        plain = shapely.distance(shapes[int(thing)], kept.shapes) - kept.distance_m
        assert plain.min() == pytest.approx(distance - required, abs=1e-6) and plain.min() < 0, kept
    return len(hits)


def test_kampen_with_its_flood() -> None:
    found = kampen()
    require_laws(found)
    assert require_distances(found) > 100
    counts = found.judged.table["verdict"].iloc[: len(found.base.city.buildings)].value_counts()
    print(counts.to_dict(), {name: round(value) for name, value in found.headline.items() if value == value})
    told = found.layers["buildings"]
    # A corner of less than a thousandth is the width of a drawn line (zoning.least_share).
    flooded = told["rules"].fillna("").str.contains("flood_deep") & (told["let_share"] >= PARAMS.zoning.least_share)
    assert (told["verdict"][flooded] == "let").all()
    # The flood of once in 100 years stands 1.2 m and deeper at 27 % of the buildings: the town lies below the dykes.
    assert counts["let"] / counts.sum() == pytest.approx(0.27, abs=0.03)
    assert counts["none"] / counts.sum() == pytest.approx(0.27, abs=0.05)
    listed = found.layers["conflicts"]
    assert listed["order"].tolist() == list(range(1, len(listed) + 1)) and listed["step"].is_monotonic_increasing
    assert set(listed.loc[listed["level_max"] >= 4, "step"]) == {1}
    # No filling station moves away from its own pumps.
    own = listed[(listed["object"] == "facility") & (listed["use"] == "fuel")]
    assert not (own["rules"] == "fuel_ordinary").any()


def test_kampen_without_its_flood_lets_no_more() -> None:
    found = kampen()
    base = found.base
    dry = land.of(replace(base, hazards={}))
    wet, without = (each.layers["buildings"]["verdict"] == "let" for each in (found, dry))
    print(f"{wet.sum()} buildings with the flood, {without.sum()} without")
    assert (wet | ~without).all() and wet.sum() > without.sum()


@pytest.mark.parametrize("extract", [NANJING, HAIDIAN], ids=["nanjing", "haidian"])
def test_chinese_cities(extract: str) -> None:
    found = timed(mapped(*there(extract), {}))
    require_laws(found)
    require_distances(found)
    told = found.layers["buildings"]
    assert told["reason_zh"].str.match("^(让|防|避|无)").all() and told["reason_zh"].str.endswith("。").all()
    print(told["verdict"].value_counts().to_dict(), {k: round(v) for k, v in found.headline.items() if v == v})
    # Rivers, power lines and railways on the map move hardly a building: next to none is in 让, few in 防.
    share = told["verdict"].value_counts(normalize=True)
    assert share.get("let", 0) < 0.01 and share.get("prevent", 0) < 0.05 and found.headline["let_m2"] > 1e5


# -- made houses on real zones -----------------------------------------------------------------------------------------


def houses(points: np.ndarray, crs: str, side_m: float = 2.0) -> gpd.GeoDataFrame:
    """Small houses round points."""
    n = len(points)
    columns = dict.fromkeys(("name", "name_zh", "name_en")) | dict.fromkeys(("levels", "height_m"), np.nan)
    table = gpd.GeoDataFrame(
        {"building_id": [f"b{k}" for k in range(n)], **columns, "use": ["house"] * n},
        geometry=shapely.buffer(points, side_m / 2, cap_style="square"), crs=crs,
    )  # fmt: skip
    return tables.checked(table, tables.BUILDINGS)


def made(buildings: gpd.GeoDataFrame, hazards: Mapping[str, Hazard]) -> Land:
    """The land of houses and hazards without a map."""
    crs, none = str(buildings.crs), {}
    for schema in (tables.FACILITIES, tables.SHELTERS, tables.AREAS, tables.LINES, tables.BOUNDARIES):
        none[schema.name] = tables.empty(schema, crs=crs)
    outline = shapely.box(*buildings.total_bounds).buffer(50, join_style="mitre")
    return timed(City(crs, None, buildings, none["facilities"], none["shelters"], none["areas"], none["lines"],
                      none["boundaries"], hazards=hazards, rules=rules.load(), outline=outline))  # fmt: skip


@pytest.mark.parametrize(("level", "verdict", "rule"), [(5, "let", "slide_red"), (4, "prevent", "slide_yellow")])
def test_official_zones_of_yaizu(level: int, verdict: str, rule: str) -> None:
    """Special warning zones (red) yield, warning zones (yellow, level 4) are built on under conditions."""
    (path,) = there(YAIZU)
    crs = "EPSG:6676"
    drawn = gpd.read_file(path).to_crs(crs).geometry.to_numpy()
    drawn = drawn[np.argsort(shapely.distance(drawn, drawn[0]), kind="stable")][:25]
    west, south, east, north = shapely.total_bounds(drawn).tolist()
    extent = west - 300, south - 300, east + 300, north + 300
    grid, _ = zones.read(path, kind="landslide", unit="level", into=crs, extent=extent, constants={"level": str(level)})
    # Well within the zones, and well outside all of them (cells of the grid are metres wide).
    inner = np.array([shapely.maximum_inscribed_circle(shape, 0.5) for shape in drawn], dtype=object)
    inside = shapely.get_point(inner, 0)[shapely.length(inner) > 8]
    ring = shapely.points(shapely.get_coordinates(shapely.buffer(shapely.centroid(drawn), 120, quad_segs=2)))
    every = shapely.union_all(gpd.read_file(path).to_crs(crs).geometry.to_numpy())
    outside = ring[shapely.distance(ring, every) > 15][:60]
    found = made(houses(np.r_[inside, outside], crs), {"slides": Hazard("slides", "landslide", "level", grid)})
    told = found.layers["buildings"]
    assert len(inside) >= 10 and len(outside) >= 20
    assert set(told["verdict"].iloc[: len(inside)]) == {verdict}
    assert told["rules"].iloc[: len(inside)].str.contains(rule).all()
    assert set(told["verdict"].iloc[len(inside) :]) == {"none"}


def test_tacloban_where_class_1_is_the_worst() -> None:
    """The classes run 1 high to 4 not affected; each house against the file's own cell under it."""
    (path,) = there(TACLOBAN)
    raw, _ = rasters.read(path, unit="level", kind="landslide", classes={"1": 1, "2": 2, "3": 3, "4": 4})
    level, _ = rasters.read(path, unit="level", kind="landslide", classes={"1": 5, "2": 3, "3": 2, "4": 0})
    crs, chance = "EPSG:32651", np.random.default_rng(6)
    rows, columns = (axis.ravel() for axis in np.indices(raw.values.shape))
    points = gpd.GeoSeries.from_xy(
        raw.transform[2] + (columns + 0.5) * raw.transform[0], raw.transform[5] + (rows + 0.5) * raw.transform[4],
        crs=raw.crs,
    )  # fmt: skip
    value = raw.values.ravel()
    # All together are told in coarser cells: ground that should be free is looked at amid its like.
    alike = np.ones(raw.values.shape, dtype=bool)
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)):
        alike &= np.roll(raw.values, (down, right), axis=(0, 1)) == raw.values
    worst = np.flatnonzero(value == 1)
    place = points.iloc[worst[len(worst) // 2]]
    close = (np.hypot(points.x - place.x, points.y - place.y) < 0.03).to_numpy()  # degrees: two miles and less
    kept = {each: np.flatnonzero(close & (value == each) & ((each <= 2) | alike.ravel())) for each in (1, 2, 3, 4)}
    chosen = np.concatenate([chance.choice(cells, min(25, len(cells)), replace=False) for cells in kept.values()])
    at = np.asarray(points.iloc[chosen].to_crs(crs).to_numpy(), dtype=object)
    found = made(houses(at, crs), {"slides": Hazard("slides", "landslide", "level", level)})
    verdict = found.layers["buildings"]["verdict"].to_numpy()
    by_class = {int(each): set(verdict[value[chosen] == each]) for each in np.unique(value[chosen])}
    print(by_class)
    expected = {1: {"let"}, 2: {"prevent"}, 3: {"none"}, 4: {"none"}}
    assert by_class == {each: expected[each] for each in by_class} and {1, 2, 4} <= set(by_class)


@pytest.fixture(scope="module", name="fault")
def _fault(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """The made place on the Longmen Shan thrust (``tests.real.longmen``), ready."""
    (path,) = there(longmen.FILE)
    study = longmen.study(tmp_path_factory.mktemp("longmen"), path)
    return readied.prepare(load(study.file, study.folder), params=PARAMS)


@pytest.mark.parametrize(("intensity", "ordinary", "needed"), [(7.0, 0, 0), (8.0, 100, 200), (9.0, 200, 400)])
def test_buildings_on_the_longmen_shan(fault: Base, intensity: float, ordinary: float, needed: float) -> None:
    """丙 houses and 乙 hospitals by their distance; 丁 and parks never; a school 150 m off is 乙 as well."""
    params = PARAMS.model_copy(update={"setback": PARAMS.setback.model_copy(update={"intensity": intensity})})
    found = land.of(replace(fault, params=params))
    told = found.layers["buildings"].set_index("name")
    moved = set(told.index[told["verdict"] == "let"])
    houses_ = {f"house {metres}" for metres in longmen.DISTANCES if metres < ordinary}
    assert moved == houses_ | {f"hospital {metres}" for metres in longmen.DISTANCES if metres < needed}
    for name in moved:
        kind, metres = name.split()
        words = f"{metres} m away, {ordinary if kind == 'house' else needed:g} m required"
        assert words in told.loc[name, "reason_en"] and "GB 50011-2010 (2016) 4.1.7" in told.loc[name, "reason_en"]
    lots = found.layers["lots"].set_index("lot_id")["verdict"]
    assert lots.tolist() == ["let" if needed > 150 else "none", "none"]
    assert set(found.layers["conflicts"].loc[lambda t: t["object"] == "building", "name"]) == moved
