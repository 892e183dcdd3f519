"""The metric CRS of a place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import crs
from geo.errors import CrsError


@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [
        (106.75, 31.87, "EPSG:4545"),  # Bazhong
        (116.3, 39.96, "EPSG:4548"),  # Beijing
        (104.07, 30.66, "EPSG:4544"),  # Chengdu
        (114.3, 30.6, "EPSG:4547"),  # Wuhan
        (118.8, 32.04, "EPSG:4549"),  # Nanjing
        (5.9, 52.55, "EPSG:32631"),  # Kampen
        (24.94, 60.17, "EPSG:32635"),  # Helsinki
        (121.1, 14.6, "EPSG:32651"),  # Marikina
        (106.8, -6.2, "EPSG:32748"),  # Jakarta
        (138.3, 34.8, "EPSG:32654"),  # Yaizu
        (180.0, 0.0, "EPSG:32660"),
    ],
)
def test_the_zone_of_a_city(lon: float, lat: float, expected: str) -> None:
    assert crs.metric_crs(lon, lat) == expected


@pytest.mark.parametrize(("lon", "lat"), [(500_000, 5_800_000), (0, 89), (float("nan"), 0), (0, -85)])
def test_places_that_are_not_degrees_are_refused(lon: float, lat: float) -> None:
    with pytest.raises(CrsError, match="longitude within"):
        crs.metric_crs(lon, lat)


@given(st.floats(-180, 180), st.floats(-79, 83))
def test_a_kilometre_is_a_kilometre_nearby(lon: float, lat: float) -> None:
    """Within the chosen zone scale differs from 1 by less than 0.1 % (UTM 0.9996 to 1.001)."""
    target = crs.metric_crs(lon, lat)
    step = 0.005
    x, y = crs.reproject(np.array([lon, lon]), np.array([lat, lat + step]), source=crs.WGS84, target=target)
    from pyproj import Geod

    true_m = Geod(ellps="WGS84").inv(lon, lat, lon, lat + step)[2]
    assert np.hypot(*np.diff([x, y])[:, 0]) == pytest.approx(true_m, rel=2e-3)


@given(st.floats(100, 120), st.floats(20, 45))
def test_there_and_back(lon: float, lat: float) -> None:
    there = crs.reproject(np.array([lon]), np.array([lat]), source=crs.WGS84, target="EPSG:4548")
    back = crs.reproject(*there, source="EPSG:4548", target=crs.WGS84)
    assert np.allclose(np.ravel(back), [lon, lat], atol=1e-8)


def test_a_name_that_is_no_crs_is_refused_with_the_way_out() -> None:
    with pytest.raises(CrsError, match=r"flood\.tif: .*EPSG:28992.*Give --crs"):
        crs.known("EPSG:99999999", where="flood.tif")


def test_the_edge_of_chinas_grid_has_the_meridian_next_to_it() -> None:
    """73.5 lies half way to a meridian that the grid does not have; beyond 73.5 and 135.1 there is no grid."""
    west = {lon: crs.metric_crs(lon, 39.0) for lon in (73.4, 73.5, 76.4, 76.6)}
    assert west == {73.4: "EPSG:32643", 73.5: "EPSG:4534", 76.4: "EPSG:4534", 76.6: "EPSG:4535"}
    east = {lon: crs.metric_crs(lon, 48.0) for lon in (133.4, 133.6, 135.0, 135.1, 135.2)}
    assert east == {133.4: "EPSG:4553", 133.6: "EPSG:4554", 135.0: "EPSG:4554", 135.1: "EPSG:4554",
                    135.2: "EPSG:32653"}  # fmt: skip
