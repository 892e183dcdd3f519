"""The way to shelter of each community: main, safer, second; in metres, minutes for each group, and words.

A community's people who go to one shelter are told the way of one of them: of the place nearest to the median of where
they live. Ways lead to the shelter that has room for them, so the main way takes as long as their assignment says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import detours, directions, paths, reach, splits, tradeoffs
from geo.directions import Arrival
from geo.network import Network
from geo.paths import LegParams, Path
from geo.snapping import Snaps
from geo.splits import Doors
from geo.tradeoffs import RouteParams, Weighed
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

ADULT = "walk"
"""The walker for whom ways are sought; the others follow on the same streets."""
ROLES = ("main", "safer", "second")
"""The quickest way; a sensible one through less danger, where that is another; one that shares no street with the main,
or as little as can be where every way must use a street, or where the main one stands in the way of every other."""
COLUMNS = {
    **dict.fromkeys(("community_id", "shelter_id", "role"), "object"),
    "people": "int64",
    **dict.fromkeys(("length_m", "walk_s", "elderly_s", "stroller_s", "wheelchair_s"), "float64"),
    **dict.fromkeys(("danger_s", "depth_max_m", "level_max", "share_exposed", "share_unknown", "shared_m"), "float64"),
    **dict.fromkeys(("bottleneck", "bottleneck_en", "bottleneck_zh"), "object"),
    **dict.fromkeys(("directions_en", "directions_zh"), "object"),
}
"""Columns of ``routes`` before the geometry, and their types."""
GROUPS = ("elderly", "stroller", "wheelchair")
TOLD = 3
"""How many streets that every way must use are named, those nearest to the people first."""
THREADS = 2
"""How many shelters are worked on at the same time."""


@dataclass(frozen=True)
class Walker:
    """The streets as somebody finds them, and the speed from door to street, metres per second."""

    ways: Usable
    speed_ms: float


@dataclass(frozen=True)
class Ground:
    """What a scenario fixes for all ways: who walks, where the doors of usable shelters are, what is dangerous.

    ``walkers`` hold at least ``ADULT``; ``doors.place`` is the row of ``sites`` (``shelter_id``, ``name``, and names in
    Chinese and English where known).
    """

    walkers: Mapping[str, Walker]
    doors: Snaps
    sites: gpd.GeoDataFrame
    weighed: Weighed
    route: RouteParams
    legs: LegParams

    @property
    def network(self) -> Network:
        """The streets."""
        return self.walkers[ADULT].ways.network

    def __repr__(self) -> str:
        return f"Ground({len(self.sites)} sites with {len(self.doors)} doors, {self.weighed})"


def ground(
    walkers: Mapping[str, Walker],
    doors: Snaps,
    sites: gpd.GeoDataFrame,
    exposure: pd.DataFrame,
    *,
    close_depth_m: float,
    route: RouteParams,
    legs: LegParams,
) -> Ground:
    """What all ways of a scenario share.

    ``walkers`` by profile, ``ADULT`` among them; ``doors`` are those that are open, of usable sites; ``exposure`` is
    that of the streets (``geo.exposures``); ``close_depth_m`` the depth that closes a street to adults.
    """
    found = tradeoffs.danger(exposure, close_depth_m=close_depth_m, params=route)
    weighed = tradeoffs.weigh(walkers[ADULT].ways.graph, found, params=route)
    return Ground(walkers, doors.where(doors.found), sites, weighed, route, legs)


def enter(given: Ground, doors: Snaps) -> Doors:
    """Doors put into the streets, for ``way_from``: made once for any number of places."""
    adult = given.walkers[ADULT]
    return splits.enter(adult.ways.graph, doors, extra_s=doors.off_m / adult.speed_ms)


# -- which ways --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Way:
    """One way to be told: whose, to which site, as what, and from how far off the street."""

    path: Path
    role: str
    off_m: float
    people: int = 0
    community_id: object = None
    shared_m: float = 0.0
    bottleneck: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def routes(
    given: Ground, places: Snaps, place: Ints, site: Ints, people: Ints, community_id: Texts
) -> gpd.GeoDataFrame:
    """The ways of every community to the shelters that take most of its people (``COLUMNS``), in the network's CRS.

    ``place``, ``site`` and ``people`` are the rows of an assignment; ``community_id`` (places,) is None outside all.
    Rows are sorted by community, then by people, then in the order of ``ROLES``. ``people`` are those who go to the
    shelter, on each of their ways: add up the main ones. ``length_m`` and the geometry are from street to street, times
    from door to door: ``walk_s`` of adults, the others on the same streets, NaN where these are closed to them.
    ``depth_max_m`` and ``level_max`` are the worst of any street on the way; ``shared_m`` are metres in common with the
    main way. ``bottleneck`` on a main way names the first streets that every way to the shelter must use (ids, then
    names), None where two ways share none.
    """
    trips = _trips(given, places, place, site, people, community_id)
    of = np.array([trip.site for trip in trips], dtype=np.int64)
    order = np.argsort(of, kind="stable")
    groups = [[trips[i] for i in rows] for rows in np.split(order, np.flatnonzero(np.diff(of[order])) + 1) if len(rows)]
    found: list[list[_Way]] = [[] for _ in trips]
    with ThreadPoolExecutor(THREADS) as pool:
        for trip, ways in chain.from_iterable(pool.map(lambda group: _to_site(given, places, group), groups)):
            found[trip.row] = ways
    return table(_records(given, [way for ways in found for way in ways]), crs=given.network.crs)


def way_from(given: Ground, doors: Doors, place: Snaps) -> list[dict[str, Any]]:
    """The ways of one place (one row) to the nearest of the doors (``enter``), as rows of ``routes``; none: no way.

    ``people`` is 0 and ``community_id`` None: nobody is counted here.
    """
    return _records(given, _ways_of(given, doors, place, 0, None))


def table(records: Sequence[Mapping[str, Any]], *, crs: str) -> gpd.GeoDataFrame:
    """Rows as a table with ``COLUMNS`` and the geometry; the columns are there without rows too."""
    columns = {name: pd.Series([r[name] for r in records], dtype=dtype) for name, dtype in COLUMNS.items()}
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([r["geometry"] for r in records], crs=crs), crs=crs)


@dataclass(frozen=True)
class _Trip:
    """People of one community who go to one site, and the place they start from."""

    row: int
    community_id: object
    site: int
    place: int
    people: int


def _trips(given: Ground, places: Snaps, place: Ints, site: Ints, people: Ints, community_id: Texts) -> list[_Trip]:
    inside = ~pd.isna(community_id[place]) & (people > 0)
    place, site, people = place[inside], site[inside], people[inside]
    if not len(place):
        return []
    community, names = pd.factorize(community_id[place], sort=True)
    order = np.lexsort((place, site, community))
    both = np.column_stack([community, site])[order]
    groups = np.split(order, np.flatnonzero((np.diff(both, axis=0) != 0).any(axis=1)) + 1)
    sums = np.array([people[rows].sum() for rows in groups])
    kept = _most_people(np.array([community[rows[0]] for rows in groups]), sums, given.route)
    x, y = reach.points(given.network, places.where(np.isin(np.arange(len(places)), place)))
    at = np.full((len(places), 2), np.nan)
    at[np.unique(place)] = np.column_stack([x, y])
    return [
        _Trip(
            row,
            names[community[rows[0]]],
            int(site[rows[0]]),
            _in_the_midst(place[rows], people[rows], at),
            int(people[rows].sum()),
        )
        for row, rows in enumerate(groups[group] for group in kept)
    ]


def _most_people(community: Ints, people: Ints, params: RouteParams) -> list[int]:
    """The groups that are shown, by community and then people: as many as cover enough, but not too many."""
    order = np.lexsort((-people, community))
    kept: list[int] = []
    for rows in np.split(order, np.flatnonzero(np.diff(community[order])) + 1):
        before = np.r_[0, np.cumsum(people[rows])[:-1]]
        enough = before < params.cover_share * people[rows].sum()
        kept += rows[enough][: params.shelters_max].tolist()
    return kept


def _in_the_midst(place: Ints, people: Ints, at: Floats) -> int:
    """The place nearest to where as many people live on either side, east to west and north to south."""
    middle = [_median(at[place, axis], people) for axis in (0, 1)]
    away = np.hypot(*(at[place] - middle).T)
    return int(place[np.lexsort((place, away))[0]])


def _median(values: Floats, people: Ints) -> float:
    order = np.argsort(values, kind="stable")
    return float(values[order][np.searchsorted(np.cumsum(people[order]), people.sum() / 2)])


def _to_site(given: Ground, places: Snaps, trips: Sequence[_Trip]) -> list[tuple[_Trip, list[_Way]]]:
    """The ways of all who go to one site: its doors are put in once."""
    doors = enter(given, given.doors.where(given.doors.place == trips[0].site))
    return [(trip, _ways_of(given, doors, _row(places, trip.place), trip.people, trip.community_id)) for trip in trips]


def _row(places: Snaps, row: int) -> Snaps:
    here = slice(row, row + 1)
    return Snaps(np.zeros(1, dtype=np.int64), places.edge[here], places.along_m[here], places.off_m[here])


def _ways_of(given: Ground, doors: Doors, place: Snaps, people: int, community_id: object) -> list[_Way]:
    """The main way, the sensible one where that is another, and a second beside the main where there is one."""
    split = splits.put_in(doors, place)
    pair = detours.quickest_and_second(split)
    if pair.first is None:
        return []
    main, off_m = pair.first, float(place.off_m[0])
    ways = [_Way(main, "main", off_m, people, community_id, 0.0, pair.bottleneck)]
    choices = tradeoffs.curve(split, given.weighed, params=given.route)
    others = [("safer", choices.ways[choices.sensible]), ("second", pair.second)]
    ways += [
        _Way(other, role, off_m, people, community_id, detours.shared_m(other, main))
        for role, other in others
        if other is not None and not _same(other, main)
    ]
    return ways


def _same(one: Path, two: Path) -> bool:
    return one.door == two.door and np.array_equal(one.edge, two.edge) and np.array_equal(one.to_m, two.to_m)


# -- what is said of them ----------------------------------------------------------------------------------------------


def _records(given: Ground, ways: Sequence[_Way]) -> list[dict[str, Any]]:
    """The ways as rows of ``COLUMNS`` with their geometry."""
    tracks = [way.path for way in ways]
    found = tradeoffs.measures(tracks, given.weighed.danger)
    off_m = np.array([way.off_m for way in ways], dtype=float)
    walk_s = found.walk_s + off_m / given.walkers[ADULT].speed_ms
    groups = {f"{name}_s": _seconds(given, name, tracks, off_m) for name in GROUPS}
    lines = [paths.line(given.network, track) for track in tracks]
    told = _told(given, tracks, lines, found.length_m, walk_s)
    numbers = vars(found) | {"walk_s": walk_s} | groups
    ids = given.sites["shelter_id"].to_numpy(dtype=object)
    return [
        {
            "community_id": way.community_id, "shelter_id": ids[way.path.source], "role": way.role,
            "people": way.people, "shared_m": way.shared_m, "geometry": lines[i],
            **{name: float(values[i]) for name, values in numbers.items()},
            **_bottleneck(given.network, way.bottleneck[:TOLD]),
            **dict(zip(("directions_en", "directions_zh"), told[i], strict=True)),
        }
        for i, way in enumerate(ways)
    ]  # fmt: skip


def _seconds(given: Ground, name: str, tracks: Sequence[Path], off_m: Floats) -> Floats:
    """What a group takes from door to door on the same streets, (ways,); NaN where one is closed, or nobody asked."""
    if name not in given.walkers or not tracks:
        return np.full(len(tracks), np.nan)
    walker = given.walkers[name]
    passage, network = walker.ways.passage, given.network
    of = np.repeat(np.arange(len(tracks)), [len(track) for track in tracks])
    edge, from_m, to_m = (np.concatenate([getattr(t, part) for t in tracks]) for part in ("edge", "from_m", "to_m"))
    whole = np.where(to_m > from_m, passage.forward_s[edge], passage.backward_s[edge])
    part_s = whole * np.abs(to_m - from_m) / network.length_m[edge]
    node = np.where(to_m > from_m, network.v[edge], network.u[edge])
    passed = np.r_[of[1:] == of[:-1], False][: len(of)]
    part_s[passed & passage.barred[node]] = np.nan
    last_m = np.array([track.extra_s for track in tracks]) * given.walkers[ADULT].speed_ms
    seconds = np.bincount(of, weights=part_s, minlength=len(tracks)) + (off_m + last_m) / walker.speed_ms
    return seconds.astype(np.float64)


def _told(
    given: Ground, tracks: Sequence[Path], lines: Sequence[shapely.LineString], length_m: Floats, walk_s: Floats
) -> list[tuple[str, str]]:
    """The directions of each way, English and Chinese."""
    site = np.array([track.source for track in tracks], dtype=np.int64)
    spots = np.asarray(given.sites.geometry.to_numpy(), dtype=object)[site]
    sides = directions.sides(lines, spots, params=given.legs)
    names = [_names(given.sites, name, site) for name in ("name", "name_zh", "name_en")]
    arrivals = [Arrival(*each) for each in zip(*names, sides, length_m.tolist(), walk_s.tolist(), strict=True)]
    legs = paths.legs_of_each(given.network, tracks, params=given.legs, lines=lines)
    return [directions.texts(sentences) for sentences in directions.tell(legs, arrivals)]


def _names(sites: gpd.GeoDataFrame, column: str, rows: Ints) -> list[str | None]:
    return sites[column].to_numpy(dtype=object)[rows].tolist() if column in sites.columns else [None] * len(rows)


def _bottleneck(network: Network, edges: Ints) -> dict[str, str | None]:
    """Ids and names of the streets that every way must use; None where there is none."""
    if not len(edges):
        return dict.fromkeys(("bottleneck", "bottleneck_en", "bottleneck_zh"))
    tags = (network.edge_tag(tag, edges).tolist() for tag in ("name", "name_zh", "name_en", "highway"))
    called = [directions.called(name, zh, en, highway) for name, zh, en, highway in zip(*tags, strict=True)]
    return {
        "bottleneck": "; ".join(network.street_ids[edges]),
        "bottleneck_en": "; ".join(dict.fromkeys(en for en, _ in called)),
        "bottleneck_zh": "；".join(dict.fromkeys(zh for _, zh in called)),
    }
