"""What stands where it should not, and in which order it moves.

The retreat list names every building and facility on ground to yield (让) with its people and its reasons. Steps: 1
what a serious hazard reaches, and whoever cannot leave by themselves (hospitals, schools: ``important``) where any
hazard does; 2 what a hazard reaches; 3 what only stands too near to something. Within a step: the worst hazard first,
then important ones, then those with most old people, then with most people, then by id. Nothing on it is lost: each
object is listed once, with the share of it that lies there.
"""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from geo.curves import LEVELS, Sourced
from geo.parts import Parts
from geo.reasons import Finding
from geo.tables import NAMES
from geo.zoning import LET, Judged

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

STANDING = (
    "object", "object_id", *NAMES, "use", "building_class", "important", "community_id", "people", "people_60plus",
)  # fmt: skip
"""Columns of what stands: ``object`` building or facility, ``use`` in the map's words, ``important`` true or false,
``people`` and ``people_60plus`` who live there (0 of facilities: they are counted in their building; NaN: not known).
"""
STEPS = {
    1: ("first: a serious hazard reaches it", "第一批：受严重灾害影响"),
    2: ("second: a hazard reaches it", "第二批：受灾害影响"),
    3: ("third: too near to something", "第三批：安全距离不足"),
}


class RetreatParams(Sourced):
    """What moves first."""

    subject = "retreat"
    first_level: float = Field(
        ge=1, le=LEVELS, description="Level of all hazards from which something moves first (number)."
    )
    second_level: float = Field(ge=1, le=LEVELS, description="Level of all hazards of the second step (number).")


def listed(standing: gpd.GeoDataFrame, judged: Judged, level: Floats, *, params: RetreatParams) -> gpd.GeoDataFrame:
    """The retreat list of what stands (n rows of ``STANDING``), as it was judged.

    ``level`` (n,) is that of all hazards together there, NaN where not known. Columns: ``order`` from 1, ``step`` and
    its words, ``level_max``, ``STANDING``, ``let_share``, ``rules``, ``reason_en``, ``reason_zh``.
    """
    rows = np.flatnonzero(judged.table["verdict"] == LET)
    there = standing.iloc[rows].reset_index(drop=True)
    at, important = level[rows], there["important"].to_numpy(dtype=bool)
    step = _steps(at, important, params)
    order = _order(there, step, at, important)
    said = judged.table.iloc[rows][["let_share", "rules", "reason_en", "reason_zh"]].reset_index(drop=True)
    words = pd.DataFrame([STEPS[k] for k in step], columns=["step_en", "step_zh"], dtype=object)
    head = pd.DataFrame({"order": np.argsort(order) + 1, "step": step, "level_max": at})
    table = pd.concat([head, words, there.drop(columns="geometry"), said], axis=1).iloc[order].reset_index(drop=True)
    shapes = there.geometry.to_numpy()[order]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=standing.crs)


def _steps(level: Floats, important: Mask, params: RetreatParams) -> Ints:
    known = np.nan_to_num(level)
    first = (known >= params.first_level) | (important & (known >= params.second_level))
    return np.select([first, known >= params.second_level], [1, 2], default=3).astype(np.int64)


def _order(there: gpd.GeoDataFrame, step: Ints, level: Floats, important: Mask) -> Ints:
    """Rows in the order in which they move."""
    old, people = (np.nan_to_num(there[name].to_numpy(dtype=np.float64)) for name in ("people_60plus", "people"))
    ids = pd.factorize(there["object"].astype(str) + "/" + there["object_id"].astype(str), sort=True)[0]
    return np.lexsort((ids, -people, -old, ~important, -np.nan_to_num(level), step))


def by_community(standing: gpd.GeoDataFrame, judged: Judged, ids: pd.Series) -> pd.DataFrame:
    """Buildings on ground to yield in each community, ``buildings_in_let``, indexed like ``ids``.

    NaN where nothing stands that is a building: not known. Those outside every community are in none.
    """
    if not (standing["object"] == "building").any():
        return pd.DataFrame({"buildings_in_let": np.nan}, index=ids.index)
    counts = Parts.named(standing["community_id"], ids).counts(moving(standing, judged))
    return pd.DataFrame({"buildings_in_let": counts}, index=ids.index)


def headline(standing: gpd.GeoDataFrame, judged: Judged) -> dict[str, float]:
    """``buildings_in_let`` of the whole study, wherever they stand; NaN where nothing stands that is a building."""
    built = (standing["object"] == "building").any()
    return {"buildings_in_let": float(moving(standing, judged).sum()) if built else np.nan}


def moving(standing: gpd.GeoDataFrame, judged: Judged) -> Mask:
    """Which of what stands (n,) are buildings on ground to yield."""
    return np.asarray((judged.table["verdict"] == LET).to_numpy() & (standing["object"] == "building").to_numpy())


def outside(standing: gpd.GeoDataFrame, judged: Judged, ids: pd.Series) -> Iterator[Finding]:
    """That some of the buildings to move stand in none of the communities (``ids``)."""
    those = moving(standing, judged)
    lost = int((those & ~standing["community_id"].isin(ids).to_numpy()).sum())
    if lost:
        yield Finding(
            "retreat_outside", f"{lost:,} of the {those.sum():,} buildings on ground to yield stand in no community: "
            "they are on the retreat list and in the count of the whole, in that of no community.",
            f"应让出的{those.sum():,}栋建筑中有{lost:,}栋不在任何社区内：已列入让出清单和总数，未计入任何社区。",
            "info", lost, column="community_id",
        )  # fmt: skip
