"""Zones and verdicts on ground small enough to measure with a ruler.

::

    0        20   30       50            100
    ┌────────┬────┬────────┬─────────────┐ 100    river ~ along the left edge: 让 up to 20 m,
    ~  let   │prev│        │   avoid     │         防 (no hospitals) from there to 30 m
    ~        │    │        │   (park)    │         park: a place of refuge, x 50-100, y 50-100
    ~        │    │        ├─────────────┤ 50
    ~        │    │        │             │
    └────────┴────┴────────┴─────────────┘ 0
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import zoning
from geo.zoning import Claims, ZoningParams

Ground = shapely.Polygon | shapely.MultiPolygon | shapely.LineString | shapely.Point
CRS = "EPSG:4549"
PARAMS = ZoningParams.of(standards.load())
EXACT = PARAMS.model_copy(update={"sliver_m2": 0.0})
RIVER = shapely.LineString([(0, -500), (0, 600)])
GROUND = shapely.box(0, 0, 100, 100)


def reasons(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    told = [
        (name, zone, ground, f"the {name}", f"{name}（中）", "a standard", "1.2", "P") for name, zone, ground in rows
    ]
    return pd.DataFrame(told, columns=list(zoning.REASONS), dtype=object)


def claims(table: pd.DataFrame, rows: list[tuple[int, shapely.Geometry, shapely.Geometry | None, float]]) -> Claims:
    return Claims(
        table,
        np.array([row[1] for row in rows], dtype=object),
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=object),
        np.array([f"s{k}" for k in range(len(rows))], dtype=object),
        np.array([row[3] for row in rows], dtype=float),
        np.full(len(rows), zoning.EVERYBODY),
    )


def town() -> Claims:
    table = reasons(("river", "let", "let"), ("river_b", "let", "prevent"), ("park", "avoid", "avoid"))
    return claims(
        table,
        [
            (0, RIVER.buffer(20, cap_style="flat"), RIVER, 20.0),
            (1, RIVER.buffer(30, cap_style="flat"), RIVER, 30.0),
            (2, shapely.box(50, 50, 100, 100), None, 0.0),
        ],
    )


def units(*shapes: Ground) -> gpd.GeoDataFrame:
    names = [f"c{k}" for k in range(len(shapes))]
    return gpd.GeoDataFrame({"community_id": pd.Series(names, dtype=object)}, geometry=list(shapes), crs=CRS)


def things(*shapes: shapely.Geometry) -> np.ndarray:
    return np.array([*shapes, None], dtype=object)[:-1]


ORDINARY = np.array([[True], [False], [True]])
HOSPITAL = np.array([[True], [True], [True]])
PARK = np.array([[False], [False], [True]])


def lot(shape: Ground, applies: np.ndarray = ORDINARY) -> pd.Series:
    return zoning.judge(things(shape), applies, town(), whole_share=0.5, params=PARAMS).table.iloc[0]


def test_zones_of_a_drawn_ground_are_as_a_ruler_says() -> None:
    found = zoning.zones(units(GROUND), town(), params=PARAMS)
    assert found.set_index("zone")["area_m2"].round(6).to_dict() == {"let": 2000.0, "avoid": 2500.0, "prevent": 1000.0}
    assert found.set_index("zone")["rules"].to_dict() == {"let": "river", "avoid": "park", "prevent": "river_b"}
    assert zoning.areas(found, units(GROUND)["community_id"]).iloc[0].to_dict() == pytest.approx(
        {"let_m2": 2000, "avoid_m2": 2500, "prevent_m2": 1000}
    )


@pytest.mark.parametrize(
    ("shape", "applies", "verdict", "shares"),
    [
        (shapely.box(0, 0, 10, 10), ORDINARY, "let", (1, 0, 0)),
        (shapely.box(10, 0, 30, 10), ORDINARY, "let", (0.5, 0, 0)),
        (shapely.box(12, 0, 32, 10), ORDINARY, "prevent", (0.4, 0, 0)),
        (shapely.box(21, 0, 29, 10), ORDINARY, "none", (0, 0, 0)),
        (shapely.box(21, 0, 29, 10), HOSPITAL, "let", (1, 0, 0)),
        (shapely.box(0, 0, 10, 10), PARK, "none", (0, 0, 0)),
        (shapely.box(60, 60, 70, 70), PARK, "avoid", (0, 1, 0)),
        (shapely.box(45, 60, 55, 70), ORDINARY, "avoid", (0, 0.5, 0)),
        (shapely.box(44, 60, 54, 70), ORDINARY, "prevent", (0, 0.4, 0)),
        (shapely.Point(19.9, 50), ORDINARY, "let", (1, 0, 0)),
        (shapely.Point(20.1, 50), ORDINARY, "none", (0, 0, 0)),
    ],
)
def test_lots_get_the_verdict_a_ruler_gives(
    shape: Ground, applies: np.ndarray, verdict: str, shares: tuple[float, ...]
) -> None:
    found = lot(shape, applies)
    assert found["verdict"] == verdict
    assert found[["let_share", "avoid_share", "prevent_share"]].tolist() == pytest.approx(shares, abs=1e-6)


def test_the_reason_says_how_near_how_far_and_by_which_clause() -> None:
    found = lot(shapely.box(12, 0, 32, 10))
    assert found["rules"] == "river"
    assert found["reason_en"] == (
        "protect (防), 40% of it must yield: the river, 12 m away, 20 m required, 40% of it "
        "(a standard 1.2, planning choice)."
    )
    assert (
        found["reason_zh"]
        == "防（其中40%应让出）：river（中），相距12米，应距20米，占40%（a standard 1.2，规划取值）。"
    )
    assert lot(shapely.box(40, 0, 45, 5))["reason_zh"] == "无：现有资料下没有规则限制。"


def test_all_reasons_of_an_overlap_are_kept() -> None:
    table = reasons(("a", "let", "let"), ("b", "prevent", "prevent"), ("c", "avoid", "avoid"), ("d", "let", "let"))
    box = shapely.box(0, 0, 10, 10)
    found = zoning.judge(
        things(box), np.ones((4, 1), dtype=bool), claims(table, [(k, box, None, 0.0) for k in range(4)]),
        whole_share=0.5, params=PARAMS,
    )  # fmt: skip
    assert found.table["rules"].tolist() == ["a;d;c;b"]
    assert found.hits["reason"].tolist() == [0, 1, 2, 3]


def test_without_claims_or_things_there_is_nothing_with_the_right_columns() -> None:
    nothing = claims(reasons(), [])
    found = zoning.judge(things(GROUND), np.zeros((0, 1), dtype=bool), nothing, whole_share=0.5, params=PARAMS)
    assert found.table["verdict"].tolist() == ["none"]
    assert len(zoning.zones(units(GROUND), nothing, params=PARAMS)) == 0
    empty = zoning.judge(things(), np.zeros((3, 0), dtype=bool), town(), whole_share=0.5, params=PARAMS)
    assert list(empty.table.columns) == list(zoning.JUDGED)
    assert len(zoning.zones(units(), town(), params=PARAMS)) == 0
    assert "geometry" in zoning.zones(units(), town(), params=PARAMS)


def test_ground_wholly_claimed_is_the_unit_itself() -> None:
    table = reasons(("all", "let", "let"))
    found = zoning.zones(units(GROUND), claims(table, [(0, shapely.box(-9, -9, 109, 109), None, 0.0)]), params=PARAMS)
    assert found.geometry.iloc[0].equals(GROUND)


def test_small_holes_in_let_ground_are_filled_and_slivers_of_others_not_drawn() -> None:
    table = reasons(("a", "let", "let"), ("b", "prevent", "prevent"))
    holed = shapely.box(0, 0, 50, 100).difference(shapely.box(10, 10, 14, 14)).difference(shapely.box(20, 20, 30, 30))
    found = zoning.zones(
        units(GROUND), claims(table, [(0, holed, None, 0.0), (1, shapely.box(48, 0, 50.2, 100), None, 0.0)]),
        params=PARAMS,
    )  # fmt: skip
    assert found["zone"].tolist() == ["let"]
    assert found["area_m2"].iloc[0] == pytest.approx(5000 - 100)


# -- laws --------------------------------------------------------------------------------------------------------------

squares = st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(3, 40), st.integers(3, 40)).map(
    lambda b: shapely.box(b[0] + 0.37, b[1] + 0.11, b[0] + b[2], b[1] + b[3])
)
zone_names = st.sampled_from(["let", "avoid", "prevent"])
grounds = st.lists(st.tuples(zone_names, squares), min_size=1, max_size=7)


def claimed(found: list[tuple[str, Ground]]) -> Claims:
    table = reasons(*((f"r{k}", zone, zone) for k, (zone, _) in enumerate(found)))
    return claims(table, [(k, shape, None, 0.0) for k, (_, shape) in enumerate(found)])


HALVES = (shapely.box(0, 0, 50, 120), shapely.box(50, 0, 120, 120))


@settings(deadline=None, max_examples=50)
@given(grounds)
def test_zones_are_disjoint_within_the_study_and_what_the_claims_say(
    found: list[tuple[str, Ground]],
) -> None:
    drawn = zoning.zones(units(*HALVES), claimed(found), params=EXACT)
    shapes = drawn.geometry.to_numpy()
    for a, b in itertools.combinations(shapes, 2):
        assert shapely.area(shapely.intersection(a, b)) < 1e-6
    assert shapely.area(shapely.difference(shapely.union_all(shapes), shapely.union_all(HALVES))) < 1e-6
    assert shapely.is_valid(shapes).all()
    taken: shapely.Geometry = shapely.Polygon()
    for zone in ("let", "avoid", "prevent"):
        wanted = shapely.union_all([s for z, s in found if z == zone]).intersection(shapely.union_all(HALVES))
        area = wanted.difference(taken).area
        assert drawn.loc[drawn["zone"] == zone, "area_m2"].sum() == pytest.approx(area, abs=0.5)
        taken = shapely.union(taken, wanted)


@settings(deadline=None, max_examples=50)
@given(grounds, squares)
def test_a_verdict_is_that_recomputed_from_its_reasons(found: list[tuple[str, Ground]], shape: Ground) -> None:
    of = claimed(found)
    judged = zoning.judge(things(shape), np.ones((len(found), 1), dtype=bool), of, whole_share=0.5, params=PARAMS)
    rows = judged.hits["reason"].tolist()
    taken: shapely.Geometry = shapely.Polygon()
    shares: dict[str, float] = {}
    for zone in ("let", "avoid", "prevent"):
        mine = shapely.union_all([found[k][1] for k in rows if found[k][0] == zone]).intersection(shape)
        shares[zone] = mine.difference(taken).area / shape.area
        taken = shapely.union(taken, mine)
    least = min(PARAMS.least_share, PARAMS.least_m2 / shape.area)
    verdict = (
        "let" if shares["let"] >= max(0.5, least)
        else "avoid" if shares["avoid"] >= PARAMS.avoid_share
        else "prevent" if max(shares.values()) >= least else "none"
    )  # fmt: skip
    told = judged.table.iloc[0]
    assert [told[f"{zone}_share"] for zone in shares] == pytest.approx(list(shares.values()), abs=1e-6)
    if min(abs(shares["let"] - 0.5), abs(shares["avoid"] - 0.5)) > 1e-6:
        assert told["verdict"] == verdict
    for reason, share in zip(judged.hits["reason"], judged.hits["share"], strict=True):
        assert share == pytest.approx(found[reason][1].intersection(shape).area / shape.area, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(grounds, st.integers(0, 6), st.floats(0.5, 20), squares)
def test_a_larger_setback_never_shrinks_let(
    found: list[tuple[str, Ground]], which: int, metres: float, shape: Ground
) -> None:
    at = which % len(found)
    wider = [(z, s.buffer(metres) if k == at and z == "let" else s) for k, (z, s) in enumerate(found)]
    before, after = (zoning.zones(units(*HALVES), claimed(rows), params=PARAMS) for rows in (found, wider))
    let, more = (shapely.union_all(t.geometry[t["zone"] == "let"].to_numpy()) for t in (before, after))
    assert let.difference(more).area < 0.01
    verdicts = [
        zoning.judge(
            things(shape), np.ones((len(rows), 1), dtype=bool), claimed(rows), whole_share=0.5, params=PARAMS
        ).table["verdict"].iloc[0]
        for rows in (found, wider)
    ]  # fmt: skip
    assert verdicts[0] != "let" or verdicts[1] == "let"


@settings(deadline=None, max_examples=40)
@given(grounds, st.tuples(zone_names, squares), squares)
def test_another_hazard_never_turns_let_into_anything_else(
    found: list[tuple[str, Ground]], more: tuple[str, Ground], shape: Ground
) -> None:
    verdicts = [
        zoning.judge(
            things(shape), np.ones((len(rows), 1), dtype=bool), claimed(rows), whole_share=0.5, params=PARAMS
        ).table["verdict"].iloc[0]
        for rows in (found, [*found, more])
    ]  # fmt: skip
    assert verdicts[0] != "let" or verdicts[1] == "let"


@settings(deadline=None, max_examples=30)
@given(grounds, st.randoms(use_true_random=False))
def test_the_order_of_claims_changes_no_zone(found: list[tuple[str, Ground]], chance: object) -> None:
    order = sorted(range(len(found)), key=lambda _: chance.random())  # type: ignore[attr-defined]
    shuffled = [found[k] for k in order]
    one, other = (zoning.zones(units(*HALVES), claimed(rows), params=PARAMS) for rows in (found, shuffled))
    assert one["zone"].tolist() == other["zone"].tolist()
    assert one["area_m2"].tolist() == pytest.approx(other["area_m2"].tolist(), abs=1e-3)


def test_claims_of_several_kinds_are_joined_with_their_own_reasons() -> None:
    found = Claims.joined([town(), claims(reasons(("reserve", "prevent", "prevent")), [(0, GROUND, None, 0.0)])])
    assert found.reasons["reason_id"].tolist() == ["river", "river_b", "park", "reserve"]
    assert found.reason.tolist() == [0, 1, 2, 3]
    assert len(found) == 4


def test_a_claim_on_one_thing_is_asked_of_no_other() -> None:
    box = shapely.box(0, 0, 10, 10)
    of = replace(claims(reasons(("gap", "prevent", None)), [(0, box, None, 6.0)]), whose=np.array([1]))
    found = zoning.judge(things(box, box), np.ones((1, 2), dtype=bool), of, whole_share=0.5, params=PARAMS)
    assert found.table["verdict"].tolist() == ["none", "prevent"]
    assert len(zoning.zones(units(GROUND), of, params=PARAMS)) == 0
