"""What every street is to a fire engine: a lane or not, how many ways lead in from the trunk network, and how wide.

A fire lane is a street open to fire engines, wide and high enough. The trunk network is where help comes from. Streets
have no direction here: a fire engine on its task is not bound by one-way streets. A street between two junctions is
one: what narrows it anywhere narrows it for all on it. Everything is said twice: on an ordinary day, and when the
buildings beside the streets have collapsed (``geo.rubble``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from geo import ways_in
from geo.curves import Sourced, Word
from geo.network import Network
from geo.rubble import Rubble
from geo.tags import Tags, length_m
from geo.trunk_roads import CorridorParams
from geo.usable import Usable
from geo.ways_in import Net, Ways

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

NONE = -1
"""The street where there is none."""


class AccessParams(Sourced):
    """What a fire engine needs to reach a building or a shelter."""

    subject = "access"

    lane_m: float = Field(gt=0, le=20, description="Least width of a fire lane, metres.")
    height_m: float = Field(gt=0, le=20, description="Least clear height of a fire lane, metres.")
    reach_m: float = Field(gt=0, le=1000, description="Farthest a fire lane may lie from a building, metres.")
    spread_m: float = Field(
        ge=0, le=1000, description="A lane this much farther off than the nearest serves a building too, metres."
    )
    search_m: float = Field(gt=0, le=100_000, description="Farthest a building's street may lie from it, metres.")
    ways_in: int = Field(ge=1, le=2, description="Independent ways in that a building should have, count.")
    dead_end_m: float = Field(ge=0, le=10_000, description="Farthest a building may stand up a dead end, metres.")
    hydrant_m: float = Field(gt=0, le=10_000, description="Farthest a hydrant may lie from a building, metres.")
    hydrant_kinds: tuple[Word, ...] = Field(description="Kinds of facilities that are hydrants.")


# -- the streets -------------------------------------------------------------------------------------------------------

STREET_COLUMNS = {
    **dict.fromkeys(("width_m", "clear_m"), "float64"),
    **dict.fromkeys(("open", "lane", "lane_after", "trunk", "trunk_after"), "bool"),
    **dict.fromkeys(("ways_in", "needs"), "int64"),
    **dict.fromkeys(("ways_in_after", "widest_m", "widest_after_m", "height_limit_m"), "float64"),
    **dict.fromkeys(("narrowest", "narrowest_after"), "int64"),
    "dead_end": "int64",
    **dict.fromkeys(("dead_end_m", "corridor_asked_m"), "float64"),
}
"""Columns of ``Lanes.table`` and their types."""
NO_END, BY_U, BY_V = 0, 1, 2
"""Which end of a street a dead end is left by."""


@dataclass(frozen=True, eq=False)
class Lanes:
    """What every street is to a fire engine.

    ``table`` (edges,) has ``STREET_COLUMNS``; ``…_after`` is when buildings have collapsed. ``clear_m`` what is left of
    ``width_m`` (NaN: no buildings, not known); ``open`` to fire engines, ``lane`` also wide and high enough; ``trunk``:
    of the trunk network. ``ways_in`` of lanes from the trunk network that share no street (0, 1, 2; after a collapse
    NaN where that is not known), ``needs`` the street nearest to it that every such way uses (row, -1 where none).
    ``widest_m`` of the widest way to and along it and ``narrowest`` the street where that is narrowest; NaN and -1
    without a way. ``height_limit_m`` of the highest way, NaN where nothing limits it. ``dead_end`` says by which end a
    dead end is left and ``dead_end_m`` how far that end is from where one can drive on (NaN: never).
    ``corridor_asked_m`` is what it should keep after a collapse. ``by_class``: whether the trunk network is of the
    classes that make it, not what stands for them.
    """

    network: Network
    rubble: Rubble
    table: pd.DataFrame
    ways: Ways
    by_class: bool

    def __repr__(self) -> str:
        lanes, after = int(self.table["lane"].sum()), int(self.table["lane_after"].sum())
        return f"Lanes({lanes} of {len(self.table)} streets, {after} after a collapse)"


def lanes(network: Network, rubble: Rubble, engine: Usable, *, params: AccessParams, corridor: CorridorParams) -> Lanes:
    """What every street is to a fire engine; ``engine`` are the streets as it finds them on an ordinary day."""
    width_m, clear_m = (rubble.table[name].to_numpy(dtype=np.float64) for name in ("width_m", "clear_m"))
    open_, barred = engine.joined, engine.passage.barred
    limit_m = _limits_m(network, barred)
    lane = open_ & (width_m >= params.lane_m) & (limit_m >= params.height_m)
    lane_after = lane & (clear_m >= params.lane_m)
    trunk, by_class = _trunk(network, open_ & rubble.trunk, lane, barred, corridor.trunk_least_m)
    stays = (clear_m >= params.lane_m) | (clear_m == width_m)
    trunk_after = _long(network, trunk & stays, corridor.trunk_least_m)
    any_, any_after = (ways_in.net(network, open_, barred, out=out) for out in (trunk, trunk_after))
    now, after = (
        ways_in.ways(ways_in.net(network, of, barred, out=out))
        for of, out in ((lane, trunk), (lane_after, trunk_after))
    )
    columns: dict[str, object] = {
        "width_m": width_m, "clear_m": clear_m, "open": open_, "lane": lane, "lane_after": lane_after,
        "trunk": trunk, "trunk_after": trunk_after,
        "ways_in": _spread(now.net, now.count, 0), "ways_in_after": _spread(after.net, after.count, 0),
        "needs": _named(now.net, now.needs),
        **_widest(any_, width_m, ""), **_widest(any_after, np.nan_to_num(clear_m), "_after"),
        "height_limit_m": _highest(any_, limit_m), **_ends(any_),
        "corridor_asked_m": np.where(rubble.trunk, corridor.trunk_m, params.lane_m),
    }  # fmt: skip
    if not rubble.known:
        columns |= dict.fromkeys(("widest_after_m", "ways_in_after"), np.full(len(width_m), np.nan))
    table = pd.DataFrame({name: pd.Series(columns[name], dtype=dtype) for name, dtype in STREET_COLUMNS.items()})
    return Lanes(network, rubble, table, now, by_class)


def _limits_m(network: Network, barred: Mask) -> Floats:
    """The height that passes along each edge, metres; inf where none is told.

    A barrier that is passed limits the streets at it; where it is not passed they end there, and are not limited.
    """
    limit_m = np.nan_to_num(Tags(network.tags).read("maxheight", length_m), nan=np.inf)[network.way]
    at, stands = np.full(len(network.x), np.inf), network.barrier_node
    low_m = np.nan_to_num(Tags(network.barriers).read("maxheight", length_m), nan=np.inf)
    np.minimum.at(at, stands, np.where(barred[stands], np.inf, low_m))
    return np.asarray(np.minimum(limit_m, np.minimum(at[network.u], at[network.v])))


def _trunk(network: Network, of_class: Mask, lane: Mask, barred: Mask, least_m: float) -> tuple[Mask, bool]:
    """The trunk network (edges,), and whether it is of the classes that make it."""
    if of_class.any():
        return _long(network, of_class, least_m), True
    largest = _long(network, lane, np.inf)
    net = ways_in.net(network, largest, barred, out=np.zeros(len(largest), dtype=bool))
    ring = np.zeros(len(largest), dtype=bool)
    ring[net.edges] = ways_in.ring(ways_in.ways(net))
    if not ring.any() and largest.any():
        ring[np.where(largest, network.length_m, -1).argmax()] = True
    return ring, False


def _long(network: Network, edges: Mask, least_m: float) -> Mask:
    """Of some edges (edges,) those in connected pieces of at least so many metres; where there is none, the longest."""
    piece, long_m = ways_in.pieces(network, edges)
    if not len(long_m):
        return edges
    kept = long_m >= min(least_m, float(long_m.max()))
    return np.asarray(edges & kept[piece])


def _spread(net: Net, values: NDArray[np.generic], missing: object) -> NDArray[np.generic]:
    """What each link has, on all edges of the network."""
    found = np.full(len(net.of), missing, dtype=values.dtype)
    found[net.edges] = values
    return found


def _named(net: Net, link: Ints) -> NDArray[np.generic]:
    """Links of links as edges of edges, -1 where there is none."""
    return _spread(net, np.r_[net.edges, NONE][link], NONE)


def _widest(net: Net, width_m: Floats, when: str) -> dict[str, object]:
    metres, where = ways_in.widest(net, width_m[net.edges])
    return {f"widest{when}_m": _spread(net, metres, np.nan), f"narrowest{when}": _named(net, where)}


def _highest(net: Net, limit_m: Floats) -> NDArray[np.generic]:
    metres, _ = ways_in.widest(net, limit_m[net.edges])
    return _spread(net, np.where(np.isinf(metres), np.nan, metres), np.nan)


def _ends(net: Net) -> dict[str, object]:
    """By which end each street is left that is a dead end, and how far that end is from where one can drive on."""
    mouth, far_m = ways_in.dead_ends(net)
    by = np.select([mouth == NONE, mouth == net.u], [NO_END, BY_U], default=BY_V)
    return {"dead_end": _spread(net, by, NO_END), "dead_end_m": _spread(net, far_m, np.nan)}
