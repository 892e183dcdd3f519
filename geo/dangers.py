"""The hazards of a city in one measure: those given and those derived from its own map, and what they come to together.

Levels are looked up where people are, at the point of their building or cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import composite, derived, displaced, groups, hazards, levels
from geo.city import City, PlanParams
from geo.composite import Combined
from geo.exposures import FELT
from geo.frames import Frame
from geo.hazards import Hazard
from geo.levels import OF_WATER
from geo.reasons import Finding

Floats = NDArray[np.float64]
Extent = tuple[float, float, float, float]
LEVEL, SERIOUS = "level_combined", "people_serious"
"""Columns: the level of all hazards together at a place, and the people where it is serious."""


def of_city(
    city: City, *, extent: Extent, params: PlanParams
) -> tuple[Mapping[str, Hazard], Mapping[str, tuple[Finding, ...]]]:
    """Every hazard by its layer id: the given ones, and those to be derived over ``extent`` (metres in the CRS).

    With them what is to be said of each derived one, by layer id, to be told where it is in force. Over a wide extent
    its cells are larger than asked for, and it is said.
    """
    found: dict[str, Hazard] = dict(city.hazards)
    notes: dict[str, tuple[Finding, ...]] = {}
    of = params.derived
    cell_m = _cell(of.cell_m, of.cells_max, extent)
    for layer_id, kind in city.derived.items():
        hazard, said = derived.derive(
            kind, areas=city.areas, lines=city.lines, facilities=city.facilities, buildings=city.buildings,
            elevation=city.elevation, extent=extent, crs=city.crs, params=of.model_copy(update={"cell_m": cell_m}),
        )  # fmt: skip
        found[layer_id] = replace(hazard, hazard_id=layer_id)
        notes[layer_id] = (
            *_coarser("derived", of.cell_m, cell_m), *(replace(note, layer_id=layer_id) for note in said)
        )  # fmt: skip
    return found, notes


def together(faced: Sequence[Hazard], *, extent: Extent, crs: str, params: PlanParams) -> Combined | None:
    """All hazards in force as one level, cell by cell over ``extent``; None where none is in force.

    Over a wide extent the cells are larger than asked for (``coarser`` says so).
    """
    if not faced:
        return None
    of = params.composite
    frame = Frame.over(extent, cell_m=_cell(of.cell_m, of.cells_max, extent), crs=crs, cells_max=of.cells_max)
    return composite.combined(faced, frame=frame, rules=params, params=of)


def coarser(extent: Extent, *, params: PlanParams) -> tuple[Finding, ...]:
    """What is to be said where hazards are told together in larger cells than asked for."""
    of = params.composite
    return tuple(_coarser("composite", of.cell_m, _cell(of.cell_m, of.cells_max, extent)))


def _cell(asked_m: float, cells_max: float, extent: Extent) -> float:
    """The side of cells, metres, doubled until no more than ``cells_max`` cover the extent."""
    west, south, east, north = extent
    cell_m = asked_m
    while ((east - west) / cell_m + 2) * ((north - south) / cell_m + 2) > cells_max and cell_m < east - west:
        cell_m *= 2
    return cell_m


def _coarser(subject: str, asked_m: float, cell_m: float) -> Iterator[Finding]:
    if cell_m > asked_m:
        name = f"{subject}.cells_max"
        en, zh = (
            ("Hazards of the map", "由地图生成的灾害") if subject == "derived" else ("Hazards together", "综合灾害等级")
        )
        yield Finding(
            f"{subject}_cells_larger",
            f"{en} are told in cells of {cell_m:g} m instead of {asked_m:g} m: there would be too many ({name}).",
            f"{zh}按{cell_m:g}米网格计算，而非{asked_m:g}米，因网格过多（{name}）。", "warning",
        )  # fmt: skip


def levels_at(demand: gpd.GeoDataFrame, faced: Sequence[Hazard], *, params: PlanParams) -> Mapping[str, Floats]:
    """The worst level of each kind of hazard in force at each place, (places,); NaN where none of the kind knows.

    ``demand`` are points. What goes with a flood (``OF_WATER``) counts by its depth and is not among the kinds.
    """
    found: dict[str, Floats] = {}
    for hazard in faced:
        if hazard.kind not in OF_WATER:
            level = _level_at(hazard, demand, params)
            found[hazard.kind] = np.fmax(found.get(hazard.kind, level), level)
    return found


def at_places(
    demand: gpd.GeoDataFrame, of_kind: Mapping[str, Floats], combined: Combined | None, *, params: PlanParams
) -> pd.DataFrame:
    """What the hazards come to where people are, indexed like ``demand``: ``level_combined`` and who needs a shelter.

    ``demand`` has ``community_id``, ``people`` and groups, ``of_kind`` is ``levels_at`` its points. NaN levels where
    nothing is known, or no hazard is in force.
    """
    need = displaced.share(of_kind, len(demand), params=params.displaced)
    found = displaced.at_places(demand, need)
    return found.assign(**{LEVEL: _combined_at(combined, demand)})


def felt(of_kind: Mapping[str, Floats], n: int) -> NDArray[np.bool_]:
    """Whether a hazard that comes over a whole city (shaking, wind) is felt at each of n places, from level 1 on.

    ``of_kind`` is ``levels_at`` the places. Hazards that take ground away are met by their share of it
    (``geo.exposures``); nearness alone is no hazard's reach.
    """
    found = np.zeros(n, dtype=bool)
    for kind in FELT:
        if kind in of_kind:
            found |= np.nan_to_num(of_kind[kind]) >= 1
    return found


def in_communities(demand: pd.DataFrame, units: gpd.GeoDataFrame, *, params: PlanParams) -> pd.DataFrame:
    """Groups of people, who needs a shelter, and people where it is serious, indexed like ``units``."""
    ids = units["community_id"]
    people = demand["people"].where(demand[LEVEL] >= params.composite.joint_level, 0)
    serious = people.groupby(demand["community_id"]).sum().reindex(ids, fill_value=0).to_numpy()
    found = displaced.by_community(demand, demand, ids)
    return pd.concat([groups.by_community(demand, ids), found], axis=1).assign(**{SERIOUS: serious})


def headline(demand: pd.DataFrame, *, params: PlanParams) -> dict[str, float]:
    """The same for the whole city."""
    serious = float(demand.loc[demand[LEVEL] >= params.composite.joint_level, "people"].sum())
    return {**groups.of_all(demand), **displaced.of_all(demand, demand), SERIOUS: serious}


def _level_at(hazard: Hazard, demand: gpd.GeoDataFrame, params: PlanParams) -> Floats:
    """The level of a hazard at points, NaN where not known."""
    found = _value_at(hazard, demand)
    return found if hazard.unit == "level" else levels.levels_of(hazard.kind, found, params.levels).astype(np.float64)


def _combined_at(combined: Combined | None, demand: gpd.GeoDataFrame) -> Floats:
    if combined is None:
        return np.full(len(demand), np.nan)
    return _value_at(Hazard("combined", "combined", "level", combined.level), demand)


def _value_at(hazard: Hazard, demand: gpd.GeoDataFrame) -> Floats:
    x, y = demand.geometry.x.to_numpy(), demand.geometry.y.to_numpy()
    found = hazards.expose_points(x, y, crs=demand.crs.to_string(), hazard=hazard)
    return found["max"].to_numpy(dtype=np.float64)
