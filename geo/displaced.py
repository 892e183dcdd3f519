"""Who needs a shelter: the share of people who cannot stay at home, by hazard and its level from 0 (none) to 5 (worst).

People who leave for a night, to relatives or into the open, are not counted here: this is who needs a roof. After the
displacement rates of InaSAFE and planning choices, all in data/standards/displaced.toml, to be set for the place.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from geo import groups
from geo.curves import Shares, Sourced, by_level
from geo.errors import Fault, ParameterError, refuse
from geo.groups import GROUPS
from geo.headcount import portion, shared

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

PEOPLE = "people_displaced"
UNKNOWN = "people_displaced_unknown"
DISPLACED: Mapping[str, str] = {group: f"{group}_displaced" for group in GROUPS}
"""Column of each group's persons who need a shelter."""
SAME: Mapping[str, str] = {
    "earthquake_pga": "earthquake", "flood_velocity": "flood", "flood_duration": "flood",
}  # fmt: skip
"""Kinds of hazards that displace as another does at the same level."""
SILENT = ("flood_arrival", "waterside", "steep_slope", "fuel_industry", "power_line", "old_dense")
"""Kinds that say when or where something may happen, not what happens."""


class DisplacedParams(Sourced):
    """Which share of the people needs a shelter, by hazard and level."""

    subject = "displaced"
    flood: Shares = Field(description="Share who need a shelter at flood levels 1 to 5, 0-1.")
    tsunami: Shares = Field(description="Share who need a shelter at tsunami levels 1 to 5, 0-1.")
    storm_surge: Shares = Field(description="Share who need a shelter at storm surge levels 1 to 5, 0-1.")
    earthquake: Shares = Field(description="Share who need a shelter at earthquake levels 1 to 5, 0-1.")
    collapse: Shares = Field(description="Share who need a shelter at levels 1 to 5 of collapsing buildings, 0-1.")
    fire: Shares = Field(description="Share who need a shelter at fire levels 1 to 5, 0-1.")
    wildfire: Shares = Field(description="Share who need a shelter at wildfire levels 1 to 5, 0-1.")
    wind: Shares = Field(description="Share who need a shelter at wind levels 1 to 5, 0-1.")
    sand: Shares = Field(description="Share who need a shelter at levels 1 to 5 of wind-blown sand, 0-1.")
    landslide: Shares = Field(description="Share who need a shelter at landslide levels 1 to 5, 0-1.")
    debris_flow: Shares = Field(description="Share who need a shelter at debris flow levels 1 to 5, 0-1.")
    debris: Shares = Field(description="Share who need a shelter at levels 1 to 5 of rubble, 0-1.")


def share(levels: Mapping[str, Floats], places: int, *, params: DisplacedParams) -> Floats:
    """The share (0-1) of the people at each place (places,) who need a shelter; nobody needs two.

    ``levels`` has for each kind of hazard in force its level 0-5 at each place, NaN where not known. The hazard that
    displaces most counts; NaN where none of them is known, 0 where none is in force. Raises ParameterError for a kind
    without shares.
    """
    asked = {kind: SAME.get(kind, kind) for kind in levels if kind not in SILENT}
    known = ", ".join([*DisplacedParams.model_fields, *SAME, *SILENT])
    strange = [kind for kind, like in asked.items() if like not in DisplacedParams.model_fields]
    refuse(ParameterError, [Fault(f"a hazard of {known}", repr(kind), "displaced") for kind in strange])
    every = [
        np.where(np.isnan(levels[kind]), np.nan, by_level(levels[kind], getattr(params, like), none=0.0))
        for kind, like in asked.items()
    ]
    return np.asarray(np.fmax.reduce(every)) if every else np.zeros(places)


def at_places(demand: pd.DataFrame, need: Floats) -> pd.DataFrame:
    """Whole persons who need a shelter, indexed like ``demand``: ``people_displaced`` and each group's that is there.

    ``demand`` has ``demand_id``, ``people``, ``community_id`` and any of ``groups.GROUPS``; ``need`` (places,) is the
    share from ``share``. Each community has its rounded sum; no place has more than its people, nor more of a group
    than people displaced. NaN where the share, or the group, is not known.
    """
    ids, part = (demand[name].to_numpy(dtype=object) for name in ("demand_id", "community_id"))
    people = demand["people"].to_numpy(dtype=np.int64)
    known = ~np.isnan(need)
    count = np.zeros(len(people), dtype=np.int64)
    count[known] = portion(people[known], need[known], ids[known], part=part[known])
    found = pd.DataFrame({PEOPLE: np.where(known, count, np.nan)}, index=demand.index)
    of_groups = _of_groups(demand, count, known)
    return found.assign(**{DISPLACED[str(group)]: of_groups[group] for group in of_groups})


def by_community(demand: pd.DataFrame, found: pd.DataFrame, community_ids: pd.Series[str]) -> pd.DataFrame:
    """Whole persons who need a shelter in each community, indexed like ``community_ids``.

    Columns ``people_displaced``, ``people_displaced_unknown`` (who lives where no hazard in force is known, and is not
    in the former) and one for each of ``DISPLACED``. 0 where nobody lives; NaN where nothing is known of anybody there.
    """
    of, people = demand["community_id"], demand["people"].astype(np.float64)
    unknown = found[PEOPLE].isna()
    columns = {
        PEOPLE: found[PEOPLE].groupby(of).sum(min_count=1),
        UNKNOWN: people.where(unknown, 0.0).groupby(of).sum(),
    }
    for name in DISPLACED.values():
        some = found[name] if name in found else pd.Series(np.nan, index=found.index)
        lacking = (some.isna() & ~unknown).groupby(of).any()
        columns[name] = some.groupby(of).sum(min_count=1).mask(lacking)
    return pd.DataFrame(
        {name: found.reindex(community_ids, fill_value=0.0).to_numpy() for name, found in columns.items()},
        index=community_ids.index,
    )


def of_all(demand: pd.DataFrame, found: pd.DataFrame) -> dict[str, float]:
    """The same for all places together: the sums of ``by_community`` over one community that is everybody."""
    everybody = demand.assign(community_id="all")
    row = by_community(everybody, found, pd.Series(["all"])).iloc[0]
    return {str(name): float(value) for name, value in row.items()}


def _of_groups(demand: pd.DataFrame, displaced: Ints, known: Mask) -> pd.DataFrame:
    """How many of the displaced (places,) are of each group that ``demand`` has; NaN where either is not known.

    At each place as many of a group as chance would take, rounded up or down so that each community has its rounded
    sum: where everybody is displaced, all of the group are.
    """
    people, found = demand["people"].to_numpy(dtype=np.int64), pd.DataFrame(index=demand.index)
    unit = np.unique(demand["community_id"].to_numpy(dtype=object).astype(str), return_inverse=True)[1]
    for group in (name for name in GROUPS if name in demand):
        of_group = demand[group].to_numpy(dtype=np.float64)
        measured = known & ~np.isnan(of_group)
        some = groups.room(group, displaced, found) * np.nan_to_num(of_group).astype(np.int64) * measured
        of = np.maximum(groups.room(group, people, demand), 1)
        least, rest = some // of, (some % of > 0).astype(np.int64)
        more = np.floor(np.bincount(unit, some / of) + 0.5) - np.bincount(unit, least)
        more = np.clip(more, 0, np.bincount(unit, rest)).astype(np.int64)
        count = least + shared(more, unit, rest, demand["demand_id"].to_numpy(dtype=object))
        found[group] = np.where(measured, count, np.nan)
    return found
