"""The hazards of a city in one measure: those given and those derived from its own map, and what they come to together.

Levels are looked up where people are, at the inner point of their building or cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
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


def of_city(city: City, *, extent: Extent, params: PlanParams) -> tuple[Mapping[str, Hazard], tuple[Finding, ...]]:
    """Every hazard by its layer id: the given ones, and those to be derived over ``extent`` (metres in the CRS).

    Over a wide extent the cells of derived hazards are larger than asked for, and it is said.
    """
    found: dict[str, Hazard] = dict(city.hazards)
    of = params.derived
    cell_m = _cell(of.cell_m, of.cells_max, extent)
    notes: list[Finding] = [*_coarser("derived", of.cell_m, cell_m)] if city.derived else []
    for layer_id, kind in city.derived.items():
        hazard, said = derived.derive(
            kind, areas=city.areas, lines=city.lines, facilities=city.facilities, buildings=city.buildings,
            elevation=city.elevation, extent=extent, crs=city.crs, params=of.model_copy(update={"cell_m": cell_m}),
        )  # fmt: skip
        found[layer_id] = replace(hazard, hazard_id=layer_id)
        notes += said
    return found, tuple(notes)


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


def at_places(
    demand: gpd.GeoDataFrame, faced: Sequence[Hazard], combined: Combined | None, *, params: PlanParams
) -> pd.DataFrame:
    """What the hazards come to where people are, indexed like ``demand``: ``level_combined`` and who needs a shelter.

    ``demand`` has ``community_id``, ``people`` and groups. NaN levels where nothing is known, or no hazard is in force.
    """
    points = shapely.get_coordinates(shapely.point_on_surface(demand.geometry.to_numpy()))
    of_kind: dict[str, Floats] = {}
    for hazard in faced:
        if hazard.kind not in OF_WATER:
            level = _level_at(hazard, points, demand.crs.to_string(), params)
            of_kind[hazard.kind] = np.fmax(of_kind.get(hazard.kind, level), level)
    need = displaced.share(of_kind, len(demand), params=params.displaced)
    found = displaced.at_places(demand, need)
    return found.assign(**{LEVEL: _combined_at(combined, points, demand.crs.to_string())})


def felt(demand: gpd.GeoDataFrame, faced: Sequence[Hazard], *, params: PlanParams) -> NDArray[np.bool_]:
    """Whether a hazard that comes over a whole city (shaking, wind) is felt at each place, (places,), from level 1 on.

    Those that take ground away are met by their share of it (``geo.exposures``); nearness alone is no hazard's reach.
    """
    points = shapely.get_coordinates(shapely.point_on_surface(demand.geometry.to_numpy()))
    found = np.zeros(len(demand), dtype=bool)
    for hazard in faced:
        if hazard.kind in FELT:
            found |= np.nan_to_num(_level_at(hazard, points, demand.crs.to_string(), params)) >= 1
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


def _level_at(hazard: Hazard, points: Floats, crs: str, params: PlanParams) -> Floats:
    """The level of a hazard at points (n, 2), NaN where not known."""
    found = hazards.expose_points(points[:, 0], points[:, 1], crs=crs, hazard=hazard)["max"].to_numpy(dtype=np.float64)
    if hazard.unit == "level":
        return np.asarray(found)
    return np.asarray(levels.levels_of(hazard.kind, found, params.levels), dtype=np.float64)


def _combined_at(combined: Combined | None, points: Floats, crs: str) -> Floats:
    if combined is None:
        return np.full(len(points), np.nan)
    level = Hazard("combined", "combined", "level", combined.level)
    found = hazards.expose_points(points[:, 0], points[:, 1], crs=crs, hazard=level)
    return np.asarray(found["max"].to_numpy(dtype=np.float64))
