"""What becomes of land: zones and verdicts of a made city, and whether something may be built on one lot of it.

The rivals do it the way it is done by hand, with the sources and distances that our rules find: every source with its
distance all round it, merged rule by rule, and joined with buildings or with the lot. They tell which rule holds where;
shares, nearest sources, distances and sentences they do not, nor what holds for which use.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from tests.benchmarks.bench import Prepared, case
from tests.benchmarks.made_city import CRS, city

LOTS = 100


def ready(side: int | str) -> tuple[Any, Any, Any]:
    """A made city as it is made ready, with what asks for its ground: base, rules of distance, claims."""
    from data import standards
    from geo import claimed, dangers, land, readied
    from geo.city import PlanParams

    params = PlanParams.of(standards.load())
    base = readied.prepare(city(int(side)), params=params)
    faced = tuple(base.hazards.values())
    combined = dangers.together(faced, extent=base.extent, crs=CRS, params=params)
    found = land._setbacks(base, faced, combined)
    return base, found, claimed.of_rules(found)


def by_rule(found: Any) -> list[tuple[gpd.GeoDataFrame, np.ndarray]]:
    """The sources of each rule, as one has them by hand, and how far each keeps away; not buildings from buildings."""
    kept = [one for one in found.kept if len(one) and one.rule.layer != "buildings"]
    return [(gpd.GeoDataFrame(geometry=one.shapes, crs=CRS), one.distance_m) for one in kept]


def merged(sources: gpd.GeoDataFrame, metres: np.ndarray) -> shapely.Geometry:
    """The ground of a rule: a buffer round every source, united."""
    return sources.buffer(metres).union_all()


@case("zones and verdicts of a made city", unit="buildings", sizes=(3, 10, 20))
def zoned(side: int | str) -> Prepared:
    """Every hazard and rule known, from sources to zones, verdicts with their reasons, and the retreat list."""
    from geo import claimed, dangers, land, retreat, zoning

    base, _, _ = ready(side)
    params = base.params

    def work() -> object:
        faced = tuple(base.hazards.values())
        combined = dangers.together(faced, extent=base.extent, crs=CRS, params=params)
        found = land._setbacks(base, faced, combined)
        claims = claimed.of_rules(found)
        standing, things = land._standing(base)
        judged = land._judged_standing(found, claims, standing, things, params)
        zones = zoning.zones(base.communities, claims, params=params.zoning)
        level = np.full(len(standing), np.nan)
        return zones, retreat.listed(standing, judged, level, params=params.retreat)

    return len(base.city.buildings), work


@zoned.rival("geopandas (buffer, union_all, sjoin and overlay a rule)")
def zoned_geopandas(side: int | str) -> Prepared:
    base, found, _ = ready(side)
    buildings = base.city.buildings[["building_id", "geometry"]]
    units, rules = base.communities[["community_id", "geometry"]], by_rule(found)

    def work() -> object:
        grounds = [gpd.GeoDataFrame(geometry=[merged(*rule)], crs=CRS) for rule in rules]
        hits = [gpd.sjoin(buildings, ground, predicate="intersects") for ground in grounds]
        return hits, [gpd.overlay(units, ground, how="intersection") for ground in grounds]

    return len(buildings), work


def lots(buildings: gpd.GeoDataFrame) -> np.ndarray:
    """Lots of 24 m by 24 m round some buildings."""
    rows = np.random.default_rng(1).choice(len(buildings), LOTS, replace=False)
    return np.asarray(shapely.buffer(shapely.centroid(buildings.geometry.to_numpy()[rows]), 12, cap_style="square"))


@case("may a hospital be built on one lot", unit="buildings", sizes=(3, 10, 20))
def lot(side: int | str) -> Prepared:
    """One lot a run, another each time; every index is made before."""
    from geo import dangers, site_check, uses
    from geo.land import Land

    base, found, claims = ready(side)
    faced = tuple(base.hazards.values())
    combined = dangers.together(faced, extent=base.extent, crs=CRS, params=base.params)
    # A lot is asked of rules and claims alone, not of what stands in the city and how it is reached.
    rest: Any = None
    whole = Land(base, base.communities, found, claims, combined, rest, rest, None, rest, rest, ()).warm()
    what = uses.planned("hospital", class_="B", beds=300, params=base.params.uses)
    one = cycle(lots(base.city.buildings))
    return len(base.city.buildings), lambda: site_check.check(whole, next(one), what)


@lot.rival("geopandas (clip sources to 1 km, buffer, overlay a rule)")
def lot_geopandas(side: int | str) -> Prepared:
    """Sources round the lot by their own index, kept between lots; distance to the nearest, and the share within."""
    base, found, _ = ready(side)
    rules = by_rule(found)
    for sources, _ in rules:
        _ = sources.sindex
    one = cycle(lots(base.city.buildings))

    def work() -> object:
        there, told = gpd.GeoDataFrame(geometry=[next(one)], crs=CRS), []
        for sources, metres in rules:
            rows = np.sort(sources.sindex.query(there.geometry.iloc[0].buffer(1000), predicate="intersects"))
            if len(rows):
                near = sources.iloc[rows]
                ground = gpd.GeoDataFrame(geometry=[merged(near, metres[rows])], crs=CRS)
                away = near.distance(there.geometry.iloc[0]).min()
                told.append((away, gpd.overlay(there, ground, how="intersection").area.sum()))
        return told

    return len(base.city.buildings), work
