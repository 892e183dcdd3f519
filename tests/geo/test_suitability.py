"""How well a place suits: parts by eye, what is not known, and laws."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import standards
from geo import suitability
from geo.errors import InputError
from geo.snapping import Snaps
from geo.suitability import FACTS, PARTS, SuitabilityParams

PARAMS = SuitabilityParams.of(standards.load())
CRS = "EPSG:32631"
NOTHING = dict.fromkeys(FACTS, np.nan)
BEST = {"share_safe": 1, "usable_m2": 9000, "street_m": 0, "ways_in": 3, "water": 1, "power": 1, "built_year": 2020,
        "roofed": 1, "major_hazard_m": 5000}  # fmt: skip
WORST = {"share_safe": 0, "usable_m2": 0, "street_m": 200, "ways_in": 0, "water": 0, "power": 0, "built_year": 1950,
         "roofed": 0, "major_hazard_m": 0}  # fmt: skip


def rated(*rows: dict[str, float], collapse: bool = False) -> pd.DataFrame:
    return suitability.rated(pd.DataFrame(rows, columns=FACTS), params=PARAMS, major_gap_m=1000, collapse=collapse)


def test_parts_by_eye() -> None:
    half = {"share_safe": 0.5, "usable_m2": 1000, "street_m": 50, "ways_in": 1, "built_year": 1990, "roofed": 0,
            "major_hazard_m": 250}  # fmt: skip
    found = rated(BEST, WORST, NOTHING | half).round(3)
    assert found.loc[0, list(PARTS)].tolist() == [1] * 9 and found["suitability"][0] == 1
    assert found.loc[1, list(PARTS)].tolist() == [0, 0, 0, 0, 0, 0, 0, 0.5, 0]
    assert found["suits_water"].isna().tolist() == [False, False, True], "not known, not lacking"
    parts = dict(zip(PARTS, [0.5, 0.5, 0.75, 0.5, np.nan, np.nan, 0.5, 0.5, 0.25], strict=True))
    assert {n: v for n, v in found.loc[2, list(PARTS)].items() if v == v} == {n: v for n, v in parts.items() if v == v}
    # weights 3, 2, 1, 1, 1, 1, 1 of 12: (1.5 + 1 + 0.75 + 0.5 + 0.5 + 0.5 + 0.25) / 10
    assert found["suitability"][2] == pytest.approx(0.5) and found["suitability_known_share"][2] == round(10 / 12, 3)


def test_of_what_nobody_knows_anything_nothing_is_said() -> None:
    found = rated(NOTHING)
    assert found[[*PARTS, "suitability"]].isna().all(axis=None) and found["suitability_known_share"].tolist() == [0]
    assert rated().columns.tolist() == [*PARTS, "suitability", "suitability_known_share"]


def test_where_buildings_may_collapse_open_ground_suits_better() -> None:
    roof, ground = NOTHING | {"roofed": 1.0}, NOTHING | {"roofed": 0.0}
    assert rated(roof, ground)["suits_roof"].tolist() == [1, 0.5]
    assert rated(roof, ground, collapse=True)["suits_roof"].tolist() == [0.5, 1]


def test_facts_that_lack_are_refused() -> None:
    with pytest.raises(InputError, match="the fact ways_in"):
        suitability.rated(pd.DataFrame([BEST]).drop(columns="ways_in"), params=PARAMS, major_gap_m=1, collapse=False)


facts = st.fixed_dictionaries({
    name: st.one_of(st.just(np.nan), st.floats(min(BEST[name], WORST[name]), max(BEST[name], WORST[name])))
    for name in FACTS
})  # fmt: skip


@given(facts, st.sampled_from(FACTS))
def test_a_better_fact_never_makes_it_worse_and_the_score_lies_between_its_parts(
    one: dict[str, float], name: str
) -> None:
    better = one | ({} if np.isnan(one[name]) else {name: BEST[name]})
    found = rated(one, better)
    parts, score = found.loc[0, list(PARTS)].to_numpy(float), found["suitability"][0]
    assert np.isnan(parts).all() == np.isnan(score)
    if not np.isnan(score):
        assert np.nanmin(parts) - 1e-9 <= score <= np.nanmax(parts) + 1e-9
        assert found["suitability"][1] >= score - 1e-9


# -- facts ---------------------------------------------------------------------------------------------------------


def table(shapes: list[shapely.Geometry], **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


SQUARES: list[shapely.Geometry] = [shapely.box(1000 * i, 0, 1000 * i + 50, 50) for i in range(4)]


def test_water_is_there_as_stated_or_near_by_or_not_known() -> None:
    sites = table(SQUARES, water=["no", True, None, "who knows"])
    near = np.array([shapely.Point(0, 100), shapely.Point(2000, 250), shapely.Point(3000, 251)], dtype=object)
    assert np.nan_to_num(suitability.supply(sites, "water", near, near_m=200), nan=-1).tolist() == [0, 1, 1, -1]
    assert np.nan_to_num(suitability.supply(sites, "power", near[:1], near_m=200), nan=-1).tolist() == [1, -1, -1, -1]


def test_the_year_is_the_stated_one_or_the_oldest_building_s() -> None:
    sites = table(SQUARES[:3], built_year=[np.nan, 1960.0, np.nan])
    homes = [shapely.box(x, 10, x + 5, 15) for x in (0, 20, 1000, 5000)]
    buildings = table(homes, built_year=[1999.0, 1985.0, 2010.0, 1900.0])
    found = suitability.built_year(sites, np.array(SQUARES[:3], dtype=object), buildings)
    assert np.nan_to_num(found).tolist() == [1985, 1960, 0]
    unsaid = suitability.built_year(sites[["geometry"]], np.array(SQUARES[:3], dtype=object), buildings[["geometry"]])
    assert np.isnan(unsaid).all()


def test_what_is_safe_is_the_rest_of_what_is_reached_and_known() -> None:
    exposed = pd.DataFrame({"share_wet": [0.2, np.nan, np.nan, 0.0], "share_hit": [0.5, 0.1, np.nan, np.nan],
                            "share_unknown": [0.0, np.nan, np.nan, 0.9]})  # fmt: skip
    found = suitability.share_safe(exposed, max_share_unknown=0.5)
    assert np.nan_to_num(found, nan=-1).tolist() == [0.5, 0.9, -1, -1]


def test_all_facts_of_a_site() -> None:
    rooms = {"open_m2": [300.0, np.nan], "usable_floor_m2": [np.nan, np.nan], "entrances_found": [1, 2],
             "entrances": [np.nan, 4.0], "floor_m2": [np.nan, 80.0], "share_wet": [np.nan] * 2,
             "share_hit": [np.nan] * 2, "share_unknown": [np.nan] * 2}  # fmt: skip
    doors = Snaps(np.array([0, 0, 1]), np.array([3, 4, -1]), np.zeros(3), np.array([12.0, 7.0, np.nan]))
    empty = table([], kind=[])
    found = suitability.facts(
        table(SQUARES[:2], **rooms), doors, np.array([np.nan, 90.0]), table([]), empty,
        open_air=np.array([True, True]), max_share_unknown=0.5, params=PARAMS,
    )  # fmt: skip
    assert found.loc[0].dropna().to_dict() == {"usable_m2": 300, "street_m": 7, "ways_in": 1, "roofed": 0}
    assert found.loc[1].dropna().to_dict() == {"ways_in": 4, "roofed": 1, "major_hazard_m": 90}
