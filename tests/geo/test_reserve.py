"""Reserved open land: drawn regions, open land measured by hand, and laws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data import standards
from geo import reserve
from geo.open_land import TAKERS, Land
from geo.reserve import LOTS, REGIONS, Reserve, ReserveParams
from geo.tables import COMMUNITIES, NAMES, empty
from geo.tables import LOTS as LOT_COLUMNS
from tests.geo.drawn import CRS
from tests.geo.drawn_ground import X, Y, areas, box

PARAMS = ReserveParams.of(standards.load())
NONE = np.zeros(0, dtype=object)
SURE: dict[str, Any] = dict.fromkeys([f"{name}_weight" for name in ("safe", "size", "compact", "access", "flat")], 0)
SURE["piece_m2"] = 0
"""All ground of one kind costs the same."""


def shapes(*given: shapely.Geometry) -> Any:
    return np.array([*given, None], dtype=object)[:-1]


def regions(*given: tuple[Any, str]) -> gpd.GeoDataFrame:
    """Ground and kind of each; no water in any."""
    ground = [shape for shape, _ in given]
    columns = {"region_id": [f"region_{n:03d}" for n in range(1, len(given) + 1)], "kind": [kind for _, kind in given],
               "land_m2": np.array([shape.area for shape in ground], dtype=float)}  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=ground, crs=CRS)


def land(open_land: gpd.GeoDataFrame, **more: Any) -> Land:
    """Open land beside streets 10 m wide along y = 0 from x = 0 to 1000, and what ``more`` says."""
    street = shapely.LineString([(X, Y), (X + 1000, Y)])
    bare = Land(open_land, None, NONE, NONE, NONE, np.zeros(0), shapes(street), np.array([10.0]), np.array([8.0]))
    return replace(bare, **more)


def lots(*rows: tuple[str | None, shapely.Geometry]) -> gpd.GeoDataFrame:
    if not rows:
        return empty(LOT_COLUMNS, crs=CRS)
    columns = {"lot_id": [f"L{n}" for n in range(len(rows))], **{name: [None] * len(rows) for name in NAMES},
               "use": [use for use, _ in rows], "area_m2": np.full(len(rows), np.nan)}  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=[shape for _, shape in rows], crs=CRS)


def found(
    ground: gpd.GeoDataFrame, there: Land, people: tuple[tuple[float, float, int], ...] = (), **more: Any
) -> Reserve:
    places = shapes(*(shapely.Point(X + x, Y + y) for x, y, _ in people))
    counts = np.array([n for *_, n in people], dtype=np.int64)
    return reserve.find(ground, there, places, counts, params=PARAMS.model_copy(update=more))


SQUARE = box(0, 0, 1000, 500)
TOWN = regions((SQUARE, "built_up"))
PARK = box(100, 5, 300, 105)


class TestRequired:
    def test_the_greater_of_a_share_of_the_land_and_so_much_a_person(self) -> None:
        few, many = ((10, 10, 100),), ((10, 10, 30_000), (2000, 0, 7))
        empty_land = land(areas())
        assert found(TOWN, empty_land, few).regions["reserve_required_m2"].tolist() == [25_000]
        crowded = found(TOWN, empty_land, many)
        assert crowded.regions["reserve_required_m2"].tolist() == [45_000]
        assert crowded.regions["people"].tolist() == [30_000]
        assert "7 people are in no region" in crowded.findings[-1].en
        assert found(TOWN, empty_land, few, added=True).regions["reserve_required_m2"].tolist() == [25_150]

    def test_land_that_is_open_as_it_is_reserves_less(self) -> None:
        fields = regions((SQUARE, "farmland"))
        assert found(fields, land(areas())).regions["reserve_required_m2"].tolist() == [5_000]

    def test_nothing_required_nothing_taken(self) -> None:
        result = found(TOWN, land(areas(("park", "P", PARK))), share=0)
        assert not result.lots["chosen"].any() and result.regions["sentence_en"].tolist() == [
            "Nothing has to be reserved."
        ]
        assert (
            result.lots["reason_zh"].tolist() == ["无需预留：本区域无留白要求。"]
            and result.findings[0].code == "reserve_slope_unknown"
        )


class TestOpenLand:
    def test_what_takes_open_land_is_told_and_all_of_it_is_told(self) -> None:
        """A park of 200 m by 100 m: 20 m yielded, a pond, a building with 5 m round it, 5 m of street, a shelter."""
        there = areas(("park", "P", PARK), ("water", None, box(120, 60, 140, 80)))
        result = found(TOWN, land(
            there, let=shapes(box(0, 0, 120, 500)), shelters=shapes(box(280, 5, 300, 105)),
            buildings=shapes(box(200, 50, 210, 60)), strip_m=np.array([5.0]),
        ))  # fmt: skip
        told = result.regions.iloc[0]
        assert told["open_m2"] == pytest.approx(20_000)
        assert [told[f"taken_{name}_m2"] for name in TAKERS] == pytest.approx([2000, 400, 376.5, 0, 2000], abs=1)
        left = 20_000 - 2000 - 400 - 2000 - shapely.buffer(box(200, 50, 210, 60), 5, quad_segs=4).area
        assert result.lots["area_m2"].tolist() == pytest.approx([left])
        assert result.lots["usable_m2"].tolist() == [int(left)]
        row = result.lots.iloc[0]
        assert row["source_id"] == "a0" and row["name"] == "P" and row["street_m"] == pytest.approx(5)
        assert row["safe_score"] == 0 and np.isnan(row["flat_score"]) and row["access_score"] == pytest.approx(0.9)

    def test_small_thin_far_and_steep_ground_is_dropped_with_a_count(self) -> None:
        there = areas(
            ("park", "small", box(0, 10, 40, 50)), ("park", "thin", box(100, 10, 400, 20)),
            ("park", "far", box(500, 60, 600, 160)), ("park", "steep", box(700, 10, 800, 60)),
            ("park", "good", box(850, 10, 950, 60)),
        )  # fmt: skip

        def steep(shape: Any) -> Any:
            return np.where(shapely.bounds(shape)[:, 0] < X + 800, 0.7, np.nan)

        result = found(TOWN, land(there, steep=steep))
        told = result.regions.iloc[0]
        assert [told[f"dropped_{name}"] for name in ("small", "thin", "far", "steep")] == [1, 1, 1, 1]
        assert told["dropped_m2"] == pytest.approx(1600 + 3000 + 10_000 + 5000)
        assert result.lots["name"].tolist() == ["good"] and result.lots["share_steep"].isna().all()

    def test_a_street_too_narrow_leads_nowhere_and_without_streets_the_way_is_not_known(self) -> None:
        there = areas(("park", "P", PARK))
        assert len(found(TOWN, land(there, clear_m=np.array([3.5]))).lots) == 0
        bare = land(there, streets=NONE, width_m=np.zeros(0), clear_m=np.zeros(0))
        assert found(TOWN, bare).lots["street_m"].isna().tolist() == [True]

    def test_ground_drawn_twice_counts_once_and_what_touches_is_one(self) -> None:
        there = areas(
            ("park", "P", PARK), ("parking", None, box(250, 5, 350, 105)), ("park", "Q", box(100, 105, 300, 155))
        )
        result = found(TOWN, land(there))
        assert result.lots["kind"].tolist() == ["park", "parking"]
        assert result.lots["area_m2"].tolist() == pytest.approx([30_000, 5_000])

    def test_planned_lots_come_before_the_map(self) -> None:
        planned = lots(("G1 公园绿地", box(400, 5, 500, 105)), ("R2 居住用地", box(500, 5, 600, 105)), (None, PARK),
                       ("S42", box(650, 5, 750, 105)), ("停车场", box(700, 5, 800, 105)))  # fmt: skip
        there = land(areas(("park", "P", PARK)), lots=planned)
        result = found(TOWN, there)
        assert result.lots["source_id"].tolist() == ["L0", "L3", "L4"]
        assert result.lots["area_m2"].tolist() == pytest.approx([10_000, 10_000, 5_000])
        none_open = found(TOWN, replace(there, lots=planned.iloc[1:2].reset_index(drop=True)))
        assert none_open.lots["source_id"].tolist() == ["a0"]
        assert "reserve_from_map" in {said.code for said in none_open.findings}

    @pytest.mark.parametrize("bad", [{"kinds": ("park",)}, {"kinds": ("park=0",)}, {"lot_words": ("公园",)}])
    def test_words_that_mean_nothing_are_refused(self, bad: dict[str, tuple[str, ...]]) -> None:
        with pytest.raises(ValidationError):
            ReserveParams.model_validate(PARAMS.model_dump() | bad)


class TestChosen:
    def test_the_cheaper_kind_first_and_of_the_last_a_part(self) -> None:
        """25 000 m² asked: 20 000 of park and 5 000 of the 20 000 of farmland."""
        there = areas(("farmland", "F", box(400, 5, 600, 105)), ("park", "P", PARK))
        result = found(TOWN, land(there), **SURE)
        by_name = result.lots.set_index("name")
        assert by_name["taken_m2"].to_dict() == {"P": 20_000, "F": 5_000}
        assert by_name.loc["F", "reason_en"] == "Reserved: 5,000 of 20,000 m²."
        assert result.regions["sentence_en"].tolist() == [
            "25,000 m² to be reserved for 0 people: 2 of 2 open lots give 25,000."
        ]
        assert result.regions["gap"].tolist() == [0] or result.regions["gap"].isna().all()

    def test_whole_lots_only(self) -> None:
        there = areas(("park", "A", box(0, 5, 150, 105)), ("park", "B", box(200, 5, 400, 105)),
                      ("park", "C", box(500, 5, 620, 105)))  # fmt: skip
        result = found(TOWN, land(there), **SURE, partly=False)
        assert result.lots[result.lots["chosen"]]["name"].tolist() in (["A", "C"], ["C", "A"])
        assert result.regions["reserve_taken_m2"].tolist() == [27_000]
        assert result.regions["reserve_found_m2"].tolist() == [25_000]

    def test_where_no_use_of_land_is_mapped_nothing_is_said_to_be_taken(self) -> None:
        result = found(TOWN, land(areas()))
        assert [finding.code for finding in result.findings] == ["reserve_not_known"]

    def test_too_little_is_all_taken_and_short_by_the_rest(self) -> None:
        result = found(TOWN, land(areas(("park", "P", box(0, 5, 100, 105)))))
        assert result.regions[["reserve_found_m2", "reserve_short_m2"]].to_numpy().tolist() == [[10_000, 15_000]]
        assert result.findings[0].code == "reserve_short" and "15,000 of 25,000 m²" in result.findings[0].en
        assert result.regions["sentence_zh"].tolist() == [
            "需留白25,000平方米，0人：1处开敞用地中选用1处，计10,000平方米；缺15,000平方米。"
        ]
        assert repr(result) == "Reserve(25,000 m² required, 10,000 found in 1 lots, 15,000 short)"

    def test_no_region_no_lot(self) -> None:
        result = found(regions(), land(areas()))
        assert list(result.lots.columns) == [*LOTS, "geometry"] and len(result.lots) == 0
        assert list(result.regions.columns) == list(REGIONS) and len(result.regions) == 0


class TestByCommunity:
    HERE = gpd.GeoDataFrame(
        {**{c.name: [None] * 3 for c in COMMUNITIES.columns}, "community_id": ["c1", "c2", "c3"]},
        geometry=[box(0, 0, 333, 500), box(333, 0, 1000, 500), box(1000, 0, 1100, 500)], crs=CRS,
    )  # fmt: skip

    def test_each_has_its_share_of_the_ground_and_nothing_is_lost(self) -> None:
        ground = regions((SQUARE, "built_up"), (box(1500, 0, 1600, 100), "built_up"))
        result = found(ground, land(areas(("park", "P", PARK))))
        dealt = reserve.by_community(ground, result, self.HERE)
        assert dealt["reserve_required_m2"].tolist() == [8325, 16_675, 500]  # the region apart is the nearest one's
        assert dealt.sum().tolist() == result.regions[list(dealt.columns)].sum().tolist()
        assert (dealt["reserve_found_m2"] + dealt["reserve_short_m2"]).tolist() == dealt["reserve_required_m2"].tolist()
        assert len(reserve.by_community(ground, result, self.HERE.iloc[:0])) == 0


some = st.tuples(st.integers(0, 18), st.integers(0, 8), st.integers(1, 8), st.integers(1, 6))
kinds = st.sampled_from(["park", "parking", "farmland", "grass", "water"])


def grid(at: tuple[int, int, int, int]) -> shapely.Geometry:
    x, y, w, h = at
    return box(50 * x, 50 * y + 3, 50 * (x + w), 50 * (y + h) + 3)


@given(st.lists(st.tuples(kinds, some), max_size=8), st.lists(some, max_size=3), some, st.floats(0, 0.3),
       st.randoms(use_true_random=False))  # fmt: skip
@settings(deadline=None, max_examples=12)
def test_laws(open_land, let, more, share, random) -> None:  # type: ignore[no-untyped-def]
    ground = regions((box(0, 0, 470, 500), "built_up"), (box(470, 0, 1000, 500), "park"))
    rows = [(kind, f"{n}", grid(at)) for n, (kind, at) in enumerate(open_land)]
    yielded = [shapely.buffer(grid(at), -10) for at in let]
    asked = {"share": share, "open_share": share / 2, "reach_m": 400}
    result = found(ground, land(areas(*rows), let=shapes(*yielded)), ((5, 5, 900),), **asked)
    table, picked = result.regions, result.lots[result.lots["chosen"]]
    assert (table["reserve_found_m2"] + table["reserve_short_m2"]).tolist() == table["reserve_required_m2"].tolist()
    assert picked["taken_m2"].sum() == table["reserve_taken_m2"].sum()
    assert (result.lots["taken_m2"] <= result.lots["usable_m2"]).all()
    lost = table[[f"taken_{name}_m2" for name in TAKERS]].sum(axis=1) + table["dropped_m2"] + table["candidates_m2"]
    assert lost.to_numpy() == pytest.approx(table["open_m2"].to_numpy())
    whole = shapely.union_all(result.lots.geometry.to_numpy())
    assert shapely.area(whole) == pytest.approx(result.lots["area_m2"].sum())  # nothing twice
    assert shapely.area(shapely.intersection(whole, shapely.union_all(shapes(*yielded)))) < 1e-6
    wider = found(ground, land(areas(*rows), let=shapes(*yielded, grid(more))), ((5, 5, 900),), **asked)
    assert (wider.regions["reserve_found_m2"] <= table["reserve_found_m2"]).all()
    dearer = found(ground, land(areas(*rows), let=shapes(*yielded)), ((5, 5, 900),), **asked | {"share": share + 0.1})
    assert (dearer.regions["reserve_required_m2"] >= table["reserve_required_m2"]).all()
    mixed = land(areas(*random.sample(rows, len(rows))), let=shapes(*random.sample(yielded, len(yielded))))
    again = found(ground, mixed, ((5, 5, 900),), **asked)
    pd.testing.assert_frame_equal(again.regions, table)
    assert again.lots["taken_m2"].tolist() == result.lots["taken_m2"].tolist()
