"""How well a place suits to be turned into a shelter: parts from 0 to 1 that are shown, and their weighted mean.

Each part follows from one fact about the site; a fact that nobody knows gives no part (NaN), never a bad one, and the
mean is over the parts that are known, with the share of the weight that they have beside it. What rules a site out at
all (in the hazard, on ground to yield, no room) is no part of this: it is told as a reason (``geo.conversions``).
Weights and spans are planning choices (data/standards/suitability.toml).
"""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo.curves import Sourced, Word
from geo.derived import BUILT_YEAR
from geo.errors import Fault, InputError, refuse
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

FACTS = (
    "share_safe", "usable_m2", "street_m", "ways_in", "water", "power", "built_year", "roofed", "major_hazard_m",
)  # fmt: skip
"""What is looked at of a site, a number each, NaN where not known.

``share_safe`` of it out of reach of the hazards in force (NaN: none is), ``usable_m2`` ground and floor that can be
used, ``street_m`` from it to the nearest street, ``ways_in`` (number) streets it is entered from, ``water`` and
``power`` 1 there, 0 lacking, ``built_year`` of its oldest building, ``roofed`` 1 indoors, 0 open ground,
``major_hazard_m`` to the nearest major hazard.
"""
PARTS = tuple(f"suits_{name}" for name in ("safe", "area", "street", "ways", "water", "power", "age", "roof", "major"))
"""Columns of ``rated``, from 0 (worst) to 1 (best), beside ``suitability`` and ``suitability_known_share``."""
SAID: Mapping[str, float] = {"yes": 1.0, "true": 1.0, "1": 1.0, "是": 1.0, "有": 1.0,
                             "no": 0.0, "false": 0.0, "0": 0.0, "否": 0.0, "无": 0.0}  # fmt: skip
"""What a list may say of water and power; anything else is not known."""


class SuitabilityParams(Sourced):
    """What a place needs to suit as a shelter, and how much each part weighs."""

    subject = "suitability"

    weight_safe: float = Field(ge=0, le=100, description="Weight of being out of the hazards' reach (number).")
    weight_area: float = Field(ge=0, le=100, description="Weight of usable area (number).")
    weight_street: float = Field(ge=0, le=100, description="Weight of lying by a street (number).")
    weight_ways: float = Field(ge=0, le=100, description="Weight of independent ways in (number).")
    weight_water: float = Field(ge=0, le=100, description="Weight of water (number).")
    weight_power: float = Field(ge=0, le=100, description="Weight of power (number).")
    weight_age: float = Field(ge=0, le=100, description="Weight of the year of building (number).")
    weight_roof: float = Field(ge=0, le=100, description="Weight of a roof, or of open ground (number).")
    weight_major: float = Field(ge=0, le=100, description="Weight of the way to major hazards (number).")
    area_good_m2: float = Field(gt=0, le=1e7, description="Usable area from which a place suits fully, square metres.")
    street_far_m: float = Field(gt=0, le=2000, description="Way to a street from which that part is 0, metres.")
    ways_good: float = Field(gt=0, le=100, description="Ways in from which a place suits fully (number).")
    year_bad: float = Field(ge=1000, le=2200, description="Built before this year: that part is 0, years.")
    year_good: float = Field(ge=1000, le=2200, description="Built from this year on: that part is 1, years.")
    other_roof: float = Field(
        ge=0, le=1, description="What open ground is worth where a roof is wanted, and the reverse (number)."
    )
    source_near_m: float = Field(ge=0, le=5000, description="A source this near supplies a place, metres.")
    water_kinds: tuple[Word, ...] = Field(description="Kinds of facilities that are sources of water.")
    power_kinds: tuple[Word, ...] = Field(description="Kinds of facilities that are sources of power.")

    @property
    def weights(self) -> Floats:
        """The weight of each of ``PARTS``, (parts,)."""
        return np.array([getattr(self, name.replace("suits_", "weight_")) for name in PARTS], dtype=np.float64)


def rated(facts: pd.DataFrame, *, params: SuitabilityParams, major_gap_m: float, collapse: bool) -> pd.DataFrame:
    """``PARTS``, ``suitability`` and ``suitability_known_share`` (0-1) of sites with ``FACTS``, indexed like them.

    ``major_gap_m`` is asked of the way to a major hazard, metres; ``collapse``: buildings may collapse, and open ground
    suits better than a roof. ``suitability`` is NaN where no part is known that has weight. Raises InputError for
    facts that lack.
    """
    lacking = [name for name in FACTS if name not in facts]
    refuse(InputError, [Fault(f"the fact {name} of each site", "none", "suitability") for name in lacking])
    parts = _parts({name: facts[name].to_numpy(dtype=np.float64) for name in FACTS}, params, major_gap_m, collapse)
    of = np.column_stack(parts)
    known = ~np.isnan(of) * params.weights
    weight = known.sum(axis=1)
    score = np.divide((np.nan_to_num(of) * known).sum(axis=1), weight, out=np.full(len(of), np.nan), where=weight > 0)
    share = weight / params.weights.sum() if params.weights.sum() else np.zeros(len(of))
    found = pd.DataFrame(dict(zip(PARTS, parts, strict=True)), index=facts.index)
    return found.assign(suitability=score, suitability_known_share=share)


def _parts(of: Mapping[str, Floats], params: SuitabilityParams, major_gap_m: float, collapse: bool) -> list[Floats]:
    wanted = 1 - of["roofed"] if collapse else of["roofed"]
    spread = max(params.year_good - params.year_bad, 1.0)
    parts = [
        of["share_safe"],
        of["usable_m2"] / params.area_good_m2,
        1 - of["street_m"] / params.street_far_m,
        of["ways_in"] / params.ways_good,
        of["water"],
        of["power"],
        (of["built_year"] - params.year_bad) / spread,
        params.other_roof + (1 - params.other_roof) * wanted,
        of["major_hazard_m"] / major_gap_m if major_gap_m else np.where(np.isnan(of["major_hazard_m"]), np.nan, 1.0),
    ]
    return [np.clip(part, 0.0, 1.0) for part in parts]


# -- facts ---------------------------------------------------------------------------------------------------------


def facts(
    sites: gpd.GeoDataFrame, doors: Snaps, major_hazard_m: Floats, buildings: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame, *, open_air: NDArray[np.bool_], max_share_unknown: float, params: SuitabilityParams,
) -> pd.DataFrame:  # fmt: skip
    """``FACTS`` of sites as they are rated (``geo.rating.rated``), indexed like them; all in one metric CRS.

    ``doors`` are their ways in on a normal day, ``major_hazard_m`` (n,) as surveyed (``geo.ground``), ``open_air`` (n,)
    which are open ground by their kind. ``sites`` may state ``water``, ``power`` and ``built_year``.
    """
    shapes = np.asarray(sites.geometry.to_numpy(), dtype=object)
    columns = {
        "share_safe": share_safe(sites, max_share_unknown=max_share_unknown),
        "usable_m2": sites[["open_m2", "usable_floor_m2"]].sum(axis=1, min_count=1),
        "street_m": _nearest(doors, len(sites)),
        "ways_in": sites["entrances"].fillna(sites["entrances_found"]) if "entrances" in sites
        else sites["entrances_found"],
        "water": supply(sites, "water", _of_kinds(facilities, params.water_kinds), near_m=params.source_near_m),
        "power": supply(sites, "power", _of_kinds(facilities, params.power_kinds), near_m=params.source_near_m),
        "built_year": built_year(sites, shapes, buildings),
        "roofed": np.where(open_air & ~(sites["floor_m2"] > 0).to_numpy(), 0.0, 1.0),
        "major_hazard_m": major_hazard_m,
    }  # fmt: skip
    return pd.DataFrame({name: np.asarray(columns[name], dtype=np.float64) for name in FACTS}, index=sites.index)


def share_safe(exposed: pd.DataFrame, *, max_share_unknown: float) -> Floats:
    """The share (n,) of sites out of the hazards' reach, by their exposure (``geo.exposures``).

    NaN where no hazard takes ground, and where it is not known of more than ``max_share_unknown`` of the site.
    """
    shares = exposed[["share_wet", "share_hit"]].to_numpy(dtype=np.float64)
    known = ~np.isnan(shares).all(axis=1) & ~(exposed["share_unknown"].to_numpy() > max_share_unknown)
    return np.where(known, 1 - np.nan_to_num(shares).max(axis=1, initial=0.0), np.nan)


def supply(sites: gpd.GeoDataFrame, column: str, sources: Shapes, *, near_m: float) -> Floats:
    """Whether each site (n,) has water or power: 1 or 0 as the list says in ``column``; 1 with a source ``near_m`` off.

    NaN where the list says nothing and no source is known near by: that the map has none does not mean there is none.
    """
    found = np.full(len(sites), np.nan)
    shapes = np.asarray(sites.geometry.to_numpy(), dtype=object)
    found[np.unique(shapely.STRtree(shapes).query(sources, predicate="dwithin", distance=near_m)[1])] = 1.0
    if column not in sites:
        return found
    said = sites[column].map(lambda word: SAID.get(str(word).removesuffix(".0").strip().lower(), np.nan))
    stated = said.to_numpy(dtype=np.float64)
    return np.where(np.isnan(stated), found, stated)


def built_year(sites: gpd.GeoDataFrame, shapes: Shapes, buildings: gpd.GeoDataFrame) -> Floats:
    """The year each site (n,) was built: as stated, else of the oldest building on it; NaN where nobody wrote it."""
    year = np.full(len(sites), np.nan)
    if BUILT_YEAR in buildings:
        dated = buildings[buildings[BUILT_YEAR].notna()]
        on = shapely.point_on_surface(np.asarray(dated.geometry.to_numpy(), dtype=object))
        site, building = shapely.STRtree(on).query(shapes, predicate="intersects")
        np.fmin.at(year, site, dated[BUILT_YEAR].to_numpy(dtype=np.float64)[building])
    return (
        year if BUILT_YEAR not in sites else sites[BUILT_YEAR].fillna(pd.Series(year, sites.index)).to_numpy(np.float64)
    )


def _nearest(doors: Snaps, n: int) -> Floats:
    """The way from each site (n,) to its nearest street; NaN where there is none."""
    found = np.full(n, np.nan)
    np.fmin.at(found, doors.place[doors.found], doors.off_m[doors.found])
    return found


def _of_kinds(facilities: gpd.GeoDataFrame, kinds: tuple[str, ...]) -> Shapes:
    return np.asarray(facilities.geometry[facilities["kind"].isin(kinds)].to_numpy(), dtype=object)
