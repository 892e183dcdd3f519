"""Exposure, people and communities on real places; goldens are readable numbers with the reason for their tolerance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from exactextract import exact_extract

from data import osm, standards
from data.osm import Extract
from geo import communities, hazards, network, population
from geo.communities import CommunityParams
from geo.crs import reproject
from geo.hazards import Grid, Hazard
from geo.population import PopulationParams
from tests import shared_data

EXTRACTS = {
    "kampen": "kampen/kampen.osm.pbf",
    "helsinki": "osm/helsinki-centre.osm.pbf",
    "nanjing": "osm/nanjing-hongtao45_bbox.osm.xml",
}
RASTER = "kampen/1in100_inundation_map.tif"
RD_NEW = "EPSG:28992"


def read(name: str) -> Extract:
    if why_not := shared_data.why_not(EXTRACTS[name]):
        pytest.skip(why_not)
    return osm.read(shared_data.folder() / EXTRACTS[name])


@pytest.fixture(scope="module")
def kampen() -> Extract:
    return read("kampen")


@pytest.fixture(scope="module")
def flood() -> Hazard:
    """The raster as the file has it: whole metres, no nodata, 0 is dry."""
    if why_not := shared_data.why_not(RASTER):
        pytest.skip(why_not)
    with rasterio.open(shared_data.folder() / RASTER) as source:
        grid = Grid(source.read(1).astype(np.float32), tuple(source.transform)[:6], RD_NEW)
    return Hazard("flood", "flood", "m", grid, dry_is="dry")


def test_every_building_as_exactextract_has_it(kampen: Extract, flood: Hazard, tmp_path: Path) -> None:
    """Coverage there is in single precision: 1e-6 of the depth; the highest depth is the same to the digit."""
    sample = kampen.buildings.to_crs(RD_NEW).iloc[::10].reset_index(drop=True)
    a, b, c, d, e, f = flood.grid.transform
    rows, cols = flood.grid.values.shape
    path = tmp_path / "flood.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=rows, width=cols, count=1, dtype="float32", crs=RD_NEW, nodata=-1,
        transform=rasterio.Affine(a, b, c, d, e, f),
    ) as target:  # fmt: skip
        target.write(flood.grid.values, 1)
    oracle = exact_extract(str(path), sample, ["max", "mean"], output="pandas")
    found = hazards.expose_areas(sample.geometry.to_numpy(), crs=RD_NEW, hazard=flood)
    assert np.abs(found["mean"] - oracle["mean"]).max() < 1e-6
    assert (found["max"] == oracle["max"]).all()


def test_streets_as_fine_sampling_has_them(kampen: Extract, flood: Hazard) -> None:
    """Every half metre a point: a wet share can be off by one sample at each border it crosses."""
    net = network.build(kampen.ways)
    found = hazards.expose_lines(net.px, net.py, net.start, crs=net.crs, hazard=flood)
    assert (found["share_unknown"] == 0).all(), "the raster holds the whole extract"
    for street in np.flatnonzero((found["share_affected"] > 0) & (found["share_affected"] < 1))[::50]:
        line = net.lines[street]
        at = (np.arange(int(line.length * 2) + 1) + 0.5) / 2
        points = shapely.get_coordinates(shapely.line_interpolate_point(line, at[at < line.length]))
        depth = hazards.expose_points(points[:, 0], points[:, 1], crs=net.crs, hazard=flood)["max"]
        assert found.loc[street, "mean"] == pytest.approx(depth.mean(), abs=0.05 + 30 / len(depth))
        assert found.loc[street, "max"] >= depth.max()


def test_how_much_of_kampen_is_wet(kampen: Extract, flood: Hazard) -> None:
    """Counted by centre points 19 974 buildings are wet; by any part of their outline a little more."""
    found = hazards.expose_areas(kampen.buildings.geometry.to_numpy(), crs=kampen.crs, hazard=flood)
    x, y = shapely.get_coordinates(kampen.buildings.geometry.centroid.to_numpy()).T
    centres = hazards.expose_points(x, y, crs=kampen.crs, hazard=flood)
    assert (centres["max"] > 0).sum() == pytest.approx(19_974, rel=0.01)
    assert (found["max"] > 0).sum() == pytest.approx(20_413, rel=0.01)


def test_the_raster_warped_nearest_says_nearly_the_same(kampen: Extract, flood: Hazard) -> None:
    """Points of a raster in another CRS: the projected lookup is the file's own cell."""
    x, y = shapely.get_coordinates(kampen.buildings.geometry.representative_point().to_numpy()).T
    found = hazards.expose_points(x, y, crs=kampen.crs, hazard=flood)["max"].to_numpy()
    there = np.column_stack(reproject(x, y, source=kampen.crs, target=RD_NEW))
    with rasterio.open(shared_data.folder() / RASTER) as source:
        sampled = np.array([value[0] for value in source.sample(there.tolist())], dtype=float)
    assert (found == sampled).all()


@pytest.mark.parametrize(("name", "basis", "units", "people"), [
    # The municipality of Kampen counts 54 000; the extract cuts off some villages and holds a corner of the next town.
    ("kampen", "admin_level 10", {"Kampen", "IJsselmuiden", "Grafhorst", "Wilsum"}, (50_000, 60_000)),
    ("helsinki", "admin_level 10", {"Kluuvi", "Kamppi", "Kaartinkaupunki", "Punavuori"}, (4_000, 12_000)),
    # Only districts are mapped here, larger than any community.
    ("nanjing", "grid", {"Grid 1-2"}, (35_000, 90_000)),
])  # fmt: skip
def test_people_and_their_communities(name: str, basis: str, units: set[str], people: tuple[int, int]) -> None:
    city, known = read(name), standards.load()
    estimate = population.from_buildings(city.buildings, city.areas, params=PopulationParams.of(known))
    assert people[0] < estimate.total < people[1]
    found = communities.choose(city.boundaries, demand=estimate.demand, params=CommunityParams.of(known))
    assert found.basis == basis
    assert units <= set(found.table["name"])
    unit = communities.assign(estimate.demand, found)
    by_unit = estimate.demand.groupby(unit)["people"].sum().reindex(found.table["community_id"], fill_value=0)
    assert by_unit.sum() == estimate.total, "nobody is lost"


def test_the_districts_of_nanjing_are_above_the_squares() -> None:
    city, known = read("nanjing"), standards.load()
    estimate = population.from_buildings(city.buildings, city.areas, params=PopulationParams.of(known))
    found = communities.choose(city.boundaries, demand=estimate.demand, params=CommunityParams.of(known))
    assert set(found.parents["name"]) == {"玄武区", "鼓楼区", "秦淮区"}
    assert found.table["parent_id"].notna().all()
