"""Coverage counted: at every place, in every community and ring, by station, and by the street that is to blame.

People are those of ``demand``, each in one community; a place counts as a building. Shares are of all people, those
whom nobody reaches included; a community without people has no share (NaN).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import circles, reach, services, territories
from geo.causes import Losses
from geo.circles import Reach
from geo.coverage import Asked, Coverage, Covered, polygons
from geo.membership import NONE, smallest_holding
from geo.network import Network
from geo.parts import Parts
from geo.reasons import Because, Sentence, for_categories, for_service, for_stations
from geo.services import CATEGORIES, EVERYDAY, GROUPS
from geo.tables import NAMES, without_nan

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

ENGINES = ("fire", "medical", "police")
"""Services that come to the people: depth, responsibility and causes are told of these."""
RINGS = ("minutes", "people", "buildings", "facilities", "stations", "street_km")
"""Columns of ``circles_…``: one row a ring, what lies within it counted by time, not by outline.

``facilities`` are those of every kind that are reached, ``stations`` those of the service that are in service.
"""
BY_COMMUNITY = ("community_id", "service", "when", "minutes", "people", "buildings", "facilities")
"""Columns of ``community_circles``: one row a community, service, ring and ``when`` (``normal``, ``now``)."""


@dataclass(frozen=True)
class Told:
    """What is counted about: the covered city, a scenario's coverage, and the people (``people``, ``community_id``).

    ``faced`` says whether a hazard is in force.
    """

    covered: Covered
    coverage: Coverage
    demand: gpd.GeoDataFrame
    faced: bool

    @cached_property
    def people(self) -> Ints:
        """Whole persons at each place, (places,)."""
        return np.asarray(self.demand["people"].to_numpy(dtype=np.int64))

    @property
    def by_name(self) -> tuple[Mapping[str, Reach], Mapping[str, Reach]]:
        """Every service's reach by name: now, and on an ordinary day."""
        return self.coverage.now, {name: one.normal for name, one in self.covered.asked.items()}

    def reaches(self, name: str) -> dict[str, Reach]:
        """A service's reach by ``when``: on an ordinary day, and now."""
        return {"normal": self.covered.asked[name].normal, "now": self.coverage.now[name]}


# -- at every place ------------------------------------------------------------------------------------------------


def at_places(told: Told) -> pd.DataFrame:
    """For each service ``<service>_s`` (NaN: nobody gets there), ``<service>_s_normal`` and ``<service>_id``; walks to
    shelters are told elsewhere (``geo.evacuation``).

    Services that come to the people have ``<service>_depth``, how many stations are there in time. Of the everyday
    categories ``circle_missing`` names those not within reach (``medical;safety``, empty when complete), now and
    ``circle_missing_normal``. Indexed like ``demand``.
    """
    columns: dict[str, object] = {}
    for name, one in told.covered.asked.items():
        if name in EVERYDAY or name == services.SHELTER or name in GROUPS:
            continue
        now = told.coverage.now[name]
        columns |= {f"{name}_s": now.time_s, f"{name}_s_normal": one.normal.time_s}
        columns[f"{name}_id"] = services.ids(now.bound.stations, now.station)
        if name in ENGINES:
            columns[f"{name}_depth"] = now.depth
    columns["circle_missing"], columns["circle_missing_normal"] = (_missing(of) for of in told.by_name)
    return pd.DataFrame(columns, index=told.demand.index)


def _missing(reaches: Mapping[str, Reach]) -> NDArray[np.object_]:
    """The everyday categories that are not within reach of each place, joined by semicolons, (places,)."""
    lacking = np.column_stack([~reaches[name].served for name in EVERYDAY])
    code = lacking @ (1 << np.arange(len(CATEGORIES)))
    words = [
        ";".join(name for i, name in enumerate(CATEGORIES) if number >> i & 1) for number in range(1 << len(CATEGORIES))
    ]
    return np.array(words, dtype=object)[code]


# -- in every community --------------------------------------------------------------------------------------------


def in_communities(told: Told, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """For each community the shares covered now and normally, medians, people who lose a service, and why.

    ``<service>_share``, ``<service>_share_normal``, ``<service>_s_median`` (NaN: nobody is reached); for services that
    come to the people ``<service>_people_lost``, ``<service>_reason_en``, ``<service>_reason_zh``. Of the
    groups that walk otherwise ``shelter_<group>_share`` only: all people, if they walked like that. ``circle_share`` is
    the share of people with all six everyday categories, ``circle_missing`` the category that most people lack (None
    when nobody does).
    """
    columns = _by_part(told, Parts.named(told.demand["community_id"], units["community_id"]))
    return without_nan(pd.DataFrame(columns, index=units.index))


def _by_part(told: Told, parts: Parts) -> dict[str, NDArray[Any]]:
    """The columns of ``in_communities`` for any division of the places."""
    people = parts.sums(told.people)
    out: dict[str, NDArray[Any]] = {}
    for name, one in told.covered.asked.items():
        if name in EVERYDAY or name == services.SHELTER:
            continue
        now, known = told.coverage.now[name], people if len(one.bound.stations) else np.zeros_like(people)
        out[f"{name}_share"] = _share(told, parts, now.served, known)
        out[f"{name}_share_normal"] = _share(told, parts, one.normal.served, known)
        if name in GROUPS:
            continue
        out[f"{name}_s_median"] = parts.quantiles(now.time_s, told.people, 0.5)
        if name in ENGINES:
            out |= _lost(told, one, parts)
    return out | _completeness(told, parts, people)


def _share(told: Told, parts: Parts, served: Mask, people: Ints) -> Floats:
    """The share of each part's ``people`` (parts,) at places that are served (places,); NaN where nobody is."""
    return np.asarray(
        np.divide(parts.sums(told.people, served), people, out=np.full(len(parts), np.nan), where=people > 0)
    )


def _lost(told: Told, one: Asked, parts: Parts) -> dict[str, NDArray[Any]]:
    """Who loses a service in each part, by how many minutes, because of what."""
    sentences, lost = service_sentences(told, one, parts)
    return {
        f"{one.name}_people_lost": lost,
        f"{one.name}_reason_en": np.array([said.en for said in sentences], dtype=object),
        f"{one.name}_reason_zh": np.array([said.zh for said in sentences], dtype=object),
    }


def service_sentences(told: Told, one: Asked, parts: Parts) -> tuple[list[Sentence], Ints]:
    """What is said of a service in each part (parts,), and how many people lose it there."""
    people, now = parts.sums(told.people), told.coverage.now[one.name]
    served, cost = parts.sums(told.people, now.served), _cost(told, one, parts)
    empty = not len(one.bound.stations)
    sentences = [
        for_stations(one.name, one.params.kinds, 0, 0) if empty and people[part] else for_service(
            one.name, int(people[part]), int(served[part]), minutes=one.params.minutes, lost=int(cost.lost[part]),
            because=cost.because.get(part, ()), later=int(cost.later[part]), added_s=float(cost.added_s[part]),
        )
        for part in range(len(parts))
    ]  # fmt: skip
    return sentences, np.where(empty & (people > 0), 0, cost.lost)


class _Cost(NamedTuple):
    """What a scenario costs the people of each part (parts,): who loses a service, who waits longer, and the streets.

    ``because`` has the parts in which somebody loses it.
    """

    lost: Ints
    later: Ints
    added_s: Floats
    because: Mapping[int, Because]


def _cost(told: Told, one: Asked, parts: Parts) -> _Cost:
    losses = told.coverage.losses.get(one.name)
    if losses is None:
        nobody = np.zeros(len(parts), dtype=np.int64)
        return _Cost(nobody, nobody, np.full(len(parts), np.nan), {})
    later = np.isfinite(losses.added_s) & (losses.added_s >= 1)
    added_s = parts.quantiles(np.where(later, losses.added_s, np.nan), told.people, 0.5)
    because = _blamed(one.streets.network, losses, told.people, parts)
    return _Cost(parts.sums(told.people, losses.lost), parts.sums(told.people, later), added_s, because)


def _blamed(network: Network, losses: Losses, people: Ints, parts: Parts) -> dict[int, Because]:
    """By part the causes with the street's names and the people they cost, most first; streets of one name are one."""
    rows = np.flatnonzero(losses.lost & (parts.part != NONE))
    names = {name: np.r_[network.edge_tag(name), None][losses.edge[rows]] for name in NAMES}
    table = pd.DataFrame({"part": parts.part[rows], "cause": losses.cause[rows], "people": people[rows], **names})
    counted = table.groupby(["part", "cause", *NAMES], dropna=False, sort=True)["people"].sum().reset_index()
    counted = counted.sort_values("people", ascending=False, kind="stable")
    found: dict[int, list[tuple[str, Mapping[str, str | None], int]]] = {}
    for row in counted.to_dict("records"):
        called = {n: row[n] if isinstance(row[n], str) else None for n in NAMES}
        found.setdefault(row["part"], []).append((row["cause"], called, int(row["people"])))
    return dict(found)


def _completeness(told: Told, parts: Parts, people: Ints) -> dict[str, NDArray[Any]]:
    now, before = (np.column_stack([of[name].served for name in EVERYDAY]) for of in told.by_name)
    lacking = np.column_stack([parts.sums(told.people, ~reached) for reached in now.T])
    most = np.array([*CATEGORIES, None], dtype=object)
    return {
        "circle_share": _share(told, parts, np.all(now, axis=1), people),
        "circle_share_normal": _share(told, parts, np.all(before, axis=1), people),
        "circle_missing": most[np.where(lacking.any(axis=1), lacking.argmax(axis=1), len(CATEGORIES))],
    }


def headline(told: Told) -> dict[str, float]:
    """The city's shares: ``<service>_share``, its ``_normal``, and ``circle_share``."""
    every = _by_part(told, Parts.whole(len(told.demand)))
    return {name: float(column[0]) for name, column in every.items() if "_share" in name}


# -- circles -------------------------------------------------------------------------------------------------------


def circle_layers(told: Told) -> dict[str, gpd.GeoDataFrame]:
    """``circles_<service>`` as it is now and, under a hazard, ``circles_<service>_normal``; ``circles_everyday``.

    Columns ``RINGS``, the largest ring first, so that the smaller lie on top; everyday circles have ``category``.
    """
    layers = {}
    for name in told.covered.asked:
        if name not in EVERYDAY and name not in GROUPS:
            layers[f"circles_{name}"] = _rings(told, name, "now")
            if told.faced:
                layers[f"circles_{name}_normal"] = _rings(told, name, "normal")
    everyday = [_rings(told, name, "now").assign(category=category) for name, category in EVERYDAY.items()]
    layers["circles_everyday"] = gpd.GeoDataFrame(pd.concat(everyday, ignore_index=True))
    return layers


def _rings(told: Told, name: str, when: str) -> gpd.GeoDataFrame:
    reached = told.reaches(name)[when]
    one = told.covered.asked[name]
    shapes = told.coverage.rings[name] if when == "now" else one.rings
    spots = at_facilities(told, reached)
    rows = [
        (minutes, *counted(told, reached, spots, minutes), circles.within(reached, minutes).length_m.sum() / 1000)
        for minutes in shapes
    ]
    table = pd.DataFrame(rows, columns=list(RINGS))
    frame = gpd.GeoDataFrame(table, geometry=list(shapes.values()), crs=told.demand.crs)
    return frame.iloc[::-1].reset_index(drop=True)


def counted(told: Told, reached: Reach, spots: Floats, minutes: float) -> tuple[int, int, int, int]:
    """People, buildings and facilities of every kind within a ring, and the stations that are in service.

    ``spots`` are the seconds of ``at_facilities``.
    """
    inside, there = reached.time_s <= minutes * 60, spots <= minutes * 60
    stations = len(np.unique(reached.bound.doors.place))
    return int(told.people[inside].sum()), int(inside.sum()), int(there.sum()), stations


def at_facilities(told: Told, reached: Reach) -> Floats:
    """How soon a service is at each facility of the city, (facilities,); NaN where nobody gets there."""
    return circles.seconds_at(reached, told.covered.sites.spots[reached.params.profile])


def community_circles(told: Told, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """``BY_COMMUNITY`` for every service, everyday categories included; points inside the communities."""
    homes = Parts.named(told.demand["community_id"], units["community_id"])
    spots = np.asarray(told.covered.sites.facilities.geometry.representative_point().to_numpy(), dtype=object)
    outlines = np.asarray(units.geometry.to_numpy(), dtype=object)
    there = Parts(smallest_holding(spots, outlines) if len(spots) else np.zeros(0, dtype=np.int64), len(units))
    rings = [ring for service, when in _asked_of(told) for ring in _counted_rings(told, service, when, homes, there)]
    columns = {name: np.concatenate([ring[name] for ring in rings]) for name in BY_COMMUNITY[1:]}
    names = np.tile(units["community_id"].to_numpy(dtype=object), len(rings))
    points = np.tile(units.geometry.representative_point().to_numpy(), len(rings))
    return gpd.GeoDataFrame({"community_id": names, **columns}, geometry=points, crs=told.demand.crs)


def _asked_of(told: Told) -> Iterator[tuple[str, str]]:
    """Every service, and ``when`` it is told of."""
    for service in told.covered.asked:
        for when in ("normal", "now") if told.faced else ("now",):
            yield service, when


def _counted_rings(
    told: Told, service: str, when: str, homes: Parts, there: Parts
) -> Iterator[dict[str, NDArray[Any]]]:
    """``BY_COMMUNITY`` ring by ring; ``homes`` are the people's places by community, ``there`` the facilities."""
    reached = told.reaches(service)[when]
    spots = at_facilities(told, reached)
    for minutes in sorted(told.covered.params.circle.minutes):
        near = reached.time_s <= minutes * 60
        yield {
            "service": np.full(len(homes), service, dtype=object),
            "when": np.full(len(homes), when, dtype=object),
            "minutes": np.full(len(homes), minutes),
            "people": homes.sums(told.people, near),
            "buildings": homes.counts(near),
            "facilities": there.counts(spots <= minutes * 60),
        }


# -- stations ------------------------------------------------------------------------------------------------------


def depth_layer(told: Told, name: str) -> gpd.GeoDataFrame:
    """Where one, two, three … stations are there within the service's minutes: ``depth``, ``people``, polygons.

    ``people`` counts those with at least that depth; the deepest ring comes last, so that it lies on top.
    """
    one, now = told.covered.asked[name], told.coverage.now[name]
    stretches = circles.stacked(now.by_station)
    depths = range(1, told.covered.params.circle.depth + 1)
    pieces = [circles.layered(stretches, depth) for depth in depths]
    shapes = polygons(pieces, now, one.streets, told.covered.barriers, params=told.covered.params.outline)
    rows = [(depth, int(told.people[now.depth >= depth].sum())) for depth in depths]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=["depth", "people"]), geometry=shapes, crs=told.demand.crs)


def responsibility_layer(told: Told, name: str, *, ground: shapely.Geometry) -> gpd.GeoDataFrame:
    """The ground divided among the stations by who is there first: no gap, no overlap.

    ``facility_id`` and names (None: no station gets there), ``area_km2``, ``people``, ``people_in_time``, ``s_p95``,
    and ``too_large`` where the area is beyond what one station should answer for.
    """
    one, now = told.covered.asked[name], told.coverage.now[name]
    network = one.streets.network
    points = territories.samples(network, one.streets.usable, spacing_m=told.covered.params.circle.spacing_m)
    owner = circles.starts(now, points).source
    x, y = reach.points(network, points)
    areas = territories.territories(np.column_stack([x, y]), owner, ground=ground, crs=told.demand.crs.to_string())
    # A station may be first for somebody and yet have no ground between the points that were asked.
    labels = np.union1d(areas["label"], now.station[told.people > 0])
    areas = areas.set_index("label").reindex(labels)
    shapes = np.asarray(areas.geometry.to_numpy(), dtype=object)
    shapes[shapely.is_missing(shapes)] = shapely.Polygon()
    table = _stations(told, now, labels)
    table["area_km2"] = shapely.area(shapes) / 1e6
    limit = one.params.max_area_km2
    stations = len(now.bound.stations)
    table["too_large"] = (table["area_km2"] > limit) & table["facility_id"].notna() if limit and stations else False
    return gpd.GeoDataFrame(table, geometry=shapes, crs=told.demand.crs)


def _stations(told: Told, now: Reach, labels: Ints) -> pd.DataFrame:
    """Who the stations are (rows of their table, ascending; -1 for none), and the people each is first for."""
    parts = Parts.named(pd.Series(now.station), pd.Series(labels))
    stations = now.bound.stations
    columns: dict[str, object] = {
        name: np.array([*stations[name], None], dtype=object)[labels] for name in ("facility_id", *NAMES)
    }
    columns["people"] = parts.sums(told.people)
    columns["people_in_time"] = parts.sums(told.people, now.served)
    columns["s_p95"] = parts.quantiles(now.time_s, told.people, 0.95)
    return without_nan(pd.DataFrame(columns))


STATES = ("in_service", "hit", "street_closed", "no_street")
"""What a station is: in service · out of service since a hazard reaches it · cut off since its street is closed · never
joined to a street open to its engines."""


def stations_layer(told: Told, name: str) -> gpd.GeoDataFrame:
    """The stations: ids and names, ``kind``, ``state`` (one of ``STATES``), ``people`` it is first for, those in time.

    ``people_normal`` are those it is first for on an ordinary day. Geometry a point inside.
    """
    one, now = told.covered.asked[name], told.coverage.now[name]
    stations = one.bound.stations
    here, before = Parts(now.station, len(stations)), Parts(one.normal.station, len(stations))
    columns = {column: stations[column].to_numpy() for column in services.STATION_COLUMNS}
    columns["state"] = _station_state(told, one, now)
    columns["people"] = here.sums(told.people)
    columns["people_in_time"] = here.sums(told.people, now.served)
    columns["people_normal"] = before.sums(told.people)
    return gpd.GeoDataFrame(columns, geometry=stations.geometry.representative_point().to_numpy(), crs=stations.crs)


def _station_state(told: Told, one: Asked, now: Reach) -> NDArray[np.object_]:
    rows = np.arange(len(one.bound.stations))
    joined, open_ = np.isin(rows, one.bound.doors.place), np.isin(rows, now.bound.doors.place)
    gone = one.bound.stations["facility_id"].isin(list(told.coverage.out_of_service)).to_numpy(dtype=bool)
    return np.select([~joined, gone, ~open_], ["no_street", "hit", "street_closed"], default="in_service").astype(
        object
    )


# -- streets to blame ----------------------------------------------------------------------------------------------


def losses_layer(told: Told, name: str) -> gpd.GeoDataFrame:
    """The streets that cost people a service: ``cause``, ``people_lost``, ``people_later``, ``added_s_median``.

    ``added_s_median`` is over those who still have the service, NaN where nobody has. Most people lost first.
    """
    one, losses = told.covered.asked[name], told.coverage.losses[name]
    network = one.streets.network
    rows = np.flatnonzero(losses.edge >= 0)
    people, added_s, lost = told.people[rows], losses.added_s[rows], losses.lost[rows]
    later = np.isfinite(added_s) & ~lost
    blamed = pd.DataFrame({"edge": losses.edge[rows], "cause": losses.cause[rows]})
    parts = Parts.grouped(blamed)
    found = blamed.drop_duplicates().sort_values(["edge", "cause"])
    found = found.assign(
        people_lost=parts.sums(people, lost),
        people_later=parts.sums(people, later),
        added_s_median=parts.quantiles(np.where(later, added_s, np.nan), people, 0.5),
    )
    found = found.sort_values(["people_lost", "people_later"], ascending=False, kind="stable", ignore_index=True)
    edge = found["edge"].to_numpy(dtype=np.int64)
    columns: dict[str, object] = {"street_id": network.street_ids[edge]}
    columns |= {tag: network.edge_tag(tag)[edge] for tag in NAMES}
    counted = ("cause", "people_lost", "people_later", "added_s_median")
    columns |= {column: found[column].to_numpy() for column in counted}
    return gpd.GeoDataFrame(columns, geometry=network.lines[edge], crs=network.crs)


# -- all together --------------------------------------------------------------------------------------------------


def layers(told: Told, units: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Every layer of coverage by name; ``units`` are the communities, whose ground is divided among the stations."""
    ground = shapely.union_all(units.geometry.to_numpy())
    found = {**circle_layers(told), "community_circles": community_circles(told, units)}
    for name in ENGINES:
        found[f"stations_{name}"] = stations_layer(told, name)
        found[f"circle_depth_{name}"] = depth_layer(told, name)
        found[f"responsibility_{name}"] = responsibility_layer(told, name, ground=ground)
        if told.faced:
            found[f"losses_{name}"] = losses_layer(told, name)
    return found


def station_notes(covered: Covered) -> tuple[Sentence, ...]:
    """What must be said of stations: services without any, and stations that no usable street meets."""
    notes = []
    for name in ENGINES:
        one = covered.asked[name]
        total, joined = len(one.bound.stations), len(np.unique(one.bound.doors.place))
        if joined < max(total, 1):
            notes.append(for_stations(name, one.params.kinds, total, joined))
    lacking = [EVERYDAY[name] for name in EVERYDAY if not len(covered.asked[name].bound.stations)]
    return (*notes, *for_categories(lacking))
