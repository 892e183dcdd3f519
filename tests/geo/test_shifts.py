"""GCJ-02 and BD-09: against published points, an implementation in plain floats, and there and back over China."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo import shifts
from geo.errors import CrsError

CITIES = {
    "Haidian": (116.2982, 39.9593), "Bazhong": (106.7475, 31.8676), "Shanghai": (121.4737, 31.2304),
    "Guangzhou": (113.2644, 23.1291), "Chengdu": (104.0657, 30.6595), "Wuhan": (114.3055, 30.5928),
}  # fmt: skip


def plainly(lon: float, lat: float, system: str) -> tuple[float, float]:
    """The oracle: the formula as it is passed around, term by term in Python floats."""
    a, ee = 6378245.0, 0.00669342162296594323
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    north += (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    north += (20.0 * math.sin(y * pi) + 40.0 * math.sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * pi) + 320.0 * math.sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    east += (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    east += (20.0 * math.sin(x * pi) + 40.0 * math.sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * pi) + 300.0 * math.sin(x / 30.0 * pi)) * 2.0 / 3.0
    magic = 1 - ee * math.sin(lat / 180.0 * pi) ** 2
    gcj_lat = lat + (north * 180.0) / ((a * (1 - ee)) / (magic * math.sqrt(magic)) * pi)
    gcj_lon = lon + (east * 180.0) / (a / math.sqrt(magic) * math.cos(lat / 180.0 * pi) * pi)
    if system == "gcj02":
        return gcj_lon, gcj_lat
    z = math.sqrt(gcj_lon**2 + gcj_lat**2) + 0.00002 * math.sin(gcj_lat * pi * 3000.0 / 180.0)
    theta = math.atan2(gcj_lat, gcj_lon) + 0.000003 * math.cos(gcj_lon * pi * 3000.0 / 180.0)
    return z * math.cos(theta) + 0.0065, z * math.sin(theta) + 0.006


def metres(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.asarray(Geod(ellps="WGS84").inv(*a, *b)[2])


def over_china(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(73.5, 135.1, n), rng.uniform(3.8, 53.6, n)


@pytest.mark.parametrize(("wgs", "gcj"), [
    ((116.2982, 39.9593), (116.304277, 39.960560)),
    ((106.7475, 31.8676), (106.751645, 31.865419)),
    ((121.4737, 31.2304), (121.478223, 31.228458)),
    ((104.067567, 30.734380), (104.07008157, 30.73199687)),
])  # fmt: skip
def test_published_points_there_and_back(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    """The points are given to a tenth of a metre."""
    there = shifts.from_wgs84(*map(np.array, wgs), "gcj02")
    back = shifts.to_wgs84(*map(np.array, gcj), "gcj02")
    assert np.allclose([*there, *back], [*gcj, *wgs], rtol=0, atol=1e-6)


@pytest.mark.parametrize("system", shifts.SYSTEMS)
def test_the_formula_in_plain_floats(system: str) -> None:
    lon, lat = over_china(300)
    told = [plainly(x, y, system) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    found = np.column_stack(shifts.from_wgs84(lon, lat, system))
    assert np.abs(found - told).max() < 1e-12  # a tenth of a micrometre


@pytest.mark.parametrize(("city", "gcj_m"), [
    ("Haidian", 538), ("Bazhong", 461), ("Shanghai", 482), ("Guangzhou", 621), ("Chengdu", 363), ("Wuhan", 587),
])  # fmt: skip
def test_how_far_off_the_cities_are(city: str, gcj_m: float) -> None:
    """Which point of a city was measured is not said, and the shift changes by some metres across it."""
    here = tuple(np.array([d]) for d in CITIES[city])
    assert metres(here, shifts.from_wgs84(*here, "gcj02"))[0] == pytest.approx(gcj_m, abs=4)
    assert 900 < metres(here, shifts.from_wgs84(*here, "bd09"))[0] < 1400


@pytest.mark.parametrize("system", shifts.SYSTEMS)
def test_there_and_back_over_all_of_china(system: str) -> None:
    here = over_china(100_000)
    there = shifts.from_wgs84(*here, system)
    assert metres(here, shifts.to_wgs84(*there, system)).max() < 1e-6  # a thousandth of a millimetre
    assert metres(there, shifts.from_wgs84(*shifts.to_wgs84(*there, system), system)).max() < 1e-6


@given(st.floats(73.5, 135.1), st.floats(3.8, 53.6), st.sampled_from(shifts.SYSTEMS))
@settings(max_examples=60, deadline=None)
def test_back_and_there(lon: float, lat: float, system: str) -> None:
    """Any point that a Chinese map draws is the image of one place; 105 E and 35 N, where roots turn, included."""
    for point in ((lon, lat), (105.0, lat), (105.0 + 1e-9, 35.0)):
        given_ = tuple(np.array([d]) for d in point)
        again = shifts.from_wgs84(*shifts.to_wgs84(*given_, system), system)
        assert metres(given_, again)[0] < 1e-6


@pytest.mark.parametrize("verb", [shifts.from_wgs84, shifts.to_wgs84])
@pytest.mark.parametrize("system", shifts.SYSTEMS)
def test_outside_the_box_nothing_moves(verb: object, system: str) -> None:
    west, south, east, north = shifts.BOX
    lon = np.array([5.9, west - 1e-9, east + 1e-9, 100, 100, -116, np.nan, 116, np.inf])
    lat = np.array([52.5, 40, 40, south - 1e-9, north + 1e-9, -40, 40, np.nan, 40])
    kept = lon.copy(), lat.copy()
    moved = verb(lon, lat, system)  # type: ignore[operator]
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(moved, kept, strict=True))
    edge = verb(np.array([west, east]), np.array([south, north]), system)  # type: ignore[operator]
    assert (edge[0] != [west, east]).all() and (edge[1] != [south, north]).all()


def test_shape_is_kept_and_what_was_given_is_not_touched() -> None:
    lon, lat = (each.reshape(4, 5) for each in over_china(20))
    before = lon.copy()
    x, y = shifts.to_wgs84(lon, lat, "bd09")
    assert x.shape == y.shape == (4, 5) and np.array_equal(lon, before)
    nothing = shifts.to_wgs84(np.empty(0), np.empty(0), "gcj02")
    assert nothing[0].shape == nothing[1].shape == (0,)


def test_every_vertex_of_every_shape() -> None:
    hole = shapely.Polygon([(116, 39), (117, 39), (117, 40)], [[(116.5, 39.2), (116.6, 39.2), (116.6, 39.3)]])
    given_ = np.array([hole, shapely.LineString([(104, 30, 500), (105, 31, 510)]), None, shapely.Point()], dtype=object)
    moved = shifts.shapes_to_wgs84(given_, "gcj02")
    xy = shapely.get_coordinates(given_)
    assert np.array_equal(shapely.get_coordinates(moved), np.column_stack(shifts.to_wgs84(*xy.T, "gcj02")))
    assert moved[2] is None and moved[3].is_empty and not moved[1].has_z
    again = np.column_stack(shifts.from_wgs84(*shapely.get_coordinates(moved).T, "gcj02"))
    assert np.allclose(again, xy, rtol=0, atol=1e-10)


def test_a_system_that_is_not_known_is_refused() -> None:
    with pytest.raises(CrsError, match="one of gcj02, bd09, found 'mars'"):
        shifts.to_wgs84(np.array([116.0]), np.array([39.0]), "mars")
