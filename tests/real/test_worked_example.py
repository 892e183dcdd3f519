"""The worked example again with plain geometry: distances, buffers, areas and sums from the map alone.

What the page says was written by the engine (``worked.json``); here nothing of it is asked but the reader of the
map. A few seconds.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from data import osm
from data.osm import Extract
from tests import shared_data
from tests.real import lands, worked
from tests.real.worked_page import by_share, page

MAP, FLOOD = "kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif"
FACTS: dict[str, Any] = json.loads(worked.FILE.read_text(encoding="utf-8"))
ROUND = 128
"""Stretches of a quarter circle, finer than the engine draws."""


@pytest.fixture(scope="module")
def shapes() -> dict[str, BaseGeometry]:
    """Everything on the map by its id, in the example's CRS."""
    if reason := shared_data.why_not(MAP, FLOOD):
        pytest.skip(reason)
    town: Extract = osm.read(shared_data.folder() / MAP)
    assert town.crs == FACTS["crs"]
    tables = ((town.buildings, "building_id"), (town.lines, "line_id"), (town.areas, "area_id"),
              (town.facilities, "facility_id"))  # fmt: skip
    found: dict[str, BaseGeometry] = {}
    for table, key in tables:
        for name, shape in zip(table[key], table.geometry, strict=True):
            found.setdefault(name, shape)
    return found | _streets(town)


def _streets(town: Extract) -> dict[str, BaseGeometry]:
    """The middle lines of the streets by their ids."""
    ways, points = town.ways, np.column_stack([town.ways.x, town.ways.y])
    parts = np.split(points, ways.start[1:-1])
    return {f"w{name}": shapely.LineString(part) for name, part in zip(ways.tags["way_id"], parts, strict=True)}


def measured(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hits of rules that keep a distance from something on the map."""
    return [hit for hit in hits if hit["required_m"] and hit["source_id"]]


def test_distances_and_shares_of_what_stands(shapes: dict[str, BaseGeometry]) -> None:
    checked = 0
    for thing in FACTS["things"]:
        building = shapes[thing["object_id"]]
        assert building.area == pytest.approx(thing["area_m2"], abs=0.01)
        for hit in measured(thing["hits"]):
            source = shapes[hit["source_id"]]
            assert building.distance(source) == pytest.approx(hit["distance_m"], abs=0.01)
            near = source.buffer(hit["required_m"], quad_segs=ROUND)
            assert building.intersection(near).area / building.area == pytest.approx(hit["share"], abs=0.002)
            assert hit["distance_m"] < hit["required_m"]
            checked += 1
    assert checked >= 2


def test_kept_rules_are_kept(shapes: dict[str, BaseGeometry]) -> None:
    building, checked = shapes[FACTS["things"][-1]["object_id"]], 0
    for row in FACTS["kept"]:
        assert row["distance_m"] >= row["required_m"]
        if row["source_id"] in shapes:
            assert building.distance(shapes[row["source_id"]]) == pytest.approx(row["distance_m"], abs=0.01)
            checked += 1
    assert checked >= 4 and FACTS["things"][-1]["verdict"] == "none"


def test_water_stands_where_the_flood_rules_say() -> None:
    """The middle of the building that must yield lies in 1.2 m of water or more; that of the free one is dry."""
    if reason := shared_data.why_not(MAP, FLOOD):
        pytest.skip(reason)
    buildings = osm.read(shared_data.folder() / MAP).buildings.set_index("building_id")
    with rasterio.open(shared_data.folder() / FLOOD) as raster:
        moved = buildings.geometry.loc[[thing["object_id"] for thing in FACTS["things"]]].to_crs(raster.crs)
        depth = [float(value[0]) for value in raster.sample([(p.x, p.y) for p in moved.centroid])]
    rules = [{hit["rule_id"] for hit in thing["hits"]} for thing in FACTS["things"]]
    assert [m >= 1.2 for m in depth] == ["flood_deep" in names for names in rules]
    assert depth[-1] < 0.3


def test_one_spot_two_plans(shapes: dict[str, BaseGeometry]) -> None:
    spot = FACTS["spot"]
    x, y = Transformer.from_crs("EPSG:4326", FACTS["crs"], always_xy=True).transform(spot["lon"], spot["lat"])
    hospital, park = spot["asked"]
    for hit in measured(hospital["hits"]):
        assert shapely.Point(x, y).distance(shapes[hit["source_id"]]) == pytest.approx(hit["distance_m"], abs=0.06)
    fuel = next(hit for hit in hospital["hits"] if hit["rule_id"] == "fuel_important")
    assert 14 < fuel["distance_m"] < fuel["required_m"] == 35
    assert (hospital["verdict"], park["verdict"]) == ("let", "none")
    assert not park["hits"]


def test_verdicts_follow_from_their_rules() -> None:
    """Any share in ground of a ``let`` rule makes a building let; else any in a ``prevent`` rule prevent; else none."""
    zones = {name: text.split('zone = "')[1].split('"')[0] for name, text in FACTS["rules"].items()}
    for thing in (*FACTS["things"], *FACTS["spot"]["asked"]):
        found = {zones[hit["rule_id"]] for hit in thing["hits"] if hit["share"] >= 0.001}
        assert thing["verdict"] == next((zone for zone in ("let", "avoid", "prevent") if zone in found), "none")
    for hit in (hit for thing in FACTS["things"] for hit in measured(thing["hits"])):
        assert f"distance = {hit['required_m']:g}\n" in FACTS["rules"][hit["rule_id"]]


def test_sums_of_the_reserve() -> None:
    unit, asked = FACTS["community"], FACTS["params"]
    for region in FACTS["regions"]:
        need = max(by_share(region, asked), region["people"] * asked["m2_per_person"])
        assert region["reserve_required_m2"] == math.ceil(round(need, 3))
        assert region["reserve_found_m2"] + region["reserve_short_m2"] == region["reserve_required_m2"]
    for name in ("found", "short"):
        dealt = [region[f"reserve_{name}_m2"] * region["here_m2"] / region["dealt_m2"] for region in FACTS["regions"]]
        assert sum(dealt) == pytest.approx(unit[f"reserve_{name}_m2"], abs=len(dealt))
    assert unit["reserve_found_m2"] + unit["reserve_short_m2"] == unit["reserve_required_m2"]
    mine = next(region for region in FACTS["regions"] if region["region_id"] == FACTS["region"])
    assert sum(lot["taken_m2"] for lot in FACTS["lots"]) == mine["reserve_found_m2"]
    assert all(0 < lot["taken_m2"] <= lot["usable_m2"] for lot in FACTS["lots"])


def test_what_a_collapse_leaves_of_the_street(shapes: dict[str, BaseGeometry]) -> None:
    found = FACTS["access"]
    way, wall = shapes[found["street_id"].rsplit("-", 1)[0]], shapes[found["wall_id"]]
    assert way.distance(wall) == pytest.approx(found["wall_m"], abs=0.05)
    thrown = found["height_m"] * found["factor"]
    lost = max(0.0, thrown - (way.distance(wall) - found["width_m"] / 2))
    assert found["width_m"] - lost == pytest.approx(found["clear_m"], abs=0.05)
    assert found["clear_m"] < found["lane_m"] and found["passes"] and not found["passes_after"]


def test_gains_of_the_order_never_grow() -> None:
    first, later = FACTS["order"]
    for row in (first, later):
        assert 0 < row["gain_people"] <= row["gain_alone_people"] <= row["capacity_people"]
    assert first["gain_people"] == first["gain_alone_people"] == first["cumulative_people"]
    assert later["gain_people"] < min(first["gain_people"], later["gain_alone_people"])
    assert later["cumulative_people"] >= first["cumulative_people"] + later["gain_people"]


@pytest.mark.parametrize("lang", lands.PAGES)
def test_the_page_is_that_of_the_numbers(lang: str) -> None:
    file = lands.DOCS / lands.PAGES[lang].format(name="worked-example")
    assert file.read_text(encoding="utf-8") == page(FACTS, lands.listed()["example"], lang)


def test_rules_are_told_as_they_are_written() -> None:
    assert {name: worked.rule_text(name) for name in FACTS["rules"]} == FACTS["rules"]


def test_every_place_has_its_section() -> None:
    for lang, named in lands.PAGES.items():
        text = (lands.DOCS / named.format(name="land")).read_text(encoding="utf-8")
        shown = [line for line in text.splitlines() if line.startswith("## ")]
        assert shown == [f"## {about[lang]}" for about in lands.listed()["place"].values()]
        assert re.search(r"\bnan\b|\bNone\b|\{", text) is None
