from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data.located import Located, located
from geo import shifts
from geo.errors import CrsError

YAIZU, CHENGDU = (138.25, 34.79, 138.35, 34.91), (103.9, 30.5, 104.2, 30.8)
PLACES = [(138.30, 34.83), (138.31, 34.84), (138.32, 34.86)]


def points(xy: list[tuple[float, float]], crs: str | None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[shapely.Point(*place) for place in xy], crs=crs)


def moved(into: str, said: str | None, *, near: tuple[float, ...] | None = YAIZU, by: float = 1.0) -> gpd.GeoDataFrame:
    """The places in one CRS, called another."""
    frame = points(PLACES, "EPSG:4326").to_crs(into)
    shapes = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy * by)
    return gpd.GeoDataFrame(geometry=shapes, crs=said)


def at(frame: gpd.GeoDataFrame, *, crs: str | None = None, into: str = "EPSG:32654") -> Located:
    return located(frame, crs=crs, near=YAIZU, into=into, where="file")


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:6676", "EPSG:2450", "EPSG:32654", "EPSG:3857", "EPSG:32653"])
def test_what_is_right_stays(crs: str) -> None:
    found = at(moved(crs, crs))
    assert found.frame.crs == crs and (found.notes, found.conversions) == ((), ())


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:6676", "EPSG:32654", "EPSG:3857"])
def test_a_missing_system_is_asked_for_with_what_would_be_right(crs: str) -> None:
    with pytest.raises(CrsError, match=rf"none in the file.*{crs} \(.*would put it on the study.*--crs .*{crs}"):
        at(moved(crs, None))


def test_two_countries_systems_at_the_same_place_are_both_named() -> None:
    with pytest.raises(CrsError, match=r"--crs EPSG:6676, or EPSG:2450\.$"):
        at(moved("EPSG:6676", None))


def test_nothing_fits_and_nobody_says_where_the_study_is() -> None:
    far = points([(8_000_000, 8_000_000)], None)
    with pytest.raises(CrsError, match=r"km from the study.*Ask who made it"):
        at(far)
    with pytest.raises(CrsError, match="GPS and OpenStreetMap: EPSG:4326"):
        located(far, crs=None, where="file")


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:6676"])
def test_axes_the_wrong_way_round_are_put_right(crs: str) -> None:
    right = moved(crs, crs)
    wrong = right.set_geometry(shapely.transform(right.geometry.to_numpy(), lambda xy: xy[:, ::-1]), crs=crs)
    found = at(wrong)
    assert found.frame.geometry.geom_equals(right.geometry).all()
    assert [(note.code, note.severity, note.count) for note in found.notes] == [("axes_swapped", "repaired", 3)]
    assert found.conversions == ("x, y -> y, x",)


@pytest.mark.parametrize(("real", "said", "cure"), [
    ("EPSG:6676", "EPSG:4326", "EPSG:6676"),  # metres called degrees
    ("EPSG:4326", "EPSG:6676", "EPSG:4326"),  # degrees called metres
    ("EPSG:6676", "EPSG:6675", "EPSG:6676"),  # the next zone
    ("EPSG:32654", "EPSG:32653", "EPSG:32654"),
])  # fmt: skip
def test_a_wrong_system_is_refused_with_the_right_one(real: str, said: str, cure: str) -> None:
    with pytest.raises(CrsError, match=rf"coordinates of {said} near the study.*--crs {cure}"):
        at(moved(real, said), into=cure)


@pytest.mark.parametrize("by", [1 / 0.3048, 0.3048])
def test_feet_and_metres(by: float) -> None:
    with pytest.raises(CrsError, match=r"in (feet|metres) would put it on the study.*Scale"):
        at(moved("EPSG:32654", "EPSG:32654", by=by))


def test_what_lies_elsewhere_and_is_nothing_else_stays() -> None:
    helsinki = points([(24.9, 60.2), (24.95, 60.17)], "EPSG:4326")
    assert len(at(helsinki).frame) == 2  # that it lies elsewhere is another fault


@pytest.mark.parametrize("system", ["gcj02", "bd09"])
def test_chinese_web_maps(system: str) -> None:
    lon, lat = np.array([104.05, 104.1]), np.array([30.6, 30.7])
    shifted = points(list(zip(*shifts.from_wgs84(lon, lat, system), strict=True)), None)
    found = located(shifted, crs=system, near=CHENGDU, where="file")
    assert np.allclose(shapely.get_coordinates(found.frame.geometry), np.column_stack([lon, lat]), atol=1e-8)
    assert (found.frame.crs.to_epsg(), found.conversions) == (4326, (f"{system} -> EPSG:4326",))
    with pytest.raises(CrsError, match="gcj02 or bd09"):
        located(shifted, crs=None, near=CHENGDU, where="file")
    turned = shifted.set_geometry(shapely.transform(shifted.geometry.to_numpy(), lambda xy: xy[:, ::-1]))
    both = located(turned, crs=system, near=CHENGDU, where="file")
    assert np.allclose(shapely.get_coordinates(both.frame.geometry), np.column_stack([lon, lat]), atol=1e-8)
    assert both.conversions == ("x, y -> y, x", f"{system} -> EPSG:4326")


def test_axes_the_wrong_way_round_in_an_unnamed_system() -> None:
    frame = points([(y, x) for x, y in PLACES], None)
    with pytest.raises(CrsError, match="--crs EPSG:4326"):
        at(frame)
    assert at(frame, crs="EPSG:4326").conversions == ("x, y -> y, x",)


def test_rows_that_lie_nowhere_are_left_out_by_number() -> None:
    found = at(points([*PLACES, (0, 0), (138.3, 999)], "EPSG:4326"))
    assert found.frame.index.tolist() == [0, 1, 2]
    assert [(note.code, note.rows, note.severity) for note in found.notes] == [("rows_off_earth", (4, 5), "warning")]
    with pytest.raises(CrsError):
        at(points([(0, 0), (0, 0), PLACES[0]], None))  # half of them or more: it is not they that are wrong


def test_a_place_for_the_study() -> None:
    frame = moved("EPSG:6676", None)
    with pytest.raises(CrsError, match="EPSG:6676"):
        located(frame, crs=None, near=(138.31, 34.84), where="file")
