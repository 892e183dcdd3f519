"""Cells between streets: a town drawn as a lattice, and by law."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import communities, grids, network
from geo.communities import CommunityParams, Streets
from geo.grids import GridParams, Grids
from geo.network import Ways
from geo.tables import BOUNDARIES, LINES, empty
from tests.geo.drawn import CRS, ORIGIN, ways

PARAMS = GridParams.of(standards.load())
COMMUNITY = CommunityParams.of(standards.load())
X, Y = ORIGIN


def town(columns: int, rows: int, *, main: str = "", named: bool = True) -> Ways:
    """Streets every 100 m, a letter a corner; columns are called C0, C1, …, rows R0, R1, …; ``main`` is a main one."""
    letters = {(c, r): chr(0x4E00 + 50 * r + c) for r in range(rows + 1) for c in range(columns + 1)}
    places = {letter: (X + 100 * c, Y + 100 * r) for (c, r), letter in letters.items()}
    chains = {"".join(letters[c, r] for r in range(rows + 1)): f"C{c}" for c in range(columns + 1)}
    chains |= {"".join(letters[c, r] for c in range(columns + 1)): f"R{r}" for r in range(rows + 1)}
    tags = {chain: {"highway": "primary" if name == main else "residential"} | ({"name": name} if named else {})
            for chain, name in chains.items()}  # fmt: skip
    return ways(places, tags)


def homes(*places: tuple[float, float, int]) -> gpd.GeoDataFrame:
    """People in hundreds of metres from the south-west corner."""
    points = shapely.points([(X + 100 * x, Y + 100 * y) for x, y, _ in places] or np.zeros((0, 2)))
    columns = {
        "demand_id": [f"d{n}" for n in range(len(places))],
        "people": np.array([n for *_, n in places], dtype=int),
    }
    return gpd.GeoDataFrame(columns, geometry=points, crs=CRS)


def everywhere(columns: int, rows: int, people: int) -> gpd.GeoDataFrame:
    return homes(*((c + 0.5, r + 0.5, people) for c in range(columns) for r in range(rows)))


def made(streets: Ways, demand: gpd.GeoDataFrame, **more: object) -> Grids:
    return grids.make(network.build(streets), demand, params=PARAMS, **more)  # type: ignore[arg-type]


def square(columns: int, rows: int) -> shapely.Polygon:
    return shapely.box(X, Y, X + 100 * columns, Y + 100 * rows)


class TestDrawn:
    def test_eight_blocks_of_250_are_two_cells_of_a_thousand(self) -> None:
        found = made(town(4, 2), everywhere(4, 2, 250), extent=square(4, 2))
        assert found.measures["people"].tolist() == [1000, 1000]
        assert found.table["name"].tolist() == ["Between C0 and C2", "Between C2 and C4"]
        assert found.table["name_zh"].tolist() == ["C0与C2之间", "C2与C4之间"]
        assert found.table["community_id"].tolist() == ["grid_001", "grid_002"]
        assert found.table["level"].eq("grid").all() and found.findings == ()
        assert found.measures["compactness"].tolist() == pytest.approx([np.pi / 4] * 2)
        assert "people_median 1e+03" in repr(found)

    def test_a_main_street_is_the_border_even_when_balance_is_a_little_worse(self) -> None:
        found = made(town(5, 2, main="C2"), everywhere(5, 2, 200), extent=square(5, 2))
        assert sorted(found.measures["people"]) == [800, 1200]
        assert found.measures["main_share"].tolist() == [1, 1]

    def test_a_river_is_the_border_before_a_street(self) -> None:
        """Along the street C2 both would have 900."""
        columns = {"line_id": ["r"], "name": ["Wei"], "name_zh": ["渭河"], "name_en": ["Wei"], "kind": ["river"],
                   "voltage_v": [np.nan]}  # fmt: skip
        river = shapely.LineString([(X + 150, Y - 50), (X + 150, Y + 250)])
        lines = gpd.GeoDataFrame(columns, geometry=[river], crs=CRS)
        found = made(town(4, 2), homes((1.2, 0.5, 400), (0.5, 1.5, 400), (1.8, 0.5, 100), (3.5, 1.5, 900)),
                     lines=lines, extent=square(4, 2))  # fmt: skip
        assert found.measures["people"].tolist() == [800, 1000]
        assert found.table.geometry.area.tolist() == pytest.approx([30_000, 50_000])
        assert "渭河" in found.table["name_zh"].iloc[0]

    def test_a_block_with_too_many_people_is_cut_straight(self) -> None:
        demand = homes(*((0.1 + 0.2 * n, 0.5, 400) for n in range(10)))
        found = made(town(2, 1), demand, extent=square(2, 1))
        assert found.measures["people"].max() <= 1500 and found.measures["people"].sum() == 4000
        assert [f.code for f in found.findings] == ["grids_cut"]

    def test_one_tower_cannot_be_cut_and_is_told(self) -> None:
        found = made(town(3, 1), homes((0.5, 0.5, 4000), (1.5, 0.5, 900), (2.5, 0.5, 100)), extent=square(3, 1))
        assert found.measures["people"].tolist() == [4000, 1000]
        assert [f.code for f in found.findings] == ["grids_unbalanced"] and "1 cells have more" in found.findings[0].en

    def test_where_nobody_is_known_cells_have_the_same_area(self) -> None:
        found = made(town(10, 5), homes(), extent=square(10, 5))
        assert found.measures["area_m2"].tolist() == pytest.approx([250_000] * 2)
        assert found.measures["people"].tolist() == [0, 0] and [f.code for f in found.findings] == ["grids_by_area"]

    def test_without_an_extent_everybody_is_inside(self) -> None:
        found = made(town(4, 2), everywhere(4, 2, 250).set_geometry(everywhere(4, 2, 1).translate(300, 100), crs=CRS))
        assert found.measures["people"].sum() == 2000

    def test_numbers_where_streets_have_no_names(self) -> None:
        found = made(town(4, 2, named=False), everywhere(4, 2, 250), extent=square(4, 2))
        assert found.table["name"].tolist() == ["Grid 1", "Grid 2"]
        assert found.table["name_zh"].tolist() == ["网格 1", "网格 2"]

    def test_no_street_no_cell(self) -> None:
        found = made(ways({}, {}), homes((1, 1, 5)))
        assert len(found.table) == 0 and [f.code for f in found.findings] == ["grids_no_streets"]


class TestChosen:
    STREETS = Streets(network.build(town(4, 2)), PARAMS)

    def test_cells_between_streets_where_the_map_has_no_units(self) -> None:
        found = communities.choose(empty(BOUNDARIES, crs=CRS), demand=everywhere(4, 2, 250), params=COMMUNITY,
                                   streets=self.STREETS, extent=square(4, 2))  # fmt: skip
        assert found.basis == "grid" and len(found.table) == 2
        assert [note.code for note in found.notes] == ["communities_made"] and "between streets" in found.notes[0].en
        assert communities.assign(everywhere(4, 2, 250), found).nunique() == 2

    def test_squares_where_no_street_divides(self) -> None:
        alone = Streets(network.build(ways({"a": (X, Y), "b": (X + 9, Y)}, {"ab": {}})), PARAMS, empty(LINES, crs=CRS))
        found = communities.choose(empty(BOUNDARIES, crs=CRS), demand=homes((1, 1, 5)), params=COMMUNITY,
                                   streets=alone, extent=square(1, 1).buffer(500))  # fmt: skip
        assert {note.code for note in found.notes} >= {"communities_made"}
        assert communities.assign(homes((1, 1, 5)), found).ne(communities.OUTSIDE).all()


places = st.lists(st.tuples(st.floats(0.05, 5.95), st.floats(0.05, 3.95), st.integers(0, 700)), max_size=30)


@given(places, st.randoms(use_true_random=False), st.sampled_from(["", "C2", "R1"]))
@settings(deadline=None, max_examples=15)
def test_cells_are_the_whole_ground_and_everybody_is_in_one(where, random, main) -> None:  # type: ignore[no-untyped-def]
    streets, extent = town(6, 4, main=main), square(6, 4).buffer(30, join_style="mitre")
    found = made(streets, homes(*where), extent=extent)
    assert shapely.area(found.table.geometry).sum() == pytest.approx(extent.area, rel=1e-9)
    assert shapely.union_all(found.table.geometry).area == pytest.approx(extent.area, rel=1e-9)
    assert found.table.geom_type.eq("Polygon").all()
    assert found.measures["people"].sum() == sum(n for *_, n in where)
    assert found.table["name"].is_unique
    order = random.sample(range(len(streets)), len(streets))
    again = made(_reordered(streets, order), homes(*random.sample(where, len(where))), extent=extent)
    pd.testing.assert_frame_equal(again.measures, found.measures)
    assert shapely.to_wkb(again.table.geometry).tolist() == shapely.to_wkb(found.table.geometry).tolist()
    assert again.table["name"].tolist() == found.table["name"].tolist()


def _reordered(streets: Ways, order: list[int]) -> Ways:
    spans = [np.arange(streets.start[n], streets.start[n + 1]) for n in order]
    rows = np.concatenate(spans)
    start = np.r_[0, np.cumsum([len(span) for span in spans])]
    tags = streets.tags.iloc[order].reset_index(drop=True)
    return Ways(tags, start, streets.node[rows], streets.x[rows], streets.y[rows], streets.barriers, streets.crs)
