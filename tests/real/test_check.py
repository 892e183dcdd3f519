"""The check on real data: what it counts, what it suspects, and that a spoiled city is told whole."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from app.adding import Addition, add, new_study
from app.checking import check
from app.checks.report import Report
from app.store import Workspace
from data.study import read_map
from geo.shifts import from_wgs84


def findings(report: Report) -> dict[tuple[str, str], int]:
    return {(f.layer_id, f.code): f.count for f in report.every_finding()}


def test_kampen(shared_data: Path, tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    new_study(workspace, "kampen", shared_data / "kampen/kampen.osm.pbf")
    flood = shared_data / "kampen/1in100_inundation_map.tif"
    add(workspace, "kampen", Addition("hazard", flood, name="flood", hazard="flood", unit="m", return_period_y=100))
    report = check(workspace.study("kampen")).report
    needs = {need.key: need for need in report.needs}
    assert report.verdict == "yes_with_warnings"
    assert (needs["people"].source, needs["fire"].count, needs["education"].count) == ("estimated", 2, 27)
    assert 595 < needs["streets"].count < 610  # type: ignore[operator]
    hazard = report.scenarios[1].hazards[0]
    # two thirds of the extract lie in the flood, which covers all of it
    assert (hazard.known_share, hazard.affected_share) == (1.0, pytest.approx(0.67, abs=0.01))
    layer = report.layers[1]
    assert (layer.cells, layer.crs, layer.columns[0].maximum) == (7_887_044, "EPSG:28992", 15)
    assert findings(report).keys() >= {("flood", "raster_whole_metres"), ("osm", "map_boundaries_by_edge")}


def test_pontianak_says_whom_the_streets_miss(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "pontianak"
    workspace = Workspace.open(tmp_path)
    new_study(workspace, "pontianak", None, boundary=folder / "region.geojson")
    add(workspace, "pontianak", Addition("streets", folder / "base_network.gpkg"))
    people = {"people": "values", "demand_id": "OBJECTID"}
    origins = Addition("population", folder / "origins_points.shp", crs="EPSG:4326", columns=people)
    add(workspace, "pontianak", origins)
    report = check(workspace.study("pontianak")).report
    column = next(column for column in report.layers[1].columns if column.name == "people")
    assert (column.theirs, column.missing, round(column.maximum or 0)) == ("values", 0, 9852)
    # 70 of 108 middles of cells lie farther than 200 m from the few streets there are
    assert findings(report)["origins_points", "people_off_street"] == 70
    assert {need.key for need in report.needs if need.state == "missing"} >= {"shelters", "fire", "police"}


def test_nanjing_in_gcj_02_is_suspected(shared_data: Path, tmp_path: Path) -> None:
    """The map's own places, drawn as a Chinese map service draws them and called WGS 84."""
    workspace = Workspace.open(tmp_path)
    study = new_study(workspace, "nanjing", shared_data / "osm/nanjing-hongtao45_bbox.osm.xml")
    facilities = check(study).report.layers[0].contents["facilities"]
    assert facilities > 50
    places = read_map(study.file, study.folder).facilities.to_crs("EPSG:4326")
    xy = shapely.get_coordinates(shapely.point_on_surface(places.geometry.to_numpy()))
    for name, system in (("straight", None), ("shifted", "gcj02")):
        drawn = np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], system)) if system else xy
        table = gpd.GeoDataFrame(places[["name", "kind"]], geometry=shapely.points(drawn), crs="EPSG:4326")
        table.to_file(tmp_path / f"{name}.geojson")
        add(workspace, "nanjing", Addition("facilities", tmp_path / f"{name}.geojson", name=name))
    found = findings(check(workspace.study("nanjing")).report)
    assert ("shifted", "coordinates_may_be_gcj02") in found
    assert ("straight", "coordinates_may_be_gcj02") not in found
