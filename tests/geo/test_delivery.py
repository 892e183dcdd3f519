"""Goods from depots to shelters: as much as can be, with the least driving, in whole units, and why not all of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.optimize import linprog

from data import standards
from geo import delivery
from geo.delivery import Delivery, DeliveryParams
from geo.errors import InputError
from geo.goods import GOODS

PARAMS = DeliveryParams.of(standards.load())
NO = np.nan
WATER = "water_survival_l"
Floats = NDArray[np.float64]


def deliver(
    water: list[float], needs: dict[str, list[float]], drive_s: list[list[float]], **stock: list[float]
) -> Delivery:
    depots = [f"d{row}" for row in range(len(water))]
    held = pd.DataFrame({**{name: [0.0] * len(water) for name in GOODS}, "water_l": water, **stock}, index=depots)
    table = pd.DataFrame(needs, dtype=np.float64)
    table.index = pd.Index([f"s{row}" for row in range(len(table))])
    matrix = np.array(drive_s, dtype=np.float64).reshape(len(held), len(table))
    return delivery.deliver(held, table, matrix, items=[*needs], params=PARAMS)


#   d0 ──100 s── s0        d1 ──100 s── s1        s2: every street is closed
#    └──300 s── s1          └──250 s── s0
TWO_AND_THREE = [[100, 300, NO], [250, 100, NO]]


def test_two_depots_three_shelters_one_cut() -> None:
    found = deliver([500, 100], {WATER: [200, 300, 50], "blankets": [1, 1, 1]}, TWO_AND_THREE)
    assert found.rows.to_numpy().tolist() == [
        ["d0", "s0", WATER, 200, 100], ["d0", "s1", WATER, 200, 300], ["d1", "s1", WATER, 100, 100],
    ]  # fmt: skip
    assert found.left[WATER].tolist() == [100, 0]
    missing = found.unmet[["shelter", "item", "missing", "reason"]].to_numpy().tolist()
    blankets = [[f"s{row}", "blankets", 1, "not_in_stock"] for row in range(3)]
    assert missing == [["s2", WATER, 50, "cut_off"], *blankets] and found.gap_ms == 0
    shares = delivery.supplied(found)
    assert shares[f"{WATER}_share"].tolist() == [1, 1, 0] and shares["supplied_share"].tolist() == [0, 0, 0]
    said = delivery.told(found)
    assert said.en == (
        "0 of 3 shelters get all they need, in 3 trips and about 0.5 h with 5 vehicles. Missing: 50 L of water to "
        "survive (no open street from a depot that has some); 3 blankets (no depot has any)."
    )
    assert "最低饮水50（有库存的储备点道路均中断）" in said.zh


def test_short_stock_goes_where_the_drive_is_short_and_the_rest_is_used_up() -> None:
    found = deliver([10, 0], {WATER: [8, 8, 0]}, TWO_AND_THREE)
    assert found.served["delivered"].tolist() == [8, 2, 0]
    assert found.unmet.to_numpy().tolist() == [["s1", WATER, 8, 2, 6, "used_up"]]
    everything = deliver([10, 10], {WATER: [8, 8, 0]}, TWO_AND_THREE)
    assert delivery.told(everything).code == "supplied" and not len(everything.unmet)


def test_what_is_not_known_is_not_sent_and_said() -> None:
    found = deliver([NO, NO], {WATER: [5, NO, 0]}, TWO_AND_THREE)
    assert not len(found.rows) and found.finished_s == 0
    assert found.unmet[["shelter", "reason"]].to_numpy().tolist() == [["s0", "stock_unknown"], ["s1", "need_unknown"]]
    assert delivery.supplied(found)["supplied_share"].tolist() == pytest.approx([0, NO, NO], nan_ok=True)
    assert delivery.supplied(found, {"s0": "a", "s1": "b", "s2": None}).index.tolist() == ["a", "b"]


def test_whole_units_and_loads() -> None:
    found = deliver([5000.9, 0], {WATER: [3200.2, 0, 0], "blankets": [100, 0, 0]}, TWO_AND_THREE, blankets=[100.0, 0])
    assert found.rows["quantity"].tolist() == [3201, 100]
    load = found.loads.iloc[0]
    assert load[["mass_kg", "trips"]].tolist() == [3201 + 250, 3], "3 451 kg on vehicles that carry 1 500"
    assert load["vehicle_s"] == 3 * (2 * 100 + PARAMS.handling_s)
    assert found.finished_s == 200 + PARAMS.handling_s, "three of five vehicles go at once"
    one = delivery.deliver(*(pd.DataFrame({"water_l": [4500.0]}), pd.DataFrame({WATER: [4500.0]})), np.array([[60.0]]),
                           items=[WATER], params=PARAMS.model_copy(update={"vehicles": 1}))  # fmt: skip
    assert one.finished_s == 3 * (120 + PARAMS.handling_s)


def test_nothing_in_nothing_out() -> None:
    none = deliver([], {WATER: []}, [])
    assert list(none.rows) == list(delivery.ROW_COLUMNS) and list(none.loads) == list(delivery.LOAD_COLUMNS)
    assert deliver([], {WATER: [3.0]}, []).unmet["reason"].tolist() == ["not_in_stock"]
    assert delivery.told(none).en == "0 of 0 shelters get all they need."


def test_what_is_refused_at_once() -> None:
    held, table = pd.DataFrame({"water_l": [1.0]}), pd.DataFrame({WATER: [1.0]})
    with pytest.raises(InputError) as error:
        delivery.deliver(held, table, np.array([[-1.0, 2]]), items=["space_m2", "blankets"], params=PARAMS)
    assert len(error.value.faults) == 4
    with pytest.raises(ValidationError, match=r"blankets=2\.5"):
        DeliveryParams.model_validate(PARAMS.model_dump() | {"kg": ("gold=1",)})


def best(stock: list[int], need: list[int], drive_s: Floats) -> tuple[float, float]:
    """Most units and then least goods-seconds, by HiGHS."""
    d, s = np.nonzero(~np.isnan(drive_s))
    if not len(d):
        return 0, 0
    rows = np.vstack([d[None, :] == np.arange(len(stock))[:, None], s[None, :] == np.arange(len(need))[:, None]])
    within = {"A_ub": rows.astype(float), "b_ub": np.array([*stock, *need], dtype=float)}
    most = -linprog(-np.ones(len(d)), **within).fun
    least = linprog(drive_s[d, s], **within, A_eq=np.ones((1, len(d))), b_eq=[round(most)]).fun
    return most, least


DRIVES = st.one_of(st.integers(0, 900).map(float), st.just(NO))


@settings(max_examples=50, deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(1, 5))
def test_laws_and_the_best_there_is(data: st.DataObject, depots: int, shelters: int) -> None:
    """As good as a linear programme; goods are conserved; no depot gives and no shelter gets too much."""
    stock = data.draw(st.lists(st.integers(0, 60), min_size=depots, max_size=depots))
    need = data.draw(st.lists(st.integers(0, 60), min_size=shelters, max_size=shelters))
    drive = data.draw(st.lists(DRIVES, min_size=depots * shelters, max_size=depots * shelters))
    matrix = np.array(drive).reshape(depots, shelters)
    found = deliver([*map(float, stock)], {WATER: [*map(float, need)]}, matrix.tolist())
    most, least = best(stock, need, matrix)
    rows, served = found.rows, found.served
    assert (rows["quantity"].sum(), (rows["quantity"] * rows["drive_s"]).sum()) == pytest.approx((most, least))
    assert (rows["quantity"] > 0).all() and rows["quantity"].dtype == np.int64 and rows["drive_s"].notna().all()
    assert rows["quantity"].sum() + found.left[WATER].sum() == sum(stock) and (found.left[WATER] >= 0).all()
    assert (served["delivered"] + served["missing"] == need).all() and (served["missing"] >= 0).all()
    assert (served["reason"].notna() == (served["missing"] > 0)).all() and found.gap_ms == 0
    more = deliver([float(n + 5) for n in stock], {WATER: [*map(float, need)]}, matrix.tolist())
    assert more.rows["quantity"].sum() >= rows["quantity"].sum()
