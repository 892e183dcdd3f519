"""Which places of refuge can be used in a hazard, and how many people they hold.

A capacity is the declared one or follows from area: floor area of the buildings on the site, or open ground for an
emergency site and where no building is known, times a usable share, divided by the area a person needs (GB 51143-2015;
the per-person figures carry their grade in data/standards). Water takes its share away. What is not known stays NaN.
"""

from __future__ import annotations

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from geo.reasons import Finding
from geo.standards import Standards

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class ShelterParams(BaseModel):
    """What counts as a shelter and how much room it has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: str = Field(
        pattern="^(auto|always|never)$",
        description="Plan with places that could become shelters: auto (where no shelter is mapped), always, never.",
    )
    min_site_m2: float = Field(ge=0, description="Smallest site that counts, square metres; unknown areas pass.")
    open_m2_per_person: float = Field(gt=0, description="Open ground a person needs, square metres.")
    floor_m2_per_person: float = Field(gt=0, description="Floor area a person needs indoors, square metres.")
    open_usable_share: float = Field(gt=0, le=1, description="Share of open ground that can be used, 0-1.")
    floor_usable_share: float = Field(gt=0, le=1, description="Share of floor area that can be used, 0-1.")
    max_share_wet: float = Field(
        ge=0, le=1, description="Largest share of a site under water at which it is usable, 0-1."
    )
    max_share_unknown: float = Field(
        ge=0, le=1, description="Largest share of a site without hazard data at which it is usable, 0-1."
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


def capacities(shelters: gpd.GeoDataFrame, share_wet: Floats, *, params: ShelterParams) -> pd.DataFrame:
    """People each shelter holds, indexed like the input: capacity_people (NaN: not known) and capacity_basis.

    The basis is ``declared``, ``floor``, ``open`` or ``unknown``. Declared room shrinks with the wet share as well.
    """
    floor = shelters["floor_m2"] * params.floor_usable_share / params.floor_m2_per_person
    open_ = shelters["area_m2"] * params.open_usable_share / params.open_m2_per_person
    declared = shelters["capacity"]
    indoors = (shelters["floor_m2"] > 0) & (shelters["tier"] != "emergency")
    choices = [
        ("declared", declared, declared.notna()),
        ("floor", floor, indoors),
        ("open", open_, open_.notna()),
    ]
    masks = [mask.to_numpy() for _, _, mask in choices]
    people = np.select(masks, [value.to_numpy(dtype=float) for _, value, _ in choices], default=np.nan)
    basis = np.select(masks, [name for name, _, _ in choices], default="unknown")
    dry = 1 - np.nan_to_num(share_wet)
    return pd.DataFrame(
        {"capacity_people": np.floor(people * dry + 1e-9), "capacity_basis": basis}, index=shelters.index
    )


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


REASONS = ("usable", "not_valid", "flooded", "hit", "hazard_unknown", "no_street", "street_closed")
"""Why a shelter is or is not usable.

``not_valid`` the list or the map says it is not for this hazard ·
``flooded`` more of the site is under water than allowed · ``hit`` more of it lies in another hazard than allowed ·
``hazard_unknown`` too much of it lies outside the hazard data · ``no_street`` no street leads to it on any day ·
``street_closed`` every street to it is closed by a hazard.
"""


def rate(
    share_wet: Floats,
    share_hit: Floats,
    share_unknown: Floats,
    *,
    valid: Mask,
    reached_normally: Mask,
    reached_now: Mask,
    params: ShelterParams,
) -> pd.DataFrame:
    """Whether each shelter (n,) is usable and why not: ``usable`` (bool) and ``reason_code`` (one of ``REASONS``)."""
    rules = [
        ("no_street", ~reached_normally),
        ("not_valid", ~valid),
        ("flooded", share_wet > params.max_share_wet),
        ("hit", share_hit > params.max_share_wet),
        ("hazard_unknown", share_unknown > params.max_share_unknown),
        ("street_closed", ~reached_now),
    ]
    reason = np.select([mask for _, mask in rules], [name for name, _ in rules], default="usable")
    return pd.DataFrame({"usable": reason == "usable", "reason_code": reason})
