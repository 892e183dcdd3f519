"""The retreat list: everything on ground to yield, once, in an order that can be explained."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import retreat
from geo.retreat import RetreatParams
from geo.zoning import JUDGED, Judged

PARAMS = RetreatParams.of(standards.load()).model_copy(update={"first_level": 4.0, "second_level": 2.0})


def standing(rows: list[tuple[str, bool, int, int]]) -> gpd.GeoDataFrame:
    """Id, important, people, people over 60."""
    table = pd.DataFrame({
        "object": "building", "object_id": [r[0] for r in rows], "name": None, "name_zh": None, "name_en": None,
        "use": "yes", "building_class": "C", "important": [r[1] for r in rows], "community_id": "c0",
        "people": [float(r[2]) for r in rows], "people_60plus": [float(r[3]) for r in rows],
    })  # fmt: skip
    shapes = [shapely.Point(k, 0).buffer(1) for k in range(len(rows))]
    return gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4549")


def judged(verdicts: list[str]) -> Judged:
    n = len(verdicts)
    columns = dict(zip(JUDGED, [verdicts, *([0.5] * n for _ in range(3)), *(["r"] * n for _ in range(3))], strict=True))
    return Judged(pd.DataFrame(columns), pd.DataFrame())


def test_the_worst_hazard_moves_first_then_who_cannot_leave_then_most_old_people() -> None:
    rows = [("near", False, 90, 0), ("wet", False, 5, 1), ("old", False, 5, 4), ("deep", False, 1, 0),
            ("clinic", True, 0, 0), ("free", False, 50, 9)]  # fmt: skip
    level = np.array([np.nan, 2.0, 2.0, 5.0, 2.0, 5.0])
    verdicts = ["let"] * 5 + ["prevent"]
    found = retreat.listed(standing(rows), judged(verdicts), level, params=PARAMS)
    assert found["object_id"].tolist() == ["deep", "clinic", "old", "wet", "near"]
    assert found["order"].tolist() == [1, 2, 3, 4, 5]
    assert found["step"].tolist() == [1, 1, 2, 2, 3]
    assert found["step_zh"].iloc[-1] == "第三批：安全距离不足"
    assert found.geometry.iloc[0].centroid.x == pytest.approx(3)


def test_nothing_on_let_ground_is_an_empty_list_with_its_columns() -> None:
    found = retreat.listed(standing([("a", False, 1, 0)]), judged(["none"]), np.array([5.0]), params=PARAMS)
    assert len(found) == 0
    assert {"order", "step", "people", "rules", "reason_zh"} <= {*found.columns}


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["let", "prevent", "none", "avoid"]), st.booleans(), st.integers(0, 9),
                  st.integers(0, 4), st.sampled_from([np.nan, 0.0, 1.0, 2.0, 4.0, 5.0])), max_size=12,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_everything_is_listed_once_and_its_order_hangs_on_no_other_order(
    rows: list[tuple[str, bool, int, int, float]], chance: object
) -> None:
    def run(order: list[int]) -> gpd.GeoDataFrame:
        table = standing([(f"b{k}", rows[k][1], rows[k][2], rows[k][3]) for k in order])
        level = np.array([rows[k][4] for k in order])
        return retreat.listed(table, judged([rows[k][0] for k in order]), level, params=PARAMS)

    one = run(list(range(len(rows))))
    other = run(sorted(range(len(rows)), key=lambda _: chance.random()))  # type: ignore[attr-defined]
    assert sorted(one["object_id"]) == sorted(f"b{k}" for k, row in enumerate(rows) if row[0] == "let")
    assert one["object_id"].tolist() == other["object_id"].tolist()
    assert one["people"].sum() == sum(row[2] for row in rows if row[0] == "let")
    assert one["step"].is_monotonic_increasing


def test_buildings_in_let_are_counted_by_community() -> None:
    table = standing([("a", False, 1, 0), ("b", False, 1, 0), ("c", False, 1, 0)])
    table["community_id"] = ["c0", "c1", "c1"]
    found = retreat.by_community(table, judged(["let", "let", "none"]), pd.Series(["c1", "c0", "c2"]))
    assert found["buildings_in_let"].tolist() == [1, 1, 0]
