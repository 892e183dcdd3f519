"""Suspecting GCJ-02 and BD-09: found in drawn towns all over China, never where it is not."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geo.crs import WGS84, metric_crs, reproject
from geo.offsets import Offset, Reference, direction, finding, fits, shift_at, suspect, unknown_origin
from geo.shifts import SYSTEMS
from tests.geo.drawn import drawn_by

CITIES = {
    "Haidian": (116.30, 39.96), "Bazhong": (106.75, 31.87), "Guangzhou": (113.26, 23.13), 
    "Chengdu": (104.0676, 30.7344), "Urumqi": (87.6, 43.8), "Harbin": (126.6, 45.8), "Kampen": (5.91, 52.55),
}  # fmt: skip
KM = 3.0
"""Width of the drawn towns."""


def drawn(city: str, *, seed: int = 0, n: int = 600) -> tuple[str, np.ndarray, np.ndarray]:
    """The metric CRS of a city, its middle in it, and houses of all sizes strewn over its middle kilometres."""
    lon, lat = CITIES[city]
    crs = metric_crs(lon, lat)
    middle = np.ravel(reproject(np.array([lon]), np.array([lat]), source=WGS84, target=crs))
    rng = np.random.default_rng(seed)
    at, side = middle + rng.uniform(-KM * 500, KM * 500, (n, 2)), rng.uniform(10, 60, (n, 2))
    return crs, middle, np.asarray(shapely.box(*at.T, *(at + side).T))


def some(shapes: np.ndarray, n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).choice(shapes, n, replace=False)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("city", [city for city in CITIES if city != "Kampen"])
def test_a_layer_that_a_chinese_map_shifted(city: str, system: str) -> None:
    crs, _, houses = drawn(city)
    on = [Reference("buildings", houses)]
    for layer in (some(houses, 25), shapely.centroid(some(houses, 25))):
        assert suspect(layer, reference=on, crs=crs) is None
        found = suspect(drawn_by(layer, system, crs), reference=on, crs=crs)
        assert found is not None and found.system == system
        assert found.near_after > 0.9 and found.near_before < 0.4 and found.near_chance < 0.5
        shift_m, en, _ = shift_at(*CITIES[city], system)
        assert found.shift_m == pytest.approx(shift_m, rel=0.03) and found.direction_en == en


def test_abroad_nothing_is_suspected_whatever_the_shift() -> None:
    crs, _, houses = drawn("Kampen")
    moved = shapely.transform(some(houses, 40), lambda xy: xy + np.array([520.0, 130.0]))
    assert fits(moved, reference=[Reference("buildings", houses)], crs=crs) == []
    assert suspect(moved, reference=[Reference("buildings", houses)], crs=crs) is None


@pytest.mark.parametrize("seed", range(8))
def test_chance_is_not_suspected(seed: int) -> None:
    """Places that have nothing to do with the map: strewn, in three heaps, and houses moved another way as far."""
    crs, middle, houses = drawn("Haidian", seed=seed)
    rng = np.random.default_rng(seed)
    strewn = shapely.points(middle + rng.uniform(-1500, 1500, (25, 2)))
    heaps = shapely.points(middle + rng.uniform(-1500, 1500, (3, 2))[np.arange(25) % 3] + rng.normal(0, 100, (25, 2)))
    other_way = shapely.transform(some(houses, 25), lambda xy: xy + np.array([-380.0, 380.0]))
    for layer in (strewn, heaps, other_way):
        assert suspect(layer, reference=[Reference("buildings", houses)], crs=crs) is None


def named(n: int) -> np.ndarray:
    return np.array([f"第{i}小学" for i in range(n)], dtype=object)


def test_six_names_are_enough() -> None:
    """Six schools that a map draws some 30 m off say by their names what their houses alone cannot."""
    crs, _, houses = drawn("Chengdu")
    schools = some(houses, 6)
    rough = shapely.transform(
        shapely.centroid(schools), lambda xy: xy + np.random.default_rng(2).normal(0, 20, xy.shape)
    )
    layer, names = drawn_by(rough, "gcj02", crs), np.array([f" 第{i} 小学" for i in range(6)], dtype=object)
    assert suspect(layer, reference=[Reference("buildings", houses)], crs=crs) is None
    by_name = Reference("namesakes", schools, named(6))
    found = suspect(layer, reference=[by_name], crs=crs, names=names)
    assert found is not None and (found.system, found.what, found.near_before, found.near_after) == (
        "gcj02", "namesakes", 0.0, 1.0)  # fmt: skip
    assert suspect(rough, reference=[by_name], crs=crs, names=names) is None


def test_a_chain_is_no_name() -> None:
    crs, _, houses = drawn("Chengdu")
    shops = some(houses, 12)
    chain = np.full(12, "便利店", dtype=object)
    layer = drawn_by(shapely.centroid(shops), "gcj02", crs)
    assert fits(layer, reference=[Reference("namesakes", shops, chain)], crs=crs, names=chain) == []


def test_where_two_references_disagree_nothing_is_said() -> None:
    crs, _, houses = drawn("Haidian")
    layer = drawn_by(some(houses, 20), "gcj02", crs)
    as_it_is = Reference("namesakes", layer, named(20))
    assert suspect(layer, reference=[Reference("buildings", houses)], crs=crs) is not None
    assert suspect(layer, reference=[Reference("buildings", houses), as_it_is], crs=crs, names=named(20)) is None


def test_too_little_to_tell() -> None:
    crs, middle, houses = drawn("Haidian")
    layer = drawn_by(some(houses, 20), "gcj02", crs)
    far = shapely.transform(houses, lambda xy: xy + 20_000)
    one_square = drawn_by(houses[shapely.dwithin(houses, shapely.Point(middle), 90)], "gcj02", crs)
    no_shapes = np.empty(0, dtype=object)
    for given, on in (
        (layer[:3], houses), (layer, far), (layer, no_shapes), (no_shapes, houses), (np.repeat(layer[:1], 50), houses),
        (one_square, houses), (np.array([None, shapely.Point()], dtype=object), houses),
    ):  # fmt: skip
        assert suspect(given, reference=[Reference("buildings", on)], crs=crs) is None


def test_rows_without_shape_do_not_matter_nor_does_the_order() -> None:
    crs, _, houses = drawn("Haidian")
    layer = drawn_by(some(houses, 20), "bd09", crs)
    holes = np.r_[np.array([None, shapely.Point()], dtype=object), layer]
    on = [Reference("buildings", houses)]
    found = suspect(layer, reference=on, crs=crs)
    assert found is not None and suspect(holes, reference=on, crs=crs) == found
    assert suspect(layer[::-1], reference=on, crs=crs) is not None


@pytest.mark.parametrize(("east", "north", "said"), [
    (0, 1, ("north", "北")), (1, 1, ("north-east", "东北")), (1, 0.3, ("east", "东")), (1, -1, ("south-east", "东南")),
    (0, -1, ("south", "南")), (-1, -1, ("south-west", "西南")), (-1, 0, ("west", "西")), 
    (-1, 1, ("north-west", "西北")), (-0.1, 1, ("north", "北")),
])  # fmt: skip
def test_words_for_directions(east: float, north: float, said: tuple[str, str]) -> None:
    assert direction(east, north) == said


def test_what_a_planner_is_told() -> None:
    told = finding(Offset("gcj02", 538.2, "east", "东", "buildings", 0.12, 0.46, 0.2, 6.1, 42))
    assert (told.code, told.severity, told.count) == ("coordinates_may_be_gcj02", "warning", 42)
    assert told.en == (
        "The coordinates look like GCJ-02, not WGS 84: the layer seems to lie 538 m to the east of where it belongs. "
        "As it stands 12% of it is near a mapped building; moved back 46%; moved at random at most 20%."
    )
    assert "疑似GCJ-02" in told.zh and "向东偏移约538米" in told.zh
    assert "--crs gcj02" in told.do_en and "--crs gcj02" in told.do_zh


def test_what_is_asked_when_nobody_can_tell() -> None:
    told = unknown_origin(104.067567, 30.734380)
    assert (told.code, told.severity) == ("coordinates_origin_unknown", "warning")
    assert "everything would lie 358 m too far south-east here" in told.en
    assert "--crs gcj02" in told.do_en and "--crs bd09" in told.do_zh
