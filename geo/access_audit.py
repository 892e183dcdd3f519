"""Whether a fire engine reaches every building and every shelter: on an ordinary day, and between collapsed buildings.

A fire lane is a street open to fire engines, wide and high enough. The trunk network is where help comes from: every
place should have a lane at hand, two ways of lane width to it that share no street, no long dead end, a hydrant in
reach, and a lane that stays open when the buildings beside the streets collapse (``geo.rubble``). Streets have no
direction here: a fire engine on its task is not bound by one-way streets. Each place has one street: the nearest lane
in reach, or one hardly farther off with more ways in; without a lane in reach the nearest street open to fire engines.
A street between two junctions is one: what narrows it anywhere narrows it for all on it.

Sources: GB 50016 (lane 4 m wide and high), GB 50974 (hydrants), GB 50413-2007 (corridors after a collapse), each in
data/standards/access.toml with its grade.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import access_words, ways_in
from geo.access_words import AFTER, ORDINARY
from geo.fire_lanes import BY_U, NO_END, NONE, AccessParams, Lanes
from geo.network import Network
from geo.rubble import NOBODY
from geo.snapping import Snaps, snap
from geo.tables import NAMES
from geo.tiers import TIERS
from geo.trunk_roads import CorridorParams

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

# -- the places --------------------------------------------------------------------------------------------------------

COLUMNS = {
    "street": "int64",
    "street_id": "object",
    **dict.fromkeys(("street_m", "width_m", "clear_m"), "float64"),
    "lane_ok": "bool",
    **dict.fromkeys(("widest_m", "widest_after_m"), "float64"),
    "ways_in": "int64",
    **dict.fromkeys(("ways_in_after", "dead_end_m", "hydrant_m", "height_limit_m"), "float64"),
    "reached_after": "object",
    "passes": "bool",
    "passes_after": "object",
    **dict.fromkeys(("failing", "reason", "reason_en", "reason_zh"), "object"),
}
"""Columns of ``audit`` and their types."""
CORRIDOR_COLUMNS = ("corridor_asked_m", "corridor_m", "corridor_ok")
"""More columns of ``audit_shelters``, before ``passes``."""


def audit(given: Lanes, places: gpd.GeoSeries, hydrants: Shapes, *, params: AccessParams) -> pd.DataFrame:
    """How a fire engine reaches each place (n,), indexed like them: ``COLUMNS``; shapes in the network's CRS.

    ``street`` is the row of its street (-1: none within ``search_m``), ``street_m`` the way from its wall straight to
    the middle of that. ``dead_end_m`` is 0 where the street is no dead end, NaN where it never leads on. ``hydrant_m``
    is straight to the nearest of ``hydrants``, NaN where the map has none: not mapped is not none, and fails nothing.
    ``height_limit_m`` NaN: nothing known limits it. ``reached_after``: some lane in reach stays joined to the trunk
    network after a collapse; None where that is not known. ``passes`` every test of an ordinary day, ``passes_after``
    the collapse too. ``reason`` is the code of the first test that fails, ``failing`` all of them, joined by ``;``.
    """
    found = _found(given, _shapes(places), hydrants, params)
    return _finished(given, found, _failing(given, found, params), params).set_axis(places.index)


def audit_shelters(
    given: Lanes, shelters: gpd.GeoDataFrame, hydrants: Shapes, *, params: AccessParams, corridor: CorridorParams
) -> pd.DataFrame:
    """As ``audit``, for shelters (``geo.tables.SHELTERS``), with the corridor that their tier asks for.

    ``corridor_m`` is what the widest way to a street in reach keeps after a collapse (NaN: no way, or not known),
    ``corridor_asked_m`` what the tier asks (of a tier that nobody stated, an emergency shelter's), ``corridor_ok``
    None where it is not known.
    """
    shapes, tier = _shapes(shelters.geometry), shelters["tier"].to_numpy(dtype=object)
    fixed = np.isin(tier.astype(str), TIERS[1:])
    asked_m = np.where(fixed, corridor.fixed_m, corridor.emergency_m)
    found = _found(given, shapes, hydrants, params)
    found = found.assign(corridor_asked_m=asked_m, tier=tier, **_corridor(given, found, shapes, asked_m, params))
    done = _finished(given, found, _failing(given, found, params), params)
    return done.set_axis(shelters.index)


def _shapes(places: gpd.GeoSeries) -> Shapes:
    return np.asarray(places.to_numpy(), dtype=object)


def _found(given: Lanes, shapes: Shapes, hydrants: Shapes, params: AccessParams) -> pd.DataFrame:
    """What is measured of each place."""
    at, streets = _street(given, shapes, params), given.table
    columns: dict[str, object] = {
        "street": at.edge, "street_m": at.off_m,
        "street_id": np.r_[given.network.street_ids, np.array([None], dtype=object)][at.edge],
    }  # fmt: skip
    for name in ("width_m", "clear_m", "widest_m", "widest_after_m", "height_limit_m"):
        columns[name] = _of(streets[name].to_numpy(), at, np.nan)
    for name in ("ways_in", "ways_in_after"):
        columns[name] = _of(streets[name].to_numpy(), at, 0)
    lane = _of(streets["lane"].to_numpy(), at, False)
    columns["lane_ok"] = lane & (at.off_m <= params.reach_m)
    columns["dead_end_m"] = _up_a_dead_end(given, at)
    columns["hydrant_m"] = _nearest_m(shapes, hydrants)
    columns["reached_after"] = _reached_after(given, at, shapes, params)
    return pd.DataFrame(columns)


def _of(values: NDArray[Any], at: Snaps, missing: object) -> NDArray[Any]:
    """What each place's street has; ``missing`` where it has none."""
    return np.asarray(np.r_[values, np.array([missing], dtype=values.dtype)][at.edge])


def _street(given: Lanes, shapes: Shapes, params: AccessParams) -> Snaps:
    """The street of each place."""
    table, network = given.table, given.network
    open_, lane, ways = (table[name].to_numpy() for name in ("open", "lane", "ways_in"))
    nearest = snap(network, shapes, usable=open_, max_m=params.search_m)
    lane_at = _instead(network, shapes, nearest, ~_of(lane, nearest, False), lane, params.reach_m)
    few = (_of(ways, lane_at, 0) < ways_in.TWO) & (lane_at.off_m <= params.reach_m)
    other = _instead(network, shapes, lane_at, few, lane & (ways == ways_in.TWO), params.reach_m)
    return _either(other, lane_at, other.off_m <= lane_at.off_m + params.spread_m)


def _instead(network: Network, shapes: Shapes, at: Snaps, rows: Mask, usable: Mask, max_m: float) -> Snaps:
    """Some rows bound to other streets, where one of them is near enough."""
    which = np.flatnonzero(rows)
    if not len(which) or not usable.any():
        return at
    near = snap(network, shapes[which], usable=usable, max_m=max_m)
    which, near = which[near.found], near.where(near.found)
    edge, along_m, off_m = at.edge.copy(), at.along_m.copy(), at.off_m.copy()
    edge[which], along_m[which], off_m[which] = near.edge, near.along_m, near.off_m
    return Snaps(at.place, edge, along_m, off_m)


def _either(one: Snaps, other: Snaps, first: Mask) -> Snaps:
    pairs = ((one.edge, other.edge), (one.along_m, other.along_m), (one.off_m, other.off_m))
    return Snaps(one.place, *(np.where(first, a, b) for a, b in pairs))


def _up_a_dead_end(given: Lanes, at: Snaps) -> Floats:
    """How far each place's foot is from where one can drive on, metres; 0 off dead ends, NaN where that never is."""
    by, mouth_m = (
        _of(given.table[name].to_numpy(), at, missing) for name, missing in (("dead_end", 0), ("dead_end_m", np.nan))
    )
    own_m = np.where(by == BY_U, at.along_m, _of(given.network.length_m, at, np.nan) - at.along_m)
    return np.where(at.found, np.where(by == NO_END, 0.0, mouth_m + np.maximum(own_m, 0.0)), np.nan)


def _nearest_m(shapes: Shapes, others: Shapes) -> Floats:
    found = np.full(len(shapes), np.nan)
    if len(others):
        (place, _), metres = shapely.STRtree(others).query_nearest(shapes, return_distance=True, all_matches=False)
        found[place] = metres
    return found


def _reached_after(given: Lanes, at: Snaps, shapes: Shapes, params: AccessParams) -> NDArray[np.object_]:
    """Whether some lane in reach of each place stays joined to the trunk network; None where rubble is not known."""
    kept = (given.table["ways_in_after"] > 0).to_numpy()
    return _if_known(given, _in_reach(given, at, shapes, kept, params).found)


def _in_reach(given: Lanes, at: Snaps, shapes: Shapes, usable: Mask, params: AccessParams) -> Snaps:
    """Each place's own street where it is one of those and in reach, else the nearest of those in reach."""
    own = at.only(_of(usable, at, False) & (at.off_m <= params.reach_m))
    return _instead(given.network, shapes, own, ~own.found, usable, params.reach_m)


def _corridor(
    given: Lanes, found: pd.DataFrame, shapes: Shapes, asked_m: Floats, params: AccessParams
) -> dict[str, NDArray[np.generic]]:
    """The widest way after a collapse to a street in reach of each shelter, where it is as wide as asked."""
    edge = found["street"].to_numpy()
    at = Snaps(np.arange(len(edge)), edge, np.zeros(len(edge)), found["street_m"].to_numpy())
    keeps_m = given.table["widest_after_m"].to_numpy()
    for least_m in np.unique(asked_m):
        rows = np.flatnonzero((asked_m == least_m) & ~(_of(keeps_m, at, np.nan) >= least_m))
        mine = np.isin(np.arange(len(edge)), rows)
        at = _instead(given.network, shapes, at, mine, np.asarray(keeps_m >= least_m), params.reach_m)
    corridor_m = _of(keeps_m, at, np.nan)
    return {"corridor_m": corridor_m, "corridor_ok": _if_known(given, corridor_m >= asked_m)}


def _if_known(given: Lanes, values: NDArray[Any]) -> NDArray[np.object_]:
    """What holds after a collapse; None where rubble is not known."""
    return values.astype(object) if given.rubble.known else np.full(len(values), None, dtype=object)


# -- what fails, and why -----------------------------------------------------------------------------------------------


def _failing(given: Lanes, found: pd.DataFrame, params: AccessParams) -> dict[str, Mask]:
    """Which places fail each test, by code in the order in which they are told."""
    on, joined = found["street"] != NONE, found["widest_m"].notna()
    narrow, thin = found["width_m"] < params.lane_m, found["widest_m"] < params.lane_m
    low, few = found["height_limit_m"] < params.height_m, found["ways_in"] < params.ways_in
    fails = {
        "no_street": ~on,
        "no_way": on & ~joined,
        "too_far": found["street_m"] > params.reach_m,
        "narrow_lane": narrow,
        "too_low": low,
        "narrow_way": thin & ~narrow,
        "one_way_in": joined & few & ~(narrow | thin | low),
        "dead_end": found["dead_end_m"] > params.dead_end_m,
        "hydrant": found["hydrant_m"] > params.hydrant_m,
        # Who is not reached on an ordinary day does not lose it to the collapse.
        "blocked_after": found["lane_ok"] & (found["ways_in"] > 0) & (found["reached_after"] == False),  # noqa: E712
        "corridor": (found["corridor_ok"] == False) if "corridor_ok" in found else ~(on | True),  # noqa: E712
    }
    return {code: np.asarray(fails[code].to_numpy(dtype=bool)) for code in (*ORDINARY, *AFTER)}


def _finished(given: Lanes, found: pd.DataFrame, fails: dict[str, Mask], params: AccessParams) -> pd.DataFrame:
    """The whole table: what is measured, whether it passes, and why not."""
    codes, which = np.array([*fails, "ok"], dtype=object), np.column_stack(list(fails.values()))
    first = np.where(which.any(axis=1), which.argmax(axis=1), len(fails))
    passes = np.asarray(~which[:, : len(ORDINARY)].any(axis=1))
    told = access_words.sentences(given, found, codes[first], params=params)
    columns = found.assign(
        passes=passes,
        passes_after=_if_known(given, np.asarray(~which.any(axis=1))),
        failing=_joined(codes, which),
        reason=codes[first],
        reason_en=[en for en, _ in told],
        reason_zh=[zh for _, zh in told],
    )
    names = [name for name in COLUMNS if name != "passes"]
    at = names.index("passes_after")
    more = [name for name in CORRIDOR_COLUMNS if name in found]
    return columns[[*names[:at], *more, "passes", *names[at:]]].astype(
        {name: dtype for name, dtype in COLUMNS.items() if dtype != "object"}
    )


def _joined(codes: NDArray[np.object_], which: NDArray[np.bool_]) -> list[str]:
    """The codes that fail of each place, joined by a semicolon; few combinations occur."""
    _, first, of = np.unique(which @ (1 << np.arange(which.shape[1])), return_index=True, return_inverse=True)
    words = [";".join(codes[:-1][which[row]]) for row in first]
    return [words[i] for i in of]


# -- which streets matter ----------------------------------------------------------------------------------------------

BLOCKED_COLUMNS = {
    "street_id": "object",
    **dict.fromkeys((*NAMES, "highway"), "object"),
    **dict.fromkeys(("length_m", "width_m", "clear_m", "narrowed_at_m"), "float64"),
    **dict.fromkeys(("building_id",), "object"),
    **dict.fromkeys(("buildings_behind", "buildings_on"), "int64"),
    **dict.fromkeys(("people_behind", "people_on"), "float64"),
    **dict.fromkeys(("reason", "reason_en", "reason_zh"), "object"),
}
"""Columns of ``blocked`` and their types."""


def blocked(given: Lanes, street: Ints, *, people: Floats | None = None) -> pd.DataFrame:
    """The lanes that a collapse would block, indexed by their row in the network, those that cut off most first.

    ``street`` (places,) is the street of each place as ``audit`` found it, ``people`` (places,) who is there (None: not
    known, NaN). ``…_behind`` lose their only way of lane width when this street alone is blocked, ``…_on`` stand on it.
    Streets that concern nobody are left out.
    """
    ways, rubble = given.ways, given.rubble.table
    on = np.bincount(street[street != NONE], minlength=len(rubble)).astype(np.float64)
    who = np.zeros(len(street)) if people is None else people
    people_on = np.bincount(street[street != NONE], weights=who[street != NONE], minlength=len(rubble))
    counts = {"buildings_on": on, "people_on": people_on.astype(np.float64)}
    for what in ("buildings", "people"):
        counts[f"{what}_behind"] = np.zeros(len(rubble))
        counts[f"{what}_behind"][ways.net.edges] = ways.behind(counts[f"{what}_on"][ways.net.edges])
    lost = (given.table["lane"] & (rubble["blocked_by"] != NOBODY)).to_numpy() & ~given.table["lane_after"].to_numpy()
    rows = np.flatnonzero(lost & (counts["buildings_on"] + counts["buildings_behind"] > 0))
    ids = given.network.street_ids[rows].astype(str)
    rows = rows[np.lexsort((ids, *(-counts[f"buildings_{what}"][rows] for what in ("on", "behind"))))]
    return _blocked_table(given, rows, counts, people is not None)


def _blocked_table(given: Lanes, rows: Ints, counts: dict[str, Floats], peopled: bool) -> pd.DataFrame:
    network, rubble = given.network, given.rubble
    by = rubble.table["blocked_by"].to_numpy()[rows]
    told = access_words.of_streets(given, rows, *(counts[f"buildings_{what}"][rows] for what in ("on", "behind")))
    columns: dict[str, object] = {
        "street_id": network.street_ids[rows],
        **{name: network.edge_tag(name, rows) for name in (*NAMES, "highway")},
        "length_m": network.length_m[rows],
        **{name: rubble.table[name].to_numpy()[rows] for name in ("width_m", "clear_m", "narrowed_at_m")},
        "building_id": rubble.buildings["building_id"].to_numpy(dtype=object)[by],
        **{name: values[rows] if peopled or "people" not in name else np.nan for name, values in counts.items()},
        "reason": [each.code for each in told],
        "reason_en": [each.en for each in told],
        "reason_zh": [each.zh for each in told],
    }
    return pd.DataFrame({
        name: pd.Series(columns[name], index=rows, dtype=dtype) for name, dtype in BLOCKED_COLUMNS.items()
    })  # fmt: skip


# -- by community ------------------------------------------------------------------------------------------------------

SHARES = ("buildings_with_lane_share", "two_ways_share", "hydrant_share", "access_ok_share", "access_after_share")
"""Shares of buildings by community, 0-1."""


def by_community(
    table: pd.DataFrame, community_id: pd.Series, *, people: Floats | None = None, params: AccessParams
) -> pd.DataFrame:
    """How the buildings of each community are reached, indexed by its id; ``table`` is ``audit``'s, row by row.

    ``buildings_audited`` and ``SHARES`` of them, NaN where nothing is known of it: no hydrant on the map, no rubble.
    ``people_without_access`` live where the audit does not pass on an ordinary day, NaN without ``people`` (places,).
    """
    hydrant = (table["hydrant_m"] <= params.hydrant_m).where(table["hydrant_m"].notna())
    each = pd.DataFrame({
        "buildings_audited": np.ones(len(table), dtype=np.int64),
        "buildings_with_lane_share": table["lane_ok"].astype(float).to_numpy(),
        "two_ways_share": (table["ways_in"] >= ways_in.TWO).astype(float).to_numpy(),
        "hydrant_share": hydrant.astype(float).to_numpy(),
        "access_ok_share": table["passes"].astype(float).to_numpy(),
        "access_after_share": table["passes_after"].astype(float).to_numpy(),
        "people_without_access": np.nan if people is None else np.where(table["passes"], 0, people),
    })  # fmt: skip
    groups = each.groupby(community_id.to_numpy(dtype=object), sort=True)
    found = groups[list(SHARES)].mean()
    found.insert(0, "buildings_audited", groups["buildings_audited"].sum())
    found["people_without_access"] = groups["people_without_access"].sum(min_count=1)
    return found.rename_axis("community_id")
