"""The streets that are made where nobody has any."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import standards
from geo import lattice, network
from geo.errors import LimitError
from geo.lattice import LatticeParams

CRS = "EPSG:32631"
PARAMS = LatticeParams(spacing_m=100, reach_m=150)


def shapes(*points: tuple[float, float]) -> np.ndarray:
    return np.array([shapely.Point(p) for p in points], dtype=object)


def test_a_cross_round_one_point() -> None:
    r"""One person at a crossing, reach 150 m: the eight crossings round them and theirs.

    ::

        ┼──┼──┼
        ┼──o──┼
        ┼──┼──┼
    """
    ways, notes = lattice.made([shapes((500, 300))], crs=CRS, params=PARAMS)
    assert set(zip(ways.x, ways.y, strict=True)) == {(x, y) for x in (400, 500, 600) for y in (200, 300, 400)}
    assert len(ways) == 12
    assert notes[0].code == "streets_made" and notes[0].severity == "warning" and notes[0].count == 12


def test_nothing_gives_no_streets() -> None:
    ways, _ = lattice.made([shapes(), np.array([None], dtype=object)], crs=CRS, params=PARAMS)
    assert len(ways) == 0 and ways.tags.columns[0] == "way_id"


def test_the_mean_detour_is_the_known_one() -> None:
    """Oracle: right-angled streets are 4/π times as long as the straight line, averaged over directions."""
    ways, _ = lattice.made([shapes((0, 0))], crs=CRS, params=LatticeParams(spacing_m=50, reach_m=1000))
    xy = np.unique(np.column_stack([ways.x, ways.y]), axis=0)
    far = xy[np.hypot(*xy.T) > 900]
    assert (np.abs(far).sum(1) / np.hypot(*far.T)).mean() == pytest.approx(4 / np.pi, abs=0.02)


@given(
    st.lists(st.tuples(st.integers(-2000, 2000), st.integers(-2000, 2000)), min_size=1, max_size=6),
    st.tuples(st.integers(-2000, 2000), st.integers(-2000, 2000)),
)
def test_one_more_place_moves_no_street(places: list[tuple[float, float]], more: tuple[float, float]) -> None:
    def pieces(points: list[tuple[float, float]]) -> set[tuple[float, ...]]:
        ways, _ = lattice.made([shapes(*points)], crs=CRS, params=PARAMS)
        xy = np.column_stack([ways.x, ways.y]).reshape(-1, 4)
        return {tuple(map(float, row)) for row in xy}

    assert pieces(places) <= pieces([*places, more])


def test_it_is_a_network() -> None:
    ways, _ = lattice.made([shapes((0, 0), (5000, 0))], crs=CRS, params=LatticeParams.of(standards.load()))
    built = network.build(ways)
    assert (np.asarray(built.length_m) % 150 == 0).all()


def test_large_ground_gets_a_wider_lattice_and_says_so() -> None:
    county = np.array([shapely.box(0, 0, 60_000, 60_000)], dtype=object)
    ways, notes = lattice.made([county], crs=CRS, params=PARAMS)
    built = network.build(ways)
    assert (np.asarray(built.length_m) % 200 == 0).all() and "200 m" in notes[0].en


def test_too_large_is_refused_before_it_is_made() -> None:
    country = np.array([shapely.box(0, 0, 1e6, 1e6)], dtype=object)
    with pytest.raises(LimitError, match=r"lattice\.reach_m"):
        lattice.made([country], crs=CRS, params=PARAMS)
