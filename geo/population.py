"""Where people are: given by point, cell or area, or estimated from the buildings they live and work in.

People are whole persons. Whoever is known only by an area is put into its dwellings, else along its streets, else in
its middle; nobody is put on water, tracks or works. Every area keeps its people to the last one, and the order of the
rows changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo import groups
from geo.curves import Word
from geo.dwellings import FloorParams, by_day, residents, told_share
from geo.errors import ColumnError, Fault, refuse
from geo.groups import GROUPS, GroupParams
from geo.headcount import NOBODY, shared, whole
from geo.membership import smallest_holding
from geo.reasons import Finding, Sentence
from geo.standing import closed, nearest_open
from geo.tables import DEMAND, checked

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]
Time = Literal["day", "night"]

WATER = ("water",)
"""Land (``AREAS`` kinds) on which not even a place that was given is left."""
MOST_PEOPLE = 50_000_000
"""More than the largest city has: a larger number in one place is a slip."""


class PopulationParams(FloorParams):
    """How people are estimated from buildings, and where those stand who are known by area."""

    street_spacing_m: float = Field(
        gt=0, le=1000, description="Distance of the points on streets at which people known only by area stand, metres."
    )
    max_crowding: float = Field(
        ge=1, description="Most people in an area's dwellings, as a multiple of those expected; beyond, most dwellings "
        "are taken to be missing on the map (number)."
    )  # fmt: skip
    closed_land: tuple[Word, ...] = Field(description="Kinds of areas on which nobody is put outside buildings.")


class Spots(NamedTuple):
    """Points on streets (n,) at which people may stand, the metres of street each is for, and its unique name."""

    points: Shapes
    metres: Floats
    names: Shapes


@dataclass(frozen=True, eq=False)
class Population:
    """Who is where.

    ``demand`` has one row a place with people: DEMAND columns, ``building_id`` (None where it is no building) and those
    of ``groups.GROUPS`` of which anything is known (persons, NaN where not known), its geometry a point; ``shapes``
    (places,) is what stands there, the building's outline or the point itself. ``basis`` is ``table`` or ``estimate
    from buildings``; ``total`` is the sum of people.
    """

    demand: gpd.GeoDataFrame
    shapes: Shapes
    basis: str
    notes: tuple[Sentence, ...]

    def __post_init__(self) -> None:
        checked(self.demand, DEMAND)
        people = self.demand["people"]
        found = f"{int((people < 0).sum())} places with fewer, {len(self.shapes)} shapes for {len(people)} places"
        fits = len(self.shapes) == len(people) and (people >= 0).all()
        refuse(ColumnError, [] if fits else [Fault("0 people or more and a shape a place", found, "population")])

    @property
    def total(self) -> int:
        """Everybody."""
        return int(self.demand["people"].sum())

    @property
    def by_area(self) -> Mask:
        """Places (places,) known only by their area."""
        return np.asarray((shapely.get_dimensions(self.shapes) == 2) & self.demand["building_id"].isna().to_numpy())

    def __repr__(self) -> str:
        return f"Population({self.total} people at {len(self.demand)} places, {self.basis})"


def place(
    units: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, spots: Spots | None = None, *,
    params: PopulationParams, assumed: GroupParams | None = None,
) -> Population:  # fmt: skip
    """The people of a table where they can be: the one recipe for points, cells, areas and any mixture of them.

    ``units`` as for ``given``; BUILDINGS, AREAS and the spots on streets in the same metric CRS. Points stay, unless
    they lie in water. The people of polygons go into the dwellings in them, else to the streets in them, else to an
    inner point; from water and other closed land they move to the nearest ground. Whole persons, to the last one.
    """
    people = _into_dwellings(given(units, assumed=assumed), buildings, areas, params)
    if spots is not None:
        free = ~closed(spots.points, areas, kinds=params.closed_land)
        people = along_streets(people, spots.points[free], spots.metres[free], spots.names[free])
    return off_closed_land(people, areas, params=params)


def given(table: gpd.GeoDataFrame, *, assumed: GroupParams | None = None) -> Population:
    """The people of a table: ``demand_id``, ``people`` (whole or not), points or polygons in a metric CRS.

    Groups may be given beside them (``groups.COLUMNS``) or ``assumed``. Polygons stay together at one point inside.
    Rows whose people are not known are left out, rows without people too; both are counted. Fewer than nobody is
    refused with ColumnError.
    """
    refuse(ColumnError, _table_faults(table))
    known = table[table["people"].notna().to_numpy()]
    people = whole(known["people"].to_numpy(dtype=np.float64), known["demand_id"].to_numpy(dtype=object))
    by_group, said = groups.counted(known, people, params=assumed)
    columns = {"people": people, **{str(name): by_group[name] for name in by_group}}
    kept = known[["demand_id", known.geometry.name]].assign(building_id=_column(known, "building_id"), **columns)
    return _at_places(kept, "table", (*_table_notes(len(table) - len(known)), *said))


def at(
    tables: Mapping[str | None, gpd.GeoDataFrame], time: Time
) -> tuple[gpd.GeoDataFrame | None, tuple[Finding, ...]]:
    """The table of people that holds at a time, by the time each table is for; None: any time.

    That of the time itself, else the one for any time, else the other time's, which is said. None where there is none.
    """
    found = next((tables[key] for key in (time, None) if key in tables), None)
    if found is not None or not tables:
        return found, ()
    other, table = next(iter(tables.items()))
    return table, (_other_time(time, str(other)),)


def within(units: gpd.GeoDataFrame, outline: shapely.Geometry) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The people of a table inside an outline (polygon in its CRS), and how many are outside.

    Points and buildings are in or out as a whole, by an inner point. Cells and areas across the edge are cut, their
    people and groups shared by area: inside and outside together are always everybody.
    """
    shapes = np.asarray(units.geometry.to_numpy(), dtype=object)
    shapely.prepare(outline)
    whole_one = (shapely.get_dimensions(shapes) < 2) | pd.notna(_column(units, "building_id"))
    share = np.zeros(len(units))
    share[whole_one] = shapely.intersects(outline, shapely.point_on_surface(shapes[whole_one]))
    share[~whole_one] = shapely.contains_properly(outline, shapes[~whole_one])
    across = np.flatnonzero(~whole_one & (share == 0))
    across = across[shapely.intersects(outline, shapes[across])]
    cut = shapes.copy()
    cut[across] = [_areal(shape) for shape in shapely.intersection(shapes[across], outline)]
    share[across] = shapely.area(cut[across]) / shapely.area(shapes[across])
    counts = {name: units[name] * share for name in ("people", *GROUPS) if name in units}
    inside = units.assign(**counts).set_geometry(cut, crs=units.crs)[share > 0].reset_index(drop=True)
    lost = float((units["people"] * (1 - share)).sum())
    return inside, tuple(_outside_notes(lost, int((share == 0).sum()), int(((share > 0) & (share < 1)).sum())))


def from_buildings(
    buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, params: PopulationParams, time: Time = "night",
    assumed: GroupParams | None = None,
) -> Population:  # fmt: skip
    """People estimated from the floor of buildings: at night of their dwellings, by day of all they work in too.

    ``buildings`` is a BUILDINGS table, ``areas`` an AREAS table (land use), both in one metric CRS. Hotels, hospitals
    and the like have no residents. Where most buildings' use is told, one of untold use is taken for a shed.
    """
    ids = buildings["building_id"].to_numpy(dtype=object)
    expected = by_day if time == "day" else residents
    people = whole(expected(buildings, areas, params=params), ids)
    table = buildings[["geometry"]].assign(demand_id=ids, people=people, building_id=ids)
    by_group, said = groups.counted(table, people, params=assumed)
    homes, told = int((people > 0).sum()), told_share(buildings)
    notes = (*_estimate_notes(int(people.sum()), homes, len(buildings), time), *_shed_notes(told, params))
    return _at_places(table.assign(**by_group), "estimate from buildings", (*notes, *said))


def along_streets(people: Population, points: Shapes, metres: Floats, names: Shapes) -> Population:
    """Those known only by an area without dwellings, spread over its streets in proportion to their length.

    ``points``, ``metres`` and ``names`` as in ``Spots``. Each area keeps its whole number of people exactly; one
    without a street keeps them at its inner point. A point in several areas belongs to the smallest.
    """
    rows, unit = _holding(people, points)
    moved = np.unique(unit[unit != NOBODY])
    if not len(moved):
        return people
    names_of = people.demand["demand_id"].to_numpy(dtype=object)[rows]
    ids = np.array([f"{names_of[u]}@{name}" for u, name in zip(unit, names, strict=True)], dtype=object)
    there = _Places(points, ids, np.full(len(ids), None, dtype=object))
    count = int(people.demand["people"].to_numpy()[rows[moved]].sum())
    kept = tuple(note for note in people.notes if note.code != "no_dwelling")
    spread = _spread(people, rows, unit, metres, there)
    rest = spread.demand.loc[spread.by_area, "people"]
    notes = (*kept, _street_note(len(moved), count), *_leftover_notes(len(rest), int(rest.sum()), "street"))
    return replace(spread, notes=notes)


def off_closed_land(people: Population, areas: gpd.GeoDataFrame, *, params: PopulationParams) -> Population:
    """Nobody on water, tracks or works: whoever was put there by area, and every place in water, moves to other ground.

    ``areas`` is an AREAS table in the same CRS. Buildings stay where they are. Distances are said.
    """
    points = np.asarray(people.demand.geometry.to_numpy(), dtype=object)
    loose = people.demand["building_id"].isna().to_numpy()
    wrong = loose & closed(points, areas, kinds=WATER)
    wrong |= people.by_area & closed(points, areas, kinds=params.closed_land)
    if not wrong.any():
        return people
    there, shapes = points.copy(), people.shapes.copy()
    there[wrong] = nearest_open(points[wrong], areas, kinds={*params.closed_land, *WATER})
    shapes[wrong] = there[wrong]
    far_m = shapely.distance(points[wrong], there[wrong])
    note = _moved_note(int(people.demand.loc[wrong, "people"].sum()), far_m)
    demand = people.demand.set_geometry(there, crs=people.demand.crs)
    return Population(demand, shapes, people.basis, (*people.notes, note))


class _Places(NamedTuple):
    """Where people may go: what stands there (n,), its ``demand_id`` and its ``building_id``."""

    shapes: Shapes
    ids: Shapes
    building_id: Shapes


def _into_dwellings(
    people: Population, buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, params: PopulationParams
) -> Population:
    """Those known by area, in the dwellings that lie in it; the others stay, counted."""
    expected = residents(buildings, areas, params=params)
    points = np.asarray(buildings.geometry.representative_point().to_numpy(), dtype=object)
    rows, unit = _holding(people, points)
    unit = np.where(expected > 0, unit, NOBODY)
    count = people.demand["people"].to_numpy(dtype=np.int64)[rows]
    room = np.bincount(unit[unit != NOBODY], expected[unit != NOBODY], minlength=len(rows)) * params.max_crowding
    crowded = (room > 0) & (count > room)
    unit = np.where(np.append(crowded, False)[unit], NOBODY, unit)
    ids = buildings["building_id"].to_numpy(dtype=object)
    there = _Places(np.asarray(buildings.geometry.to_numpy(), dtype=object), ids, ids)
    left = np.setdiff1d(np.arange(len(rows)), unit)
    notes = (
        *_crowded_notes(int(crowded.sum()), int(count[crowded].sum()), params.max_crowding),
        *_leftover_notes(len(left), int(count[left].sum()), "dwelling"),
    )
    spread = _spread(people, rows, unit, expected, there)
    return replace(spread, notes=(*people.notes, *notes))


def _holding(people: Population, points: Shapes) -> tuple[Ints, Ints]:
    """The places known by area, by id, and for each point (points,) which of them holds it; ``NOBODY`` where none."""
    rows = np.flatnonzero(people.by_area)
    rows = rows[np.argsort(people.demand["demand_id"].to_numpy(dtype=object)[rows], kind="stable")]
    if not len(rows):
        return rows, np.full(len(points), NOBODY, dtype=np.int64)
    return rows, smallest_holding(points, people.shapes[rows])


def _spread(people: Population, rows: Ints, unit: Ints, weight: Floats, there: _Places) -> Population:
    """The people of some areas at other places by weight; whoever is not at ``rows`` or has no place there stays.

    ``unit`` (places,) says at which of ``rows`` each place is, or ``NOBODY``.
    """
    source = people.demand.iloc[rows]
    count = shared(source["people"].to_numpy(dtype=np.int64), unit, weight, there.ids)
    by_group = groups.spread(source[[name for name in GROUPS if name in source]], unit, count, there.ids)
    stay = np.ones(len(people.demand), dtype=bool)
    stay[rows[np.unique(unit[unit != NOBODY])]] = False
    left = people.demand[stay].set_geometry(people.shapes[stay], crs=people.demand.crs)
    ids = there.ids.copy()
    taken = pd.Series(ids, dtype=object).isin(left["demand_id"]).to_numpy()
    ids[taken] = [f"{one}@home" for one in ids[taken]]
    columns = {"demand_id": ids, "people": count, "building_id": there.building_id, **by_group}
    moved = gpd.GeoDataFrame(columns, geometry=there.shapes, crs=people.demand.crs)[count > 0]
    parts = [part for part in (left, moved) if len(part)] or [left]
    return _at_places(pd.concat(parts, ignore_index=True), people.basis, people.notes)


def _at_places(table: gpd.GeoDataFrame, basis: str, notes: tuple[Sentence, ...]) -> Population:
    """The rows with people as places."""
    kept = table[(table["people"] > 0).to_numpy(dtype=bool)]
    columns = {
        "demand_id": kept["demand_id"].to_numpy(dtype=object),
        "people": kept["people"].to_numpy(dtype=np.int64),
        "building_id": kept["building_id"].to_numpy(dtype=object),
        **{name: kept[name].to_numpy(dtype=np.float64) for name in GROUPS if name in kept},
    }
    shapes = np.asarray(kept.geometry.to_numpy(), dtype=object)
    demand = gpd.GeoDataFrame(columns, geometry=shapely.point_on_surface(shapes), crs=table.crs)
    return Population(demand, shapes, basis, notes)


def _column(table: gpd.GeoDataFrame, name: str) -> Shapes:
    if name in table.columns:
        return np.asarray(table[name].to_numpy(dtype=object))
    return np.full(len(table), None, dtype=object)


def _areal(shape: shapely.Geometry) -> shapely.Geometry:
    """The area in what an intersection left; empty where two only touch."""
    parts = shapely.get_parts(shape)
    flat = parts[shapely.get_dimensions(parts) == 2]
    return flat[0] if len(flat) == 1 else shapely.MultiPolygon(list(flat))


def _table_faults(table: gpd.GeoDataFrame) -> Iterator[Fault]:
    missing = [name for name in ("demand_id", "people") if name not in table.columns]
    if missing:
        yield Fault(f"columns {', '.join(missing)}", ", ".join(map(str, table.columns)), "population", "Use --map.")
        return
    bad = table.loc[(table["people"] < 0) | (table["people"] > MOST_PEOPLE), "demand_id"].head(3).tolist()
    if bad:
        yield Fault(f"0 to {MOST_PEOPLE:,} people in one place", "fewer, or more", f"population, rows {bad}")


def _table_notes(unknown: int) -> Iterator[Finding]:
    if unknown:
        yield Finding(
            "people_not_known",
            f"{unknown:,} row{'s do' if unknown > 1 else ' does'} not say how many people there are and "
            f"{'are' if unknown > 1 else 'is'} left out.",
            f"{unknown:,}行未给出人数，未计入。",
            severity="warning", count=unknown, column="people",
            do_en="Fill them, or write 0 where nobody is.", do_zh="请补全人数，无人处填0。",
        )  # fmt: skip


def _other_time(time: Time, other: str) -> Finding:
    names = {"day": ("daytime", "白天"), "night": ("night-time", "夜间")}
    (asked_en, asked_zh), (used_en, used_zh) = names[time], names[other]
    return Finding(
        "people_of_other_time",
        f"No {asked_en} people are given; the {used_en} people are used.",
        f"未给出{asked_zh}人口，采用{used_zh}人口。",
        severity="warning", do_en=f"Add a layer of people with time {time}.", do_zh=f"请添加{asked_zh}人口图层。",
    )  # fmt: skip


def _outside_notes(people: float, rows: int, cut: int) -> Iterator[Finding]:
    if rows or cut:
        yield Finding(
            "people_outside_outline",
            f"Outside the study's outline and not counted: {people:,.0f} people, in {rows:,} rows; {cut:,} more rows "
            "lie across the edge and are shared by area.",
            f"研究范围外未计入：{people:,.0f}人，{rows:,}行；另有{cut:,}行跨越边界，按面积分摊。",
            count=rows + cut,
        )  # fmt: skip


def _crowded_notes(units: int, people: int, times: float) -> Iterator[Finding]:
    if units:
        yield Finding(
            "dwellings_missing",
            f"{units:,} areas have {people:,} people but so few dwellings on the map that each would hold over "
            f"{times:g} times those expected: most dwellings are taken to be missing.",
            f"{units:,}个单元共{people:,}人，但已绘制的住宅过少（超过预计人数的{times:g}倍），视为住宅数据缺失。",
            severity="warning", count=units, do_en="Give all buildings, or raise population.max_crowding.",
            do_zh="请提供完整的建筑数据，或调高population.max_crowding。",
        )  # fmt: skip


def _leftover_notes(units: int, people: int, lacking: Literal["dwelling", "street"]) -> Iterator[Finding]:
    what_en, what_zh = {"dwelling": ("dwelling", "住宅"), "street": ("dwelling and no street", "住宅和街道")}[lacking]
    if people:
        yield Finding(
            "no_dwelling",
            f"{units:,} areas have no {what_en} on the map; their {people:,} people are kept at one point inside each.",
            f"{units:,}个单元内没有已绘制的{what_zh}，其{people:,}人集中放在单元内一点。",
            count=units,
        )  # fmt: skip


def _street_note(units: int, people: int) -> Finding:
    return Finding(
        "people_along_streets",
        f"{units:,} areas have no dwelling on the map; their {people:,} people are spread along their streets.",
        f"{units:,}个单元内没有已绘制的住宅，其{people:,}人按街道长度分布。",
        count=units,
    )  # fmt: skip


def _moved_note(people: int, far_m: Floats) -> Finding:
    half, most = float(np.median(far_m)), float(far_m.max())
    return Finding(
        "people_moved",
        f"{people:,} people at {len(far_m):,} places lay on water or other land where nobody is; they were moved to "
        f"the nearest other ground, half of them at most {half:,.0f} m, none more than {most:,.0f} m.",
        f"{len(far_m):,}处共{people:,}人落在水面等不可居住用地上，已移至最近的其他地面，"
        f"半数不超过{half:,.0f}米，最远{most:,.0f}米。",
        severity="repaired", count=len(far_m),
    )  # fmt: skip


def _estimate_notes(people: int, homes: int, buildings: int, time: Time) -> Iterator[Finding]:
    if not buildings:
        return
    if time == "day":
        yield Finding(
            "people_estimated_by_day",
            "People by day are estimated from the floor of dwellings, offices, shops, schools, hospitals and "
            f"factories: {people:,} in {homes:,} of {buildings:,} buildings. This is not a count; people in the open "
            "are not in it.",
            f"白天人口按住宅、办公、商业、学校、医院和工业建筑面积估算：{buildings:,}栋建筑中{homes:,}栋有人，"
            f"共{people:,}人，并非统计数据，不含室外人员。",
            severity="warning",
        )  # fmt: skip
        return
    yield Finding(
        "people_estimated",
        f"People are estimated from the floor area of dwellings: {people:,} in {homes:,} of {buildings:,} buildings. "
        "This is not a census.",
        f"人口按住宅建筑面积估算：{buildings:,}栋建筑中{homes:,}栋有居民，共{people:,}人，并非普查数据。",
        severity="warning",
    )  # fmt: skip


def _shed_notes(told: float, params: PopulationParams) -> Iterator[Finding]:
    if told > params.max_told_share:
        yield Finding(
            "untold_not_dwellings",
            f"The use of {told:.0%} of the buildings is mapped; the others are taken for sheds and garages.",
            f"{told:.0%}的建筑已标注用途，其余视为附属建筑，不计居民。",
        )
