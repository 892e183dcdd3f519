"""One row a community, the city's headline, and the audit that nobody was lost or counted twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from geo.evacuation import STATES, WalkParams
from geo.membership import NONE
from geo.parts import Parts
from geo.reasons import Sentence, for_community
from geo.standards import Standards

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Column = Ints | Floats

MEASURES = (
    "people",
    "people_exposed",
    "people_served",
    "people_served_normal",
    "people_unserved",
    "people_full",
    "people_cut_off",
    "people_lost_access",
    "shelters",
    "shelters_usable",
    "shelter_capacity",
    "shelter_m2_per_person",
    "walk_s_median",
    "walk_s_p95",
    "walk_s_median_normal",
    "nearest_s_median",
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


@dataclass(frozen=True)
class Legs:
    """The walks of those who are served: ``community_id``, ``walk_s`` and ``people`` (rows,).

    A place has as many rows as shelters its people go to.
    """

    community_id: pd.Series
    walk_s: Floats
    people: Ints

    def quantiles(self, names: pd.Series, share: float) -> Floats:
        """Of each community (names,) the walk that at least a share (0-1) of its people do not exceed."""
        return Parts.named(self.community_id, names).quantiles(self.walk_s, self.people, share)

    @property
    def everybody(self) -> Legs:
        """All of them as of one community."""
        return Legs(pd.Series(np.full(len(self.people), ALL, dtype=object)), self.walk_s, self.people)


ALL = "all"
"""The community of everybody."""


def by_community(
    units: gpd.GeoDataFrame,
    demand: gpd.GeoDataFrame,
    shelters: gpd.GeoDataFrame,
    walks: tuple[Legs, Legs],
    *,
    params: StatusParams,
    walk: WalkParams,
    known: bool | None = None,
) -> gpd.GeoDataFrame:
    """The communities with their measures, status and reason; people are those of ``demand``, to the last one.

    ``walks`` are everybody's now and on a normal day; ``known`` says whether the data has any shelter, where
    ``shelters`` are not all. A community without people has zeros, NaN walks and status
    ``empty``. Shelters count where they stand; those outside every community count in the city only.
    """
    homes = Parts.named(demand["community_id"], units["community_id"])
    sites = Parts.named(shelters["community_id"], units["community_id"])
    columns = _measures(demand, homes, shelters, sites) | _walks(walks, units["community_id"])
    people = columns["people"]
    columns["shelter_m2_per_person"] = _ratio(_known_sums(shelters, "area_m2", sites), people)
    rows = zip(
        _statuses(_ratio(columns["people_served"], people), params),
        _reasons(columns, _by_state(demand, homes), walk, known=len(shelters) > 0 if known is None else known),
        strict=True,
    )
    words = pd.DataFrame(
        [(status, said.code, said.en, said.zh) for status, said in rows],
        columns=["status", "reason_code", "reason_en", "reason_zh"],
        index=units.index,
    )
    table = pd.DataFrame(columns, index=units.index)[[*MEASURES]]
    return gpd.GeoDataFrame(pd.concat([units.drop(columns="geometry"), table, words], axis=1), geometry=units.geometry)


def _measures(demand: gpd.GeoDataFrame, homes: Parts, shelters: gpd.GeoDataFrame, sites: Parts) -> dict[str, Column]:
    """The measures of each part that need no other one, (parts,); ``homes`` and ``sites`` have the same parts."""
    near = homes.quantiles(demand["nearest_s"].to_numpy(dtype=float), _whole(demand), 0.5)
    return _people(demand, homes) | _shelters(shelters, sites) | {"nearest_s_median": near}


def _reasons(
    columns: Mapping[str, Column], by_state: Mapping[str, Ints], walk: WalkParams, *, known: bool
) -> Iterator[Sentence]:
    lost = columns["shelters"] - columns["shelters_usable"]
    for row, people in enumerate(columns["people"]):
        yield for_community(
            int(people),
            {state: int(count[row]) for state, count in by_state.items()},
            minutes=walk.max_minutes,
            median_s=float(columns["walk_s_median"][row]),
            lost_shelters=int(lost[row]),
            shelters=int(columns["shelters"][row]),
            known=known,
        )


def _by_state(demand: gpd.GeoDataFrame, homes: Parts) -> dict[str, Ints]:
    """The people of each part in each state of evacuation."""
    left, states = _whole(demand, "people_unserved"), demand["state"]
    found = {state: homes.sums(left, _mask(states == state)) for state in STATES}
    return found | {"served": homes.sums(_whole(demand, "people_served"))}


def _whole(demand: gpd.GeoDataFrame, column: str = "people") -> Ints:
    return np.asarray(demand[column].to_numpy(dtype=np.int64))


def _mask(which: pd.Series) -> Mask:
    return np.asarray(which.to_numpy(dtype=bool))


def _ratio(amount: Column, people: Column) -> Floats:
    """NaN where nobody is."""
    return np.asarray(np.divide(amount, people, out=np.full(len(people), np.nan), where=people > 0))


def _known_sums(sites: gpd.GeoDataFrame, column: str, parts: Parts) -> Floats:
    """The sum of a column over each part's usable shelters: 0 where there is none, NaN where none of it is known."""
    values, usable = sites[column].to_numpy(dtype=np.float64), _mask(sites["usable"])
    there, known = parts.counts(usable), parts.counts(usable & ~np.isnan(values))
    found = np.where((there > 0) & (known == 0), np.nan, 0.0)
    rows = Parts(np.where(usable, parts.part, NONE), parts.n).rows()
    for part in np.flatnonzero(known):
        found[part] = np.nansum(values[rows[part]])
    return found


def status(share: float, params: StatusParams) -> str:
    """How a community stands of which a share (0-1) is served: good, watch or bad."""
    return "good" if share >= params.good_share else "watch" if share >= params.watch_share else "bad"


def _statuses(shares: Floats, params: StatusParams) -> list[str]:
    return ["empty" if np.isnan(share) else status(share, params) for share in shares]


def _people(demand: gpd.GeoDataFrame, homes: Parts) -> dict[str, Column]:
    """Counts of whole people in each part."""
    people, left = _whole(demand), _whole(demand, "people_unserved")
    reached, before = _mask(demand["in_reach"]), _mask(demand["in_reach_normal"])
    return {
        "people": homes.sums(people),
        "people_exposed": homes.sums(people, _mask(demand["exposed"])),
        "people_served": homes.sums(_whole(demand, "people_served")),
        "people_served_normal": homes.sums(_whole(demand, "people_served_normal")),
        "people_unserved": homes.sums(left),
        "people_full": homes.sums(left, _mask(demand["state"] == "full")),
        "people_cut_off": homes.sums(people, _mask(demand["lost_way"])),
        "people_lost_access": homes.sums(people, before & ~reached),
    }


def _shelters(sites: gpd.GeoDataFrame, parts: Parts) -> dict[str, Column]:
    return {
        "shelters": parts.counts(),
        "shelters_usable": parts.counts(_mask(sites["usable"])),
        # Room that is not known is not room: NaN only when no usable shelter's room is known.
        "shelter_capacity": _known_sums(sites, "capacity_people", parts),
    }


def _walks(walks: tuple[Legs, Legs], names: pd.Series) -> dict[str, Column]:
    now, normal = walks
    return {
        "walk_s_median": now.quantiles(names, 0.5),
        "walk_s_p95": now.quantiles(names, 0.95),
        "walk_s_median_normal": normal.quantiles(names, 0.5),
    }


def headline(demand: gpd.GeoDataFrame, shelters: gpd.GeoDataFrame, walks: tuple[Legs, Legs]) -> dict[str, float]:
    """The city in a dozen numbers: the summary's measures over everybody."""
    found = _measures(demand, Parts.whole(len(demand)), shelters, Parts.whole(len(shelters)))
    found |= _walks((walks[0].everybody, walks[1].everybody), pd.Series([ALL]))
    return {name: column[0].item() for name, column in found.items()}


def audit(
    units: gpd.GeoDataFrame, demand: gpd.GeoDataFrame, shelters: gpd.GeoDataFrame, total: int
) -> tuple[Check, ...]:
    """Whether everybody is in exactly one community and either in a shelter or left over, and no shelter overfull."""
    people, served, left = (_whole(demand, name).sum() for name in ("people", "people_served", "people_unserved"))
    in_known = int(_whole(demand)[_mask(demand["state"].isin(STATES))].sum())
    over = shelters["people"] - shelters["capacity_people"].where(shelters["capacity_limits"], np.inf)
    return (
        Check("people in the population and in the plan", total, int(people)),
        Check("people in the plan and in the communities", int(people), int(units["people"].sum())),
        Check("people in the plan and in a state of evacuation", int(people), in_known),
        Check("people served and unserved", int(people), int(served + left)),
        Check("people served and in shelters", int(served), int(shelters["people"].sum())),
        Check("people in shelters beyond their room", 0, int(over.clip(lower=0).sum())),
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


def room_notes(shelters: gpd.GeoDataFrame) -> tuple[Sentence, ...]:
    """What must be said of people who go to shelters whose room nobody knows, or is not counted."""
    free = ~shelters["capacity_limits"] & (shelters["people"] > 0)
    if not free.any():
        return ()
    people, n = int(shelters.loc[free, "people"].sum()), int(free.sum())
    return (
        Sentence(
            "room_not_known",
            f"{people:,} people are led to {n:,} shelters whose room is not known or not counted "
            "(refuge.unknown_room, refuge.room): reaching them is not room in them.",
            f"{people:,}人被引导至容量未知或不计容量的{n:,}处避难场所（refuge.unknown_room、refuge.room）："
            "可到达不等于容得下。",
        ),
    )


def run_notes(demand: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, *, with_hazard: bool) -> tuple[Sentence, ...]:
    """What must be said about one scenario: people without a street, and where the hazard is not known."""
    notes = []
    lost = int(demand.loc[demand["state"].isin(["not_snapped", "outside_data"]), "people"].sum())
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
