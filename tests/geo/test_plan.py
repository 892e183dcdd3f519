"""The whole recipe on a town of four houses, solved by eye."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import data.standards
from geo import plan, readied, tables
from geo.city import City, PlanParams, Scenario
from geo.errors import InputError
from geo.hazards import Grid, Hazard
from geo.reasons import Sentence
from geo.tables import Schema
from tests.geo.drawn import CRS, ORIGIN, positions, ways

# west | east: the river rises between b and c, where a bridge crosses to d and a low street leads to e
#
#   a b c d
#       e
STREETS = positions("abcd\n  e", step_m=100)
CHAINS: dict[str, dict[str, str]] = {"ab": {}, "bc": {}, "cd": {"bridge": "yes"}, "ce": {}}
DEFAULTS = PlanParams.of(data.standards.load())
NORMAL, FLOOD = Scenario("normal"), Scenario("flood", "emergency", ("flood",))


def box(x: float, y: float, side: float = 10) -> shapely.Polygon:
    return shapely.box(ORIGIN[0] + x, ORIGIN[1] + y, ORIGIN[0] + x + side, ORIGIN[1] + y + side)


def table(schema: Schema, shapes: list[shapely.Geometry], **columns: object) -> gpd.GeoDataFrame:
    empty = {c.name: [np.nan if c.kind == "float" else None] * len(shapes) for c in schema.columns}
    ids = [f"{schema.name}{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame(empty | {schema.id_column: ids} | columns, geometry=shapes, crs=CRS)


def water(*wet: tuple[int, int], depth: float = 2.0, unknown: tuple[tuple[int, int], ...] = ()) -> Hazard:
    """Cells of 20 m over the town; (column, row) from the corner 100 m west and north of a."""
    values = np.zeros((20, 30), dtype=np.float32)
    for column, row in wet:
        values[row, column] = depth
    for column, row in unknown:
        values[row, column] = np.nan
    return Hazard("flood", "flood", "m", Grid(values, (20, 0, ORIGIN[0] - 100, 0, -20, ORIGIN[1] + 100), CRS))


RIVER = water(*[(column, row) for column in range(16, 20) for row in range(20)])
"""From 20 m east of c to d: under the bridge."""
LOW = water(*[(column, row) for column in (14, 15) for row in range(6, 9)])
"""On c-e, between the two."""


def city(*hazards: Hazard, shelters: list[shapely.Geometry] | None = None, origin: str = "mapped") -> City:
    homes = [box(0, 5), box(150, 5), box(290, 5), box(205, -90)]
    sites = [box(395, -5, 50)] if shelters is None else shelters
    return City(
        crs=CRS,
        ways=ways(STREETS, CHAINS),
        buildings=table(tables.BUILDINGS, homes, use=["house"] * 4),
        facilities=table(tables.FACILITIES, [], kind=[]),
        shelters=table(tables.SHELTERS, sites, kind=["park"] * len(sites), origin=[origin] * len(sites),
                       tier=["emergency"] * len(sites), area_m2=[2500.0] * len(sites)),
        areas=table(tables.AREAS, []),
        lines=table(tables.LINES, []),
        boundaries=table(tables.BOUNDARIES, []),
        communities=table(tables.COMMUNITIES, [box(-50, -150, 250), box(200, -150, 250)], name=["West", "East"],
                          level=["community"] * 2, source=["drawn"] * 2),
        people={None: table(tables.DEMAND, [h.centroid for h in homes], people=[1, 10, 100, 1000])},
        hazards={hazard.hazard_id: hazard for hazard in hazards},
    )  # fmt: skip


def computed(town: City, scenario: Scenario, params: PlanParams = DEFAULTS) -> plan.Plan:
    return plan.run(readied.prepare(town, params=params), scenario)


def test_on_a_normal_day_everybody_walks_to_the_park() -> None:
    found = computed(city(), NORMAL)
    assert found.headline["people"] == found.headline["people_served"] == 1111
    assert found.layers["communities"]["status"].tolist() == ["good", "good"]
    assert found.layers["shelters"]["people_nearest"].tolist() == [1111]


def test_the_flood_passes_under_the_bridge() -> None:
    found = computed(city(RIVER), FLOOD)
    assert found.headline["people_cut_off"] == 0
    bridge = found.layers["streets"].set_index("street_id").loc["w3-0"]
    assert bridge["bridge"] and bridge["walk_usable"] and bridge["depth_max_m"] == 0


def test_a_flooded_street_cuts_off_those_behind_it() -> None:
    found = computed(city(LOW), FLOOD)
    assert found.headline["people_cut_off"] == 1000
    states = found.layers["demand"].set_index("demand_id")["state"].to_dict()
    assert states == {"demand0": "served", "demand1": "served", "demand2": "served", "demand3": "street_closed"}
    east = found.layers["communities"].set_index("name").loc["East"]
    assert (east["people"], east["people_served"], east["reason_code"], east["status"]) == (
        1100,
        100,
        "street_closed",
        "bad",
    )
    assert found.layers["cut_off"]["people"].tolist() == [1000]


def test_a_shelter_in_the_water_is_not_used() -> None:
    wet_park = water(*[(column, row) for column in range(24, 28) for row in range(3, 7)])
    found = computed(city(wet_park), FLOOD)
    assert found.layers["shelters"]["reason_code"].tolist() == ["flooded"]
    assert found.headline["people_served"] == 0 and found.headline["people_lost_access"] == 1111
    assert "under water, up to 2 m" in found.layers["shelters"]["reason_en"].iloc[0]


def test_unknown_ground_is_not_dry_ground() -> None:
    nothing_known = water(unknown=tuple((column, row) for column in range(30) for row in range(20)))
    found = computed(city(nothing_known), FLOOD)
    assert found.layers["shelters"]["reason_code"].tolist() == ["hazard_unknown"]
    assert found.layers["streets"]["depth_max_m"].isna().sum() == 3  # all but the bridge
    assert "hazard_partly_unknown" in [note.code for note in found.notes]


def test_without_a_hazard_depths_are_not_known_rather_than_zero() -> None:
    found = computed(city(), NORMAL)
    assert found.layers["streets"]["depth_max_m"].isna().all() and found.layers["demand"]["depth_max_m"].isna().all()
    assert found.headline["people_exposed"] == 0


@pytest.mark.parametrize("scenario", [NORMAL, FLOOD], ids=["normal", "flood"])
def test_a_city_without_any_shelter_is_told_so(scenario: Scenario) -> None:
    found = computed(city(LOW, shelters=[]), scenario)
    assert found.headline["people_served"] == 0 and found.headline["shelters"] == 0
    assert "no_shelters" in [note.code for note in found.notes]
    assert len(found.layers["street_flows"]) == len(found.layers["shelters"]) == 0


def test_candidates_stand_in_and_are_named() -> None:
    found = computed(city(origin="candidate"), NORMAL)
    assert found.headline["people_served"] == 1111
    assert "candidates_assumed" in [note.code for note in found.notes]


def test_a_city_of_which_nobody_knows_the_people_stands_by_its_streets() -> None:
    town = city()
    found = computed(replace(town, people={None: town.people[None].iloc[:0]}), NORMAL)
    assert found.layers["communities"]["status"].tolist() == ["good", "good"]
    assert set(found.layers["communities"]["reason_code"]) == {"people_not_known"}
    assert found.headline["shelter_street_share"] == 1
    assert all(check.ok for check in found.audit)


def test_people_known_by_unit_go_to_the_dwellings_in_it() -> None:
    town = city()
    assert town.communities is not None
    by_unit = table(tables.DEMAND, list(town.communities.geometry), people=[40, 60])
    found = computed(replace(town, people={None: by_unit}), NORMAL)
    assert found.layers["demand"]["people"].tolist() == [20, 20, 30, 30]
    assert found.layers["communities"]["people"].tolist() == [40, 60]


def test_people_outside_every_community_are_kept() -> None:
    town = city()
    assert town.communities is not None
    found = computed(replace(town, communities=town.communities.iloc[:1]), NORMAL)
    assert found.layers["communities"].set_index("community_id")["people"].to_dict() == {
        "communities0": 11,
        "outside": 1100,
    }
    assert all(check.ok for check in found.audit)


@pytest.mark.parametrize("hazard", [RIVER, LOW], ids=["river", "low street"])
def test_two_computations_are_equal_to_the_last_bit(hazard: Hazard) -> None:
    one, other = computed(city(hazard), FLOOD), computed(city(hazard), FLOOD)
    for name, layer in one.layers.items():
        pd.testing.assert_frame_equal(
            pd.DataFrame(layer.to_wkb()), pd.DataFrame(other.layers[name].to_wkb()), check_exact=True
        )


@pytest.mark.parametrize(("depth", "served"), [(0.5, 1111), (0.51, 111)])
def test_the_depth_that_closes_a_street_is_a_parameter(depth: float, served: int) -> None:
    low = water(*[(column, row) for column in (14, 15) for row in range(6, 9)], depth=depth)
    assert computed(city(low), FLOOD).headline["people_served"] == served


def test_layers_have_the_same_columns_with_and_without_a_hazard() -> None:
    normal, flood = computed(city(LOW), NORMAL), computed(city(LOW), FLOOD)
    for name, layer in normal.layers.items():
        assert layer.columns.tolist() == flood.layers[name].columns.tolist(), name


def test_known_shelters_replace_candidates_and_it_is_said() -> None:
    town = city(shelters=[box(255, -20, 50), box(0, -30, 20)])
    both = replace(town, shelters=town.shelters.assign(origin=["mapped", "candidate"]))
    said = {note.code: note.en for note in computed(both, NORMAL).notes}
    assert said["candidates_not_counted"].startswith(
        "1 shelters are known; 1 places that could become shelters are not"
    )


def test_room_is_dealt_out_to_the_last_place_and_who_is_left_is_told() -> None:
    small = city()
    held = replace(small, shelters=small.shelters.assign(capacity=[107.0]))
    found = computed(held, NORMAL)
    assert found.layers["shelters"]["people"].tolist() == [107]
    assert found.layers["demand"]["people_unserved"].tolist() == [1, 3, 0, 1000]
    assert found.layers["demand"]["state"].tolist() == ["full", "full", "served", "full"]
    assert found.headline["people_full"] == 1004
    assert all(check.ok for check in found.audit)


def test_room_that_nobody_knows_is_told_beside_those_it_takes() -> None:
    unknown = city(shelters=[box(395, -5).centroid])
    unknown = replace(unknown, shelters=unknown.shelters.assign(area_m2=[np.nan]))
    said = {note.code: note.en for note in computed(unknown, NORMAL).notes}
    assert said["room_not_known"].startswith("1,111 people are led to 1 shelters")
    none = changed_to(DEFAULTS, "refuge", unknown_room="none")
    assert computed(unknown, NORMAL, none).headline["people_served"] == 0


def test_room_for_more_people_than_there_are_is_still_known() -> None:
    found = computed(city(), NORMAL)
    sites = found.layers["shelters"]
    assert (sites["capacity_people"].tolist(), sites["capacity_limits"].tolist()) == ([3000], [True])
    assert sites["load_share"].tolist() == [1111 / 3000]
    assert "room_not_known" not in [note.code for note in found.notes]


def changed_to(params: PlanParams, part: str, **values: object) -> PlanParams:
    return params.model_copy(update={part: getattr(params, part).model_copy(update=values)})


def test_at_night_the_whole_walk_takes_longer_the_last_metres_too() -> None:
    night = DEFAULTS.model_copy(update={"time": DEFAULTS.time.model_copy(update={"night": True})})
    day = computed(city(), NORMAL).layers["demand"]["walk_s"]
    late = computed(city(), NORMAL, night).layers["demand"]["walk_s"]
    assert (day / late).tolist() == pytest.approx([DEFAULTS.walk.night_factor] * len(day), abs=1e-4)


def test_a_velocity_without_a_flood_is_refused() -> None:
    grid = Grid(np.ones((1, 1)), (1000, 0, ORIGIN[0] - 100, 0, -1000, ORIGIN[1] + 500), CRS)
    fast = Hazard("flood", "flood_velocity", "m/s", grid)
    with pytest.raises(InputError, match="a flood beside the velocity"):
        computed(city(fast), FLOOD)


def test_people_of_the_day_are_elsewhere_than_those_of_the_night() -> None:
    town = city(LOW)
    night, day = town.people[None], town.people[None].assign(people=[1000, 0, 0, 5])
    both = replace(town, people={"night": night, "day": day})
    served = {
        time: plan.run(readied.prepare(both, params=DEFAULTS, time=time), FLOOD).headline["people_served"]  # type: ignore[arg-type]
        for time in ("night", "day")
    }
    assert served == {"night": 111, "day": 1000}
    only = readied.prepare(replace(town, people={"day": day}), params=DEFAULTS, time="night")
    assert only.people.total == 1005, "better the people of another time than none, and it is said"
    assert len(only.notes) == len(readied.prepare(replace(town, people={None: day}), params=DEFAULTS).notes) + 1


def test_communities_add_up_to_the_units_above_them() -> None:
    town = city(LOW)
    assert town.communities is not None
    parts = replace(town, communities=town.communities.assign(parent_id=["Old Town", None]))
    found = computed(parts, FLOOD).layers
    districts = found["districts"].set_index("community_id")
    assert districts["people"].to_dict() == {"subdistrict_Old Town": 11, "none_subdistrict": 1100}
    assert districts["people_served"].sum() == found["communities"]["people_served"].sum() == 111
    assert "districts" not in computed(city(LOW), FLOOD).layers


def test_several_hazards_are_one_level_where_people_are() -> None:
    low, slide = (
        water(*[(14, row) for row in range(6, 9)]),
        replace(LOW, hazard_id="slide", kind="landslide", unit="level"),
    )
    town = city(low, slide)
    both = computed(town, Scenario("both", "emergency", ("flood", "slide")))
    assert both.combined is not None
    assert both.combined.hazard_ids == ("flood", "slide")
    assert [hazard.hazard_id for hazard in both.faced] == ["flood", "slide"]
    normal = computed(town, NORMAL)
    assert (normal.combined, normal.faced) == (None, ())
    assert both.layers["communities"]["people_displaced"].sum() == both.headline["people_displaced"]


def test_ground_that_is_only_near_the_water_changes_nobodys_way() -> None:
    river = shapely.LineString([(ORIGIN[0] - 100, ORIGIN[1] + 30), (ORIGIN[0] + 500, ORIGIN[1] + 30)])
    town = replace(city(), lines=table(tables.LINES, [river], kind=["river"]), derived={"waterside": "waterside"})
    near, normal = computed(town, Scenario("near", "alert", ("waterside",))), computed(town, NORMAL)
    assert near.headline["people_served"] == normal.headline["people_served"] == 1111
    assert near.layers["demand"]["level_combined"].max() > 0
    assert near.headline["people_displaced"] == 0
    assert near.layers["streets"]["walk_usable"].all()


def test_what_was_done_to_a_hazard_is_said_where_it_is_in_force() -> None:
    town = replace(city(LOW), hazard_notes={"flood": (Sentence("mended", "Mended.", "已修复。"),)})
    assert "mended" in [note.code for note in computed(town, FLOOD).notes]
    assert "mended" not in [note.code for note in computed(town, NORMAL).notes]


def test_what_a_derived_hazard_gives_to_say_is_said_where_it_is_in_force() -> None:
    town = replace(city(), derived={"fuel": "fuel_industry", "more-fuel": "fuel_industry"})
    base = readied.prepare(town, params=DEFAULTS)
    for names in ((), ("fuel",), ("more-fuel", "fuel")):
        notes = plan.run(base, Scenario("x", "alert", names)).notes
        assert [getattr(note, "layer_id", "") for note in notes if note.code == "no_source"] == list(names)
