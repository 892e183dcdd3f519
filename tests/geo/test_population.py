"""Where people are: drawn, and by law."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import standards
from geo import population
from geo.errors import ColumnError
from geo.groups import GroupParams
from geo.population import Population, PopulationParams, Spots
from geo.tables import DEMAND, checked
from tests.geo.drawn_people import CRS, NOWHERE, PARAMS, SOUTH, WEST, building, ground, town, units

NONE_ASSUMED = GroupParams.of(standards.load())


def estimate(*rows: dict[str, object]) -> Population:
    return population.from_buildings(town(*rows), NOWHERE, params=PARAMS)


class TestEstimate:
    def test_people_are_where_the_buildings_are(self) -> None:
        found = estimate(building("house"), building("school", at=20), building("apartments", at=40))
        assert found.demand["demand_id"].tolist() == found.demand["building_id"].tolist() == ["w0", "w2"]
        assert found.demand["people"].tolist() == [3, 8]
        assert found.total == 11
        assert all(shapely.contains(found.shapes, found.demand.geometry.to_numpy()))
        assert found.demand.crs == CRS
        checked(found.demand, DEMAND)

    def test_it_says_that_it_is_an_estimate(self) -> None:
        found = estimate(building("house"), building("yes"), building("house"))
        assert found.basis == "estimate from buildings"
        assert [note.code for note in found.notes] == ["people_estimated", "untold_not_dwellings"]
        assert "6 in 2 of 3 buildings" in found.notes[0].en
        assert repr(found) == "Population(6 people at 2 places, estimate from buildings)"

    @pytest.mark.parametrize("rows", [[], [building("school")]])
    def test_nobody(self, rows: list[dict[str, object]]) -> None:
        found = estimate(*rows)
        assert found.total == 0 and len(found.demand) == len(found.shapes) == 0
        assert [*found.demand.columns] == ["demand_id", "people", "building_id", "geometry"]
        checked(found.demand, DEMAND)

    def test_the_input_is_not_changed(self) -> None:
        rows = town(building("house"))
        before = rows.copy()
        population.from_buildings(rows, NOWHERE, params=PARAMS)
        pd.testing.assert_frame_equal(rows, before)


class TestGiven:
    def test_points_and_polygons(self) -> None:
        table = units([2.5, 0.0, 3.5], [shapely.Point(WEST, SOUTH), shapely.Point(WEST, SOUTH), ground(10, 10)])
        found = population.given(table)
        assert found.demand["demand_id"].tolist() == ["u0", "u2"]
        assert found.total == 6 and found.basis == "table" and found.notes == ()
        assert found.demand.geometry.geom_type.eq("Point").all()
        assert found.demand["building_id"].isna().all()
        assert found.shapes[1].equals(ground(10, 10))

    def test_what_is_not_known_is_left_out_and_told(self) -> None:
        found = population.given(units([4, np.nan], [ground(1, 1), ground(1, 1)]))
        assert found.total == 4
        assert [note.code for note in found.notes] == ["people_not_known"]

    @pytest.mark.parametrize("people", [-1.0, np.inf])
    def test_fewer_than_nobody_is_refused(self, people: float) -> None:
        with pytest.raises(ColumnError, match="u1"):
            population.given(units([1, people], [ground(1, 1), ground(1, 1)]))

    def test_a_missing_column_is_refused(self) -> None:
        with pytest.raises(ColumnError, match="demand_id"):
            population.given(units([1], [ground(1, 1)]).drop(columns="demand_id"))

    def test_no_rows(self) -> None:
        assert population.given(units([], [])).total == 0


class TestAllocate:
    # two units side by side of 100 m, houses in the first, none in the second
    #
    #   ┌ u0 ─────────────┬ u1 ──────────┐
    #   │ house    flats  │     school   │
    #   └─────────────────┴──────────────┘
    ROWS = (building("house"), building("apartments", at=40), building("school", at=150))

    def spread(self, *people: float) -> Population:
        table = units(list(people), [ground(100, 100), ground(100, 100, at=100)])
        return population.place(table, town(*self.ROWS), NOWHERE, params=PARAMS)

    def test_people_go_to_dwellings_by_expected_residents(self) -> None:
        # 3.2 and 8 are expected: 28 people are split 8 and 20
        found = self.spread(28, 0)
        assert dict(zip(found.demand["demand_id"], found.demand["people"], strict=True)) == {"w0": 8, "w1": 20}
        assert found.basis == "table"

    def test_a_unit_without_dwellings_keeps_its_people_and_says_so(self) -> None:
        found = self.spread(28, 13)
        left = found.demand[found.demand["building_id"].isna()]
        assert left["demand_id"].tolist() == ["u1"] and left["people"].tolist() == [13]
        assert [note.code for note in found.notes] == ["no_dwelling"]
        assert ground(100, 100, at=100).contains(left.geometry.iloc[0])

    def test_no_buildings_at_all(self) -> None:
        found = population.place(units([7], [ground(9, 9)]), town(), NOWHERE, params=PARAMS)
        assert found.total == 7

    def test_nobody(self) -> None:
        assert self.spread(0, 0).total == 0


def test_the_standards_fill_the_parameters() -> None:
    params = PopulationParams.of(standards.load())
    assert params.storey_m == 3 and 20 < params.house_m2_per_person < 100


homes = st.lists(
    st.tuples(st.sampled_from(["house", "apartments", "school", "yes"]), st.integers(0, 29), st.integers(3, 30)),
    max_size=12,
)


@given(homes, st.lists(st.integers(0, 500), min_size=3, max_size=3))
def test_allocation_keeps_every_unit_whole(rows: list[tuple[str, int, int]], people: list[int]) -> None:
    buildings = town(*(building(use, size, size, at=10.0 * x) for use, x, size in rows))
    shapes = [ground(100, 100, at=100.0 * i) for i in range(3)]
    found = population.place(units([*map(float, people)], shapes), buildings, NOWHERE, params=PARAMS).demand
    assert (found["people"] > 0).all()
    # Units share borders only; a building's point lies on one with measure zero but may here: then either may have it.
    inner = [int(found.loc[shapely.contains_properly(shape, found.geometry), "people"].sum()) for shape in shapes]
    on_border = found["people"].sum() - sum(inner)
    assert found["people"].sum() == sum(people)
    if on_border == 0:
        assert inner == people


# -- along streets -------------------------------------------------------------------------------------------------


def areas_of_people(*people: int) -> Population:
    """Squares of 100 m side by side, each with so many people."""
    shapes = [ground(100, 100, at=100.0 * i) for i in range(len(people))]
    columns = {"demand_id": [f"u{i}" for i in range(len(people))], "people": list(people)}
    return population.given(gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS))


def on_streets(people: Population, *east_and_metres: tuple[float, float]) -> Population:
    east, metres = np.array(east_and_metres, dtype=float).reshape(-1, 2).T
    names = np.array([f"w1-0-{i}" for i in range(len(east))], dtype=object)
    points = np.asarray(shapely.points(WEST + east, SOUTH + 50.0))
    return population.along_streets(people, points, metres, names)


def test_people_of_an_area_stand_along_its_streets_by_length() -> None:
    found = on_streets(areas_of_people(100, 7), (20, 30.0), (60, 10.0), (150, 50.0))
    assert found.demand[["demand_id", "people"]].to_numpy().tolist() == [
        ["u0@w1-0-0", 75], ["u0@w1-0-1", 25], ["u1@w1-0-2", 7],
    ]  # fmt: skip
    assert [note.code for note in found.notes] == ["people_along_streets"]


def test_an_area_without_a_street_keeps_its_people_where_they_were() -> None:
    found = on_streets(areas_of_people(100, 7), (20, 30.0))
    assert found.demand["people"].tolist() == [7, 100]
    assert found.demand["demand_id"].tolist() == ["u1", "u0@w1-0-0"]
    assert found.total == 107
    untouched = areas_of_people(100, 7)
    assert on_streets(untouched) is untouched


@given(st.lists(st.integers(0, 500), min_size=1, max_size=4), st.lists(st.tuples(st.floats(0, 500), st.floats(1, 90))))
def test_nobody_is_lost_along_streets(people: list[int], spots: list[tuple[float, float]]) -> None:
    assert on_streets(areas_of_people(*people), *spots).total == sum(people)


# -- the whole recipe ----------------------------------------------------------------------------------------------
#
#   u0 has a house and flats, u1 a street, u2 lies in a lake but for its last 10 m, u3 is a point in the lake
#
#   ┌ u0 ─────────┬ u1 ──────────┬ u2 ~~~~~~~~~~~ ┬─
#   │ house flats │ ──street──── │ ~~~~~~~~ u3 ~~ │
#   └─────────────┴──────────────┴~~~~~~~~~~~~~~~~┴─
#   0            100            200              290 300

LAKE = gpd.GeoDataFrame({"kind": ["water"]}, geometry=[ground(90, 100, at=200)], crs=CRS)
SPOTS = Spots(np.array([shapely.Point(WEST + 120, SOUTH + 50), shapely.Point(WEST + 160, SOUTH + 50),
                        shapely.Point(WEST + 250, SOUTH + 50)]), np.array([30.0, 10.0, 99.0]),
              np.array(["s1", "s2", "bridge"], dtype=object))  # fmt: skip


def recipe(people: list[float], **columns: list[float]) -> Population:
    shapes = [*(ground(100, 100, at=100.0 * i) for i in range(3)), shapely.Point(WEST + 280, SOUTH + 50)]
    rows = units(people, shapes).assign(**columns)
    homes = town(building("house"), building("apartments", at=40))
    return population.place(rows, homes, LAKE, SPOTS, params=PARAMS, assumed=NONE_ASSUMED)


def where(found: Population) -> dict[str, int]:
    return dict(zip(found.demand["demand_id"], found.demand["people"], strict=True))


def test_points_cells_and_areas_each_where_they_can_be() -> None:
    found = recipe([28, 40, 13, 5])
    assert where(found) == {"w0": 8, "w1": 20, "u1@s1": 30, "u1@s2": 10, "u2": 13, "u3": 5}
    at_ = found.demand.set_index("demand_id").geometry
    assert at_["u3"].x - WEST == pytest.approx(291), "the given point left the lake by the nearest bank"
    assert not LAKE.geometry.iloc[0].intersects(at_["u2"]), "nobody stands on the bridge or in the water"
    moved = next(note for note in found.notes if note.code == "people_moved")
    assert (moved.severity, moved.count) == ("repaired", 2)  # type: ignore[attr-defined]
    assert "18 people at 2 places" in moved.en


def test_groups_go_where_their_people_go() -> None:
    found = recipe([28, 40, 13, 5], people_60plus=[7, 40, np.nan, 0])
    old = dict(zip(found.demand["demand_id"], found.demand["people_60plus"], strict=True))
    assert old["w0"] + old["w1"] == 7 and old["w0"] == 2
    assert (old["u1@s1"], old["u1@s2"], old["u3"]) == (30, 10, 0)
    assert np.isnan(old["u2"]), "not known is not nobody"
    assert "people_80plus" not in found.demand


def test_an_area_with_far_too_few_dwellings_is_not_crammed_into_them() -> None:
    params = PARAMS.model_copy(update={"max_crowding": 10.0})
    rows = units([1000, 5], [ground(100, 100), ground(100, 100, at=100)])
    found = population.place(rows, town(building("house")), NOWHERE, params=params)
    assert where(found) == {"u0": 1000, "u1": 5}
    assert found.notes[0].code == "dwellings_missing"


def test_an_id_that_a_building_has_too() -> None:
    rows = units([28, 3], [ground(100, 100), shapely.Point(WEST + 500, SOUTH)]).assign(demand_id=["a", "w0"])
    found = population.place(rows, town(building("house")), NOWHERE, params=PARAMS)
    assert where(found) == {"w0": 3, "w0@home": 28}


kinds = st.sampled_from(["point", "cell", "area"])
some = st.lists(st.tuples(kinds, st.integers(0, 25), st.floats(0, 60), st.floats(0, 1)), max_size=10)


@given(some, st.lists(st.tuples(st.sampled_from(["house", "yes", "school"]), st.integers(0, 29)), max_size=5),
       st.randoms(use_true_random=False))  # fmt: skip
def test_everybody_is_somewhere_whatever_the_geometry_and_the_order(
    rows: list[tuple[str, int, float, float]], houses: list[tuple[str, int]], random: Any
) -> None:
    shape = {"point": lambda x: shapely.Point(WEST + 10 * x, SOUTH + 50), "cell": lambda x: ground(20, 20, at=10.0 * x),
             "area": lambda x: ground(150, 90, at=10.0 * x)}  # fmt: skip
    people, old = [n for _, _, n, _ in rows], [n * share for _, _, n, share in rows]
    table = units(people, [shape[kind](x) for kind, x, _, _ in rows]).assign(people_60plus=old)
    homes = town(*(building(use, 9, 9, at=10.0 * x) for use, x in houses))
    found = population.place(table, homes, LAKE, SPOTS, params=PARAMS)
    assert found.total == np.floor(sum(people) + 0.5)
    if len(found.demand):
        assert found.demand["people_60plus"].sum() == min(np.floor(sum(old) + 0.5), found.total)
        assert (found.demand["people_60plus"] <= found.demand["people"]).all()
        free = found.demand.geometry[found.demand["building_id"].isna()]
        assert not free.intersects(LAKE.geometry.iloc[0]).any()
    order = random.sample(range(len(rows)), len(rows))
    again = population.place(table.iloc[order], homes.iloc[::-1], LAKE, SPOTS, params=PARAMS)
    assert where(again) == where(found)


# -- day and night, and the edge -------------------------------------------------------------------------------------


def test_the_layer_of_the_time_else_of_any_time_else_the_other_which_is_said() -> None:
    day, night, ever = (units([n], [ground(9, 9)]) for n in (1.0, 2.0, 3.0))
    assert population.at({"day": day, "night": night, None: ever}, "day") == (day, ())
    assert population.at({None: ever, "day": day}, "night") == (ever, ())
    table, notes = population.at({"night": night}, "day")
    assert table is night
    assert [(note.code, note.severity) for note in notes] == [("people_of_other_time", "warning")]
    assert "No daytime people are given; the night-time people are used." in notes[0].en
    assert population.at({}, "day") == (None, ())


def test_people_by_day_are_at_work() -> None:
    rows = (building("house"), building("office", levels=4), building("house"))
    night, day = estimate(*rows), population.from_buildings(town(*rows), NOWHERE, params=PARAMS, time="day")
    assert (night.total, day.total) == (6, 23)
    assert day.demand["demand_id"].tolist() == ["w0", "w1", "w2"]
    assert day.notes[0].code == "people_estimated_by_day"


def test_cells_across_the_edge_are_shared_by_area() -> None:
    cells = units([10, 20, 30], [ground(10, 10, at=10.0 * i) for i in range(3)]).assign(people_60plus=[1.0, 4.0, 9.0])
    inside, notes = population.within(cells, ground(15, 99))
    assert inside[["demand_id", "people", "people_60plus"]].to_numpy().tolist() == [["u0", 10, 1], ["u1", 10, 2]]
    assert inside.geometry.area.tolist() == [100, 50]
    assert [(note.code, note.count) for note in notes] == [("people_outside_outline", 2)]
    assert population.within(cells, ground(99, 99))[1] == ()


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 50), st.booleans()), max_size=8), st.floats(1, 300))
def test_inside_and_outside_are_everybody(rows: list[tuple[int, float, bool]], edge: float) -> None:
    shapes = [ground(20, 20, at=10.0 * x) if cell else shapely.Point(WEST + 10 * x, SOUTH + 5) for x, _, cell in rows]
    table = units([n for _, n, _ in rows], shapes)
    west, east = ground(edge, 99), ground(999, 99, at=edge + 1e-9)
    parts = [population.within(table, side)[0]["people"].sum() for side in (west, east)]
    assert sum(parts) == pytest.approx(sum(n for _, n, _ in rows), abs=1e-6)
