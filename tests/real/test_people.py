"""Real people: a raster nobody documented, day and night, areas with counts; everybody there to the last one."""

from __future__ import annotations

from pathlib import Path

import exactextract
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from data import given, people, standards
from data.hazards import HAZARDS
from geo import displaced, groups, population
from geo.errors import InputError
from geo.population import PopulationParams
from geo.tables import AREAS, BUILDINGS, empty

STANDARDS = standards.load()
PARAMS = PopulationParams.of(STANDARDS)
RASTER = "jakarta/exposure/Population_Jakarta_UTM48N.tif"
NORTH, SOUTH = "EPSG:32648", "EPSG:32748"


@pytest.fixture(scope="module")
def jakarta(shared_data: Path) -> tuple[gpd.GeoDataFrame, tuple[people.Finding, ...]]:
    return people.read(shared_data / RASTER, into=SOUTH, unit="people/100000m2")


def test_jakartas_raster_is_asked_about(shared_data: Path) -> None:
    with pytest.raises(InputError) as raised:
        people.read(shared_data / RASTER, into=SOUTH)
    said = str(raised.value)
    assert all(
        total in said for total in ("361,300,194 as people (", "904,512 as people/km2", "90,451,240 as people/ha")
    )


def test_jakarta_in_its_unit(jakarta: tuple[gpd.GeoDataFrame, tuple[people.Finding, ...]], shared_data: Path) -> None:
    cells, notes = jakarta
    print(notes[1].en)
    # 9.05 million; 0.02 % less than the raster's own squares make, which are that much too large on the ground.
    with rasterio.open(shared_data / RASTER) as source:
        values = source.read(1, masked=True).filled(0).astype(float)
        naive = values[values > 0].sum() * abs(source.transform.a * source.transform.e) / 100_000
    assert len(cells) == 264_149
    assert cells["people"].sum() == pytest.approx(naive, rel=3e-4) == pytest.approx(9_046_000, rel=1e-3)
    below = notes[0]
    assert (below.code, below.count, below.rows, below.value) == ("people_below_zero", 3, (50, 62, 112), "-19812.8")
    assert population.given(cells).total == round(cells["people"].sum())


def test_people_in_a_kelurahan_as_exactextract_sums_them(shared_data: Path) -> None:
    """An oracle: sums of a raster's cells by the share of each that lies in an outline."""
    cells, _ = people.read(shared_data / RASTER, into=NORTH, unit="people")
    outlines = gpd.read_file(shared_data / "jakarta/boundaries/kelurahan_jakarta.shp").to_crs(NORTH).iloc[[0, 99, 200]]
    with rasterio.open(shared_data / RASTER) as source:
        known, place = source.read(1, masked=True).filled(0), source.transform
    grid = exactextract.raster.NumPyRasterSource(
        np.where(known > 0, known, 0).astype(np.float64), *rasterio.transform.array_bounds(*known.shape, place),
        srs_wkt=outlines.crs.to_wkt(),
    )  # fmt: skip
    theirs = exactextract.exact_extract(grid, outlines, "sum", output="pandas")["sum"]
    ours = [population.within(cells, outline)[0]["people"].sum() for outline in outlines.geometry]
    assert ours == pytest.approx(theirs.tolist(), rel=1e-6)


def test_jakartas_people_stand_in_houses_and_along_streets(
    jakarta: tuple[gpd.GeoDataFrame, tuple[people.Finding, ...]], shared_data: Path
) -> None:
    houses = gpd.read_file(shared_data / "jakarta/exposure/jakarta_building.gpkg").to_crs(SOUTH)
    buildings = gpd.GeoDataFrame(
        {column.name: None for column in BUILDINGS.columns}
        | {"building_id": [f"b{i}" for i in range(len(houses))], "use": "yes", "levels": np.nan, "height_m": np.nan},
        geometry=houses.geometry.to_numpy(), crs=SOUTH,
    )  # fmt: skip
    roads = gpd.read_file(shared_data / "jakarta/exposure/jakarta_roads.shp").to_crs(SOUTH).geometry.to_numpy()
    spots = population.Spots(
        np.asarray(shapely.line_interpolate_point(roads, 0.5, normalized=True), dtype=object), shapely.length(roads),
        np.array([f"s{i}" for i in range(len(roads))], dtype=object),
    )  # fmt: skip
    found = population.place(jakarta[0], buildings, empty(AREAS, crs=SOUTH), spots, params=PARAMS)
    print(found, *(note.en for note in found.notes), sep="\n")
    assert found.total == round(jakarta[0]["people"].sum())
    assert found.demand["building_id"].notna().sum() > 5000
    assert {"people_along_streets", "no_dwelling"} <= {note.code for note in found.notes}


def test_chengdu_by_day_and_by_night(shared_data: Path) -> None:
    told = {}
    for time, name in (("day", "daytime"), ("night", "nighttime")):
        path = shared_data / f"chengdu/demand_grids_{name}_CLEAN.csv"
        table, _ = given.read(path, "population", into="EPSG:4544", crs="gcj02", columns={"people": "population"})
        told[time] = pd.read_csv(path, encoding="utf-8-sig")["population"].sum()
        found = population.place(table, empty(BUILDINGS, crs="EPSG:4544"), empty(AREAS, crs="EPSG:4544"), params=PARAMS)
        print(time, found)
        assert found.total == told[time]
        assert population.at({time: table}, time)[1] == ()  # type: ignore[call-overload,dict-item]
    assert told["night"] == pytest.approx(7_000_000, rel=0.01)


def test_pontianaks_men_and_women_are_counted_and_shared(shared_data: Path) -> None:
    desa = gpd.read_file(shared_data / "pontianak/region.geojson").to_crs("EPSG:32749")
    everybody = (desa["MALE"] + desa["FEM"]).astype(float)
    table = gpd.GeoDataFrame(
        {"demand_id": [f"d{i}" for i in range(len(desa))], "people": everybody, "share_60plus": 0.08},
        geometry=desa.geometry.to_numpy(), crs=desa.crs,
    )  # fmt: skip
    bare = (empty(BUILDINGS, crs="EPSG:32749"), empty(AREAS, crs="EPSG:32749"))
    found = population.place(table, *bare, params=PARAMS)
    print(found)
    assert found.total == everybody.sum() == 591_392
    assert groups.of_all(found.demand)["people_60plus"] == round(591_392 * 0.08)
    demand = found.demand.assign(community_id="city")
    for kind in HAZARDS:
        need = displaced.share({kind: np.full(len(demand), 5.0)}, len(demand),
                               params=displaced.DisplacedParams.of(STANDARDS))  # fmt: skip
        gone = displaced.at_places(demand, need)
        assert gone["people_displaced"].sum() == round(591_392 * need[0])
