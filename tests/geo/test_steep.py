"""Steep slopes: foot, upper edge and height of slopes that one can draw."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import steep
from geo.hazards import Grid
from geo.steep import SteepParams

CRS = "EPSG:32631"
PARAMS = SteepParams.of(standards.load())
EXTENT = (0.0, 0.0, 100.0, 50.0)


def ramp(rise: float, *, cell: float = 5.0) -> Grid:
    """Flat to x = 40, up to x = 60, flat again."""
    x = np.arange(0, 100, cell) + cell / 2
    z = np.clip((x - 40) / 20, 0, 1) * rise
    return Grid(np.tile(z, (10, 1)).astype(np.float64), (cell, 0, 0, 0, -cell, 50), CRS)


def test_a_bank_of_twenty_metres() -> None:
    """The foot lies at 40 m, the upper edge at 60 m, each as long as the slope is known: not along the raster's rim."""
    table, findings = steep.slopes(ramp(20), extent=EXTENT, crs=CRS, params=PARAMS)
    at = table.set_index("kind")
    assert table["source_id"].nunique() == 1 and set(table["height_m"]) == {20.0} and set(table["slope_deg"]) == {45.0}
    assert at.geometry["toe"].equals(shapely.LineString([(40, 5), (40, 45)]))
    assert at.geometry["top"].equals(shapely.LineString([(60, 5), (60, 45)]))
    assert at.geometry["face"].equals(shapely.box(40, 5, 60, 45))
    assert not [finding for finding in findings if finding.code == "steep_coarse"]


def test_too_low_or_too_gentle_is_none() -> None:
    low = PARAMS.model_copy(update={"least_height_m": 21.0})
    for heights, params in ((ramp(20), low), (ramp(10), PARAMS), (ramp(0), PARAMS)):
        table, _ = steep.slopes(heights, extent=EXTENT, crs=CRS, params=params)
        assert len(table) == 0 and table.columns.tolist() == [*steep.COLUMNS, "geometry"]


def test_coarse_cells_and_unknown_ground_are_told() -> None:
    coarse = ramp(60, cell=20.0)
    _, findings = steep.slopes(coarse, extent=EXTENT, crs=CRS, params=PARAMS)
    assert "steep_coarse" in {finding.code for finding in findings}
    _, away = steep.slopes(coarse, extent=(9000.0, 9000.0, 9100.0, 9100.0), crs=CRS, params=PARAMS)
    assert [finding.code for finding in away] == ["steep_unknown"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_foot_is_below_and_an_edge_above(seed: int) -> None:
    """Just off a foot the ground is lower than on the slope, just off an upper edge higher; both lie on its face."""
    z = np.random.default_rng(seed).uniform(0, 40, (12, 12))
    table, _ = steep.slopes(Grid(z, (10, 0, 0, 0, -10, 120), CRS), extent=(0, 0, 120, 120), crs=CRS, params=PARAMS)
    for _, row in table.iterrows():
        rim = table[(table["source_id"] == row["source_id"]) & (table["kind"] == "face")].geometry.iloc[0].boundary
        assert row.geometry.is_valid and row["height_m"] <= np.ptp(z) and row["slope_deg"] >= PARAMS.least_deg
        assert row["kind"] == "face" or row.geometry.difference(rim).length < 1e-6
