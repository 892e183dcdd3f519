"""How complete the data is: towns so small that every share and sentence can be checked by eye."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo.completeness import KINDS, MEASURES, Completeness, CompletenessParams, completeness
from geo.network import Ways
from geo.reasons import Finding
from geo.tables import AREAS, BUILDINGS, FACILITIES, LINES, SHELTERS, Schema, checked, empty
from tests.geo.drawn import CRS, ORIGIN, positions, ways

PARAMS = CompletenessParams.of(standards.load())
X, Y = ORIGIN
STREET = {"name": "High Street", "surface": "asphalt", "lit": "yes", "lanes": "2"}
# One street of 1,000 m and one of 500 m, a kilometre apart.
PLACES = positions("a         b\n.\n.\n.\n.\n.\n.\n.\n.\n.\nc    d")
TOWN = ways(PLACES, {"ab": STREET, "cd": {"name": "Bare Street"}})


def table(schema: Schema, rows: Sequence[dict[str, Any]]) -> gpd.GeoDataFrame:
    """Rows of a table; what is not given is missing, or made up where something must be."""
    if not rows:
        return empty(schema, crs=CRS)
    full = [{c.name: math.nan if c.kind == "float" else None for c in schema.columns} | row for row in rows]
    frame = gpd.GeoDataFrame(pd.DataFrame(full), geometry="geometry", crs=CRS)
    return checked(frame.assign(**{schema.id_column: [f"r{i}" for i in range(len(frame))]}), schema)


def houses(along: Sequence[float], *, south_m: float = 30.0, **columns: Any) -> list[dict[str, Any]]:
    """Houses of 10 m so far south of the first street, at metres along it."""
    return [{"geometry": shapely.box(X + a, Y - south_m - 10, X + a + 10, Y - south_m), **columns} for a in along]


def places(kinds: Sequence[str], **columns: Any) -> list[dict[str, Any]]:
    return [{"kind": kind, "geometry": shapely.Point(X + 40 * i, Y + 20), **columns} for i, kind in enumerate(kinds)]


def judged(*, streets: Ways = TOWN, people: float | None = None, within: Any = None, **rows: Any) -> Completeness:
    schemas = {"buildings": BUILDINGS, "facilities": FACILITIES, "shelters": SHELTERS, "areas": AREAS, "lines": LINES}
    given_ = {name: table(schema, rows.get(name, [])) for name, schema in schemas.items()}
    return completeness(streets, *given_.values(), params=PARAMS, people=people, within=within)


def row(of: Completeness, measure: str) -> tuple[float, float, float]:
    found = of.shares.set_index("measure").loc[measure]
    return float(found["count"]), float(found["of"]), float(found["share"])


def said(of: Completeness) -> dict[str, Finding]:
    return {finding.code: finding for finding in of.findings}


def test_streets_by_their_length() -> None:
    found = judged()
    assert row(found, "streets_named") == pytest.approx((1500, 1500, 1))
    for measure in ("streets_width", "streets_surface", "streets_lit"):
        assert row(found, measure) == pytest.approx((1000, 1500, 2 / 3))
    assert not {"street_details_few", "street_names_few"} & said(found).keys()
    nameless = dataclasses.replace(TOWN, tags=TOWN.tags.assign(name=None, lit=None, surface=None))
    told = said(judged(streets=nameless))
    assert told["street_names_few"].en.startswith("Streets: 0% of their length has a name")
    assert "the map has surface for 0% and lighting for 0%;" in told["street_details_few"].en
    assert "路面0%、照明0%" in told["street_details_few"].zh


def test_streets_without_houses() -> None:
    """Houses all along the first street: the other, a third of the length, is bare."""
    found = judged(buildings=houses(range(0, 1000, 50)))
    assert row(found, "streets_built") == pytest.approx((1000, 1500, 2 / 3))
    told = said(found)["quarters_may_be_missing"]
    assert told.severity == "warning" and told.do_en and told.do_zh
    assert (
        "33% of the length of residential streets (0.5 km) has none within 100 m, most of it on Bare Street" in told.en
    )
    assert "33%的居住区道路长度（0.5公里）在100米内没有建筑，主要在Bare Street" in told.zh


def test_streets_that_run_out_of_the_study_do_not_count() -> None:
    north = shapely.box(X - 10, Y - 100, X + 510, Y + 100)
    found = judged(buildings=houses(range(0, 1000, 50)), within=north)
    assert row(found, "streets_built") == pytest.approx((500, 500, 1))
    assert "quarters_may_be_missing" not in said(found)


def test_a_motorway_needs_no_houses_and_no_name() -> None:
    found = judged(streets=ways(PLACES, {"ab": STREET, "cd": {"highway": "motorway"}}), buildings=houses([500]))
    assert row(found, "streets_named")[1] == row(found, "streets_built")[1] == pytest.approx(1000)


def test_residential_land_with_few_houses() -> None:
    """0.1 km² should hold 15 houses."""
    land = [{"kind": "residential", "geometry": shapely.box(X, Y - 100, X + 1000, Y)}]
    few = judged(areas=land, buildings=houses([0, 100, 500]))
    assert row(few, "buildings_on_land") == pytest.approx((3, 15, 0.2))
    assert "30 on a square kilometre of residential land (0.10 km² in all), fewer than 150" in (
        said(few)["buildings_thin_on_land"].en
    )
    many = judged(areas=[*land, *land], buildings=houses(range(0, 1000, 50)))  # drawn twice is no more land
    assert row(many, "buildings_on_land")[:2] == (20, 15)
    assert "buildings_thin_on_land" not in said(many)


def test_what_is_recorded_of_buildings() -> None:
    told = [
        *houses([0], levels=3.0, use="apartments"),
        *houses([100], height_m=9.0, use="yes"),
        *houses([200, 300, 400]),
    ]
    found = judged(buildings=told)
    assert (row(found, "buildings_levels"), row(found, "buildings_use")) == ((2, 5, 0.4), (1, 5, 0.2))
    assert "recorded for 2 of 5" in said(found)["levels_few"].en and said(found)["levels_few"].count == 3
    assert "5栋中仅1栋有用途" in said(found)["use_few"].zh


def test_no_building_at_all_is_said_once() -> None:
    found = judged()
    assert said(found)["buildings_none"].severity == "warning"
    assert not {"quarters_may_be_missing", "levels_few", "use_few"} & said(found).keys()
    assert math.isnan(row(found, "buildings_levels")[2])


def test_few_shelters_beside_many_candidates() -> None:
    sites = [*places(["evacuation_centre"] * 2, origin="mapped"), *places(["school"] * 18, origin="candidate")]
    told = said(judged(shelters=sites))["shelters_few"]
    assert told.en == (
        "Shelters: 2 are mapped, beside 18 schools that could be one: the map may be empty rather than the city."
    )
    assert told.zh == "避难场所：地图上有2处，另有18所学校可作为候选：可能是地图缺失，而非城市没有。"
    mixed = [*places(["park", "park", "school", "square", "library"], origin="candidate")]
    told = said(judged(shelters=mixed))["shelters_few"].en
    assert "none is mapped, beside 2 parks, 1 library, 1 school and 1 other place that could be one" in told
    assert "Shelters: none is mapped: the map may be empty" in said(judged())["shelters_few"].en


def test_the_citys_own_list_is_not_doubted() -> None:
    sites = [*places(["school"], origin="official"), *places(["school"] * 18, origin="candidate")]
    assert "shelters_few" not in said(judged(shelters=sites))
    enough = [*places(["school"] * 5, origin="mapped"), *places(["school"] * 18, origin="candidate")]
    assert "shelters_few" not in said(judged(shelters=enough))


def test_facilities_against_people() -> None:
    found = judged(people=52_000, facilities=places(["hospital", "doctors", "school"]))
    assert row(found, "fire_station") == (0, 1, 0)
    told = said(found)["fire_station_none"]
    assert told.severity == "warning" and told.en == (
        "Fire stations: none is in the data for 52,000 people, where 1 would be usual: the map may be empty rather "
        "than the city."
    )
    assert "消防站：数据中没有（52,000人，通常应有约1处）" in told.zh
    assert "hospital_none" not in said(found) and math.isnan(row(found, "hospital")[2])
    assert "clinic_none" not in said(found) and "clinic_few" not in said(found)  # 1 of 2 is half
    assert "kindergarten_none" in said(found) and "police_none" not in said(found)
    many = said(judged(people=200_000, facilities=places(["school"] * 3)))["school_few"]
    assert many.severity == "info" and "3 in the data for 200,000 people, where 8 would be usual" in many.en


def test_where_people_are_not_known_only_nothing_at_all_is_told() -> None:
    found = judged(facilities=places(["school"]))
    assert {f"{code}_none" for code in KINDS} - said(found).keys() == {"school_none"}
    assert said(found)["hospital_none"].severity == "info"
    assert said(found)["hospital_none"].en == (
        "Hospitals: none is in the data: the map may be empty rather than the city."
    )
    assert not any(code.endswith("_none") and code[:-5] in KINDS for code in said(judged(people=400)))


def test_hydrants_against_the_length_of_streets() -> None:
    """1,500 m of streets, one every 120 m: 12."""
    assert row(judged(facilities=places(["hydrant"] * 2)), "hydrants") == (2, 12, pytest.approx(1 / 6))
    assert "2 are mapped on 2 km of streets" in said(judged(facilities=places(["hydrant"] * 2)))["hydrants_few"].en
    assert "hydrants_few" not in said(judged(facilities=places(["hydrant"] * 3)))


def test_water() -> None:
    assert "water_none" in said(judged())
    line = [{"kind": "river", "geometry": shapely.LineString([(X, Y), (X + 9, Y)])}]
    assert "water_none" not in said(judged(lines=line))


def test_every_measure_is_there_and_the_worst_comes_first() -> None:
    found = judged(people=52_000)
    assert found.shares["measure"].tolist() == list(MEASURES)
    assert found.shares.columns.tolist() == ["measure", "en", "zh", "unit", "count", "of", "share"]
    severities = [finding.severity for finding in found.findings]
    assert severities == sorted(severities, key=["warning", "info"].index) and {"warning", "info"} == set(severities)
    assert all(finding.en.endswith(".") and finding.zh.endswith("。") for finding in found.findings)


@given(st.lists(st.integers(0, 999), max_size=30), st.floats(0, 5e6), st.integers(0, 40))
@settings(max_examples=12, deadline=None)
def test_shares_are_shares_and_more_houses_never_make_the_map_emptier(
    along: list[int], people: float, shelters: int
) -> None:
    sites = places(["park"] * shelters, origin="candidate")
    before = judged(buildings=houses(along), people=people, shelters=sites)
    after = judged(buildings=houses([*along, 500]), people=people, shelters=sites)
    shares = before.shares["share"].dropna()
    assert shares.between(0, 1).all() and (before.shares["count"] >= 0).all()
    assert row(after, "streets_built")[0] >= row(before, "streets_built")[0]
    assert np.array_equal(before.shares["of"].isna(), after.shares["of"].isna())
