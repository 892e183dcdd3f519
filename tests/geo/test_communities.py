"""Which units a plan is made for, and who belongs to them: drawn, and by law."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import standards
from geo import communities
from geo.communities import OUTSIDE, Communities, CommunityParams
from geo.errors import LimitError
from geo.tables import BOUNDARIES, COMMUNITIES, checked, empty

CRS = "EPSG:32631"
WEST, SOUTH = 600_000.0, 5_800_000.0
PARAMS = CommunityParams.of(standards.load())


def square(x: float, y: float, width: float, height: float | None = None) -> shapely.Polygon:
    """In hundreds of metres from the south-west corner of the study."""
    x, y = WEST + 100 * x, SOUTH + 100 * y
    return shapely.box(x, y, x + 100 * width, y + 100 * (width if height is None else height))


def bounds(*rows: tuple[str, float | None, shapely.Polygon]) -> gpd.GeoDataFrame:
    if not rows:
        return empty(BOUNDARIES, crs=CRS)
    columns = {
        "boundary_id": [name for name, _, _ in rows], "name": [name.upper() for name, _, _ in rows],
        "name_zh": pd.Series([None] * len(rows), dtype=object), "name_en": pd.Series([None] * len(rows), dtype=object),
        "kind": ["place" if level is None else "administrative" for _, level, _ in rows],
        "admin_level": [np.nan if level is None else float(level) for _, level, _ in rows],
    }  # fmt: skip
    return checked(gpd.GeoDataFrame(columns, geometry=[shape for _, _, shape in rows], crs=CRS), BOUNDARIES)


def people(*places: tuple[float, float, int]) -> gpd.GeoDataFrame:
    columns = {
        "demand_id": [f"d{i}" for i in range(len(places))],
        "people": np.array([n for *_, n in places], dtype=np.int64),
    }
    points = shapely.points([(WEST + 100 * x, SOUTH + 100 * y) for x, y, _ in places] or np.zeros((0, 2)))
    return gpd.GeoDataFrame(columns, geometry=points, crs=CRS)


def choose(rows: gpd.GeoDataFrame, demand: gpd.GeoDataFrame, **more: object) -> Communities:
    return communities.choose(rows, demand=demand, params=PARAMS, **more)  # type: ignore[arg-type]


def codes(found: Communities) -> list[str]:
    return [note.code for note in found.notes]


def ids(found: Communities) -> list[str]:
    return found.table["community_id"].tolist()


# A city of two towns, each of two quarters; e is a quarter half beyond the data. Numbers are people.
#
#   8  ┌ west ───────────┬ east ───────────┐
#      │ a: 40  │ b: 30  │ c: 20  │ d: 10  │
#   0  └────────┴────────┴────────┴────────┘
#      0        4        8        12       16 (× 100 m)
QUARTERS = (("a", 10, square(0, 0, 4, 8)), ("b", 10, square(4, 0, 4, 8)), ("c", 10, square(8, 0, 4, 8)),
            ("d", 10, square(12, 0, 4, 8)))  # fmt: skip
TOWNS = (("west", 8, square(0, 0, 8)), ("east", 8, square(8, 0, 8)))
COUNTY = ("county", 6, square(-10, -10, 40))
LAND = ("land", 4, square(-100, -100, 400))
HOMES = people((2, 2, 40), (6, 2, 30), (11, 2, 20), (14, 2, 10))


class TestChoice:
    def test_the_finest_level_with_its_parents(self) -> None:
        found = choose(bounds(*TOWNS, *QUARTERS, COUNTY, LAND), HOMES)
        assert found.basis == "admin_level 10" and codes(found) == []
        assert found.table["parent_id"].tolist() == ["west", "west", "east", "east"]
        assert found.table["level"].eq("community").all()
        assert found.table["source"].eq("OpenStreetMap admin_level 10").all()
        above = found.parents.set_index("community_id")
        assert above["level"].to_dict() == {"west": "subdistrict", "east": "subdistrict", "county": "district"}
        assert above["parent_id"].to_dict() == {"west": "county", "east": "county", "county": None}
        assert repr(found) == "Communities(4 by admin_level 10, 3 units above)"

    def test_a_level_that_misses_too_many_is_passed_over(self) -> None:
        found = choose(bounds(*TOWNS, *QUARTERS[:2]), HOMES)
        assert ids(found) == ["east", "west"]

    def test_a_level_that_misses_a_few_is_taken_and_they_have_their_own_row(self) -> None:
        found = choose(bounds(*TOWNS, *QUARTERS[:3]), HOMES)
        assert ids(found) == ["a", "b", "c", OUTSIDE]
        assert codes(found) == ["people_outside"] and "10 people" in found.notes[0].en
        assert communities.assign(HOMES, found).tolist() == ["a", "b", "c", OUTSIDE]
        rest = found.table.geometry.iloc[-1]
        assert rest.contains(HOMES.geometry.iloc[3]) and not rest.overlaps(shapely.union_all(found.table.geometry[:-1]))

    def test_one_unit_is_no_division(self) -> None:
        assert choose(bounds(("whole", 10, square(0, 0, 16)), *TOWNS), HOMES).basis == "admin_level 8"

    def test_units_without_people_do_not_make_a_division(self) -> None:
        rows = bounds(("whole", 10, square(0, 0, 16)), ("sea", 10, square(16, 0, 9)))
        assert choose(rows, HOMES).basis == "grid"

    def test_named_places_where_no_level_does(self) -> None:
        places = [(name, None, shape) for name, _, shape in QUARTERS]
        found = choose(bounds(*places, COUNTY), HOMES)
        assert found.basis == "place" and found.table["parent_id"].eq("county").all()
        assert found.table["source"].eq("OpenStreetMap place").all()

    def test_units_cut_off_by_the_extract_take_part_and_say_so(self) -> None:
        rows = bounds(*QUARTERS).assign(cut_off=[False, False, True, True])
        found = choose(rows, HOMES)
        assert codes(found) == ["communities_cut_off"] and "2 of 4" in found.notes[0].en
        assert found.table["source"].iloc[3] == "OpenStreetMap admin_level 10, cut off at the edge of the extract"

    def test_a_name_in_any_language_or_the_id(self) -> None:
        names = {"name": [None, None, "C"], "name_zh": ["甲", None, None], "name_en": ["A", None, "Sea"]}
        rows = bounds(*QUARTERS[:3]).assign(**{k: pd.Series(v, dtype=object) for k, v in names.items()})
        found = choose(rows, HOMES)
        assert found.table["name"].tolist()[:3] == ["甲", "b", "C"]
        assert found.table["name_zh"].tolist()[:3] == ["甲", None, None]

    def test_nested_units_overlap_and_gaps_are_told(self) -> None:
        inner, hole = square(1, 1, 2), square(13, 1, 1)
        rows = bounds(*QUARTERS[:3], ("d", 10, square(12, 0, 4, 8) - hole), ("in", 10, inner))
        found = choose(rows, HOMES)
        assert codes(found) == ["communities_overlap", "communities_holes"]
        assert "1 pair " in found.notes[0].en and "4.0 ha" in found.notes[0].en
        assert "1.0 ha" in found.notes[1].en
        assert communities.assign(HOMES, found).tolist() == ["in", "b", "c", "d"]


class TestGrid:
    def test_squares_where_people_are(self) -> None:
        found = choose(bounds(COUNTY), HOMES)
        assert found.basis == "grid" and codes(found) == ["communities_made"]
        assert ids(found) == ["grid_1200_11600", "grid_1201_11600", "grid_1202_11600"]
        assert found.table["name_zh"].tolist() == ["网格 1-1", "网格 2-1", "网格 3-1"]
        assert found.table["name_en"].tolist() == ["Grid 1-1", "Grid 2-1", "Grid 3-1"]
        assert found.table["level"].eq("grid").all() and found.table["parent_id"].eq("county").all()
        assert found.table["source"].iloc[0] == "made grid of 500 m squares"
        assert communities.assign(HOMES, found).tolist() == [f"grid_{c}_11600" for c in (1200, 1201, 1202, 1202)]

    def test_numbered_from_the_north_west(self) -> None:
        found = choose(bounds(), people((7, 2, 1), (2, 7, 1)))
        assert dict(zip(found.table["community_id"], found.table["name"], strict=True)) == {
            "grid_1200_11601": "Grid 1-1", "grid_1201_11600": "Grid 2-2",
        }  # fmt: skip

    def test_squares_stay_where_they_are_when_people_are_added(self) -> None:
        before, after = choose(bounds(), HOMES), choose(bounds(), people((-30, -30, 5), (2, 2, 40), (6, 2, 30)))
        shared = set(ids(before)) & set(ids(after))
        assert shared == {"grid_1200_11600", "grid_1201_11600"}

    def test_all_over_an_extent(self) -> None:
        found = choose(bounds(), people((2, 2, 40)), extent=square(0, 0, 9))
        assert len(found.table) == 4

    def test_nobody_nowhere(self) -> None:
        found = choose(bounds(), people())
        assert len(found.table) == 0 and list(found.table.columns) == [c.name for c in COMMUNITIES.columns] + [
            "geometry"
        ]

    def test_too_many_squares_are_refused(self) -> None:
        with pytest.raises(LimitError, match="grid_m"):
            choose(bounds(), HOMES, extent=square(0, 0, 5000))


class TestGiven:
    TABLE = choose(bounds(*QUARTERS), HOMES).table

    def test_a_table_is_taken_as_it_is(self) -> None:
        found = communities.given(self.TABLE, demand=HOMES, params=PARAMS)
        assert found.basis == "table" and codes(found) == []
        pd.testing.assert_frame_equal(found.table, self.TABLE)

    def test_people_outside_get_their_row(self) -> None:
        found = communities.given(self.TABLE.iloc[:1], demand=HOMES, params=PARAMS)
        assert ids(found) == ["a", OUTSIDE] and "60 people" in found.notes[0].en
        assert found.table["parent_id"].tolist() == [None, None]

    def test_everybody_outside(self) -> None:
        found = communities.given(self.TABLE.iloc[:0], demand=HOMES, params=PARAMS)
        assert ids(found) == [OUTSIDE]

    def test_of_several_levels_the_finest_are_planned_for(self) -> None:
        towns = choose(bounds(*TOWNS), HOMES).table.assign(level="district")
        both = gpd.GeoDataFrame(pd.concat([towns, self.TABLE], ignore_index=True), crs=CRS)
        found = communities.given(both, demand=HOMES, params=PARAMS)
        assert ids(found) == ["a", "b", "c", "d"] and codes(found) == []
        assert found.table["parent_id"].tolist() == ["west", "west", "east", "east"]
        assert found.parents["community_id"].tolist() == ["east", "west"]

    def test_the_map_tells_the_parents_of_those_that_name_none(self) -> None:
        """Not the quarters they are themselves on the map, but the towns, and above them the county."""
        found = communities.given(self.TABLE, demand=HOMES, params=PARAMS, boundaries=bounds(*QUARTERS, *TOWNS, COUNTY))
        assert found.table["parent_id"].tolist() == ["west", "west", "east", "east"]
        assert set(found.parents["community_id"]) == {"west", "east", "county"}

    def test_what_of_the_study_nobody_answers_for_is_told(self) -> None:
        found = communities.given(self.TABLE, demand=HOMES, params=PARAMS, study_outline=square(0, 0, 20, 8))
        assert codes(found) == ["communities_gaps"] and "32.0 ha" in found.notes[0].en


def test_a_shelter_outside_is_not_taken_in_by_the_row_of_people_outside() -> None:
    found = communities.given(TestGiven.TABLE.iloc[:1], demand=HOMES, params=PARAMS)
    sites = gpd.GeoSeries(shapely.points([(WEST + 1400, SOUTH + 200), (WEST + 100, SOUTH + 100)]), crs=CRS)
    assert communities.locate(sites, found.table).tolist() == [OUTSIDE, "a"]
    held = communities.Units.of(found.table)
    assert [held.holding(site) for site in sites] == [None, "a"]


def test_the_standards_fill_the_parameters() -> None:
    assert CommunityParams.of(standards.load()).grid_m == 500


places = st.lists(st.tuples(st.floats(-5, 25), st.floats(-5, 25), st.integers(0, 99)), max_size=12)
outlines = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 9)), max_size=6)


@given(places, outlines, st.sampled_from([8, 10, None]))
def test_everybody_is_in_exactly_one_community(
    where: list[tuple[float, float, int]], shapes: list[tuple[int, int, int]], level: float | None
) -> None:
    demand = people(*where)
    rows = bounds(*((f"u{i}", level, square(*shape)) for i, shape in enumerate(shapes)))
    found = choose(rows, demand)
    unit = communities.assign(demand, found)
    assert unit.isin(found.table["community_id"]).all() and len(unit) == len(demand)
    assert demand.groupby(unit)["people"].sum().sum() == demand["people"].sum()
    inside = found.table.set_index("community_id").geometry
    assert all(inside[u].intersects(p) for u, p in zip(unit, demand.geometry, strict=True))


@given(places, outlines, st.randoms(use_true_random=False))
def test_the_order_of_boundaries_changes_nothing(
    where: list[tuple[float, float, int]], shapes: list[tuple[int, int, int]], random
) -> None:  # type: ignore[no-untyped-def]
    demand = people(*where)
    rows = [(f"u{i}", 10, square(*shape)) for i, shape in enumerate(shapes)]
    shuffled = random.sample(rows, len(rows))
    one, other = choose(bounds(*rows), demand), choose(bounds(*shuffled), demand)
    pd.testing.assert_frame_equal(one.table, other.table)
    assert communities.assign(demand, one).tolist() == communities.assign(demand, other).tolist()
