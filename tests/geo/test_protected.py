"""防 on the drawn town: regions, reserve, access and corridors put together, and what their tables come to."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import shapely

from geo import access_audit, protected, tables
from geo.protected import Protected
from tests.geo import drawn_land as town
from tests.geo.drawn_land import CRS, box, table

GREEN = box(430, 505, 560, 543)
"""Open ground by the street b-c, below the power line."""


@cache
def found() -> Protected:
    """With a lot of open ground, so that something is reserved."""
    return town.otherwise(lots=town.lots({"green": (GREEN, "green")})).protected


def test_regions_are_the_ground_and_the_reserve_lies_in_them_off_what_yields() -> None:
    regions = found().regions.table
    assert shapely.area(regions.geometry).sum() == pytest.approx(town.WIDE * town.HIGH)
    lots = found().reserved
    assert len(lots) == 1 and lots.geometry.iloc[0].within(GREEN.buffer(1e-6))
    let = town.drawn().let
    assert shapely.area(shapely.intersection(lots.geometry.iloc[0], shapely.union_all(let))) < 1e-6
    told = found().reserve.regions
    # 5 % of 48 ha, no more than 1.5 m² a person would ask: what is found is what lies there.
    assert told["reserve_required_m2"].sum() == pytest.approx(0.05 * town.WIDE * town.HIGH)
    assert told["reserve_found_m2"].sum() == pytest.approx(lots["taken_m2"].sum())
    assert (told["reserve_found_m2"] + told["reserve_short_m2"]).sum() == pytest.approx(
        told["reserve_required_m2"].sum()
    )


def test_ground_to_yield_is_no_reserve() -> None:
    base = replace(town.ready(), city=replace(town.ready().city, lots=town.lots({"green": (GREEN, "green")})))
    units = base.communities
    whole = units.geometry.union_all()
    flooded = protected.of(base, units, whole, np.array([box(400, 480, 600, 600)], dtype=object))
    assert not len(flooded.reserved) and flooded.reserve.regions["reserve_found_m2"].sum() == 0
    free = protected.of(base, units, whole, np.zeros(0, dtype=object))
    assert free.reserved["taken_m2"].sum() >= found().reserved["taken_m2"].sum()


def test_everything_that_is_to_be_joined_is_a_terminal_once() -> None:
    terminals = found().terminals
    assert terminals[["terminal_id", "asks", "object"]].to_numpy().tolist() == [
        ["s0", "emergency", "shelter"], [found().reserved["candidate_id"].iloc[0], "emergency", "reserve"]
    ]  # fmt: skip
    ways = found().lifelines.terminals
    told = protected.headline(found())
    assert [told["joined_twice"], told["joined_once"], told["not_joined"]] == [
        (ways["ways"] == k).sum() for k in (2, 1, 0)
    ]
    assert told["corridors_cost"] >= told["corridors_cost_least"] - 1e-6


def test_every_building_and_shelter_is_audited_and_the_people_in_it_counted() -> None:
    layers, homes = protected.layers(found()), found().people
    audited = layers["access_audit"]
    assert audited["object"].value_counts().to_dict() == {"building": len(town.HOUSES), "shelter": 1}
    assert homes is not None and homes.tolist() == [people for *_, people in town.HOUSES.values()]
    passes = found().buildings["passes"].to_numpy()
    told = protected.headline(found())
    assert told["access_ok_share"] == pytest.approx(passes.mean())
    ids = found().base.communities["community_id"]
    units = protected.by_community(found(), ids)
    assert units["buildings_audited"].sum() == len(town.HOUSES)
    assert units["people_without_access"].sum() == told["people_without_access"]
    for name in ("reserve_required_m2", "reserve_found_m2", "reserve_short_m2"):
        assert units[name].sum() == pytest.approx(told[name])
    assert set(units) >= {*access_audit.SHARES, "reserve_required_m2"}


def test_streets_are_told_one_by_one_and_tables_are_as_promised() -> None:
    streets, layers = protected.streets(found()), protected.layers(found())
    assert len(streets) == len(found().base.network.length_m)
    assert (streets["clear_m"] <= streets["width_m"] + 1e-9).all() and (streets["rubble_left_m"] >= 0).all()
    assert set(streets["blocked_by"].dropna()) <= set(found().base.city.buildings["building_id"])
    assert set(layers) == {"regions", "reserve", "access_audit", "blocked_streets", "corridors", "joined"}
    assert all(layer.crs == CRS for layer in layers.values())
    assert found().base.city.buildings["building_id"].isin(layers["access_audit"]["object_id"]).all()


def test_nobody_and_nothing_is_audited_with_the_right_columns() -> None:
    empty = {"buildings": tables.empty(tables.BUILDINGS, crs=CRS), "shelters": tables.empty(tables.SHELTERS, crs=CRS),
             "people": {None: tables.empty(tables.DEMAND, crs=CRS)}}  # fmt: skip
    none = town.of(town.city(**empty)).protected
    told = protected.headline(none)
    assert none.people is None and list(told) == list(protected.headline(found()))
    assert np.isnan(told["access_ok_share"]) and told["reserve_required_m2"] > 0
    units = protected.by_community(none, none.base.communities["community_id"])
    assert units["buildings_audited"].tolist() == [0, 0] and units["access_ok_share"].isna().all()
    for name, layer in protected.layers(none).items():
        assert list(layer.columns) == list(protected.layers(found())[name].columns), name


def test_a_city_without_hydrants_or_heights_or_trunk_roads_says_so() -> None:
    codes = {note.code for note in protected.notes(found())}
    assert {"rubble_heights_assumed", "trunk_assumed", "hydrants_not_mapped"} <= codes
    hydrants = table(tables.FACILITIES, [town.point(380, 205)], kind=["hydrant"])
    assert "hydrants_not_mapped" not in {
        note.code for note in protected.notes(town.otherwise(facilities=hydrants).protected)
    }
