"""Which places of refuge can be used in a hazard, and how many people they hold.

A capacity is the declared one or follows from area, whichever is less: open ground and floors that can be used
(``geo.ground``), divided by the area a person needs for hours, or for nights in a shelter of its tier (``geo.tiers``;
the per-person figures carry their grade in data/standards). What is not known stays NaN.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from geo import tiers
from geo.ground import TAKEN
from geo.reasons import Finding, for_room
from geo.snapping import Snaps
from geo.standards import Standards
from geo.tiers import TierParams

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Words = NDArray[Any]

ROUNDING = 1e-9
"""People this close to one more are one more: sums of floating point numbers are no better."""


class ShelterParams(BaseModel):
    """What counts as a shelter and how much room it has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: str = Field(
        pattern="^(auto|always|never)$",
        description="Plan with places that could become shelters: auto (where no shelter is mapped), always, never.",
    )
    min_site_m2: float = Field(ge=0, description="Smallest site that counts, square metres; unknown areas pass.")
    max_share_wet: float = Field(
        ge=0, le=1, description="Largest share of a site under water at which it is usable, 0-1."
    )
    max_share_unknown: float = Field(
        ge=0, le=1, description="Largest share of a site without hazard data at which it is usable, 0-1."
    )
    large_people: float = Field(
        ge=0, description="Room by area alone beyond which it is asked whether the outline is right, people."
    )
    entrance_max_m: float = Field(gt=0, le=2000, description="Farthest a site may lie from an open street, metres.")
    entrance_spread_m: float = Field(
        ge=0, le=500, description="Streets this much farther off than the nearest are ways in as well, metres."
    )

    @classmethod
    def of(cls, standards: Standards) -> ShelterParams:
        """The defaults as the standards give them."""
        keys = [name for name in cls.model_fields if name != "candidates"]
        return cls(candidates="auto", **{key: standards.number(f"shelter.{key}") for key in keys})


def in_buildings(
    shelters: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """Shelters known only as a point become the building they stand in, with its ground and floor, and it is said.

    Only those of which neither ground, floor nor capacity is stated; of several in one building the first. Storeys that
    nobody recorded count as one.
    """
    shapes, walls = (np.asarray(t.geometry.to_numpy(), dtype=object) for t in (shelters, buildings))
    unknown = shelters[["area_m2", "floor_m2", "capacity"]].isna().all(axis=1).to_numpy()
    points = np.flatnonzero(unknown & (shapely.get_dimensions(shapes) == 0))
    which, inside = shapely.STRtree(walls).query(shapes[points], predicate="within")
    order = np.lexsort((inside, which))
    which, inside = which[order], inside[order]
    first = np.unique(which, return_index=True)[1]
    one = np.unique(inside[first], return_index=True)[1]
    row, of = points[which[first][one]], inside[first][one]
    if not len(row):
        return shelters, ()
    others = np.setdiff1d(points[which[first]], row)
    ground, levels = shapely.area(walls[of]), buildings["levels"].to_numpy(dtype=np.float64)[of]
    found = shelters.copy()
    found.iloc[row, found.columns.get_loc("area_m2")] = ground
    found.iloc[row, found.columns.get_loc("floor_m2")] = ground * np.nan_to_num(levels, nan=1.0)
    # What else stands in the same building adds no ground to it.
    found.iloc[others, found.columns.get_loc("area_m2")] = 0.0
    shapes = shapes.copy()
    shapes[row] = walls[of]
    said = Finding(
        "shelters_in_buildings",
        f"{len(row):,} shelters known only as a point are taken for the building they stand in.",
        f"{len(row):,}处仅有点位的避难场所按其所在建筑计算面积。", "repaired", count=len(row),
    )  # fmt: skip
    return found.set_geometry(gpd.GeoSeries(shapes, index=found.index, crs=shelters.crs)), (said,)


def in_plan(shelters: gpd.GeoDataFrame, *, params: ShelterParams) -> gpd.GeoDataFrame:
    """The shelters a plan works with: those mapped or given, and candidates as ``params.candidates`` says; renumbered.

    What is a shelter already is one whatever its size; a candidate needs ``min_site_m2``, or a stated capacity.
    """
    real = shelters["origin"] != "candidate"
    with_candidates = params.candidates == "always" or (params.candidates == "auto" and not real.any())
    return shelters[real | (with_candidates & ~too_small(shelters, params=params))].reset_index(drop=True)


def too_small(shelters: gpd.GeoDataFrame, *, params: ShelterParams) -> pd.Series[bool]:
    """Candidates (n,) whose known ground is smaller than a shelter needs, and of which no capacity is stated."""
    small = (shelters["area_m2"] < params.min_site_m2) & shelters["capacity"].isna()
    found: pd.Series[bool] = small & (shelters["origin"] == "candidate")
    return found


def large_notes(sites: gpd.GeoDataFrame, *, params: ShelterParams) -> tuple[Finding, ...]:
    """What must be said of shelters (with ``rooms``) that would hold more people than anybody has declared likely."""
    large = (sites["capacity_people"] > params.large_people) & sites["capacity"].isna()
    if not large.any():
        return ()
    n, most = int(large.sum()), sites.loc[large].sort_values("capacity_people", ascending=False)
    name = next((str(said) for said in most["name"] if isinstance(said, str)), str(most["shelter_id"].iloc[0]))
    return (Finding(
        "room_very_large",
        f"{n:,} shelters would hold more than {params.large_people:,.0f} people by their area alone, {name} the most "
        f"({most['capacity_people'].iloc[0]:,.0f}): look whether their outlines are right (shelter.large_people).",
        f"{n:,}处避难场所仅按面积推算即可容纳{params.large_people:,.0f}人以上，最大为{name}"
        f"（{most['capacity_people'].iloc[0]:,.0f}人），请核对其边界（shelter.large_people）。",
        "warning", count=n, column="capacity", do_en="Give its capacity, or a better outline.",
        do_zh="请提供容量或更准确的边界。",
    ),)  # fmt: skip


def small_notes(shelters: gpd.GeoDataFrame, *, params: ShelterParams) -> tuple[Finding, ...]:
    """What must be said of candidates that are too small to count."""
    small = too_small(shelters, params=params)
    if not small.any():
        return ()
    return (Finding(
        "candidates_too_small",
        f"{int(small.sum()):,} places that could become shelters have less than {params.min_site_m2:,g} m² and are not "
        "counted (shelter.min_site_m2).",
        f"{int(small.sum()):,}处可转换场所不足{params.min_site_m2:,g}平方米，未计入（shelter.min_site_m2）。",
        count=int(small.sum()),
    ),)  # fmt: skip


ROOMS = (
    "tier", "tier_basis", "capacity_people", "capacity_basis", "stay_capacity_people", "stay_basis", "capacity_en",
    "capacity_zh",
)  # fmt: skip
"""Columns of ``rooms``.

Room for refuge, some hours at an emergency shelter's area per person, and for a stay, nights at the tier's. The basis
is what decides: ``declared``, ``open`` ground, ``floor``, ``both``, ``limit`` (the most a tier takes in), ``none`` (not
a place for nights: 0 people) or ``unknown`` (NaN people).
"""


def rooms(sites: gpd.GeoDataFrame, left: pd.DataFrame, *, params: TierParams) -> pd.DataFrame:
    """The tier of each site and how many it holds, ``ROOMS`` columns indexed like ``sites``.

    ``left`` is what of them can be used (``geo.ground.usable``). Declared or by area, whichever is less; what is
    declared shrinks with the share of the site that is lost to a hazard.
    """
    tiered = tiers.tier_of(sites, params=params)
    declared = (sites["capacity"] * (1 - left["share_lost"])).to_numpy(dtype=np.float64)
    m2_each = params.number("emergency_m2_per_person").value
    refuge = _refuge(declared, left, m2_each)
    stay = _stay(sites, tiered, left, declared, params=params)
    nights = np.fmin(stay.people, refuge.people)
    told = left[["open_m2", "usable_floor_m2", "share_lost", *TAKEN]].assign(
        people=refuge.people, declared=sites["capacity"], by_area=refuge.by_area, stay=nights, m2_each=m2_each
    )
    names = [str(name) for name in told]
    said = [for_room(**dict(zip(names, row, strict=True))) for row in told.to_numpy(dtype=np.float64).tolist()]
    columns = (tiered["tier"], tiered["tier_basis"], refuge.people, refuge.basis, nights, stay.basis)
    words = {"capacity_en": [each.en for each in said], "capacity_zh": [each.zh for each in said]}
    found = pd.DataFrame(dict(zip(ROOMS, columns, strict=False)), index=sites.index)
    return found.assign(**words)[list(ROOMS)].astype({name: object for name in words})


@dataclass(frozen=True, eq=False)
class _Room:
    """Whole persons (n,), what decides, and how many the area alone would hold."""

    people: Floats
    basis: Words
    by_area: Floats


def _refuge(declared: Floats, left: pd.DataFrame, m2_each: float) -> _Room:
    """Room for hours, on open ground and floors alike."""
    open_m2, floor_m2 = (left[name].to_numpy(dtype=np.float64) for name in ("open_m2", "usable_floor_m2"))
    return _least(declared, open_m2 / m2_each, floor_m2 / m2_each)


def _stay(
    sites: gpd.GeoDataFrame, tiered: pd.DataFrame, left: pd.DataFrame, declared: Floats, *, params: TierParams
) -> _Room:
    """Room for nights, at sites of a tier that stays open, and indoors.

    Open ground counts where the tier is declared, where the site is open ground by its kind, or has no known floor.
    """
    lasting, indoors, roofed = _for_nights(sites, tiered, params)
    camps = (tiers.open_air(sites, params=params) | (tiered["tier_basis"] == "declared").to_numpy()) & lasting
    of = tiered["tier"].where(lasting, "short")
    m2_each = tiers.of_sites(of, "m2_per_person", params=params)
    whole = params.number("camp_m2_per_person").value
    camped = camps & ~np.isnan(whole)
    outdoors = np.where(camped, left["clear_m2"] / whole, left["open_m2"] / m2_each)
    outdoors = np.where(camps | ~roofed, outdoors, np.nan)
    held = _least(declared, outdoors, left["usable_floor_m2"].to_numpy() / m2_each)
    most = tiers.of_sites(of, "max_people", params=params)
    none, limited = ~(lasting | indoors), held.people > most
    people = np.where(none, 0.0, np.where(limited, most, held.people))
    return _Room(people, np.select([none, limited], ["none", "limit"], held.basis), held.by_area)


def _for_nights(sites: gpd.GeoDataFrame, tiered: pd.DataFrame, params: TierParams) -> tuple[Mask, Mask, Mask]:
    """Which sites (n,) are of a tier for nights, which are indoors by their floor or their kind, which have a floor."""
    roofed = (sites["floor_m2"] > 0).to_numpy(dtype=bool)
    lasting = (tiered["tier"] != "emergency").to_numpy(dtype=bool)
    by_kind = ~tiers.open_air(sites, params=params) & (tiered["tier_basis"] != "declared").to_numpy(dtype=bool)
    return lasting, roofed | by_kind, roofed


def _least(declared: Floats, outdoors: Floats, indoors: Floats) -> _Room:
    """Whole persons, declared or by area, whichever is less; NaN where neither is known."""
    unknown = np.isnan(outdoors) & np.isnan(indoors)
    by_area = np.where(unknown, np.nan, np.floor(np.nan_to_num(outdoors) + np.nan_to_num(indoors) + ROUNDING))
    whole = np.floor(declared + ROUNDING)
    people = np.fmin(whole, by_area)
    roofed = (indoors > 0) | np.isnan(outdoors)
    rules = [np.isnan(people), unknown | (whole <= by_area), (outdoors > 0) & (indoors > 0), roofed & ~(outdoors > 0)]
    return _Room(people, np.select(rules, ["unknown", "declared", "both", "floor"], "open"), by_area)


def declared_valid(shelters: gpd.GeoDataFrame, kinds: Collection[str]) -> Mask:
    """Whether the list or the map lets each shelter (n,) serve in hazards of these kinds.

    The columns ``valid_for`` and ``invalid_for`` hold hazards as ``flood;fire``; a shelter only said to be for some
    hazards is not for others. Where a list says of each hazard it knows yes or no, it says nothing of others, and there
    the shelter is valid, as where nothing is said at all or the columns are missing.
    """
    valid = np.ones(len(shelters), dtype=bool)
    both = _said(shelters, "invalid_for")
    for kind in kinds:
        if "invalid_for" in shelters:
            valid &= ~_names(shelters["invalid_for"], kind)
        if "valid_for" in shelters:
            valid &= ~_said(shelters, "valid_for") | both | _names(shelters["valid_for"], kind)
    return valid


def _said(shelters: gpd.GeoDataFrame, column: str) -> Mask:
    """Whether anything stands in a column that may be missing."""
    if column not in shelters:
        return np.zeros(len(shelters), dtype=bool)
    return np.asarray(shelters[column].notna().to_numpy(), dtype=bool)


def _names(hazards: pd.Series[str], kind: str) -> Mask:
    return np.asarray(hazards.fillna("").str.split(";").map(lambda said: kind in said).to_numpy(dtype=bool))


REASONS = (
    "usable", "closed", "damaged", "not_valid", "near_hazard", "flooded", "hit", "hazard_unknown", "no_street",
    "street_closed",
)  # fmt: skip
"""Why a shelter is or is not usable.

``closed`` and ``damaged`` the list says so · ``not_valid`` the list or the map says it is not for this hazard ·
``near_hazard`` too near to a major hazard for what is in force · ``flooded`` more of the site is under water than
allowed · ``hit`` more of it lies in another hazard than allowed · ``hazard_unknown`` too much of it lies outside the
hazard data · ``no_street`` no street leads to it on any day · ``street_closed`` every street to it is closed by a
hazard.
"""
OPEN, CLOSED, DAMAGED = "open", "closed", "damaged"
"""States of a shelter that a list can say; not said: open."""


def rate(
    share_wet: Floats,
    share_hit: Floats,
    share_unknown: Floats,
    *,
    valid: Mask,
    reached_normally: Mask,
    reached_now: Mask,
    params: ShelterParams,
    state: pd.Series[str] | None = None,
    near_hazard: Mask | None = None,
) -> pd.DataFrame:
    """Whether each shelter (n,) is usable and why not: ``usable`` (bool) and ``reason_code`` (one of ``REASONS``).

    ``state`` is what the list says, None: of none anything; ``near_hazard`` from ``geo.ground``, None: none is.
    """
    stated = np.full(len(share_wet), None, dtype=object) if state is None else state.to_numpy(dtype=object)
    rules = [
        (CLOSED, stated == CLOSED),
        (DAMAGED, stated == DAMAGED),
        ("no_street", ~reached_normally),
        ("not_valid", ~valid),
        ("near_hazard", np.zeros(len(share_wet), dtype=bool) if near_hazard is None else near_hazard),
        ("flooded", share_wet > params.max_share_wet),
        ("hit", share_hit > params.max_share_wet),
        ("hazard_unknown", share_unknown > params.max_share_unknown),
        ("street_closed", ~reached_now),
    ]
    reason = np.select([mask for _, mask in rules], [name for name, _ in rules], default="usable")
    return pd.DataFrame({"usable": reason == "usable", "reason_code": reason})


def independent_doors(doors: Snaps, n: int, *, way: Ints | None = None) -> Ints:
    """How many different streets each of ``n`` sites is entered from, (n,); 0 where none.

    ``doors`` are those of ``geo.snapping.entrances``: several doors on one street are one way in. ``way`` (edges,) says
    which edges are one street; each is one by itself where that is not given.
    """
    met = doors.found
    street = doors.edge[met] if way is None else way[doors.edge[met]]
    ways = np.unique(np.column_stack([doors.place[met], street]), axis=0)
    return np.bincount(ways[:, 0], minlength=n).astype(np.int64)


def ways_in(
    sites: gpd.GeoDataFrame, doors: Snaps, tier: pd.Series[str], *, params: TierParams, way: Ints | None = None
) -> pd.DataFrame:
    """``entrances_found`` (number, see ``independent_doors``) and ``entrances_short``, indexed like ``sites``.

    Short is a site with fewer ways in than its tier asks for: those stated, where the list says, else those found.
    """
    found = independent_doors(doors, len(sites), way=way)
    stated = sites["entrances"].to_numpy(dtype=np.float64) if "entrances" in sites else np.full(len(sites), np.nan)
    short = np.where(np.isnan(stated), found, stated) < tiers.of_sites(tier, "entrances", params=params)
    return pd.DataFrame({"entrances_found": found, "entrances_short": short}, index=sites.index)
