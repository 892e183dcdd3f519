"""Hazards in one measure where people are: on a row of four homes, by law, and what a map gives by itself."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import data.standards
from geo import dangers, levels, tables
from geo.city import City, PlanParams
from geo.composite import Combined
from geo.hazards import Grid, Hazard
from tests.geo.drawn import CRS, ORIGIN

PARAMS = PlanParams.of(data.standards.load())
X, Y = ORIGIN
EXTENT = (X, Y - 100, X + 400, Y)
NAN = math.nan


def hazard(kind: str, *values: float, name: str = "") -> Hazard:
    """A row of cells of 100 m, one a home."""
    grid = Grid(np.array([values], dtype=np.float32), (100, 0, X, 0, -100, Y), CRS)
    return Hazard(name or kind, kind, levels.UNITS[kind], grid)


def homes(*people: int, communities: str = "wwee", **columns: object) -> gpd.GeoDataFrame:
    """A home in the middle of each cell."""
    named = {"demand_id": list("abcdefgh")[: len(people)], "community_id": list(communities), "people": people}
    at = [shapely.Point(X + 100 * i + 50, Y - 50) for i in range(len(people))]
    return gpd.GeoDataFrame({**named, **columns}, geometry=at, crs=CRS)


def units() -> gpd.GeoDataFrame:
    at = [shapely.box(X, Y - 100, X + 200, Y), shapely.box(X + 200, Y - 100, X + 400, Y)]
    return gpd.GeoDataFrame({"community_id": ["w", "e"]}, geometry=at, crs=CRS)


def together(*faced: Hazard) -> Combined | None:
    return dangers.together(faced, extent=EXTENT, crs=CRS, params=PARAMS)


def told(demand: gpd.GeoDataFrame, *faced: Hazard) -> pd.DataFrame:
    """The homes and what the hazards come to there."""
    of_kind = dangers.levels_at(demand, faced, params=PARAMS)
    found = dangers.at_places(demand, of_kind, together(*faced), params=PARAMS)
    return pd.concat([demand.drop(columns="geometry"), found], axis=1)


# A slide displaces everybody from level 3 on, a fire a tenth at level 2.
SLIDE, FIRE = hazard("landslide", 0, 3, 3, NAN), hazard("fire", 0, 0, 2, 2)


def test_two_hazards_on_four_homes() -> None:
    found = told(homes(10, 10, 10, 10), SLIDE, FIRE)
    assert found["level_combined"].tolist() == [0, 3, 3, 2]
    assert found["people_displaced"].tolist() == [0, 10, 10, 1]
    rows = dangers.in_communities(found, units(), params=PARAMS)
    assert rows["people_displaced"].tolist() == [10, 11]
    assert rows["people_serious"].tolist() == [10, 10]
    assert rows["people_60plus"].isna().all()
    whole = dangers.headline(found, params=PARAMS)
    assert (whole["people_displaced"], whole["people_displaced_unknown"], whole["people_serious"]) == (21, 0, 20)


def test_what_no_hazard_knows_stays_not_known() -> None:
    found = told(homes(10, 10, 10, 7), SLIDE)
    assert found["level_combined"].tolist()[:3] == [0, 3, 3]
    assert found.iloc[3][["level_combined", "people_displaced"]].isna().all()
    rows = dangers.in_communities(found, units(), params=PARAMS)
    assert rows["people_displaced_unknown"].tolist() == [0, 7]
    assert rows["people_displaced"].tolist() == [10, 10]


def test_a_home_beyond_the_raster_is_not_known() -> None:
    short = hazard("landslide", 0, 3)
    assert told(homes(10, 10, 10, 10), short)["level_combined"].isna().tolist() == [False, False, True, True]


def test_on_an_ordinary_day_nobody_needs_a_shelter_and_no_level_is_known() -> None:
    assert together() is None
    found = told(homes(10, 10, 10, 10))
    assert found["level_combined"].isna().all()
    assert found["people_displaced"].tolist() == [0, 0, 0, 0]
    assert dangers.headline(found, params=PARAMS)["people_serious"] == 0


def test_two_rasters_of_a_kind_count_as_the_worse_and_a_velocity_displaces_nobody() -> None:
    west, east = hazard("landslide", 3, NAN, 0, 0, name="west"), hazard("landslide", 0, 3, NAN, 0, name="east")
    assert told(homes(10, 10, 10, 10), west, east)["people_displaced"].tolist() == [10, 10, 0, 0]
    water, fast = hazard("flood", 0, 0.6, 0.6, 0.6), hazard("flood_velocity", 5, 5, 5, 5)
    still, moving = told(homes(100, 100, 100, 100), water), told(homes(100, 100, 100, 100), water, fast)
    assert still["people_displaced"].tolist() == moving["people_displaced"].tolist()
    assert moving["level_combined"].tolist() == [0, 5, 5, 5]


def test_groups_are_told_beside_everybody() -> None:
    found = told(homes(10, 10, 10, 10, people_60plus=[1.0, 2.0, 3.0, 4.0]), SLIDE, FIRE)
    rows = dangers.in_communities(found, units(), params=PARAMS)
    assert rows["people_60plus"].tolist() == [3, 7]
    assert rows["people_60plus_displaced"].tolist()[0] == 2
    assert dangers.headline(found, params=PARAMS)["people_60plus"] == 10


def test_without_people_there_is_nothing_to_tell_but_the_columns() -> None:
    found = told(homes(communities=""), SLIDE)
    rows = dangers.in_communities(found, units(), params=PARAMS)
    assert rows[["people_displaced", "people_serious"]].to_numpy().tolist() == [[0, 0], [0, 0]]
    assert dangers.headline(found, params=PARAMS)["people_serious"] == 0


level = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, NAN])


@settings(max_examples=40, deadline=None)
@given(st.lists(level, min_size=4, max_size=4), st.lists(level, min_size=4, max_size=4),
       st.lists(st.integers(0, 99), min_size=4, max_size=4))  # fmt: skip
def test_everybody_is_displaced_or_not_or_not_known(one: list[float], two: list[float], people: list[int]) -> None:
    faced = hazard("landslide", *one), hazard("fire", *two)
    found = told(homes(*people), *faced)
    rows = dangers.in_communities(found, units(), params=PARAMS)
    whole = dangers.headline(found, params=PARAMS)
    known = ~(np.isnan(one) & np.isnan(two))
    assert found["people_displaced"].notna().tolist() == found["level_combined"].notna().tolist() == known.tolist()
    assert (found["people_displaced"].fillna(0) <= found["people"]).all()
    for name in ("people_displaced", "people_displaced_unknown", "people_serious"):
        assert rows[name].sum() == np.nan_to_num(whole[name]), name
    assert whole["people_displaced_unknown"] == np.array(people)[~known].sum()
    pd.testing.assert_frame_equal(found, told(homes(*people), *reversed(faced)))


# hazards of the city itself


def city(**more: object) -> City:
    """A river along the row of homes, 15 m south of them."""
    river = shapely.LineString([(X, Y - 65), (X + 400, Y - 65)])
    empty = {t.name: tables.empty(t, crs=CRS) for t in (tables.AREAS, tables.BUILDINGS, tables.FACILITIES)}
    row = {c.name: [np.nan if c.kind == "float" else None] for c in tables.LINES.columns}
    lines = gpd.GeoDataFrame(row | {tables.LINES.id_column: ["r"], "kind": ["river"]}, geometry=[river], crs=CRS)
    return City(
        crs=CRS, ways=None, buildings=empty["buildings"], facilities=empty["facilities"], areas=empty["areas"],
        lines=lines, shelters=tables.empty(tables.SHELTERS, crs=CRS),
        boundaries=tables.empty(tables.BOUNDARIES, crs=CRS), **more,
    )  # type: ignore[arg-type]  # fmt: skip


def test_given_and_derived_hazards_are_known_by_their_layers() -> None:
    town = city(hazards={"slide": SLIDE}, derived={"by-the-river": "waterside", "fuel": "fuel_industry"})
    known, notes = dangers.of_city(town, extent=EXTENT, params=PARAMS)
    assert list(known) == ["slide", "by-the-river", "fuel"]
    assert {name: (h.hazard_id, h.kind, h.unit) for name, h in known.items() if name != "slide"} == {
        "by-the-river": ("by-the-river", "waterside", "level"), "fuel": ("fuel", "fuel_industry", "level"),
    }  # fmt: skip
    said = {name: [(note.code, note.layer_id) for note in of] for name, of in notes.items()}
    assert said == {"by-the-river": [], "fuel": [("no_source", "fuel")]}, "not mapped is not none"
    assert np.isnan(known["fuel"].grid.values).all()


def test_a_derived_hazard_raises_the_level_and_displaces_nobody() -> None:
    known, _ = dangers.of_city(city(derived={"waterside": "waterside"}), extent=EXTENT, params=PARAMS)
    alone, both = told(homes(10, 10, 10, 10), SLIDE), told(homes(10, 10, 10, 10), SLIDE, known["waterside"])
    assert both["level_combined"].tolist() == [4, 4, 4, 4], "15 m from a river, as the standards have it"
    assert both["people_displaced"].tolist()[:3] == alone["people_displaced"].tolist()[:3] == [0, 10, 10]


def test_without_a_derived_layer_nothing_is_derived() -> None:
    assert dangers.of_city(city(), extent=EXTENT, params=PARAMS) == ({}, {})


@pytest.mark.parametrize(("cells", "side"), [(8, 50.0), (2, 200.0)])
def test_the_size_of_cells_changes_no_home(cells: int, side: float) -> None:
    """Hazards are looked up where people are, whatever grid they came on."""
    values = np.repeat([[0.0, 3.0]], cells // 2, axis=1).astype(np.float32)
    fine = Hazard("landslide", "landslide", "level", Grid(values, (side, 0, X, 0, -100, Y), CRS))
    assert told(homes(10, 10, 10, 10), fine)["level_combined"].tolist() == [0, 0, 3, 3]


def test_a_wide_place_has_larger_cells_and_it_is_said() -> None:
    few = {"composite": {"cells_max": 200}, "derived": {"cells_max": 200}}
    tight = PlanParams.model_validate({
        part: {**values, **few.get(part, {})} for part, values in PARAMS.model_dump().items()
    })  # fmt: skip
    combined = dangers.together([SLIDE], extent=EXTENT, crs=CRS, params=tight)
    assert combined is not None
    assert (combined.level.transform[0], combined.level.values.size <= 200) == (20, True), "10 m would be 400 cells"
    assert np.nanmax(combined.level.values) == 3
    assert [note.code for note in dangers.coarser(EXTENT, params=tight)] == ["composite_cells_larger"]
    assert dangers.coarser(EXTENT, params=PARAMS) == ()
    known, notes = dangers.of_city(city(derived={"w": "waterside"}), extent=EXTENT, params=tight)
    assert known["w"].grid.transform[0] == 20
    assert [note.en for note in notes["w"]] == [
        "Hazards of the map are told in cells of 20 m instead of 10 m: there would be too many (derived.cells_max)."
    ]
    assert notes["w"][0].zh
