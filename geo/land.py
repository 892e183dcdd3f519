"""The land of a city in three stages, 让 / 防 / 避, the same in every scenario: what becomes of it, and why.

::

    rules of distance ─┬─► let ground ─► regions ─► reserve (留白) in each ─┐
    every hazard known ┘                                                   ├─► claims ─► zones, verdicts, retreat list
    places of refuge ──────────────────────────────────────────────────────┘
    buildings beside streets ─► rubble ─► access audit ─► network of emergency corridors

All hazards the study knows count at once, whatever scenario they belong to: land is used for longer than a flood lasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import (
    claimed,
    dangers,
    hazards,
    heights,
    protected,
    retreat,
    setback_tables,
    setbacks,
    shelters,
    sources,
    uses,
    zoning,
)  # fmt: skip
from geo import communities as areas_of_planning
from geo.blocks import Ground
from geo.city import City, PlanParams
from geo.claimed import KEPT_FREE, RESERVED
from geo.communities import OUTSIDE, Units
from geo.composite import Combined
from geo.hazards import Hazard
from geo.parts import Parts
from geo.protected import Protected
from geo.readied import Base
from geo.reasons import Finding, Sentence
from geo.setbacks import On, Setbacks
from geo.tables import NAMES, beside
from geo.uses import Things
from geo.zoning import LET, Claims, Judged

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Land:
    """What becomes of the land.

    ``communities`` are those of the study that have ground; ``claims`` what asks for ground, the reasons of
    ``setbacks`` first; ``combined`` the level of all hazards the study knows, None where it knows none. ``buildings``,
    ``lots`` and ``places`` are judged, rows as the city's buildings, its lots (None without) and the demand.
    """

    base: Base
    communities: gpd.GeoDataFrame
    setbacks: Setbacks
    claims: Claims
    combined: Combined | None
    standing: gpd.GeoDataFrame
    judged: Judged
    lots: Judged | None
    zones: gpd.GeoDataFrame
    protected: Protected
    notes: tuple[Sentence, ...]

    def __repr__(self) -> str:
        return f"Land({len(self.zones)} pieces of {len(self.claims)} claims; standing: {self.judged!r})"

    @property
    def params(self) -> PlanParams:
        """Every number the planner may change."""
        return self.base.params

    @property
    def crs(self) -> str:
        """The metric CRS of everything."""
        return self.base.city.crs

    @cached_property
    def ground(self) -> Ground:
        """The study's ground: all its communities; prepared, as it is asked for every place."""
        ground = _whole(self.communities)
        shapely.prepare(ground)
        return ground

    @cached_property
    def units(self) -> Units:
        """The communities by place."""
        return Units.of(self.communities)

    def warm(self) -> Land:
        """Itself, with every index made that places are looked up in: the first one asked for need not wait."""
        somewhere = shapely.box(*shapely.bounds(self.ground).round()).centroid.buffer(1)
        shapely.intersects(self.ground, somewhere)
        for tree in (self.claims.tree, self.units.tree, *(kept.tree for kept in self.setbacks.kept)):
            tree.query(somewhere)
        for kept in self.setbacks.kept:
            _ = kept.of, kept.called, kept.alike
        _ = self.facts, self.combined_level
        return self

    @cached_property
    def combined_level(self) -> Hazard | None:
        """The level of all hazards together as a hazard; None where none is known."""
        return None if self.combined is None else Hazard("combined", "combined", "level", self.combined.level)

    @cached_property
    def let(self) -> Shapes:
        """The ground to yield, piece by piece."""
        return np.asarray(self.zones.geometry.to_numpy()[self.zones["zone"] == LET], dtype=object)

    @cached_property
    def layers(self) -> dict[str, gpd.GeoDataFrame]:
        """Every table of the land."""
        return {**_layers(self), **protected.layers(self.protected)}

    @cached_property
    def communities_told(self) -> pd.DataFrame:
        """Columns beside the communities of the study, by their rows."""
        ids = self.base.communities["community_id"]
        return pd.concat([_by_community(self, ids), protected.by_community(self.protected, ids)], axis=1)

    @cached_property
    def streets_told(self) -> pd.DataFrame:
        """Columns beside the streets, (edges,)."""
        return protected.streets(self.protected)

    @cached_property
    def headline(self) -> dict[str, float]:
        """The land in a few numbers."""
        sums = self.communities_told[["let_m2", "avoid_m2", "prevent_m2", "people_in_let"]].sum()
        return {
            **{str(name): float(value) for name, value in sums.items()},
            **retreat.headline(self.standing, self.judged),
            **protected.headline(self.protected),
        }

    @cached_property
    def facts(self) -> list[dict[str, object]]:
        """What is told of each reason, (reasons,)."""
        facts = self.claims.reasons.rename(columns={"reason_id": "rule_id"}).drop(columns="ground_zone")
        return [{str(name): value for name, value in row.items()} for row in facts.to_dict("records")]

    @cached_property
    def in_hazard(self) -> Mask:
        """Which things that stand lie in a hazard that some rule tells of, (standing,)."""
        hits = self.judged.hits
        told = np.append(_of_hazards(self.setbacks), [False] * (len(self.claims.reasons) - len(self.setbacks.kept)))
        return np.isin(np.arange(len(self.standing)), hits["thing"][told[hits["reason"]]])

    def asks(self, what: Things, on: On) -> Mask:
        """Which reason holds for what (reasons, n)."""
        return claimed.holds_for(self.setbacks, self.claims.reasons, what, on=on)


def of(base: Base) -> Land:
    """What becomes of the land of a city that was made ready."""
    city, params = base.city, base.params
    units = base.communities[base.communities["community_id"] != OUTSIDE].reset_index(drop=True)
    faced = tuple(base.hazards.values())
    combined = dangers.together(faced, extent=base.extent, crs=city.crs, params=params)
    found = _setbacks(base, faced, combined)
    rules = claimed.of_rules(found)
    kept = protected.of(base, units, _whole(units), _unsafe(found, rules))
    reserved, refuge = claimed.of_lots(kept.reserved, "candidate_id", RESERVED), _refuge(base, found, rules)
    claims = Claims.joined([rules, reserved, refuge])
    standing, things = _standing(base)
    judged = _judged_standing(found, claims, standing, things, params)
    said = *_counted_twice(reserved, refuge), *retreat.outside(standing, judged, base.communities["community_id"])
    return Land(
        base, units, found, claims, combined, standing, judged,
        _lots(city, found, claims, params), zoning.zones(units, claims, params=params.zoning), kept,
        (*found.notes, *protected.notes(kept), *said),
    )  # fmt: skip


def _whole(units: gpd.GeoDataFrame) -> Ground:
    """All the ground of the study."""
    united: Ground = units.geometry.union_all()
    return united


def _unsafe(found: Setbacks, rules: Claims) -> Shapes:
    """Ground on which nothing is reserved: to yield, or where a rule tells of a hazard; polygons that overlap."""
    let = rules.reasons["ground_zone"].to_numpy(dtype=object) == LET
    return np.asarray(rules.shapes[(let | _of_hazards(found))[rules.reason]], dtype=object)


def _of_hazards(found: Setbacks) -> Mask:
    """Which rules are of hazards, (rules,)."""
    return np.array([kept.rule.layer == "hazards" for kept in found.kept], dtype=bool)


def _counted_twice(reserved: Claims, refuge: Claims) -> Iterator[Finding]:
    """What of the reserve is a place of refuge at the same time."""
    both = shapely.intersection(shapely.union_all(reserved.shapes), shapely.union_all(refuge.shapes)).area
    if both >= 1:
        yield Finding(
            "reserve_in_refuge", f"{both:,.0f} m² of the lots in which ground is reserved are places of refuge too, or "
            "can become one: they serve both.",
            f"留白地块中有{both:,.0f}平方米同时为避险场所或可改造场所，两用。", "info",
        )  # fmt: skip


def _setbacks(base: Base, faced: tuple[Hazard, ...], combined: Combined | None) -> Setbacks:
    city, params = base.city, base.params
    layers = {
        "lines": city.lines, "areas": city.areas, "facilities": city.facilities, "buildings": city.buildings,
    }  # fmt: skip
    # A lattice tells nothing of where motorways are.
    if city.ways is not None:
        layers["streets"] = base.network.streets().assign(kind=base.network.edge_tag("highway"))
    if city.sources is not None:
        layers["sources"] = city.sources
    ground = sources.Ground(
        city.crs, base.extent, params.levels, faced, None if combined is None else combined.level, city.elevation
    )
    rules = city.rules.chosen(params.setback.rule_sets)
    return setbacks.gather(rules, layers, ground, params=params.setback, steep=params.steep)


def _refuge(base: Base, found: Setbacks, rules: Claims) -> Claims:
    """The ground of every place of refuge, and of what can become one in any hazard the study knows."""
    city = base.city
    could = city.shelters[city.shelters["origin"] == "candidate"]
    could = could[~shelters.too_small(could, params=base.params.shelter)]
    could = could[~_ruled_out(could, found, rules, base.params)]
    there = base.shelters[base.shelters["origin"] != "candidate"]
    columns = ["shelter_id", "geometry"]
    table = pd.concat([there[columns], could[columns]]).drop_duplicates("shelter_id", ignore_index=True)
    return claimed.of_lots(gpd.GeoDataFrame(table, geometry="geometry", crs=city.crs), "shelter_id", KEPT_FREE)


def _ruled_out(could: gpd.GeoDataFrame, found: Setbacks, rules: Claims, params: PlanParams) -> Mask:
    """Which places cannot become a refuge: ground to yield for a shelter, or mostly in a hazard some rule tells of."""
    shapes = np.asarray(could.geometry.to_numpy(), dtype=object)
    what = uses.of(could["kind"], shelter=np.ones(len(could), dtype=bool), params=params.uses)
    applies = claimed.holds_for(found, rules.reasons, what, on="planned")
    share = params.zoning.lot_let_share
    judged = zoning.judge(shapes, applies, rules, whole_share=share, params=params.zoning)
    wet = judged.hits[_of_hazards(found)[judged.hits["reason"]] & (judged.hits["share"] >= share).to_numpy()]
    return np.asarray((judged.table["verdict"] == LET) | np.isin(np.arange(len(could)), wet["thing"]), dtype=bool)


# -- what stands there -------------------------------------------------------------------------------------------------


def _standing(base: Base) -> tuple[gpd.GeoDataFrame, Things]:
    """Every building and every facility (``geo.retreat.STANDING``), and how rules see them."""
    city, params = base.city, base.params
    built = _built(base)
    serving = city.facilities.assign(
        object="facility", object_id=city.facilities["facility_id"], use=city.facilities["kind"], people=0.0,
        people_60plus=0.0, height_m=np.nan,
    )  # fmt: skip
    table = gpd.GeoDataFrame(pd.concat([built, serving], ignore_index=True), geometry="geometry", crs=city.crs)
    refuge = _is_refuge(table, base.shelters, params)
    things = uses.of(
        table["use"], people=table["people"].to_numpy(dtype=np.float64),
        height_m=table["height_m"].to_numpy(dtype=np.float64), shelter=refuge, params=params.uses,
    )  # fmt: skip
    points = table.geometry.representative_point()
    unit = areas_of_planning.locate(points, base.communities)
    table = table.assign(building_class=things.class_, important=things.tags["important"], community_id=unit)
    return table[[*retreat.STANDING, "geometry"]], things


def _built(base: Base) -> gpd.GeoDataFrame:
    """The buildings with who lives there; NaN where nobody was counted at all."""
    buildings, demand = base.city.buildings, base.people.demand
    row = base.building_rows
    columns = {}
    for name in ("people", "people_60plus"):
        known = name in demand and base.people.total
        amount = demand[name].fillna(0).to_numpy(dtype=np.float64) if known else np.zeros(len(demand))
        sums = np.bincount(row[row >= 0], amount[row >= 0], len(buildings))
        columns[name] = sums if known else np.full(len(buildings), np.nan)
    height = heights.told(buildings, storey_m=base.params.population.storey_m)
    return buildings.assign(object="building", object_id=buildings["building_id"], **columns, height_m=height)


def _is_refuge(table: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, params: PlanParams) -> Mask:
    """Which things are part of a shelter of the plan: buildings on its ground in which nobody lives, the school there.

    A campus has homes on it, and a filling station: they are no refuge.
    """
    points = np.asarray(table.geometry.representative_point().to_numpy(), dtype=object)
    found = np.zeros(len(table), dtype=bool)
    found[shapely.STRtree(points).query(np.asarray(sites.geometry.to_numpy(), dtype=object), "intersects")[1]] = True
    facility = (table["object"] == "facility").to_numpy()
    could = table["use"].isin(params.siting.convertible_kinds) | table["object_id"].isin(sites["shelter_id"])
    return np.asarray(found & np.where(facility, could, ~(table["people"] > 0)), dtype=bool)


def _judged_standing(
    found: Setbacks, claims: Claims, table: gpd.GeoDataFrame, what: Things, params: PlanParams
) -> Judged:
    """What becomes of what stands: a building is not moved in part, the grounds of a facility are built round.

    Nothing keeps away from itself: a station's pumps are no reason against its own shop. Homes are not kept for refuge.
    """
    applies = claimed.holds_for(found, claims.reasons, what, on="standing")
    homes = ((table["object"] == "building") & (table["people"] > 0)).to_numpy()
    applies &= ~((claims.reasons["reason_id"] == claimed.REFUGE).to_numpy()[:, None] & homes)
    grounds = (table["object"] == "facility").to_numpy() & (shapely.area(table.geometry.to_numpy()) > 0)
    share = np.where(grounds, params.zoning.lot_let_share, params.zoning.building_let_share)
    own = _own(found, claims, table)
    return _judged(found, claims, table, what, applies, on="standing", share=share, params=params, own=own)


def _own(found: Setbacks, claims: Claims, table: gpd.GeoDataFrame) -> tuple[Ints, Ints]:
    """Things, and the claims round what they are themselves or have on them: rows of both, (pairs,)."""
    layer = np.full(len(claims.reasons), None, dtype=object)
    layer[: len(found.kept)] = [kept.rule.layer for kept in found.kept]
    shapes, of = np.asarray(table.geometry.to_numpy(), dtype=object), layer[claims.reason]
    points = np.isin(of, ("facilities", "sources")) & (shapely.get_dimensions(claims.source) == 0)
    points_at = np.flatnonzero(points)
    on, thing = shapely.STRtree(shapes).query(claims.source[points_at], "within")
    ids = pd.DataFrame({"id": table["object_id"], "thing": np.arange(len(table))})
    same = pd.DataFrame({"id": claims.source_id, "claim": np.arange(len(claims))})[of == "facilities"].merge(
        ids, on="id"
    )
    # Tables number their rows alike: a building is the facility of its id only where it is.
    there = shapely.intersects(shapes[same["thing"]], claims.source[same["claim"]])
    itself = same[there | (table["object"].to_numpy()[same["thing"]] == "facility")]
    return np.r_[thing, itself["thing"].to_numpy()], np.r_[points_at[on], itself["claim"].to_numpy()]


def _judged(
    found: Setbacks, claims: Claims, table: gpd.GeoDataFrame, what: Things, applies: Mask, *, on: On,
    share: float | Floats, params: PlanParams, own: tuple[Ints, Ints] | None = None,
) -> Judged:  # fmt: skip
    """What becomes of things, by the reasons that hold for each and their gaps to the buildings beside them."""
    shapes = np.asarray(table.geometry.to_numpy(), dtype=object)
    gaps = claimed.between_buildings(found, shapes, what, on=on)
    return zoning.judge(shapes, applies, claims.alike(gaps), whole_share=share, params=params.zoning, own=own)


def planned(land: Land, shapes: Shapes, what: Things) -> Judged:
    """What becomes of lots (n,) in the land's CRS for what is planned on each."""
    share = land.params.zoning.lot_let_share
    applies = land.asks(what, "planned")
    gaps = claimed.between_buildings(land.setbacks, shapes, what, on="planned")
    return zoning.judge(shapes, applies, land.claims.alike(gaps), whole_share=share, params=land.params.zoning)


def _lots(city: City, found: Setbacks, claims: Claims, params: PlanParams) -> Judged | None:
    """The lots of the plan, for what each is meant for; None where the study has none."""
    if city.lots is None:
        return None
    what = uses.of(city.lots["use"], params=params.uses)
    applies = claimed.holds_for(found, claims.reasons, what, on="planned")
    share = params.zoning.lot_let_share
    return _judged(found, claims, city.lots, what, applies, on="planned", share=share, params=params)


def verdicts_of_people(land: Land) -> Shapes:
    """What becomes of the ground where people live, (places,): of their building, else of the spot they stand on."""
    demand = land.base.people.demand
    # What stands there begins with the buildings, in their order.
    row = land.base.building_rows
    told = land.judged.table["verdict"].to_numpy(dtype=object)
    loose = np.flatnonzero(row < 0)
    spots = np.asarray(demand.geometry.to_numpy(), dtype=object)[loose]
    applies = np.repeat(land.asks(uses.ORDINARY, "ground"), len(loose), axis=1)
    share = land.params.zoning.building_let_share
    found = zoning.judge(spots, applies, land.claims, whole_share=share, params=land.params.zoning)
    verdict = np.full(len(row), None, dtype=object)
    verdict[row >= 0] = told[row[row >= 0]]
    verdict[loose] = found.table["verdict"].to_numpy(dtype=object)
    return verdict


def people_in_hazard(land: Land) -> Mask:
    """Where people live in a hazard that some rule tells of, (places,)."""
    row = land.base.building_rows
    spots = np.asarray(land.base.people.demand.geometry.to_numpy(), dtype=object)
    rules = _of_hazards(land.setbacks)
    some = land.claims.of(np.isin(land.claims.reason, np.flatnonzero(rules)))
    there = np.isin(np.arange(len(spots)), some.tree.query(spots, predicate="intersects")[0])
    return np.where(row >= 0, np.append(land.in_hazard, False)[row], there)


# -- as tables ---------------------------------------------------------------------------------------------------------


def _layers(land: Land) -> dict[str, gpd.GeoDataFrame]:
    """The first stage: ``zones``, ``setbacks``, ``setback_sources``, ``conflicts``, ``buildings`` and ``lots``."""
    lots = {} if land.lots is None else {"lots": _lots_table(land, land.lots)}
    levels = _levels(land, land.standing)
    return {
        "zones": land.zones,
        "setbacks": setback_tables.layer(land.setbacks, within=land.ground),
        "setback_sources": setback_tables.sources_table(claimed.drawn(land.setbacks)),
        "conflicts": retreat.listed(
            land.standing, land.judged, levels["level_max"].to_numpy(), params=land.params.retreat
        ),
        "buildings": _buildings_table(land, levels),
        **lots,
    }


def _levels(land: Land, table: gpd.GeoDataFrame) -> pd.DataFrame:
    """``level_max`` of all hazards together on each thing, NaN where not known, and ``unknown_share`` of it."""
    level = land.combined_level
    if level is None:
        return pd.DataFrame({"level_max": np.nan, "unknown_share": 1.0}, index=range(len(table)))
    shapes = np.asarray(table.geometry.to_numpy(), dtype=object)
    found = hazards.expose_areas(shapes, crs=land.crs, hazard=level)
    return pd.DataFrame({"level_max": found["max"], "unknown_share": found["share_unknown"]})


def _buildings_table(land: Land, levels: pd.DataFrame) -> gpd.GeoDataFrame:
    n = len(land.base.city.buildings)
    told = land.standing.iloc[:n].drop(columns=["object"]).rename(columns={"object_id": "building_id"})
    return beside(told, levels.iloc[:n], land.judged.table.iloc[:n])


def _lots_table(land: Land, judged: Judged) -> gpd.GeoDataFrame:
    lots = land.base.city.lots
    assert lots is not None
    unit = areas_of_planning.locate(lots.geometry.representative_point(), land.base.communities)
    area = lots["area_m2"].fillna(lots.geometry.area)
    columns = lots[["lot_id", *NAMES, "use"]].assign(area_m2=area, community_id=unit)
    return beside(gpd.GeoDataFrame(columns, geometry=lots.geometry, crs=lots.crs), _levels(land, lots), judged.table)


def _by_community(land: Land, ids: pd.Series) -> pd.DataFrame:
    """What becomes of the ground, buildings and people of each community, indexed like ``ids``."""
    people = land.base.people.demand["people"].to_numpy(dtype=np.int64)
    there = verdicts_of_people(land) == LET
    homes = Parts.named(land.base.community_id, ids)
    counted = pd.DataFrame({"people_in_let": homes.sums(people, there)}, index=ids.index)
    return pd.concat(
        [zoning.areas(land.zones, ids), retreat.by_community(land.standing, land.judged, ids), counted], axis=1
    )
