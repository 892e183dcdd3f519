"""One row a community, the city's headline, and the audit that nobody was lost or counted twice."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from geo.evacuation import STATES, WalkParams
from geo.reasons import Sentence, for_community
from geo.standards import Standards

Floats = NDArray[np.float64]

MEASURES = (
    "people",
    "people_exposed",
    "people_served",
    "people_served_normal",
    "people_unserved",
    "people_cut_off",
    "people_lost_access",
    "shelters",
    "shelters_usable",
    "shelter_capacity",
    "shelter_m2_per_person",
    "walk_s_median",
    "walk_s_p95",
    "walk_s_median_normal",
)
"""The summary's measures in the order in which they are shown, after the community's own columns."""


class StatusParams(BaseModel):
    """When a community counts as good, to be watched or bad."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    good_share: float = Field(ge=0, le=1, description="Smallest share of people served at which it is good, 0-1.")
    watch_share: float = Field(ge=0, le=1, description="Smallest share of people served at which it is watched, 0-1.")

    @classmethod
    def of(cls, standards: Standards) -> StatusParams:
        """The defaults as the standards give them."""
        return cls(good_share=standards.number("status.good_share"), watch_share=standards.number("status.watch_share"))


@dataclass(frozen=True)
class Check:
    """One line of the audit: two counts that must be equal."""

    name: str
    expected: int
    found: int

    @property
    def ok(self) -> bool:
        """Whether nobody was lost or counted twice."""
        return self.expected == self.found


def weighted_quantile(values: Floats, weights: Floats, share: float) -> float:
    """The smallest value that at least ``share`` of the weight does not exceed; NaN when nothing has weight.

    NaN values are left out: people without a way have no walk, they are counted elsewhere.
    """
    kept = ~np.isnan(values) & (weights > 0)
    if not kept.any():
        return float("nan")
    order = np.argsort(values[kept], kind="stable")
    heaped = np.cumsum(weights[kept][order])
    return float(values[kept][order][np.searchsorted(heaped, share * heaped[-1] * (1 - 1e-12))])


def by_community(
    units: gpd.GeoDataFrame,
    demand: gpd.GeoDataFrame,
    shelters: gpd.GeoDataFrame,
    *,
    params: StatusParams,
    walk: WalkParams,
) -> gpd.GeoDataFrame:
    """The communities with their measures, status and reason; people are those of ``demand``, to the last one.

    A community without people has zeros, NaN walks and status ``empty``. Shelters count where they stand; those
    outside every community count in the city only.
    """
    groups = {name: part for name, part in demand.groupby("community_id", sort=False)}
    sites = {name: part for name, part in shelters.groupby("community_id", sort=False)}
    rows = [
        _row(groups.get(unit, demand.iloc[:0]), sites.get(unit, shelters.iloc[:0]), params, walk)
        for unit in units["community_id"]
    ]
    table = pd.DataFrame(
        rows, columns=[*MEASURES, "status", "reason_code", "reason_en", "reason_zh"], index=units.index
    )
    return gpd.GeoDataFrame(pd.concat([units.drop(columns="geometry"), table], axis=1), geometry=units.geometry)


def _row(
    demand: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, params: StatusParams, walk: WalkParams
) -> dict[str, object]:
    row = _people(demand) | _shelters(sites) | _walks(demand)
    people = int(row["people"])
    row["shelter_m2_per_person"] = _ground(sites) / people if people else np.nan
    by_state = demand.groupby("state")["people"].sum()
    reason = for_community(
        people,
        {state: int(by_state.get(state, 0)) for state in STATES},
        minutes=walk.max_minutes,
        median_s=float(row["walk_s_median"]),
        lost_shelters=int(row["shelters"] - row["shelters_usable"]),
        shelters=int(row["shelters"]),
    )
    share = row["people_served"] / people if people else np.nan
    standing = "empty" if not people else status(share, params)
    return row | {"status": standing, "reason_code": reason.code, "reason_en": reason.en, "reason_zh": reason.zh}


def _ground(sites: gpd.GeoDataFrame) -> float:
    """Ground of the usable shelters in square metres: 0 where there is none, NaN where none of it is known."""
    usable = sites.loc[sites["usable"], "area_m2"]
    return float(usable.sum(min_count=1)) if len(usable) else 0.0


def status(share: float, params: StatusParams) -> str:
    """How a community stands of which a share (0-1) is served: good, watch or bad."""
    return "good" if share >= params.good_share else "watch" if share >= params.watch_share else "bad"


def _count(demand: gpd.GeoDataFrame, mask: pd.Series) -> int:
    return int(demand.loc[mask, "people"].sum())


def _people(demand: gpd.GeoDataFrame) -> dict[str, float]:
    """Counts of whole people in one community or the city."""
    served, before = demand["state"] == "served", demand["served_normal"]
    return {
        "people": int(demand["people"].sum()),
        "people_exposed": _count(demand, demand["exposed"]),
        "people_served": _count(demand, served),
        "people_served_normal": _count(demand, before),
        "people_unserved": _count(demand, ~served),
        "people_cut_off": _count(demand, demand["lost_way"]),
        "people_lost_access": _count(demand, before & ~served),
    }


def _shelters(sites: gpd.GeoDataFrame) -> dict[str, float]:
    usable = sites[sites["usable"]]
    return {
        "shelters": len(sites),
        "shelters_usable": len(usable),
        # Room that is not known is not room: NaN only when no usable shelter's room is known.
        "shelter_capacity": usable["capacity_people"].sum(min_count=1) if len(usable) else 0.0,
    }


def _walks(demand: gpd.GeoDataFrame) -> dict[str, float]:
    people = demand["people"].to_numpy(dtype=float)
    now, normal = demand["walk_s"].to_numpy(dtype=float), demand["walk_s_normal"].to_numpy(dtype=float)
    return {
        "walk_s_median": weighted_quantile(now, people, 0.5),
        "walk_s_p95": weighted_quantile(now, people, 0.95),
        "walk_s_median_normal": weighted_quantile(normal, people, 0.5),
    }


def headline(demand: gpd.GeoDataFrame, shelters: gpd.GeoDataFrame) -> dict[str, float]:
    """The city in a dozen numbers: the summary's measures over everybody."""
    return _people(demand) | _shelters(shelters) | _walks(demand)


def audit(units: gpd.GeoDataFrame, demand: gpd.GeoDataFrame, total: int) -> tuple[Check, ...]:
    """Whether everybody is in exactly one community and in exactly one state."""
    people = int(demand["people"].sum())
    in_known = int(demand.loc[demand["state"].isin(STATES), "people"].sum())
    return (
        Check("people in the population and in the plan", total, people),
        Check("people in the plan and in the communities", people, int(units["people"].sum())),
        Check("people in the plan and in a state of evacuation", people, in_known),
        Check("people served and unserved", people, int(units["people_served"].sum() + units["people_unserved"].sum())),
    )


def shelter_notes(known: gpd.GeoDataFrame, planned: gpd.GeoDataFrame) -> tuple[Sentence, ...]:
    """What must be said about the shelters a plan works with."""
    mapped, candidates = int((known["origin"] != "candidate").sum()), int((known["origin"] == "candidate").sum())
    assumed = int((planned["origin"] == "candidate").sum())
    if assumed:
        return (
            Sentence(
                "candidates_assumed",
                f"{mapped} shelters are mapped or given; this plan assumes that {assumed} places that could become "
                f"shelters are open (of {candidates} found): schools, sports halls, parks and the like.",
                f"数据中已有避难场所{mapped}处；本方案假定{assumed}处可转换场所已开放"
                f"（共找到{candidates}处：学校、体育场馆、公园等）。",
            ),
        )
    if mapped and candidates:
        return (
            Sentence(
                "candidates_not_counted",
                f"{mapped} shelters are known; {candidates} places that could become shelters are not counted beside "
                "them (shelter.candidates=always counts them).",
                f"已知避难场所{mapped}处；另有{candidates}处可转换场所未计入（设shelter.candidates=always可计入）。",
            ),
        )
    if not len(planned):
        return (
            Sentence(
                "no_shelters",
                "No shelter and no place that could become one is in the data: the map may be empty "
                "rather than the city.",
                "数据中没有避难场所，也没有可转换的场所：可能是数据缺失，而非城市没有。",
            ),
        )
    return ()


def island_notes(length_m: Floats, island: NDArray[np.bool_]) -> tuple[Sentence, ...]:
    """What must be said about streets (edges,) that lead nowhere on the map."""
    if not island.any():
        return ()
    km = length_m[island].sum() / 1000
    count = f"{island.sum():,}"
    en = f"{count} street segments ({km:.1f} km) are not joined to the rest of the map; nobody is bound to them."
    return (Sentence("islands", en, f"{count}段街道（{km:.1f}公里）与路网不连通，不作为出行起点。"),)


def room_notes(shelters: gpd.GeoDataFrame, served: int) -> tuple[Sentence, ...]:
    """What must be said of the room in usable shelters, beside ``served`` people who reach one."""
    room = shelters.loc[shelters["usable"], "capacity_people"]
    known, unknown = int(room.sum()), int(room.isna().sum())
    full = int((shelters["people_nearest"] > shelters["capacity_people"]).sum())
    if served <= known and not full:
        return ()
    return (
        Sentence(
            "room_not_enough",
            f"Reaching a shelter is not room in it: the usable shelters have room for {known:,} people as far as known "
            f"({unknown} of {len(room)} not known); {full} are nearest to more people than they hold.",
            f"可到达不等于容得下：可用避难场所已知容量{known:,}人（{len(room)}处中{unknown}处未知），"
            f"{full}处的就近人数超过容量。",
        ),
    )


def run_notes(demand: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, *, with_hazard: bool) -> tuple[Sentence, ...]:
    """What must be said about one scenario: people without a street, and where the hazard is not known."""
    notes = []
    lost = _count(demand, demand["state"] == "not_snapped")
    if lost:
        notes.append(
            Sentence(
                "not_snapped",
                f"{lost:,} people have no mapped street near them and count as not served.",
                f"{lost:,}人附近没有已绘制的街道，按未服务计。",
            )
        )
    known = streets["share_unknown"].to_numpy(dtype=float)
    length = streets["length_m"].to_numpy(dtype=float)
    if with_hazard and (known > 0).any():
        share = float(np.nansum(known * length) / length.sum())
        notes.append(
            Sentence(
                "hazard_partly_unknown",
                f"The hazard is not known for {share:.0%} of the street length; those streets count as open.",
                f"{share:.0%}的街道长度缺少灾害数据，按可通行计。",
            )
        )
    return tuple(notes)
