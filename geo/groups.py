"""Groups of people a plan looks after: by age, and people with a disability; whole persons, never more than there are.

A group is given as persons (``people_60plus``) or as a share of the people (``share_60plus``, 0-1), in any row or none.
Where it is not known it stays NaN, and so does every sum it would be part of: not known is not nobody. A planner may
assume a share instead. Groups lie within one another: who is 80 is 60 as well, and nobody of 60 is a child.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from geo.curves import Sourced
from geo.errors import ColumnError, Fault, refuse
from geo.headcount import capped, shared
from geo.reasons import Finding
from geo.tables import Column

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

NAMES: Mapping[str, tuple[str, str]] = {
    "people_60plus": ("people of 60 years and over", "60岁及以上人口"),
    "people_80plus": ("people of 80 years and over", "80岁及以上人口"),
    "people_0_14": ("children up to 14 years", "0-14岁儿童"),
    "people_disabled": ("people with a disability", "残疾人"),
}
"""Each group's column, what it is called in English and in Chinese."""
GROUPS = tuple(NAMES)
"""The groups' columns; one that lies within another comes after it."""
SHARES: Mapping[str, str] = {group: group.replace("people_", "share_") for group in GROUPS}
"""The column in which a group may be given as a share of the people."""
COLUMNS = (
    *(Column(group, "float", f"{NAMES[group][0]}, persons; NaN: not known.", False) for group in GROUPS),
    *(Column(share, "float", f"{NAMES[group][0]}, share of the people 0-1; NaN: not known.", False)
      for group, share in SHARES.items()),
)  # fmt: skip
"""Columns of numbers that a table of people may have beside its own."""
UNKNOWN: Literal["unknown"] = "unknown"
ROUNDING = 1e-6
"""A group may exceed its people by so much of a person: shares are written with few digits."""
NAMED_MAX = 3
"""So many rows of a kind are named."""

Share = Annotated[float, Field(ge=0, le=1)] | Literal["unknown"]


class GroupParams(Sourced):
    """What is assumed of groups that nobody counted."""

    subject = "groups"
    share_60plus: Share = Field(
        description="Share of people of 60 and over taken where it is not given, 0-1; unknown: none is taken."
    )
    share_80plus: Share = Field(
        description="Share of people of 80 and over taken where it is not given, 0-1; unknown: none is taken."
    )
    share_0_14: Share = Field(
        description="Share of children up to 14 taken where it is not given, 0-1; unknown: none is taken."
    )
    share_disabled: Share = Field(
        description="Share of people with a disability taken where it is not given, 0-1; unknown: none is taken."
    )

    @model_validator(mode="after")
    def _fit(self) -> Self:
        """Shares that cannot hold together are refused."""
        old, oldest, young = (self.share(group) for group in ("people_60plus", "people_80plus", "people_0_14"))
        if oldest > old or young + old > 1:
            raise ValueError("share_80plus should be at most share_60plus, and share_0_14 at most what that leaves")
        return self

    def share(self, group: str) -> float:
        """The share assumed for a group; NaN where none is."""
        found = getattr(self, SHARES[group])
        return float("nan") if found == UNKNOWN else float(found)


def counted(
    table: gpd.GeoDataFrame, people: Ints, *, params: GroupParams | None = None
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """The groups of each row as whole persons, indexed like ``table``, and what is to be said of them.

    ``table`` has ``demand_id``, ``people`` as given and any of ``COLUMNS``; ``people`` (rows,) are its whole persons. A
    group nobody knows anything of has no column. Raises ColumnError for groups larger than the people they are of.
    """
    refuse(ColumnError, _faults(table))
    ids, found = table["demand_id"].to_numpy(dtype=object), pd.DataFrame(index=table.index)
    notes: list[Finding] = []
    for group in GROUPS:
        values, most = _given(table, group), room(group, people, found)
        lacking, share = np.isnan(values), float("nan") if params is None else params.share(group)
        if not np.isnan(share):
            values = np.where(lacking, np.minimum(_column(table, "people") * share, most), values)
            notes += _assumed_notes(group, share, int(people[lacking].sum()))
        known = ~np.isnan(values)
        if known.any():
            column = np.full(len(table), np.nan)
            column[known] = capped(values[known], most[known], ids[known])
            found[group] = column
            notes += _unknown_notes(group, int(people[~known].sum()), int((~known & (people > 0)).sum()))
    return found, tuple(notes)


def spread(groups: pd.DataFrame, unit: Ints, people: Ints, ids: Shapes) -> pd.DataFrame:
    """The groups of units (units,) over the places (places,) of their people; each unit keeps its own to the last.

    ``unit`` is the row of each place's unit, ``people`` who is there, already spread. No place has more of a group than
    people. NaN where a unit's group is not known, and where a place has no unit (``headcount.NOBODY``).
    """
    found = pd.DataFrame(index=pd.RangeIndex(len(people)))
    for group in (name for name in GROUPS if name in groups):
        total = groups[group].to_numpy(dtype=np.float64)
        here = shared(np.nan_to_num(total).astype(np.int64), unit, room(group, people, found), ids).astype(np.float64)
        here[np.append(np.isnan(total), True)[unit]] = np.nan  # no unit is the last
        found[group] = here
    return found


def room(group: str, people: Ints, found: pd.DataFrame) -> Ints:
    """The most persons a group can have at each place, (n,), given its people and the groups found before it."""
    if "people_60plus" not in found or group not in ("people_80plus", "people_0_14"):
        return people
    old = found["people_60plus"].to_numpy(dtype=np.float64)
    most = old if group == "people_80plus" else people - old
    return np.where(np.isnan(most), people, most).astype(np.int64)


def by_community(demand: pd.DataFrame, community_ids: pd.Series[str]) -> pd.DataFrame:
    """Each group's persons in each community, indexed like ``community_ids``: one column for each of ``GROUPS``.

    ``demand`` has ``community_id``, ``people`` and any of ``GROUPS``. 0 where nobody lives; NaN where the group of
    anybody there is not known.
    """
    of = demand["community_id"]
    every = {group: _known_sum(_column(demand, group), of) for group in GROUPS}
    columns = {group: found.reindex(community_ids, fill_value=0.0).to_numpy() for group, found in every.items()}
    return pd.DataFrame(columns, index=community_ids.index)


def of_all(demand: pd.DataFrame) -> dict[str, float]:
    """Each group's persons at all places; NaN where the group of anybody is not known."""
    return {group: float(_column(demand, group).sum(skipna=False)) for group in GROUPS}


def _known_sum(values: pd.Series[float], of: pd.Series[str]) -> pd.Series[float]:
    found: pd.Series[float] = values.fillna(0).groupby(of).sum().astype(np.float64)
    return found.mask(values.isna().groupby(of).any())


def _column(table: pd.DataFrame, name: str) -> pd.Series[float]:
    if name in table.columns:
        return pd.to_numeric(table[name]).astype(np.float64)
    return pd.Series(np.nan, index=table.index)


def _given(table: pd.DataFrame, group: str) -> Floats:
    """A group's persons as given, whole or not: counted, else by its share; NaN where neither is."""
    by_share = _column(table, SHARES[group]) * _column(table, "people")
    return np.asarray(_column(table, group).fillna(by_share).to_numpy(dtype=np.float64))


def _faults(table: gpd.GeoDataFrame) -> Iterator[Fault]:
    """Groups below nobody or larger than what they are part of, and shares that are none."""
    people: Floats = np.asarray(_column(table, "people"))
    old, oldest, young, _ = (given := {group: _given(table, group) for group in GROUPS}).values()
    for group, share in SHARES.items():
        written = _column(table, share).to_numpy(dtype=np.float64)
        yield from _wrong(table, (written < 0) | (written > 1), f"{share} from 0 to 1")
        yield from _wrong(table, (given[group] < 0) | _above(given[group], people), f"{group} from 0 to the people")
    yield from _wrong(table, _above(oldest, old), "people_80plus up to people_60plus")
    yield from _wrong(table, _above(young + old, people), "people_0_14 and people_60plus together up to the people")


def _above(some: Floats, most: Floats) -> NDArray[np.bool_]:
    return np.asarray(some > most + ROUNDING)


def _wrong(table: gpd.GeoDataFrame, bad: NDArray[np.bool_], expected: str) -> Iterator[Fault]:
    if bad.any():
        rows = table.loc[bad, "demand_id"].head(NAMED_MAX).tolist()
        cure = "Leave unknown ones empty; shares go into share_60plus and the like."
        yield Fault(expected, f"others in {int(bad.sum())} rows, the first {rows}", "population", cure)


def _assumed_notes(group: str, share: float, people: int) -> Iterator[Finding]:
    en, zh = NAMES[group]
    if people:
        yield Finding(
            f"{group}_assumed",
            f"The number of {en} is not given for {people:,} people; {share:.1%} of them is assumed.",
            f"{people:,}人未给出{zh}，按{share:.1%}假定。",
            severity="warning", count=people, column=group, value=f"{share:g}",
            do_en=f"Give {group} or {SHARES[group]} in the table of people.",
            do_zh=f"请在人口表中给出{group}或{SHARES[group]}。",
        )  # fmt: skip


def _unknown_notes(group: str, people: int, rows: int) -> Iterator[Finding]:
    en, zh = NAMES[group]
    if people:
        yield Finding(
            f"{group}_not_known",
            f"The number of {en} is not known for {people:,} people in {rows:,} rows; communities they live in have "
            "no number.",
            f"{rows:,}行共{people:,}人的{zh}未知，其所在社区不给出该数。",
            severity="warning", count=rows, column=group,
            do_en=f"Fill {group} in all rows, or assume a share with --set groups.{SHARES[group]}=SHARE.",
            do_zh=f"请补全{group}，或用--set groups.{SHARES[group]}=比例设定假定值。",
        )  # fmt: skip
