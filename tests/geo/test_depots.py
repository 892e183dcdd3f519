"""The supply register: what counts on a day, by place and goods, and how long it lasts."""

from __future__ import annotations

from datetime import date
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
from geo import depots
from geo.depots import Stock, StockParams
from geo.errors import InputError
from geo.goods import GOODS, GoodsParams
from geo.needs import NeedsParams
from geo.tables import SUPPLIES, checked, empty

STANDARDS = standards.load()
PARAMS, GOODS_PARAMS, NEEDS = StockParams.of(STANDARDS), GoodsParams.of(STANDARDS), NeedsParams.of(STANDARDS)
CRS, TODAY = "EPSG:32631", date(2027, 1, 15)
Row = tuple[str, str | None, str, float, str | None, str | None, str | None]


def register(*rows: Row, **more: list[Any]) -> gpd.GeoDataFrame:
    """Rows of place, tier, item, quantity, unit, expiry, agreement; a place lies where its letter says."""
    names = ["name", "tier", "item", "quantity", "unit", "expiry", "agreement_until"]
    table = pd.DataFrame(rows, columns=names).astype(object).astype({"quantity": "float64"})
    points = [shapely.Point(100.0 * ord(name[0]), 0) for name in table["name"]]
    ids = [f"s{row + 1}" for row in range(len(rows))]
    table = table.assign(supply_id=ids, name_zh=None, name_en=None, **more)
    return checked(gpd.GeoDataFrame(table, geometry=points, crs=CRS), SUPPLIES)


def stock(table: gpd.GeoDataFrame, on: date | None = TODAY) -> Stock:
    return depots.stock(table, on=on, params=PARAMS, goods=GOODS_PARAMS)


CLOUD = register(
    ("A", "community", "饮用水", 1000, "升", "2028-01", None),
    ("A", "community", "矿泉水", 10, "箱", "2028-01-01", None),
    ("A", "community", "棉被", 30, "床", None, None),
    ("B", "school", "大米", 100, "kg", "2027-01-14", "2029-01-01"),
    ("B", "school", "大米", 100, "kg", "2027-01", "2027-01-15"),
    ("C", "supermarket", "水", 200, "瓶", "2029-01-01", "2026-12"),
    ("C", "supermarket", "水", 200, "瓶", "2029-01-01", None),
    ("D", "household", "瓶装水", np.nan, "瓶", "2029-01-01", None),
    ("D", "household", "沙袋", 100, "个", None, None),
)


def test_what_counts_of_the_four_tiers() -> None:
    found = stock(CLOUD)
    assert found.rows["state"].tolist() == [
        "usable", "unit_unknown", "usable", "expired", "usable", "lapsed", "usable", "amount_unknown", "other",
    ]  # fmt: skip
    assert found.depots["depot_id"].tolist() == ["s1", "s4", "s6", "s8"]
    assert found.usable["water_l"].tolist() == pytest.approx([1000, 0, 100, np.nan], nan_ok=True)
    assert found.usable["food_rations"].tolist() == [0, 167, 0, 0]
    tiers = depots.by_tier(found).set_index("tier")
    assert tiers["water_l"].tolist() == pytest.approx([1000, 0, 100, np.nan], nan_ok=True)
    assert tiers["depots"].tolist() == [1, 1, 1, 1] and tiers.loc["community", "blankets"] == 30
    assert repr(found).startswith("Stock(4 depots, 4 usable, 1 ")


def test_what_does_not_count_is_said_with_its_rows() -> None:
    notes = {note.code: note for note in stock(CLOUD).notes}
    rows = {code: note.rows for code, note in notes.items()}
    assert rows == {
        "supplies_expired": (4,), "supplies_lapsed": (6,), "supplies_amount_unknown": (8,),
        "supplies_unit_unknown": (2,), "supplies_other": (9,), "supplies_expire_soon": (5,),
        "supplies_without_agreement": (7,),
    }  # fmt: skip
    assert notes["supplies_expired"].en == "1 row of supplies has expired and is not counted."
    assert notes["supplies_expired"].zh == "1条物资已过期，未计入。"
    assert (notes["supplies_lapsed"].column, notes["supplies_lapsed"].value) == ("agreement_until", "2026-12")
    assert all(note.do_en and note.do_zh for note in notes.values())


def test_days_count_to_their_end_and_months_to_their_last_day() -> None:
    one = register(("A", None, "水", 1, "升", "2027-02", "2027-02-27"))
    days = [date(2027, 2, 27), date(2027, 2, 28), date(2027, 3, 1)]
    assert [stock(one, day).rows["state"].item() for day in days] == ["usable", "lapsed", "expired"]
    assert depots.by_tier(stock(one, days[0])).iloc[-1][["tier", "depots", "water_l"]].tolist() == [None, 1, 1]


def test_without_a_day_nothing_has_expired_and_that_is_said() -> None:
    found = stock(CLOUD, None)
    assert not found.rows["state"].isin(["expired", "lapsed"]).any() and not found.rows["expires_soon"].any()
    assert [n.count for n in found.notes if n.code == "supplies_dates_not_checked"] == [7]
    with pytest.raises(InputError, match="YYYY-MM-DD or YYYY-MM, found 'soon'"):
        stock(register(("A", None, "水", 1, "升", "soon", None)))


def test_an_empty_register() -> None:
    found = stock(empty(SUPPLIES, crs=CRS))
    assert found.usable.shape == (0, len(GOODS)) and len(found.rows) == len(found.notes) == 0
    assert depots.by_tier(found)["water_l"].tolist() == [0] * 4
    assert depots.by_unit(found, [], ["a"])["water_l"].tolist() == [0]


def test_the_size_of_a_unit_in_its_own_column() -> None:
    assert stock(register(("A", None, "水", 2, "箱", None, None), pack=["500ml*24"])).usable["water_l"].item() == 24


def test_how_long_it_lasts() -> None:
    held = depots.by_unit(stock(CLOUD), ["a", "a", None, "b"], ["a", "b", "c"])
    assert held["water_l"].tolist() == pytest.approx([1000, np.nan, 0], nan_ok=True)
    people = pd.DataFrame({"people": [100.0, 50, 0]}, index=["a", "b", "c"])
    found = depots.cover(held, people, params=PARAMS, needs=NEEDS)
    # 1 000 L at 7.5 L are 133 persons' days, 1.33 days for 100; 167 rations last 1.67 days: water ends first.
    assert found["water_survival_l_person_days"].iloc[0] == pytest.approx(1000 / 7.5)
    assert found["cover_days"].tolist() == pytest.approx([1000 / 750, np.nan, np.nan], nan_ok=True)
    assert found["limited_by"].tolist() == ["water_survival_l", None, None]
    assert found["blankets_ratio"].tolist() == pytest.approx([0.3, 0, np.nan], nan_ok=True)
    assert (
        found["short_of"].iloc[0] == "food_rations,blankets,first_aid_kits,kits" and found["short_of"].iloc[2] is None
    )
    said = depots.told(found.loc["a"], 100, days=3)
    assert said.code == "short" and said.en.startswith("The stock lasts 1.3 of 3 days for 100 people; water to survive")
    codes = [depots.told(found.loc[unit], n, days=3).code for unit, n in [("b", 50), ("c", 0), ("c", np.nan)]]
    assert codes == ["stock_not_known", "nobody", "people_not_known"]


def test_parameters_that_cannot_be() -> None:
    for changes in ({"on": "tomorrow"}, {"items": ("space_m2",)}, {"items": ("water_l", "water_survival_l")}):
        with pytest.raises(ValidationError, match="should"):
            StockParams.model_validate(PARAMS.model_dump() | changes)
    assert PARAMS.day is None and PARAMS.model_copy(update={"on": "2027-01-15"}).day == TODAY


ROWS = st.tuples(
    st.sampled_from("ABC"), st.sampled_from([*depots.TIERS, None]), st.sampled_from(["水", "大米", "棉被", "沙袋"]),
    st.one_of(st.integers(0, 500).map(float), st.just(np.nan)), st.sampled_from(["升", "kg", "床", "箱", None]),
    st.sampled_from([None, "2026-05", "2027-01-15", "2029-01-01"]), st.sampled_from([None, "2026-05", "2030-01-01"]),
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_laws(rows: list[Row], random: Any) -> None:
    """Nothing is lost or counted twice, what has expired never counts, and the order of the rows changes nothing."""
    table = register(*rows)
    found = stock(table)
    counted = found.rows[found.rows["state"] == "usable"]
    for goods in GOODS:
        mine = counted.loc[counted["goods"] == goods, "amount"].sum()
        assert found.usable[goods].sum() == pytest.approx(mine) == depots.by_tier(found)[goods].sum()
    assert not table.loc[counted.index, "expiry"].isin(["2026-05"]).any()
    assert not table.loc[counted.index, "agreement_until"].isin(["2026-05"]).any()
    mixed = table.sample(frac=1, random_state=random.randrange(99)).reset_index(drop=True)
    both = [each.usable.set_index(each.depots["depot_id"]).sort_index() for each in (found, stock(mixed))]
    pd.testing.assert_frame_equal(*both)
