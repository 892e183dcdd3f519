"""Hazards in one common measure: whatever a raster holds, as levels from 0 (none) to 5 (worst).

A measured hazard reaches a level where its value reaches the level's bound; ``geo.curves.LevelTables`` holds the bounds
with their sources. A hazard that comes as levels keeps them, and a level between two counts as the worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.curves import LEVELS, LevelTables
from geo.errors import Fault, InputError, refuse
from geo.hazards import Grid, Hazard

Floats = NDArray[np.float64]
Levels = NDArray[np.float32]

DERIVED = ("waterside", "steep_slope", "fuel_industry", "power_line", "old_dense")
"""Hazards made from the study's own map and heights (``geo.derived``)."""
IN_LEVELS = ("fire", "wildfire", "landslide", "debris_flow", "debris", "sand", *DERIVED)
"""Hazards that come as levels."""
UNITS: Mapping[str, str] = {
    **{"flood": "m", "flood_velocity": "m/s", "flood_duration": "h", "flood_arrival": "h"},
    **{"tsunami": "m", "storm_surge": "m", "wind": "m/s"},
    **{"earthquake": "degree", "earthquake_pga": "g", "collapse": "share"},
    **dict.fromkeys(IN_LEVELS, "level"),
}
"""Every kind of hazard that has a rule, with the unit its values must have."""
WATER = ("flood", "tsunami", "storm_surge")
"""Kinds that are a depth of water."""
OF_WATER = ("flood_velocity", "flood_duration", "flood_arrival")
"""Kinds that say more of a flood and mean nothing where the ground is dry."""
FALLING = ("flood_arrival",)
"""Kinds of which less is worse."""
DECIMALS = 5
"""To how many decimals values are compared with bounds: finer than any data, coarser than a raster's own numbers."""


def faults(hazard: Hazard) -> list[Fault]:
    """What is wrong with a hazard's kind or unit; empty where nothing is."""
    where = f"hazard {hazard.hazard_id}"
    if hazard.kind not in UNITS:
        return [Fault(f"a kind that says what it does ({', '.join(UNITS)})", hazard.kind, where)]
    if hazard.unit != UNITS[hazard.kind]:
        return [Fault(f"values in {UNITS[hazard.kind]}", hazard.unit, where)]
    return []


def level_grid(hazard: Hazard, tables: LevelTables, *, plus: float = 0.0) -> Grid:
    """The hazard's raster as levels 0-5 (float32, whole numbers), NaN where not known; CRS and cells as they were.

    A level holds from its bound on, as written: 0.3 m in a raster of 32-bit numbers has reached 0.3. ``plus``, in the
    hazard's unit, makes every value that much worse, except where there is none (0). Raises InputError for a kind or a
    unit without a rule.
    """
    refuse(InputError, faults(hazard))
    return replace(hazard.grid, values=levels_of(hazard.kind, hazard.grid.values, tables, plus=plus))


def levels_of(kind: str, values: NDArray[np.floating], tables: LevelTables, *, plus: float = 0.0) -> Levels:
    """Values of a kind, in its unit and of any shape, as levels 0-5; NaN stays NaN.

    For the arrival of water less is worse: 0 hours is level 5, and what it never reaches must be NaN.
    """
    flat = np.ascontiguousarray(values).ravel()
    found = np.empty(flat.shape, dtype=np.float32)
    half = 0.5 * 10**-DECIMALS
    if UNITS[kind] == "level":
        _whole(flat, plus, half, found)
    elif kind in FALLING:
        _reached(flat, -(bounds(kind, tables) + half), -1.0, plus, found)
    else:
        _reached(flat, bounds(kind, tables) - half, 1.0, plus, found)
    return found.reshape(values.shape)


def bounds(kind: str, tables: LevelTables) -> Floats:
    """Where levels 1 to 5 of a measured kind begin, (5,), in its unit."""
    return np.array([float(word) for word in getattr(tables, kind)])


@njit(cache=True, nogil=True)
def _reached(values: NDArray[Any], edges: Floats, sign: float, plus: float, found: Levels) -> None:  # pragma: no cover
    """How many edges each value, taken times ``sign``, reaches; edges rise."""
    for i in range(len(values)):
        value = float(values[i])
        if np.isnan(value):
            found[i] = np.nan
            continue
        if value > 0:
            value = max(value + sign * plus, 0.0)
        level = 0
        for edge in edges:
            if sign * value >= edge:
                level += 1
        found[i] = level


@njit(cache=True, nogil=True)
def _whole(values: NDArray[Any], plus: float, half: float, found: Levels) -> None:  # pragma: no cover
    """Levels between two are the worse."""
    for i in range(len(values)):
        value = float(values[i])
        if value > 0:
            value = min(max(np.ceil(value + plus - half), 0.0), float(LEVELS))
        elif value < 0:
            value = 0.0
        found[i] = value
