"""Where people are: drawn, and by law."""

from __future__ import annotations

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
from geo.population import Population, PopulationParams, whole
from geo.tables import AREAS, BUILDINGS, DEMAND, checked, empty

CRS = "EPSG:32631"
WEST, SOUTH = 600_000.0, 5_800_000.0
PARAMS = PopulationParams(
    house_m2_per_person=50, apartments_m2_per_person=40, dormitory_m2_per_person=10, dwelling_share=0.8,
    untold_share=0.5, house_levels=2, apartments_levels=4, untold_levels=3, storey_m=3, min_recorded=3,
    min_dwelling_m2=25, max_untold_m2=2500, max_told_share=0.5, street_spacing_m=100,
)  # fmt: skip


def ground(width: float, height: float, *, at: float = 0.0) -> shapely.Polygon:
    return shapely.box(WEST + at, SOUTH, WEST + at + width, SOUTH + height)


def building(
    use: str,
    width: float = 10.0,
    height: float = 10.0,
    *,
    at: float = 0.0,
    levels: float = np.nan,
    high: float = np.nan,
) -> dict[str, object]:
    return {"use": use, "levels": levels, "height_m": high, "geometry": ground(width, height, at=at)}


def town(*rows: dict[str, object]) -> gpd.GeoDataFrame:
    if not rows:
        return empty(BUILDINGS, crs=CRS)
    names = dict.fromkeys(("name", "name_zh", "name_en"))
    table = [{"building_id": f"w{i}", **names, **row} for i, row in enumerate(rows)]
    return checked(gpd.GeoDataFrame(table, geometry="geometry", crs=CRS), BUILDINGS)


def land(kind: str, width: float = 100.0, height: float = 100.0, *, at: float = 0.0) -> gpd.GeoDataFrame:
    row = {"area_id": "a", "name": None, "name_zh": None, "name_en": None, "kind": kind}
    return checked(gpd.GeoDataFrame([row], geometry=[ground(width, height, at=at)], crs=CRS), AREAS)


NOWHERE = empty(AREAS, crs=CRS)


def expected(*rows: dict[str, object], areas: gpd.GeoDataFrame = NOWHERE) -> list[float]:
    return population.residents(town(*rows), areas, params=PARAMS).tolist()


def estimate(*rows: dict[str, object]) -> Population:
    return population.from_buildings(town(*rows), NOWHERE, params=PARAMS)


def units(people: list[float], shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    ids = [f"u{i}" for i in range(len(people))]
    return gpd.GeoDataFrame({"demand_id": ids, "people": people}, geometry=shapes, crs=CRS)


class TestResidents:
    # Footprints are 100 m²; lived on is 0.8 of the floor.
    @pytest.mark.parametrize(("row", "people"), [
        (building("house"), 100 * 2 * 0.8 / 50),
        (building("apartments"), 100 * 4 * 0.8 / 40),
        (building("dormitory"), 100 * 4 * 0.8 / 10),
        (building("bungalow"), 100 * 1 * 0.8 / 50),
        (building("yes"), 100 * 3 * 0.8 * 0.5 / 40),
        (building("house", levels=3), 100 * 3 * 0.8 / 50),
        (building("house", high=9.5), 100 * 3 * 0.8 / 50),
        (building("house", high=2.0), 100 * 1 * 0.8 / 50),
        (building("house", levels=3, high=30), 100 * 3 * 0.8 / 50),
        (building("house", levels=0), 100 * 2 * 0.8 / 50),
        (building("house", 4, 6), 0),
        (building("house", 5, 5), 25 * 2 * 0.8 / 50),
        (building("yes", 50, 51), 0),
        (building("apartments", 50, 51), 50 * 51 * 4 * 0.8 / 40),
        *((building(use), 0) for use in ("school", "garage", "industrial", "hotel", "hospital", "shed", "public")),
    ])  # fmt: skip
    def test_each_kind(self, row: dict[str, object], people: float) -> None:
        untold = [building("yes", 1, 1)] * 2
        assert expected(row, *untold)[0] == pytest.approx(people)

    @pytest.mark.parametrize("kind", ["industrial", "farmyard", "military", "education", "commercial"])
    def test_on_land_without_dwellings_only_told_dwellings_count(self, kind: str) -> None:
        found = expected(building("yes"), building("house", at=20), building("yes", at=200), areas=land(kind))
        assert (np.array(found) > 0).tolist() == [False, True, True]

    def test_homes_inside_a_factory_ground(self) -> None:
        areas = pd.concat([land("industrial"), land("residential", 20, 20).assign(area_id="b")], ignore_index=True)
        found = expected(building("yes"), building("yes", at=50), areas=areas)
        assert (np.array(found) > 0).tolist() == [True, False], "the smaller ground counts"

    def test_where_most_uses_are_told_the_untold_are_sheds(self) -> None:
        assert expected(building("house"), building("house"), building("yes"))[2] == 0
        assert expected(building("house"), building("yes"))[1] > 0, "half is not most"

    def test_storeys_recorded_often_enough_replace_the_default(self) -> None:
        flats = [building("apartments", levels=n) for n in (5, 6, 10)]
        assert expected(*flats, building("apartments"))[3] == pytest.approx(100 * 6 * 0.8 / 40)
        assert expected(*flats[:2], building("apartments"))[2] == pytest.approx(100 * 4 * 0.8 / 40)
        assert expected(*flats, building("house"))[3] == pytest.approx(100 * 2 * 0.8 / 50), "each kind its own"


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
        assert [*found.demand.columns] == ["demand_id", "people", "building_id", "geometry"] or len(rows) == 0
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
        return population.allocate(table, town(*self.ROWS), NOWHERE, params=PARAMS)

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
        found = population.allocate(units([7], [ground(9, 9)]), town(), NOWHERE, params=PARAMS)
        assert found.total == 7

    def test_nobody(self) -> None:
        assert self.spread(0, 0).total == 0


def test_the_standards_fill_the_parameters() -> None:
    params = PopulationParams.of(standards.load())
    assert params.storey_m == 3 and 20 < params.house_m2_per_person < 100


fractions = st.lists(st.floats(0, 50), max_size=30)


@given(fractions)
def test_whole_people_add_up_to_the_rounded_sum(people: list[float]) -> None:
    ids = np.array([f"w{i}" for i in range(len(people))], dtype=object)
    found = whole(np.array(people, dtype=float), ids)
    assert found.dtype == np.int64 and (found >= 0).all()
    assert abs(found.sum() - sum(people)) <= 0.5 + 1e-9
    assert (np.abs(found - people) < 1 + 1e-9).all()


@given(fractions, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(people: list[float], random) -> None:  # type: ignore[no-untyped-def]
    order = list(range(len(people)))
    random.shuffle(order)
    ids, values = np.array([f"w{i}" for i in range(len(people))], dtype=object), np.array(people, dtype=float)
    assert whole(values[order], ids[order]).tolist() == whole(values, ids)[order].tolist()


dwellings = st.lists(
    st.tuples(st.sampled_from(["house", "apartments", "school", "yes"]), st.integers(0, 29), st.integers(3, 30)),
    max_size=12,
)


@given(dwellings, st.lists(st.integers(0, 500), min_size=3, max_size=3))
def test_allocation_keeps_every_unit_whole(rows: list[tuple[str, int, int]], people: list[int]) -> None:
    buildings = town(*(building(use, size, size, at=10.0 * x) for use, x, size in rows))
    shapes = [ground(100, 100, at=100.0 * i) for i in range(3)]
    found = population.allocate(units([*map(float, people)], shapes), buildings, NOWHERE, params=PARAMS).demand
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
