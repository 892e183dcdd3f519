"""Several hazards as one level for each cell, by a rule that is said, and what is not known beside it.

Every hazard is told as levels 0-5 (``geo.levels``) and brought onto one frame (``geo.frames``). Hazards that tell of
one thing count once, as the worst of them: a flood's depth, velocity, duration and arrival, two rasters of a kind,
intensity and acceleration. What goes with a flood counts as 0 where every depth of water in force says dry.

Rules, over the hazards known at a cell:

- ``worst``: the highest level.
- ``weighted``: the mean by weight, halves up, at least 1 where any is above 0. Another hazard may lower it.
- ``joint``: the highest; one more, at most 5, where two or more reach ``joint_level``. A flood's depth and velocity
  together count by their hazard class, H1 to H5 as levels 1 to 5 and H6 as 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from geo import hazards, levels
from geo.curves import LEVELS, Sourced, Word, flow_class
from geo.errors import InputError, refuse
from geo.frames import Frame, onto
from geo.hazards import Grid, Hazard
from geo.levels import DECIMALS, OF_WATER, WATER, level_grid
from geo.profiles import Rules

Floats = NDArray[np.float64]
Bytes = NDArray[np.int8]

RULES = ("worst", "weighted", "joint")
UNKNOWN = -1
"""What stands for not known among whole numbers, and for no hazard."""
SAME = {**dict.fromkeys(OF_WATER, "flood"), "earthquake_pga": "earthquake"}
"""Kinds that tell of the same thing as another."""
WEIGHED = levels.UNITS.keys() - SAME.keys()
"""Kinds that a weight can be given for."""
AT_ONCE = 1_000_000
"""Cells of which depth and velocity are looked at together at a time: what fits into memory beside the rest."""
HALF = 0.5 + 1e-9
"""Halves are rounded up, whatever rounding made of them."""


def _weights(words: tuple[str, ...]) -> tuple[str, ...]:
    for word in words:
        kind, _, weight = word.partition("=")
        if kind.strip() not in WEIGHED or not weight.strip().replace(".", "", 1).isdecimal() or not float(weight):
            raise ValueError("should be kinds of hazards with a weight above 0 each, such as flood=2")
    return words


class CompositeParams(Sourced):
    """How several hazards are told as one level."""

    subject = "composite"
    rule: Literal["worst", "weighted", "joint"] = Field(
        description="worst: the highest level; weighted: the mean; joint: one level more where two are serious."
    )
    cell_m: float = Field(gt=0, le=1000, description="Side of the cells that hazards are brought onto, metres.")
    cells_max: float = Field(ge=1, le=1e8, description="Most cells of the common frame (number).")
    weights: Annotated[tuple[Word, ...], AfterValidator(_weights)] = Field(
        description="Weights of kinds for rule weighted, each as kind=weight, e.g. flood=2; not named: 1 (a number)."
    )
    joint_level: float = Field(
        ge=1, le=LEVELS, description="Level from which a hazard is serious for rule joint (number)."
    )

    def weight(self, kind: str) -> float:
        """The weight of a kind."""
        pairs = (word.partition("=") for word in self.weights)
        return {name.strip(): float(value) for name, _, value in pairs}.get(kind, 1.0)


@dataclass(frozen=True, eq=False)
class Combined:
    """Several hazards as one level.

    ``level`` 0-5, NaN where no hazard is known; ``level_high`` the same with every stated uncertainty added, never
    lower, None where none states any. (rows, cols) of the same frame: ``worst`` the row in ``hazard_ids`` of the hazard
    with the highest level, -1 where none is above 0; ``known`` how many hazards are known. ``unknown`` (hazards,) is
    the share of the frame that each says nothing about. Hazards are sorted by kind and id: their order changes nothing.
    """

    level: Grid
    worst: Bytes
    known: NDArray[np.uint8]
    hazard_ids: tuple[str, ...]
    unknown: Floats
    level_high: Grid | None
    params: CompositeParams

    @property
    def share_unknown(self) -> float:
        """Share of the frame where at least one hazard is not known; NaN without a hazard."""
        return float((self.known < len(self.hazard_ids)).mean()) if self.hazard_ids else np.nan

    def cells(self) -> pd.DataFrame:
        """How many cells have each level: ``level`` 0-5 and NaN, ``cells``, ``area_m2``."""
        table = _by_level(self.level.values.ravel(), {"cells": np.ones(self.level.values.size)})
        a, b, _, d, e, _ = self.level.transform
        return table.assign(cells=table["cells"].astype(np.int64), area_m2=table["cells"] * abs(a * e - b * d))

    def __repr__(self) -> str:
        return f"Combined({len(self.hazard_ids)} hazards by rule {self.params.rule}, {self.level!r})"


def combined(faced: Sequence[Hazard], *, frame: Frame, rules: Rules, params: CompositeParams) -> Combined:
    """Several hazards as one level for each cell of a frame; rasters may be in any CRS and cell size.

    ``rules`` holds the tables of levels and the flood's hazard classes. Without a hazard nothing is known. Raises
    InputError for a kind or a unit without a rule.
    """
    refuse(InputError, [fault for hazard in faced for fault in levels.faults(hazard)])
    faced = sorted(faced, key=lambda hazard: (hazard.kind, hazard.hazard_id))
    felt = _felt(faced, frame, rules, params, high=False)
    level, worst, known = _combine(faced, felt, params)
    high = None
    if any(hazard.uncertainty for hazard in faced):
        # What is worse may also be known of more cells, and so lower a mean.
        high = frame.grid(np.fmax(level, _combine(faced, _felt(faced, frame, rules, params, high=True), params)[0]))
    unknown = (felt == UNKNOWN).mean(axis=(1, 2))
    ids = tuple(hazard.hazard_id for hazard in faced)
    return Combined(frame.grid(level), worst, known, ids, unknown, high, params)


def _felt(faced: Sequence[Hazard], frame: Frame, rules: Rules, params: CompositeParams, *, high: bool) -> Bytes:
    """The level of each hazard on each cell, (hazards, rows, cols), ``UNKNOWN`` where it is not known."""
    found = np.empty((len(faced), *frame.shape), dtype=np.int8)
    for row, hazard in enumerate(faced):
        level = onto(level_grid(hazard, rules.levels, plus=hazard.uncertainty if high else 0.0), frame)
        found[row] = np.nan_to_num(level, nan=UNKNOWN)
    if params.rule == "joint":
        _take_flow(found, faced, frame, rules, high=high)
    _dry(found, faced)
    return found


def _dry(felt: Bytes, faced: Sequence[Hazard]) -> None:
    """What goes with water counts as 0 where every depth in force says that there is none."""
    depths = [row for row, hazard in enumerate(faced) if hazard.kind in WATER]
    attributes = [row for row, hazard in enumerate(faced) if hazard.kind in OF_WATER]
    if depths and attributes:
        dry = (felt[depths] == 0).all(axis=0)
        for row in attributes:
            felt[row][dry] = 0


def _take_flow(felt: Bytes, faced: Sequence[Hazard], frame: Frame, rules: Rules, *, high: bool) -> None:
    """Raise the level of the velocities to the class of depth and velocity together."""
    depth, velocity = (_measured(faced, kind, frame, high) for kind in ("flood", "flood_velocity"))
    if depth is None or velocity is None:
        return
    deep = np.flatnonzero((depth > rules.flood.film_m) & ~np.isnan(velocity))
    rows = [row for row, hazard in enumerate(faced) if hazard.kind == "flood_velocity"]
    for part in np.array_split(deep, len(deep) // AT_ONCE + 1):
        depth_m, velocity_ms = _rounded(depth, part), _rounded(velocity, part)
        together = np.minimum(flow_class(depth_m, velocity_ms, params=rules.flood), LEVELS).astype(np.int8)
        for row in rows:
            flat = felt[row].reshape(-1)
            flat[part] = np.where(flat[part] == UNKNOWN, UNKNOWN, np.maximum(flat[part], together))


def _rounded(values: NDArray[np.float32], part: NDArray[np.intp]) -> Floats:
    """Some of the values as they were written, before they were kept in 32 bits."""
    wide: Floats = values.ravel()[part].astype(np.float64)
    return np.round(wide, DECIMALS)


def _measured(faced: Sequence[Hazard], kind: str, frame: Frame, high: bool) -> NDArray[np.float32] | None:
    """The worst value of a kind on each cell, NaN where none is known; None without a hazard of the kind."""
    found = None
    for hazard in faced:
        if hazard.kind == kind:
            value = onto(hazard.grid, frame)
            value += np.where(value > 0, np.float32(hazard.uncertainty if high else 0), np.float32(0))
            found = value if found is None else np.fmax(found, value)
    return found


def _combine(
    faced: Sequence[Hazard], felt: Bytes, params: CompositeParams
) -> tuple[NDArray[np.float32], Bytes, NDArray[np.uint8]]:
    """Level, the row of the worst hazard, and how many are known, (rows, cols) each."""
    told = [SAME.get(hazard.kind, hazard.kind) for hazard in faced]
    groups = sorted(set(told))
    group = np.array([groups.index(name) for name in told], dtype=np.int64)
    weight = np.array([params.weight(name) for name in groups])
    shape = felt.shape[1:]
    level, worst = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.int8)
    known = np.empty(shape, dtype=np.uint8)
    _told(felt, group, weight, RULES.index(params.rule), params.joint_level, level, worst, known)
    return level, worst, known


@njit(cache=True, nogil=True)
def _told(
    felt: Bytes, group: NDArray[np.int64], weight: Floats, rule: int, joint: float,
    level: NDArray[np.float32], worst: Bytes, known: NDArray[np.uint8],
) -> None:  # pragma: no cover  # fmt: skip
    """Cell by cell: gather by group, then combine the groups."""
    rows, cols = level.shape
    most = np.empty(len(weight), np.int64)
    for r in range(rows):
        for c in range(cols):
            most[:] = UNKNOWN
            top, who, heard = 0, UNKNOWN, 0
            for h in range(len(group)):
                here = felt[h, r, c]
                if here == UNKNOWN:
                    continue
                heard += 1
                most[group[h]] = max(most[group[h]], here)
                if here > top:
                    top, who = here, h
            worst[r, c], known[r, c] = who, heard
            level[r, c] = _one(most, weight, rule, joint, top) if heard else np.nan


@njit(cache=True, nogil=True)
def _one(most: NDArray[np.int64], weight: Floats, rule: int, joint: float, top: int) -> float:  # pragma: no cover
    """One level of several, ``UNKNOWN`` among them; ``top`` is the highest."""
    if rule == 0 or top == 0:
        return float(top)
    if rule == 2:
        return float(min(top + 1, LEVELS) if (most >= joint).sum() >= 2 else top)
    total, mean = 0.0, 0.0
    for g in range(len(most)):
        if most[g] != UNKNOWN:
            total += weight[g]
            mean += weight[g] * most[g]
    return float(max(np.floor(mean / total + HALF), 1.0))


def by_level(
    of: Combined, x: Floats, y: Floats, *, crs: str, weights: Mapping[str, Floats], high: bool = False
) -> pd.DataFrame:
    """What stands on each level: ``level`` 0-5 and NaN (not known), and the sum of each of ``weights`` (n,) there.

    Points (n,) in ``crs``; those beyond the frame are not known. ``weights`` are e.g. people, or ones for buildings.
    ``high`` asks ``level_high`` where there is one. Sums over the rows are the totals.
    """
    grid = of.level_high if high and of.level_high is not None else of.level
    found = hazards.expose_points(x, y, crs=crs, hazard=Hazard("level", "combined", "level", grid))
    return _by_level(found["max"].to_numpy(), weights)


def _by_level(level: NDArray[np.floating], weights: Mapping[str, Floats]) -> pd.DataFrame:
    row = np.nan_to_num(level, nan=LEVELS + 1).astype(np.int64)
    columns = dict(_sums(row, weights))
    return pd.DataFrame({"level": [*map(float, range(LEVELS + 1)), np.nan], **columns})


def _sums(row: NDArray[np.int64], weights: Mapping[str, Floats]) -> Iterator[tuple[str, Floats]]:
    for name, weight in weights.items():
        yield name, np.bincount(row, weights=weight, minlength=LEVELS + 2).astype(np.float64)
