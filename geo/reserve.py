"""Reserved open land (留白; 防, step 2): in every region enough of it, in proportion to its ground and its people.

Required    R = max or sum of  share · land of the region  and  m² a person · people in it.
Candidates  open land that is safe, level, large enough and within reach (``geo.open_land``).
Minimise    sum of cost_i · y_i + piece · number of lots taken,   cost_i = weight of its kind · (2 - suitability_i)
subject to  sum of y_i >= R,   y_i = 0 or min_m2 <= y_i <= usable ground of lot i        in each region by itself,

so that a square metre of perfect ground costs its weight and of the worst twice that, and a further lot costs as much
as ``piece_m2`` square metres. Solved exactly (``geo.covering``). With ``partly`` false lots are taken whole or not at
all. Where there is too little, all is taken and the rest is short. Everything is counted in whole square metres.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo import covering, headcount, open_land
from geo.covering import Covering, Offers
from geo.membership import NONE, smallest_holding
from geo.open_land import TOLD, Land, OpenLand, OpenLandParams
from geo.overlays import cut
from geo.parts import Parts
from geo.reasons import Finding
from geo.tables import NAMES, without_nan

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

OPEN_KINDS = ("farmland", "green", "park", "water")
"""Kinds of regions that are open as they are."""
SCORES = ("safe", "flat", "size", "compact", "access", "use")
"""The parts of suitability."""
LOTS = (
    "candidate_id", "region_id", "source_id", *NAMES, "kind", "area_m2", "usable_m2", "share_steep", "street_m",
    *(f"{name}_score" for name in SCORES), "score", "rank", "cost_each", "chosen", "taken_m2", "reason_en", "reason_zh",
)  # fmt: skip
"""Columns of ``Reserve.lots`` before its geometry; of the first see ``geo.open_land.PIECES``.

Scores run from 0 to 1, NaN where not known; ``score`` is their weighted mean, of those known; ``rank`` counts from 1 in
each region, best first. ``cost_each`` is what a square metre of it costs, as square metres of the best; ``taken_m2`` of
a chosen lot is reserved, anywhere on it.
"""
REGIONS = (
    "people", "reserve_required_m2", "reserve_found_m2", "reserve_short_m2", "reserve_taken_m2", *TOLD, "gap",
    "sentence_en", "sentence_zh",
)  # fmt: skip
"""Columns of ``Reserve.regions``; see also ``geo.open_land.TOLD``.

Required is found and short together; ``reserve_taken_m2`` is what is taken of lots, more than required where no lot may
be so small. ``gap`` (0-1) is what a better choice could save at most, NaN where all or nothing is taken.
"""
DEALT = ("reserve_required_m2", "reserve_found_m2", "reserve_short_m2")
"""What of the regions the communities have (``by_community``)."""


class ReserveParams(OpenLandParams):
    """How much open land is reserved, and which."""

    share: float = Field(ge=0, le=1, description="Share of the land of a region that is reserved, 0-1.")
    open_share: float = Field(
        ge=0, le=1, description="Share of the land reserved in regions mostly of farmland, green, park or water, 0-1."
    )
    m2_per_person: float = Field(ge=0, le=100, description="Reserved land for each person of a region, m².")
    added: bool = Field(
        description="Whether land by share and land by person are added; else the greater is required (yes or no)."
    )
    partly: bool = Field(description="Whether a lot larger than needed may be reserved in part (yes or no).")
    piece_m2: float = Field(
        ge=0, le=1e6, description="What one more lot costs, as so many square metres of the best land, m²."
    )
    safe_m: float = Field(
        gt=0, le=1e4, description="Distance from yielded ground from which a lot is wholly safe, metres."
    )
    good_m2: float = Field(gt=0, le=1e7, description="Usable land from which a lot is large, m².")
    safe_weight: float = Field(ge=0, le=100, description="Weight (number) of safety in suitability.")
    flat_weight: float = Field(ge=0, le=100, description="Weight (number) of level ground in suitability.")
    size_weight: float = Field(ge=0, le=100, description="Weight (number) of size in suitability.")
    compact_weight: float = Field(ge=0, le=100, description="Weight (number) of a compact shape in suitability.")
    access_weight: float = Field(ge=0, le=100, description="Weight (number) of a near street in suitability.")
    use_weight: float = Field(gt=0, le=100, description="Weight (number) of what it is used for in suitability.")
    search_nodes: int = Field(ge=1, le=10_000_000, description="Choices (count) looked at most in a region.")

    def worth(self) -> Floats:
        """The weight of each of ``SCORES``."""
        return np.array([getattr(self, f"{name}_weight") for name in SCORES], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Reserve:
    """``lots`` every candidate (``LOTS`` and geometry), by region and rank; ``regions`` (``REGIONS``) like the regions.

    ``findings`` what is worth saying.
    """

    lots: gpd.GeoDataFrame
    regions: pd.DataFrame
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        total = self.regions[["reserve_required_m2", "reserve_found_m2", "reserve_short_m2"]].sum()
        required, found, short = (f"{value:,}" for value in total)
        return f"Reserve({required} m² required, {found} found in {int(self.lots['chosen'].sum())} lots, {short} short)"


def find(regions: gpd.GeoDataFrame, land: Land, places: Shapes, people: Ints, *, params: ReserveParams) -> Reserve:
    """The reserve of regions (``geo.regions.COLUMNS``) where ``people`` (n,) are at ``places`` (n,) points.

    People outside all regions count nowhere; they are told of. The order of nothing matters.
    """
    shapes = np.asarray(regions.geometry.to_numpy(), dtype=object)
    region = smallest_holding(places, shapes)
    counted = Parts(region, len(shapes)).sums(people)
    required = _required(regions, counted, params)
    found = open_land.find(shapes, land, params=params)
    lots = _scored(found, regions["region_id"].to_numpy(dtype=object), land, params)
    choices = _choices(lots, required, params)
    lots = _with_reasons(lots, choices, params)
    table = _by_region(regions, counted, required, choices, found)
    outside = int(people[region == NONE].sum())
    return Reserve(lots, table, tuple(_findings(table, lots, found, land, outside)))


def _required(regions: gpd.GeoDataFrame, people: Ints, params: ReserveParams) -> Ints:
    """Land to be reserved in each region, whole square metres."""
    is_open = regions["kind"].isin(OPEN_KINDS).to_numpy()
    by_share = np.where(is_open, params.open_share, params.share) * regions["land_m2"].to_numpy(dtype=np.float64)
    by_person = params.m2_per_person * people
    both = by_share + by_person if params.added else np.maximum(by_share, by_person)
    return np.asarray(np.ceil(np.round(both, 3)), dtype=np.int64)


# -- suitability ---------------------------------------------------------------------------------------------------


def _scored(found: OpenLand, region_ids: Shapes, land: Land, params: ReserveParams) -> gpd.GeoDataFrame:
    """The pieces with their scores, by region and rank."""
    pieces = found.pieces
    scores = _scores(pieces, land, params)
    known, worth = ~np.isnan(scores), params.worth()
    score = (np.nan_to_num(scores) * worth).sum(axis=1) / (known * worth).sum(axis=1)
    weight = pieces["kind"].map(params.weights()).to_numpy(dtype=np.float64)
    order = np.lexsort((-pieces["usable_m2"], -score.round(9), pieces["region"]))
    region = pieces["region"].to_numpy(dtype=np.int64)
    rank = np.arange(len(order)) - np.searchsorted(region[order], region[order]) + 1
    extra = {**{f"{name}_score": column for name, column in zip(SCORES, scores.T, strict=True)}, "score": score,
             "cost_each": weight * (2 - score)}  # fmt: skip
    ranked = pieces.assign(**extra).iloc[order].reset_index(drop=True)
    ids = [f"reserve_{number:04d}" for number in range(1, len(ranked) + 1)]
    return ranked.assign(rank=rank, region_id=region_ids[region[order]], candidate_id=ids)


def _scores(pieces: gpd.GeoDataFrame, land: Land, params: ReserveParams) -> Floats:
    """Each of ``SCORES`` of each piece, (pieces, scores), 0-1; NaN where not known."""
    shapes = np.asarray(pieces.geometry.to_numpy(), dtype=object)
    weight = pieces["kind"].map(params.weights()).to_numpy(dtype=np.float64)
    parts = [
        _away(shapes, land.let, params.safe_m),
        1 - pieces["share_steep"].to_numpy(dtype=np.float64),
        pieces["usable_m2"].to_numpy(dtype=np.float64) / params.good_m2,
        4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2,
        1 - pieces["street_m"].to_numpy(dtype=np.float64) / params.reach_m,
        min(params.weights().values(), default=1.0) / weight,
    ]
    return np.asarray(np.clip(np.column_stack(parts), 0, 1), dtype=np.float64)


def _away(shapes: Shapes, let: Shapes, safe_m: float) -> Floats:
    """How far from yielded ground each shape is, as a share of what is wholly safe; 1 where there is none."""
    share = np.ones(len(shapes))
    (row, _), metres = shapely.STRtree(let).query_nearest(shapes, max_distance=safe_m, return_distance=True,
                                                          all_matches=False)  # fmt: skip
    share[row] = metres / safe_m
    return share


# -- choosing ------------------------------------------------------------------------------------------------------


def _choices(lots: gpd.GeoDataFrame, required: Ints, params: ReserveParams) -> list[Covering]:
    """What is taken in each region."""
    most, cost = lots["usable_m2"].to_numpy(dtype=np.int64), lots["cost_each"].to_numpy(dtype=np.float64)
    least = np.minimum(most, int(np.ceil(params.min_m2))) if params.partly else most
    piece = params.piece_m2 * min(params.weights().values(), default=1.0)
    rows = Parts(lots["region"].to_numpy(dtype=np.int64), len(required)).rows()
    return [
        covering.cheapest(int(need), Offers(least[mine], most[mine], cost[mine]), piece=piece,
                          nodes=params.search_nodes)
        for need, mine in zip(required, rows, strict=True)
    ]  # fmt: skip


def _with_reasons(lots: gpd.GeoDataFrame, choices: list[Covering], params: ReserveParams) -> gpd.GeoDataFrame:
    """The lots with what is taken of each, and why."""
    taken = np.concatenate([np.zeros(0, dtype=np.int64), *(each.taken for each in choices)])
    usable = lots["usable_m2"].to_numpy(dtype=np.int64)
    needed = np.array([each.taken.sum() > 0 for each in choices], dtype=np.bool_)[lots["region"].to_numpy()]
    said = [_reason(int(m2), int(of), bool(any_)) for m2, of, any_ in zip(taken, usable, needed, strict=True)]
    told = lots.assign(chosen=taken > 0, taken_m2=taken, reason_en=[en for en, _ in said],
                       reason_zh=[zh for _, zh in said])  # fmt: skip
    return gpd.GeoDataFrame(without_nan(told[list(LOTS)]), geometry=told.geometry, crs=lots.crs)


def _reason(taken: int, usable: int, needed: bool) -> tuple[str, str]:
    """Why a lot is reserved or not, in English and Chinese."""
    if not needed:
        return "Not needed: nothing has to be reserved in this region.", "无需预留：本区域无留白要求。"
    if not taken:
        return "Not chosen: the region has enough at less cost.", "未选用：本区域已有成本更低的足够留白用地。"
    if taken < usable:
        return f"Reserved: {taken:,} of {usable:,} m².", f"预留：{usable:,}平方米中的{taken:,}平方米。"
    return f"Reserved: all {usable:,} m².", f"预留：全部{usable:,}平方米。"


# -- by region -----------------------------------------------------------------------------------------------------


def _by_region(
    regions: gpd.GeoDataFrame, people: Ints, required: Ints, choices: list[Covering], found: OpenLand
) -> pd.DataFrame:
    """One row a region: ``REGIONS``."""
    short = np.array([each.short for each in choices], dtype=np.int64)
    taken = np.array([each.taken.sum() for each in choices], dtype=np.int64)
    lots = [int((each.taken > 0).sum()) for each in choices]
    said = [
        _sentence(*(int(number) for number in row))
        for row in zip(required, required - short, lots, found.regions["candidates"], people, strict=True)
    ]
    columns = {
        "people": people, "reserve_required_m2": required, "reserve_found_m2": required - short,
        "reserve_short_m2": short, "reserve_taken_m2": taken, **found.regions,
        "gap": np.array([each.gap for each in choices], dtype=np.float64),
        "sentence_en": [en for en, _ in said], "sentence_zh": [zh for _, zh in said],
    }  # fmt: skip
    return pd.DataFrame({name: np.asarray(columns[name]) for name in REGIONS}, index=regions.index)


def _sentence(required: int, found: int, lots: int, candidates: int, people: int) -> tuple[str, str]:
    """What a region needs and has, in English and Chinese."""
    if not required:
        return "Nothing has to be reserved.", "无留白要求。"
    need = f"{required:,} m² to be reserved for {people:,} people", f"需留白{required:,}平方米，{people:,}人"
    has = (
        f"{lots:,} of {candidates:,} open lots give {found:,}",
        f"{candidates}处开敞用地中选用{lots}处，计{found:,}平方米",
    )
    if found == required:
        return f"{need[0]}: {has[0]}.", f"{need[1]}：{has[1]}。"
    if not candidates:
        return f"{need[0]}: no open land is of use.", f"{need[1]}：无可用开敞用地。"
    lack = required - found
    return f"{need[0]}: {has[0]}; {lack:,} m² short.", f"{need[1]}：{has[1]}；缺{lack:,}平方米。"


# -- by community --------------------------------------------------------------------------------------------------


def by_community(regions: gpd.GeoDataFrame, found: Reserve, communities: gpd.GeoDataFrame) -> pd.DataFrame:
    """What of the reserve each community has: ``DEALT`` columns, whole square metres, indexed like the communities.

    What a region requires, finds and lacks is dealt among the communities that lie in it by their ground there; of a
    region in which none lies the nearest has it. Columns sum to the regions' exactly, and required is found and short
    together in every row.
    """
    shapes, here = (np.asarray(table.geometry.to_numpy(), dtype=object) for table in (regions, communities))
    row, community, parts = cut(shapes, here)
    alone = np.setdiff1d(np.arange(len(shapes)), row)
    lost, nearest = shapely.STRtree(here).query_nearest(shapes[alone], all_matches=False)
    unit, to = np.r_[row, alone[lost]], np.r_[community, nearest]
    weight = np.r_[shapely.area(parts), np.ones(len(lost))]
    names = communities["community_id"].to_numpy(dtype=object)[to]
    dealt = {
        name: headcount.shared(found.regions[name].to_numpy(dtype=np.int64), unit, weight, names) for name in DEALT[1:]
    }
    dealt[DEALT[0]] = dealt[DEALT[1]] + dealt[DEALT[2]]
    sums = {name: Parts(to.astype(np.int64), len(here)).sums(dealt[name]) for name in DEALT}
    return pd.DataFrame(sums, index=communities.index)


# -- what is said --------------------------------------------------------------------------------------------------


def _findings(
    table: pd.DataFrame, lots: gpd.GeoDataFrame, found: OpenLand, land: Land, outside: int
) -> Iterator[Finding]:
    required, short = (int(table[name].sum()) for name in ("reserve_required_m2", "reserve_short_m2"))
    lacking, gap = int((table["reserve_short_m2"] > 0).sum()), float(table["gap"].max())
    if short and not len(land.areas) and not found.planned:
        yield Finding(
            "reserve_not_known", f"No use of land is mapped: whether there is open land for the {required:,} m² of "
            "reserve is not known.", f"没有用地数据，{required:,}平方米留白用地是否可落实尚不清楚。", "warning",
            do_en="Bring lots with their use, or areas of the map.", do_zh="请导入含用途的地块或用地数据。",
        )  # fmt: skip
    elif short:
        yield Finding(
            "reserve_short", f"{lacking:,} regions lack {short:,} of {required:,} m² of reserved open land: all open "
            "land of use in them is taken.",
            f"{lacking}个区域缺少留白用地{short:,}平方米（共需{required:,}平方米），其可用开敞用地已全部选用。",
            "warning", lacking,
            do_en="Lower reserve.share or reserve.m2_per_person, or clear land there.",
            do_zh="可降低留白比例或人均面积，或在该区域腾退用地。",
        )  # fmt: skip
    if gap > 0:
        yield Finding(
            "reserve_gap", f"In some regions a better choice could save up to {gap:.1%} of the cost.",
            f"部分区域的选址与最优解相差不超过{gap:.1%}。", "info", int((table["gap"] > 0).sum()),
            do_en="Raise reserve.search_nodes.", do_zh="可提高 reserve.search_nodes。",
        )  # fmt: skip
    if land.lots is not None and not found.planned and len(land.lots):
        yield Finding(
            "reserve_from_map", "No planned lot is open land: open land of the map is looked at instead.",
            "规划地块中没有开敞用地，改用地图上的开敞用地。", "info", len(land.lots),
        )  # fmt: skip
    unknown = int(lots["share_steep"].isna().sum())
    if unknown:
        yield Finding(
            "reserve_slope_unknown", f"The slope of {unknown:,} open lots is not known; none was taken off.",
            f"{unknown:,}处开敞用地坡度未知，未扣除陡坡。", "info", unknown,
        )  # fmt: skip
    if outside:
        yield Finding(
            "reserve_people_outside", f"{outside:,} people are in no region; nothing is reserved for them.",
            f"{outside:,}人不在任何区域内，未计入留白需求。", "warning", outside,
        )  # fmt: skip
