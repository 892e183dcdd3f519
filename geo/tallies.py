"""Coverage counted: at every place, in every community and ring, by station, and by the street that is to blame.

People are those of ``demand``, each in one community; a place counts as a building. Shares are of all people, those
whom nobody reaches included; a community without people has no share (NaN).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import circles, reach, services, territories
from geo.circles import Reach
from geo.coverage import Asked, Coverage, Covered, polygons
from geo.membership import smallest_holding
from geo.network import Network
from geo.reasons import Sentence, for_categories, for_service, for_stations
from geo.services import CATEGORIES, EVERYDAY, GROUPS
from geo.summary import weighted_quantile
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

    @property
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
    groups = _rows_of(told.demand["community_id"], units["community_id"])
    rows = [_community(told, rows) for rows in groups]
    columns = list(_community(told, np.zeros(0, dtype=np.int64)))
    return without_nan(pd.DataFrame(rows, index=units.index, columns=columns))


def _rows_of(labels: pd.Series, names: pd.Series) -> list[Ints]:
    """For each name the rows that carry it."""
    found = labels.groupby(labels, sort=False).indices
    return [np.asarray(found.get(name, np.zeros(0)), dtype=np.int64) for name in names]


def _community(told: Told, rows: Ints) -> dict[str, object]:
    people = told.people[rows]
    total = int(people.sum())
    out: dict[str, object] = {}
    for name, one in told.covered.asked.items():
        if name in EVERYDAY or name == services.SHELTER:
            continue
        now, known = told.coverage.now[name], total if len(one.bound.stations) else 0
        out[f"{name}_share"] = _share(people, now.served[rows], known)
        out[f"{name}_share_normal"] = _share(people, one.normal.served[rows], known)
        if name in GROUPS:
            continue
        out[f"{name}_s_median"] = weighted_quantile(now.time_s[rows], people.astype(float), 0.5)
        if name in ENGINES:
            out |= _lost(told, one, rows)
    return out | _completeness(told, rows, people, total)


def _share(people: Ints, served: Mask, total: int) -> float:
    return float(people[served].sum() / total) if total else float("nan")


def _lost(told: Told, one: Asked, rows: Ints) -> dict[str, object]:
    """Who loses a service here, by how many minutes, because of what."""
    sentence, lost = service_sentence(told, one, rows)
    return {
        f"{one.name}_people_lost": lost,
        f"{one.name}_reason_en": sentence.en,
        f"{one.name}_reason_zh": sentence.zh,
    }


def service_sentence(told: Told, one: Asked, rows: Ints) -> tuple[Sentence, int]:
    """What is said of a service at some places (rows of ``demand``), and how many people lose it."""
    people, now = told.people[rows], told.coverage.now[one.name]
    if not len(one.bound.stations) and people.any():
        return for_stations(one.name, one.params.kinds, 0, 0), 0
    served = int(people[now.served[rows]].sum())
    losses = told.coverage.losses.get(one.name)
    if losses is None:
        return for_service(one.name, int(people.sum()), served, minutes=one.params.minutes), 0
    lost, later = losses.lost[rows], np.isfinite(losses.added_s[rows]) & (losses.added_s[rows] >= 1)
    blamed = _blamed(one.streets.network, losses.cause[rows][lost], losses.edge[rows][lost], people[lost])
    added = weighted_quantile(losses.added_s[rows][later], people[later].astype(float), 0.5)
    sentence = for_service(
        one.name, int(people.sum()), served, minutes=one.params.minutes,
        lost=int(people[lost].sum()), because=blamed, later=int(people[later].sum()), added_s=added,
    )  # fmt: skip
    return sentence, int(people[lost].sum())


def _blamed(
    network: Network, cause: NDArray[np.object_], edge: Ints, people: Ints
) -> list[tuple[str, Mapping[str, str | None], int]]:
    """Causes with the street's names and the people they cost, most people first; streets of one name are one."""
    if not len(cause):
        return []
    names = {name: np.r_[network.edge_tag(name), None][edge] for name in NAMES}
    table = pd.DataFrame({"cause": cause, "people": people, **names})
    counted = table.groupby(["cause", *NAMES], dropna=False, sort=True)["people"].sum().reset_index()
    counted = counted.sort_values("people", ascending=False, kind="stable")
    return [
        (row["cause"], {n: row[n] if isinstance(row[n], str) else None for n in NAMES}, int(row["people"]))
        for row in counted.to_dict("records")
    ]


def _completeness(told: Told, rows: Ints, people: Ints, total: int) -> dict[str, object]:
    now, before = (np.column_stack([of[name].served[rows] for name in EVERYDAY]) for of in told.by_name)
    lacking = (~now * people[:, None]).sum(axis=0)
    most = CATEGORIES[int(np.argmax(lacking))] if lacking.any() else None
    return {
        "circle_share": _share(people, np.asarray(now.all(axis=1)), total),
        "circle_share_normal": _share(people, np.asarray(before.all(axis=1)), total),
        "circle_missing": most,
    }


def headline(told: Told) -> dict[str, float]:
    """The city's shares: ``<service>_share``, its ``_normal``, and ``circle_share``."""
    every = _community(told, np.arange(len(told.demand)))
    return {name: float(value) for name, value in every.items() if "_share" in name and isinstance(value, float)}


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
    groups = _rows_of(told.demand["community_id"], units["community_id"])
    points = units.geometry.representative_point().to_numpy()
    spots = np.asarray(told.covered.sites.facilities.geometry.representative_point().to_numpy(), dtype=object)
    outlines = np.asarray(units.geometry.to_numpy(), dtype=object)
    unit = smallest_holding(spots, outlines) if len(spots) else np.zeros(0, dtype=np.int64)
    rows = list(_ring_counts(told, units["community_id"].tolist(), groups, unit))
    table = pd.DataFrame([row for _, row in rows], columns=list(BY_COMMUNITY))
    shapes = points[np.array([i for i, _ in rows], dtype=np.int64)]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=told.demand.crs)


def _ring_counts(
    told: Told, names: list[str], groups: list[Ints], unit: Ints
) -> Iterator[tuple[int, tuple[object, ...]]]:
    """The row of each community, with its counts; ``unit`` (facilities,) is the community of each facility."""
    for service in told.covered.asked:
        for when, reached in told.reaches(service).items():
            if when == "normal" and not told.faced:
                continue
            spots = at_facilities(told, reached)
            for minutes in sorted(told.covered.params.circle.minutes):
                near, there = reached.time_s <= minutes * 60, np.bincount(unit[(spots <= minutes * 60) & (unit >= 0)])
                for i, (name, rows) in enumerate(zip(names, groups, strict=True)):
                    inside = rows[near[rows]]
                    found = int(there[i]) if i < len(there) else 0
                    yield i, (name, service, when, minutes, int(told.people[inside].sum()), len(inside), found)


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
    parts = territories.territories(np.column_stack([x, y]), owner, ground=ground, crs=told.demand.crs.to_string())
    # A station may be first for somebody and yet have no ground between the points that were asked.
    labels = np.union1d(parts["label"], now.station[told.people > 0])
    parts = parts.set_index("label").reindex(labels)
    shapes = np.asarray(parts.geometry.to_numpy(), dtype=object)
    shapes[shapely.is_missing(shapes)] = shapely.Polygon()
    rows = [_station(told, now, int(label)) for label in labels]
    stations = now.bound.stations
    table = without_nan(pd.DataFrame(rows, columns=["facility_id", *NAMES, "people", "people_in_time", "s_p95"]))
    table["area_km2"] = shapely.area(shapes) / 1e6
    limit = one.params.max_area_km2
    table["too_large"] = (
        (table["area_km2"] > limit) & table["facility_id"].notna() if limit and len(stations) else False
    )
    return gpd.GeoDataFrame(table, geometry=shapes, crs=told.demand.crs)


def _station(told: Told, now: Reach, label: int) -> tuple[object, ...]:
    mine = now.station == label
    people = told.people[mine]
    in_time = int(people[now.served[mine]].sum())
    p95 = weighted_quantile(now.time_s[mine], people.astype(float), 0.95)
    who = (None,) * 4 if label < 0 else tuple(now.bound.stations.iloc[label][["facility_id", *NAMES]])
    return (*who, int(people.sum()), in_time, p95)


STATES = ("in_service", "hit", "street_closed", "no_street")
"""What a station is: in service · out of service since a hazard reaches it · cut off since its street is closed · never
joined to a street open to its engines."""


def stations_layer(told: Told, name: str) -> gpd.GeoDataFrame:
    """The stations: ids and names, ``kind``, ``state`` (one of ``STATES``), ``people`` it is first for, those in time.

    ``people_normal`` are those it is first for on an ordinary day. Geometry a point inside.
    """
    one, now = told.covered.asked[name], told.coverage.now[name]
    stations = one.bound.stations
    rows = range(len(stations))
    columns = {column: stations[column].to_numpy() for column in services.STATION_COLUMNS}
    columns["state"] = _station_state(told, one, now)
    columns["people"] = np.array([told.people[now.station == row].sum() for row in rows], dtype=np.int64)
    columns["people_in_time"] = np.array(
        [told.people[(now.station == row) & now.served].sum() for row in rows], np.int64
    )
    columns["people_normal"] = np.array([told.people[one.normal.station == row].sum() for row in rows], np.int64)
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
    blamed = losses.edge >= 0
    table = pd.DataFrame({
        "edge": losses.edge, "cause": losses.cause, "lost": told.people * losses.lost,
        "later": told.people * (np.isfinite(losses.added_s) & ~losses.lost), "added_s": losses.added_s,
    })[blamed]  # fmt: skip
    rows = [(edge, cause, *_street(part)) for (edge, cause), part in table.groupby(["edge", "cause"], sort=True)]
    counts = ("people_lost", "people_later", "added_s_median")
    found = pd.DataFrame(rows, columns=["edge", "cause", *counts])
    found = found.sort_values(["people_lost", "people_later"], ascending=False, kind="stable", ignore_index=True)
    edge = found["edge"].to_numpy(dtype=np.int64)
    columns: dict[str, object] = {"street_id": network.street_ids[edge]}
    columns |= {tag: network.edge_tag(tag)[edge] for tag in NAMES}
    columns |= {column: found[column].to_numpy() for column in ("cause", *counts)}
    return gpd.GeoDataFrame(columns, geometry=network.lines[edge], crs=network.crs)


def _street(part: pd.DataFrame) -> tuple[int, int, float]:
    later = np.where(part["later"] > 0, part["added_s"], np.nan)
    median = weighted_quantile(later, part["later"].to_numpy(dtype=float), 0.5)
    return int(part["lost"].sum()), int(part["later"].sum()), median


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
